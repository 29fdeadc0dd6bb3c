//! The whole job on both databases, with nothing but the program's commands and its HTTP: from the plan's files to
//! scores that an independent script recomputes.

use std::collections::BTreeMap;
use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::{Value, json};

use crate::actors::Actor;
use crate::data::scored_again;
use crate::field::{Code, Dice, Field, answer_and_cast, eventually, received, text};
use crate::keying::{differing, full_entry, key_again, key_once};
use crate::stage::{ROUND, Service, Stage, both, on_each};

/// How many of each group answer: nearly all of some, few of others, nobody of one.
const ANSWERING: [(&str, usize); 5] = [("CC-CT", 28), ("CC-ND", 12), ("CC-CH", 11), ("LĐ-CP", 5), ("LĐX-CH", 4)];
const PAPER: [(&str, usize); 3] = [("HĐ-CT", 3), ("LĐH-CH", 6), ("LĐS-CT", 3)];

/// Ballots by group and unit, counted here as they are cast.
type Returned = BTreeMap<(String, String), u64>;

#[test]
fn from_the_plans_files_to_published_scores() {
    on_each(|stage| {
        let mut field = Field::prepared(stage);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let early = field.take("CC-CT");
        anon.cast(&early.code, &json!({"SNV": {"X1.1": "A"}})).is_problem(409, "round_not_open");
        stage.phieu(&["round", "open", ROUND]);
        eventually("the service sees the round open", || (round(&anon)["state"] == "open").then_some(()));

        let engine = Actor::machine(stage, &service, "rates:read,scores:read");
        let mut returned = Returned::new();
        online(&anon, &mut field, &mut returned);
        paper(stage, &service, &mut field, &mut returned);
        rates_are_counted(&engine, &returned, stage);

        engine.get(&scores("")).is_problem(409, "not_published");
        engine.get(&scores(".jws")).is_problem(409, "not_published");
        let ballots = stage.path("ballots.csv");
        let export = ["export", ROUND, "--what", "ballots", "--format", "csv", "--out", text(&ballots)];
        stage.phieu_fails(&export);
        assert!(!ballots.exists());
        acts_in_order(stage, &field, returned.values().sum());
        stage.phieu(&export);

        let document = eventually("the service sees the scores", || {
            let answer = engine.get(&scores(""));
            (answer.status == 200).then_some(answer)
        });
        let file = stage.path("scores.json");
        std::fs::write(&file, &document.body).unwrap();
        recomputed(&field, text(&ballots), text(&file));
        scored_again(stage, ROUND, 1);
        wrong_numbers_are_noticed(stage, &field, text(&ballots), &document.json());
        other_shapes(&engine, &anon, &document.json(), &document.body, document.header("etag").unwrap());
        assert_eq!(stage.phieu(&["scores", ROUND, "--format", "json"]).trim_end().as_bytes(), document.body);
        let shown = anon.get("/ket-qua").is_page(200);
        let best = document.json()["targets"][0]["percent"].as_str().unwrap().replace('.', ",");
        assert!(shown.contains(&best) || shown.contains(&best.replace(',', ".")), "{best} is not on /ket-qua");
        closed_for_good(stage, &anon, &mut field);
    });
}

fn scores(what: &str) -> String {
    format!("/api/v1/rounds/{ROUND}/scores{what}")
}

fn round(anon: &Actor) -> Value {
    anon.get(&format!("/api/v1/rounds/{ROUND}")).json()
}

fn online(anon: &Actor, field: &mut Field, returned: &mut Returned) {
    let mut dice = Dice::new(11);
    for (group, people) in ANSWERING {
        for _ in 0..people {
            let code = field.take(group);
            let (answers, receipt) = answer_and_cast(anon, &code, &mut dice);
            assert_eq!(anon.cast(&code.code, &answers).receipt(200), receipt, "{group}");
            count(returned, &code);
        }
    }
}

fn count(returned: &mut Returned, code: &Code) {
    *returned.entry((code.group.clone(), code.unit.clone())).or_default() += 1;
}

