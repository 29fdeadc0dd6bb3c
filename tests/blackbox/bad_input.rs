//! Whatever is wrong with a request has its own stable error, and leaves nothing behind.

use serde_json::{Value, json};

use crate::actors::Actor;
use crate::field::{Code, Dice, Field, answer_and_cast, eventually, open_service};
use crate::stage::{ROUND, Stage, on_each, round_folder};

/// Everything that a ballot leaves: rows by table.
fn rows(stage: &Stage) -> Vec<i64> {
    let tables = ["credential WHERE state <> 'issued'", "envelope", "ballot_box", "draft", "turnout", "capture"];
    tables.iter().map(|table| stage.count(table)).collect()
}

fn with_one(code: &Code, item: &str, option: Value) -> Value {
    json!({ code.targets[0].as_str(): { item: option } })
}

#[test]
fn faulty_ballots_are_refused_by_name_and_nothing_is_stored() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let code = field.take("CC-CT");
        let paper = field.take("HĐ-CT");
        let before = rows(stage);

        // 24 symbols whose check symbol fits, but that nobody was given.
        let unknown = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYM";
        anon.form(unknown).is_problem(404, "code_unknown");
        anon.cast(unknown, &with_one(&code, "X1.1", json!("A"))).is_problem(404, "code_unknown");
        for wrong in mistyped(&code.code) {
            anon.form(&wrong).is_problem(404, "code_unknown");
            anon.cast(&wrong, &with_one(&code, "X1.1", json!("A"))).is_problem(404, "code_unknown");
        }
        anon.form(&paper.code).is_problem(409, "code_is_paper");
        anon.cast(&paper.code, &json!({})).is_problem(409, "code_is_paper");

        let other = if code.targets[0] == "SNV" { "STC" } else { "SNV" };
        let faulty: [(Value, &str, &str); 9] = [
            (json!({"SXX": {"X1.1": "A"}}), "/answers", "target_not_in_round"),
            (json!({ other: {"X1.1": "A"} }), "/answers", "target_not_yours"),
            (with_one(&code, "X9.9", json!("A")), "", "item_unknown"),
            (with_one(&code, "X1.1", json!("Z")), "/X1.1", "option_unknown"),
            (with_one(&code, "X1.1", json!({"mark": "blank"})), "/X1.1", "mark_not_online"),
            (with_one(&code, "X1.1", json!(7)), "/X1.1", "answer_malformed"),
            (json!({ code.targets[0].as_str(): "A" }), "", "target_not_object"),
            (json!({}), "/answers", "nothing_answered"),
            (json!("A"), "/answers", "answers_not_object"),
        ];
        for (answers, place, fault) in &faulty {
            let problem = anon.cast(&code.code, answers).is_problem(422, "answers_invalid");
            let errors = problem["errors"].as_array().unwrap();
            assert_eq!(errors.len(), 1, "{problem}");
            assert_eq!(errors[0]["code"], *fault, "{problem}");
            let pointer = errors[0]["pointer"].as_str().unwrap();
            assert!(pointer.starts_with("/answers") && pointer.ends_with(place), "{problem}");
        }
        // One bad answer among good ones spoils the whole ballot.
        let mixed = json!({ code.targets[0].as_str(): {"X1.1": "A", "X1.2": "Z"} });
        anon.cast(&code.code, &mixed).is_problem(422, "answers_invalid");

        assert_eq!(rows(stage), before, "{}", stage.backend);
        // The code is as good as new.
        assert_eq!(anon.form(&code.code).json()["state"], "issued");
        answer_and_cast(&anon, &code, &mut Dice::new(1));
    });
}

#[test]
fn faulty_bodies_are_refused_by_name_and_nothing_is_stored() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let code = field.take("CC-CT").code;
        let before = rows(stage);
        for path in ["/api/v1/ballots/form", "/api/v1/ballots"] {
            let post = |media: &str, body: &[u8]| anon.post_bytes(path, media, body);
            let whole = json!({"code": code, "answers": {"SNV": {"X1.1": "A"}}}).to_string();
            post("application/json", b"").is_problem(400, "body_malformed");
            post("application/json", &whole.as_bytes()[..whole.len() - 1]).is_problem(400, "body_malformed");
            post("application/json", b"[1, 2]").is_problem(400, "body_malformed");
            post("application/json", br#"{"cod": "x"}"#).is_problem(400, "body_malformed");
            post("application/json", br#"{"code": 5, "answers": {}}"#).is_problem(400, "body_malformed");
            post("application/json", b"{\"code\": \"\xff\xfe\", \"answers\": {}}").is_problem(400, "body_malformed");
            post("application/json", format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000)).as_bytes())
                .is_problem(400, "body_malformed");
            post("text/plain", whole.as_bytes()).is_problem(415, "media_type_unsupported");
            post("application/x-www-form-urlencoded", b"code=x").is_problem(415, "media_type_unsupported");
            let long = json!({"code": "7".repeat(300_000), "answers": {}}).to_string();
            post("application/json", long.as_bytes()).is_problem(413, "body_too_large");
            let empty = json!({"code": "", "answers": {}}).to_string();
            let problem =
                post("application/json", if path.ends_with("form") { br#"{"code": ""}"# } else { empty.as_bytes() });
            problem.is_problem(422, "fields_invalid");
        }
        anon.get("/api/v1/nothing").is_problem(404, "not_found");
        assert_eq!(rows(stage), before, "{}", stage.backend);
    });
}

