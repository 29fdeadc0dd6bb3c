//! A code and an answer that can be recognised go all the way; nothing that the service prints or stores holds them.

use serde_json::json;

use crate::actors::Actor;
use crate::field::{Code, Field, text};
use crate::stage::{ROUND, Stage, on_each};

/// What must appear nowhere, in any spelling that somebody might print it in.
fn traces(code: &Code, answers: &serde_json::Value) -> Vec<Vec<u8>> {
    let symbols: String = code.code.chars().filter(|c| *c != '-').collect();
    let spoken = code.code.replace('-', " ");
    let quoted = answers.to_string();
    let inner = quoted.trim_start_matches('{').trim_end_matches('}').to_owned();
    // Two neighbours are enough to know an answer; one alone stands in every questionnaire.
    let pair = r#""X1.1":"E","X1.2":"N""#.to_owned();
    let form = "c.X1.1=E".to_owned();
    let debug = r#"Choice("E")"#.to_owned();
    let mut all = Vec::new();
    for text in [code.code.clone(), symbols.clone(), spoken, quoted, inner, pair, form, debug] {
        all.push(text.to_lowercase().into_bytes());
    }
    // Half a code is as good as a code to whoever can guess the rest.
    all.push(symbols[..12].to_lowercase().into_bytes());
    all
}

fn holds(bytes: &[u8], trace: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|window| window == trace)
}

#[test]
fn no_byte_of_output_or_storage_holds_a_code_or_an_answer() {
    on_each(|stage| {
        let mut field = Field::open(stage);
        let service = stage.serve_with(&[("PHIEU_LOG", "debug")]);
        let anon = Actor::anon(&service);
        let (code, drafting) = (field.take("CC-CT"), field.take("CC-CT"));
        let target = code.targets[0].as_str();
        let answers = json!({ target: {"X1.1": "E", "X1.2": "N", "X2.1": "E", "X3.1": "N"} });

        assert_eq!(anon.form(&code.code).status, 200);
        // What is refused is where values slip into messages.
        anon.cast(&code.code, &json!({ target: {"X1.1": "E", "X1.2": "N", "X9.9": "E"} }));
        anon.post_bytes(
            "/api/v1/ballots",
            "application/json",
            format!("{{\"code\": \"{}\", \"answers\"", code.code).as_bytes(),
        );
        anon.get(&format!("/api/v1/ballots/{}", code.code));
        anon.get(&format!("/p?ma={}", code.code));
        drafts(&anon, &drafting);
        assert_eq!(stage.count("draft"), 1, "the page kept a draft");
        let receipt = anon.cast(&code.code, &answers).receipt(201);
        assert_eq!(anon.cast(&code.code, &answers).receipt(200), receipt);

        let printed = service.stop().to_ascii_lowercase();
        assert!(holds(&printed, b"answered"), "the log was on: {}", String::from_utf8_lossy(&printed));
        let stored = stored(stage);
        let known = code.unit.to_lowercase().into_bytes();
        assert!(holds(&stored, &known), "the unit is stored, so the search sees what is there");
        for code in [&code, &drafting] {
            for trace in traces(code, &answers) {
                let trace_text = String::from_utf8_lossy(&trace).into_owned();
                assert!(!holds(&printed, &trace), "printed: {trace_text}");
                assert!(!holds(&stored, &trace), "stored: {trace_text}");
            }
        }
    });
}

/// Enters the code on the page and answers the first section, as a browser without scripts does.
fn drafts(anon: &Actor, code: &Code) {
    let entered = anon.post_form("/p", &[("ma", &code.code)]);
    assert_eq!(entered.status, 303, "{}", entered.text());
    let cookie = entered.header("set-cookie").and_then(|c| c.split(';').next()).map(str::to_owned);
    let person = cookie.map_or_else(|| anon.clone(), |cookie| anon.with("cookie", &cookie));
    let kept = person.post_form("/p?phan=1", &[("c.X1.1", "E"), ("c.X1.2", "N"), ("di", "tiep")]);
    assert_eq!(kept.status, 303, "{}", kept.text());
}

/// Every byte at rest: the database's files, or a dump of it.
fn stored(stage: &Stage) -> Vec<u8> {
    let mut bytes = Vec::new();
    if stage.backend == "sqlite" {
        // The write-ahead log too: it is there as long as a connection is.
        for file in ["phieu.db", "phieu.db-wal", "phieu.db-shm"] {
            bytes.extend(std::fs::read(stage.path(file)).unwrap_or_default());
        }
    } else {
        for table in [
            "round",
            "credential",
            "draft",
            "envelope",
            "ballot_box",
            "turnout",
            "capture",
            "audit",
            "session",
            "log",
            "log_tile",
            "log_leaf",
        ] {
            bytes.extend(stage.dump(table));
        }
    }
    assert!(!bytes.is_empty());
    bytes.make_ascii_lowercase();
    bytes
}

#[test]
fn a_killed_service_leaves_no_trace_in_the_write_ahead_log() {
    let stage = Stage::sqlite();
    let mut field = Field::open(&stage);
    let service = stage.serve();
    let anon = Actor::anon(&service);
    let code = field.take("CC-CT");
    let answers = json!({ code.targets[0].as_str(): {"X1.1": "E", "X1.2": "N", "X2.1": "E", "X3.1": "N"} });
    drafts(&anon, &code);
    anon.cast(&code.code, &answers).receipt(201);
    service.kill();
    assert!(stage.path("phieu.db-wal").exists(), "a kill leaves the log behind");
    let stored = stored(&stage);
    for trace in traces(&code, &answers) {
        assert!(!holds(&stored, &trace), "stored: {}", String::from_utf8_lossy(&trace));
    }
    assert!(stage.phieu(&["round", "show", ROUND]).contains("state: open"));
    assert!(!text(&field.key).is_empty());
}