fn paper(stage: &Stage, service: &Service, field: &mut Field, returned: &mut Returned) {
    let clerks = [
        Actor::hired(stage, service, "nhap1", "clerk"),
        Actor::hired(stage, service, "nhap2", "clerk"),
        Actor::hired(stage, service, "phanxu", "adjudicator"),
    ];
    let anon = Actor::anon(service);
    let mut dice = Dice::new(12);
    for (group, sheets) in PAPER {
        let form = anon.get(&format!("/api/v1/rounds/{ROUND}/questionnaires/{}", crate::actors::escaped(group))).json();
        let codes: Vec<Code> = (0..sheets).map(|_| field.take(group)).collect();
        received(stage, ROUND, &codes);
        // The last sheet of each group is nearly empty: it is void, and counted as such.
        let entries: Vec<Value> = codes
            .iter()
            .enumerate()
            .map(|(n, code)| full_entry(&form, &code.targets, &mut dice, n + 1 == sheets))
            .collect();
        for (code, entry) in codes.iter().zip(&entries) {
            key_once(&clerks, &code.code, entry);
        }
        for (n, (code, entry)) in codes.iter().zip(&entries).enumerate() {
            let second = if n == 0 { differing(entry) } else { entry.clone() };
            key_again(&clerks, &code.code, entry, &second);
            count(returned, code);
        }
    }
}

fn rates_are_counted(engine: &Actor, returned: &Returned, stage: &Stage) {
    let rates = engine.get(&format!("/api/v1/rounds/{ROUND}/rates")).json();
    let mut recount: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut issued = 0;
    for cell in rates["cells"].as_array().unwrap() {
        let key = (
            cell["respondent_code"].as_str().unwrap().to_owned(),
            cell["source_unit"].as_str().unwrap_or("").to_owned(),
        );
        let n = cell["returned"].as_u64().unwrap();
        if n > 0 {
            *recount.entry(key).or_default() += n;
        }
        issued += cell["issued"].as_u64().unwrap();
    }
    assert_eq!(&recount, returned, "{}", stage.backend);
    let total: u64 = returned.values().sum();
    assert_eq!(rates["returned"], total);
    assert_eq!(rates["issued"], issued);
    assert_eq!(issued, 64 + 106, "the roster's 64 people and the plan's 106 paper ballots");
    assert_eq!(rates["rate"], format!("{:.2}", f64::from(u32::try_from(total).unwrap()) * 100.0 / 170.0));
    for group in rates["groups"].as_array().unwrap() {
        let code = group["respondent_code"].as_str().unwrap();
        let own: u64 = returned.iter().filter(|((group, _), _)| group == code).map(|(_, n)| n).sum();
        assert_eq!(group["returned"], own, "{code}");
    }
    let by_day: u64 = rates["days"].as_array().unwrap().iter().map(|d| d["returned"].as_u64().unwrap()).sum();
    assert_eq!(by_day, total);
    let paper: u64 = PAPER.iter().map(|(_, n)| u64::try_from(*n).unwrap()).sum();
    assert_eq!(rates["keying"]["cast"], paper);
}

/// Close, open the box, publish: each only after the one before, and with the right key.
fn acts_in_order(stage: &Stage, field: &Field, ballots: u64) {
    stage.phieu_fails(&["round", "publish", ROUND]);
    stage.phieu_fails(&["box", "open", ROUND, "--key", text(&field.key)]);
    let closed = stage.phieu(&["round", "close", ROUND]);
    assert!(closed.contains(&format!("{ballots} ballots in the box")), "{closed}");
    stage.phieu_fails(&["round", "close", ROUND]);
    let wrong = stage.path("wrong.key");
    let key = std::fs::read_to_string(&field.key).unwrap();
    std::fs::write(&wrong, key.replace("public=", "public=00")).unwrap();
    stage.phieu_fails(&["box", "open", ROUND, "--key", text(&wrong)]);
    let opened = stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
    assert!(opened.contains(&format!("envelopes {ballots}, opened {ballots}")), "{opened}");
    // The round's date of publication is days away.
    stage.phieu_fails(&["round", "publish", ROUND]);
    stage.phieu(&["round", "publish", ROUND, "--force-early"]);
    stage.phieu_fails(&["round", "publish", ROUND, "--force-early"]);
    assert_eq!(stage.count("ballot"), i64::try_from(ballots).unwrap());
}

fn script(field: &Field, ballots: &str, scores: &str) -> std::process::Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/scores.py");
    Command::new("python3").args([script, text(&field.folder), ballots, scores]).output().unwrap()
}

