//! A code and an answer that can be recognised go all the way; nothing that the service prints or stores holds them.

use serde_json::json;

use crate::actors::Actor;
use crate::field::{Code, Field, eventually, text};
use crate::stage::{ROUND, Stage, edit, on_each, open_round_folder};

/// Where somebody comes from; it must appear nowhere.
const ADDRESS: &str = "203.0.113.77";
const AGENT: &str = "canary-browser/7.7";

/// A code in any spelling that somebody might print it in.
fn code_traces(code: &Code) -> Vec<Vec<u8>> {
    let symbols: String = code.code.chars().filter(|c| *c != '-').collect();
    // Half a code is as good as a code to whoever can guess the rest.
    let all = [code.code.clone(), symbols.clone(), code.code.replace('-', " "), symbols[..12].to_owned()];
    all.map(|text| text.to_lowercase().into_bytes()).to_vec()
}

/// What must appear nowhere, in any spelling that somebody might print it in.
fn traces(code: &Code, answers: &serde_json::Value) -> Vec<Vec<u8>> {
    let quoted = answers.to_string();
    let inner = quoted.trim_start_matches('{').trim_end_matches('}').to_owned();
    // Two neighbours are enough to know an answer; one alone stands in every questionnaire.
    let pair = r#""X1.1":"E","X1.2":"N""#.to_owned();
    let form = "c.X1.1=E".to_owned();
    let debug = r#"Choice("E")"#.to_owned();
    let mut all = code_traces(code);
    all.extend([quoted, inner, pair, form, debug].map(|text| text.to_lowercase().into_bytes()));
    all
}

fn holds(bytes: &[u8], trace: &[u8]) -> bool {
    bytes.windows(trace.len()).any(|window| window == trace)
}