#[test]
fn used_and_revoked_codes() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let (used, revoked, replaced) = (field.take("CC-ND"), field.take("CC-ND"), field.take("CC-ND"));

        let (answers, receipt) = answer_and_cast(&anon, &used, &mut Dice::new(2));
        let after = rows(stage);
        // Whatever comes along with a used code: its one receipt.
        assert_eq!(anon.cast(&used.code, &answers).receipt(200), receipt);
        assert_eq!(anon.cast(&used.code, &with_one(&used, "X1.1", json!("E"))).receipt(200), receipt);
        assert_eq!(anon.cast(&used.code, &json!({"SXX": 1})).receipt(200), receipt);
        let typed = used.code.to_lowercase().replace('-', " ");
        assert_eq!(anon.cast(&typed, &answers).receipt(200), receipt);
        let asked = anon.form(&used.code).json();
        assert_eq!((asked["state"].as_str(), asked["receipt"].as_str()), (Some("used"), Some(receipt.as_str())));
        assert_eq!(rows(stage), after);

        let done = stage.phieu_with_input(&["codes", "revoke"], &revoked.code);
        assert_eq!(done.status.code(), Some(0));
        let renewed = stage.path("renewed.csv");
        let done = stage.phieu_with_input(&["codes", "replace", "--out", renewed.to_str().unwrap()], &replaced.code);
        assert_eq!(done.status.code(), Some(0));
        let after = rows(stage);
        for gone in [&revoked, &replaced] {
            anon.form(&gone.code).is_problem(410, "code_revoked");
            anon.cast(&gone.code, &with_one(gone, "X1.1", json!("A"))).is_problem(410, "code_revoked");
        }
        assert_eq!(rows(stage), after);
        let renewed = crate::field::read_codes(&renewed).remove("CC-ND").unwrap();
        answer_and_cast(&anon, &renewed[0], &mut Dice::new(3));

        // A used code cannot be revoked: its ballot is in the box.
        let done = stage.phieu_with_input(&["codes", "revoke"], &used.code);
        assert_eq!(done.status.code(), Some(1));
        assert_eq!(anon.cast(&used.code, &answers).receipt(200), receipt);
    });
}

#[test]
fn a_round_that_is_not_open_takes_nothing() {
    on_each(|stage| {
        // Told to open, but its first day is tomorrow.
        let tomorrow = chrono::TimeDelta::days(1);
        let folder = round_folder(&stage.path("round"), tomorrow, tomorrow * 5);
        let mut field = Field::of(stage, folder);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let code = field.take("CC-CT");
        let answers = with_one(&code, "X1.1", json!("A"));
        let before = rows(stage);
        anon.cast(&code.code, &answers).is_problem(409, "round_not_open");
        stage.phieu(&["round", "open", ROUND]);
        eventually("the service sees the round open", || {
            (anon.form(&code.code).json()["round"]["state"] == "open").then_some(())
        });
        anon.cast(&code.code, &answers).is_problem(409, "round_not_open");
        stage.phieu(&["round", "close", ROUND]);
        anon.cast(&code.code, &answers).is_problem(409, "round_not_open");
        assert_eq!(rows(stage), before, "{}", stage.backend);
    });
}

/// A code with one symbol changed, two swapped, one missing, one too many, and a sign that no code has.
fn mistyped(code: &str) -> Vec<String> {
    let mut symbols: Vec<char> = code.chars().filter(|c| *c != '-').collect();
    let whole: String = symbols.iter().collect();
    let changed = format!("{}{}", if whole.starts_with('7') { '8' } else { '7' }, &whole[1..]);
    let place = (0..23).find(|i| symbols[*i] != symbols[i + 1]).unwrap();
    symbols.swap(place, place + 1);
    let swapped = symbols.iter().collect();
    vec![changed, swapped, whole[..23].to_owned(), format!("{whole}0"), format!("{}?", &whole[..23]), "x".to_owned()]
}