fn recomputed(field: &Field, ballots: &str, scores: &str) {
    let done = script(field, ballots, scores);
    assert!(done.status.success(), "{}", both(&done));
    let said = both(&done);
    assert!(said.contains("72 ballots") && said.contains(" 0 differ"), "{said}");
}

/// The comparison itself can fail: one last digit, one rank, one n.
fn wrong_numbers_are_noticed(stage: &Stage, field: &Field, ballots: &str, document: &Value) {
    let changes: [(&str, Value); 4] = [
        ("/targets/0/items/0/points", json!("1.01")),
        ("/targets/0/percent", json!("50.01")),
        ("/targets/1/rank", json!(20)),
        ("/targets/0/items/0/n", json!(1)),
    ];
    for (place, value) in changes {
        let mut wrong = document.clone();
        assert_ne!(*wrong.pointer(place).unwrap(), value, "{place}");
        *wrong.pointer_mut(place).unwrap() = value;
        let file = stage.path("wrong.json");
        std::fs::write(&file, wrong.to_string()).unwrap();
        let done = script(field, ballots, text(&file));
        assert_eq!(done.status.code(), Some(1), "{place}: {}", both(&done));
        assert!(both(&done).contains(" 1 differ"), "{place}: {}", both(&done));
    }
}

/// The same numbers as a table, signed, by target, by kind, and not sent twice.
fn other_shapes(engine: &Actor, anon: &Actor, document: &Value, body: &[u8], etag: &str) {
    let same = engine.with("if-none-match", etag).get(&scores(""));
    assert_eq!((same.status, same.body.len()), (304, 0));

    let one = engine.get(&scores("?target=SNV")).json();
    assert_eq!(one["targets"].as_array().unwrap(), &vec![document["targets"][0].clone()]);
    let kind = engine.get(&scores("?kind=huyen")).json();
    assert!(kind["targets"].as_array().unwrap().iter().all(|t| t["kind"] == "huyen"));
    assert_eq!(kind["targets"].as_array().unwrap().len(), 18);
    engine.get(&scores("?target=SXX")).is_problem(404, "target_unknown");
    engine.get(&scores("?colour=red")).is_problem(400, "query_malformed");

    let csv = engine.with("accept", "text/csv").get(&scores(""));
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"));
    let mut totals = 0;
    for row in csv::Reader::from_reader(csv.body.as_slice()).deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let target = document["targets"].as_array().unwrap().iter().find(|t| t["target"] == row["target"]).unwrap();
        let shown = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match row["level"].as_str() {
            "total" => {
                totals += 1;
                assert_eq!(
                    (&row["points"], &row["percent"]),
                    (&shown(&target["survey_points"]), &shown(&target["percent"]))
                );
            }
            "item" => {
                let item = target["items"].as_array().unwrap().iter().find(|i| i["item_code"] == row["code"]).unwrap();
                assert_eq!((&row["points"], &row["n"]), (&shown(&item["points"]), &item["n"].to_string()));
            }
            _ => {}
        }
    }
    assert_eq!(totals, 43);

    let jws = engine.get(&scores(".jws")).text();
    let parts: Vec<&str> = jws.split('.').collect();
    let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
    assert_eq!(decoded(parts[1]), body, "the signed document is the served one");
    let header: Value = serde_json::from_slice(&decoded(parts[0])).unwrap();
    let keys = anon.get("/.well-known/jwks.json").json();
    let key = keys["keys"].as_array().unwrap().iter().find(|k| k["kid"] == header["kid"]).unwrap();
    let key: [u8; 32] = decoded(key["x"].as_str().unwrap()).try_into().unwrap();
    let signature = Signature::from_slice(&decoded(parts[2])).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    VerifyingKey::from_bytes(&key).unwrap().verify_strict(signed.as_bytes(), &signature).unwrap();
}

fn closed_for_good(stage: &Stage, anon: &Actor, field: &mut Field) {
    let late = field.take("CC-CT");
    let envelopes = stage.count("ballot_box") + stage.count("envelope");
    anon.cast(&late.code, &json!({"SNV": {"X1.1": "A"}})).is_problem(409, "round_not_open");
    assert_eq!(stage.count("ballot_box") + stage.count("envelope"), envelopes);
    stage.phieu(&["box", "burn", ROUND, "--key", text(&field.key)]);
    assert!(!field.key.exists());
}