#[test]
fn no_byte_of_output_or_storage_holds_a_code_or_an_answer() {
    on_each(|stage| {
        let mut field = Field::open(stage);
        let admin = free_address();
        let service = stage.serve_with(&[
            ("PHIEU_LOG", "debug"),
            ("PHIEU_ADMIN_LISTEN", &admin),
            ("PHIEU_TRUST_FORWARDED_FOR", "true"),
        ]);
        let anon = Actor::anon(&service).with("x-forwarded-for", ADDRESS).with("user-agent", AGENT);
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

        let metrics = Actor::at(&format!("http://{admin}")).get("/metrics").text();
        assert!(metrics.contains("phieu_http_answers_total"), "the routes are counted: {metrics}");
        let mut printed = service.stop();
        printed.extend_from_slice(metrics.as_bytes());
        printed.make_ascii_lowercase();
        assert!(holds(&printed, b"answered"), "the log was on: {}", String::from_utf8_lossy(&printed));
        let stored = stored(stage);
        let known = code.unit.to_lowercase().into_bytes();
        assert!(holds(&stored, &known), "the unit is stored, so the search sees what is there");
        for origin in [ADDRESS, AGENT] {
            assert!(!holds(&printed, origin.as_bytes()) && !holds(&stored, origin.as_bytes()), "{origin}");
        }
        for code in [&code, &drafting] {
            for trace in traces(code, &answers) {
                let trace_text = String::from_utf8_lossy(&trace).into_owned();
                assert!(!holds(&printed, &trace), "printed: {trace_text}");
                assert!(!holds(&stored, &trace), "stored: {trace_text}");
            }
        }
        // Once the box is open the answers may be read, and still no code is anywhere.
        let mut said = stage.phieu(&["round", "close", ROUND]);
        said += &stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
        said += &stage.phieu(&["round", "publish", ROUND, "--force-early"]);
        let mut opened = self::stored(stage);
        assert!(holds(&opened, br#""x1.1":"e","x1.2":"n""#), "the opened ballot is stored, so the search sees it");
        opened.extend(said.to_ascii_lowercase().bytes());
        for code in [&code, &drafting] {
            for trace in code_traces(code) {
                assert!(!holds(&opened, &trace), "after opening: {}", String::from_utf8_lossy(&trace));
            }
        }
    });
}

/// Two people whom letters go to; nobody else is called so.
const PEOPLE: &str = "Họ và tên,Đơn vị,Thư điện tử
Hoàng Kim Tước,Cục Thuế tỉnh,canary.7x@chim.example
Đặng Sơn Ca,Cục Thuế tỉnh,canary.8x@chim.example
";

#[test]
fn a_letter_leaves_neither_code_nor_answer_and_after_the_close_no_person() {
    on_each(|stage| {
        letters_planned(stage);
        let (admin, folder) = (free_address(), stage.path("thu"));
        let mail = format!("file://{}", folder.display());
        let service = stage.serve_with(&[
            ("PHIEU_LOG", "debug"),
            ("PHIEU_ADMIN_LISTEN", &admin),
            ("PHIEU_MAIL_URL", &mail),
            ("PHIEU_MAIL_FROM", "Khảo sát <khaosat@example.gov.vn>"),
        ]);
        let letters = eventually("both letters are there", || {
            let all = std::fs::read_dir(&folder).ok()?.map(|file| file.unwrap().path());
            let whole = all.filter(|path| path.extension().is_some_and(|extension| extension == "eml"));
            let all: Vec<String> = whole.map(|path| std::fs::read_to_string(path).unwrap()).collect();
            (all.len() == 2 && stage.count("letter WHERE state = 'sent'") == 2).then_some(all)
        });
        let anon = Actor::anon(&service);
        let codes: Vec<Code> = letters.iter().map(|letter| carried(&anon, letter)).collect();
        let answers = json!({ codes[0].targets[0].as_str(): {"X1.1": "E", "X1.2": "N"} });
        anon.cast(&codes[0].code, &json!({ codes[0].targets[0].as_str(): {"X1.1": "E", "X1.2": "N", "X9.9": "E"} }));
        drafts(&anon, &codes[1]);
        anon.cast(&codes[0].code, &answers).receipt(201);
        let reminded = stage.phieu(&["letters", "plan", ROUND, "--reminder"]);
        assert!(reminded.contains("2 reminders"), "as many as were written to: {reminded}");
        let metrics = Actor::at(&format!("http://{admin}")).get("/metrics").text();
        assert!(metrics.contains("phieu_letters_total"), "letters are counted: {metrics}");
        let mut printed = service.stop();
        printed.extend_from_slice(metrics.as_bytes());
        printed.make_ascii_lowercase();

        let persons = ["canary.7x", "canary.8x", "chim.example", "hoàng kim tước", "đặng sơn ca"];
        let nowhere = |bytes: &[u8], traces: &[Vec<u8>], when: &str| {
            for trace in traces {
                assert!(!holds(bytes, trace), "{when}: {}", String::from_utf8_lossy(trace));
            }
        };
        let marked: Vec<Vec<u8>> = codes.iter().flat_map(|code| traces(code, &answers)).collect();
        // PostgreSQL's and SQLite's own letters are as written: capitals outside ASCII stay.
        let of_persons: Vec<Vec<u8>> =
            persons.iter().flat_map(|p| [p.to_string(), p.replace('đ', "Đ")]).map(String::into_bytes).collect();
        nowhere(&printed, &marked, "printed");
        nowhere(&printed, &of_persons, "printed");
        let open = stored(stage);
        nowhere(&open, &marked, "stored");
        assert!(
            holds(&open, b"canary.7x@chim.example"),
            "until the close the address is stored, so the search sees it"
        );

        stage.phieu(&["round", "close", ROUND]);
        let closed = stored(stage);
        nowhere(&closed, &marked, "after the close");
        nowhere(&closed, &of_persons, "after the close");
        let mut said = stage.phieu(&["box", "open", ROUND, "--key", text(&stage.path("box.key"))]);
        said += &stage.phieu(&["round", "publish", ROUND, "--force-early"]);
        let mut opened = stored(stage);
        assert!(holds(&opened, br#""x1.1":"e","x1.2":"n""#), "the opened ballot is stored, so the search sees it");
        opened.extend(said.to_ascii_lowercase().bytes());
        nowhere(&opened, &of_persons, "after the opening");
        let secrets: Vec<Vec<u8>> = codes.iter().flat_map(code_traces).collect();
        nowhere(&opened, &secrets, "after the opening");
    });
}

/// The plan with letters to named people of CC-ND, at any hour, open, and both invitations in the outbox.
fn letters_planned(stage: &Stage) {
    let folder = open_round_folder(&stage.path("round"));
    edit(&folder.join("round.toml"), |text| {
        let (before, after) = text.split_once("code = \"CC-ND\"").unwrap();
        let after = after.replacen("issue = \"draw\"", "issue = \"addressed\"", 1);
        let days = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;
        format!("{before}code = \"CC-ND\"{after}\n[letters]\ndays = {days}\nfrom = \"00:00\"\nuntil = \"24:00\"\n")
    });
    let people = stage.path("people.csv");
    std::fs::write(&people, PEOPLE).unwrap();
    stage.phieu(&["migrate"]);
    stage.phieu(&["round", "load", text(&folder)]);
    stage.phieu(&["box", "keygen", ROUND, "--out", text(&stage.path("box.key"))]);
    stage.phieu(&["roster", "import", ROUND, text(&people), "--group", "CC-ND"]);
    stage.phieu(&["round", "open", ROUND]);
    assert!(stage.phieu(&["letters", "plan", ROUND]).contains("planned 2 invitations"));
}

/// The code that a letter carries, out of its text or its HTML, whichever way that is encoded.
fn carried(anon: &Actor, letter: &str) -> Code {
    let decoded = letter.split("base64\r\n\r\n").skip(1).map(|part| {
        let body: String = part.split("\r\n--").next().unwrap().split_whitespace().collect();
        String::from_utf8(data_encoding::BASE64.decode(body.as_bytes()).unwrap()).unwrap()
    });
    let all = decoded.collect::<String>() + &letter.replace("=\r\n", "");
    let code = all.split("/p#").nth(1).unwrap()[..29].to_owned();
    let form = anon.form(&code).json();
    let target = form["form"]["targets"][0]["target"].as_str().unwrap().to_owned();
    Code { group: "CC-ND".to_owned(), unit: "CT".to_owned(), targets: vec![target], code, sheet: None }
}

/// Free a moment ago, for the listener whose port the service does not tell.
fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
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
        // The write-ahead log too, which is there as long as a connection is, and whatever else stands beside it.
        for file in std::fs::read_dir(stage.path("phieu.db").parent().unwrap()).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_string_lossy().starts_with("phieu.db") {
                bytes.extend(std::fs::read(file.path()).unwrap());
            }
        }
    } else {
        for table in stage.tables() {
            bytes.extend(stage.dump(&table));
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

#[test]
fn a_service_that_dies_leaves_no_core_file() {
    let stage = Stage::sqlite();
    if !stage.has_core_files() {
        eprintln!("SKIPPED: this system writes no core files into the folder of who dies");
        return;
    }
    let mut field = Field::open(&stage);
    let service = stage.serve_with_core_files();
    drafts(&Actor::anon(&service), &field.take("CC-CT"));
    service.abort();
    assert_eq!(stage.core_files(), Vec::<std::path::PathBuf>::new());
}
