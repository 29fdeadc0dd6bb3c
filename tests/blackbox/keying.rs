//! The paper desk over its REST calls: two blind passes by two people, a third person where they differ.

use serde_json::{Map, Value, json};

use crate::actors::Actor;
use crate::field::{Dice, open_service, received};
use crate::stage::on_each;

/// An explicit code for every item of every target; nearly all blank when `empty`.
pub(crate) fn full_entry(questionnaire: &Value, targets: &[String], dice: &mut Dice, empty: bool) -> Value {
    let mut entry = Map::new();
    for target in targets {
        let mut items = Map::new();
        let sections = questionnaire["sections"].as_array().unwrap();
        for item in sections.iter().flat_map(|section| section["items"].as_array().unwrap()) {
            let answer = match dice.below(20) {
                _ if empty && !items.is_empty() => json!({"mark": "blank"}),
                0 => json!({"mark": "blank"}),
                1 => json!({"mark": "several"}),
                2 => json!({"mark": "illegible"}),
                n => json!(["A", "B", "C", "D", "E", "N"][n % 6]),
            };
            items.insert(item["item_code"].as_str().unwrap().to_owned(), answer);
        }
        entry.insert(target.clone(), Value::Object(items));
    }
    Value::Object(entry)
}

/// The same entry with its first item read otherwise.
pub(crate) fn differing(entry: &Value) -> Value {
    let mut other = entry.clone();
    let first = other.as_object_mut().unwrap().values_mut().next().unwrap();
    let answer = first.as_object_mut().unwrap().values_mut().next().unwrap();
    *answer = if *answer == "A" { json!("B") } else { json!("A") };
    other
}

fn open(actor: &Actor, code: &str) -> Value {
    let opened = actor.post("/api/v1/keying/open", &json!({ "code": code }));
    assert_eq!(opened.status, 200, "{}", opened.text());
    opened.json()
}

fn enter(actor: &Actor, code: &str, pass: &str, answers: &Value) -> crate::actors::Answer {
    actor.post("/api/v1/keying/entries", &json!({"code": code, "pass": pass, "answers": answers}))
}

/// The first clerk keys a ballot.
pub(crate) fn key_once(clerks: &[Actor; 3], code: &str, first: &Value) {
    let [one, ..] = clerks;
    assert_eq!(open(one, code)["task"], "first");
    let done = enter(one, code, "first", first);
    assert_eq!((done.status, done.json()["state"].as_str()), (201, Some("first_done")), "{}", done.text());
}

/// The second clerk keys it; where they differ the third person decides for the first clerk's reading.
pub(crate) fn key_again(clerks: &[Actor; 3], code: &str, first: &Value, second: &Value) {
    let [_, two, third] = clerks;
    let task = open(two, code);
    assert_eq!(task["task"], "second");
    assert_eq!(task.get("disputed"), None, "the second clerk sees nothing of the first");
    let done = enter(two, code, "second", second);
    assert_eq!(done.status, 201, "{}", done.text());
    if first == second {
        assert_eq!(done.json()["state"], "cast");
        return;
    }
    assert_eq!(done.json()["state"], "mismatched");
    let task = open(third, code);
    assert_eq!(task["task"], "read");
    let (mut answers, mut reasons) = (Map::new(), Map::new());
    for dispute in task["disputed"].as_array().unwrap() {
        let (target, item) = (dispute["target"].as_str().unwrap(), dispute["item"].as_str().unwrap());
        assert_eq!((dispute.get("first"), dispute.get("second")), (None, None), "the third person reads blind");
        let put = |into: &mut Map<String, Value>, value: Value| {
            into.entry(target).or_insert_with(|| json!({}))[item] = value;
        };
        put(&mut answers, first[target][item].clone());
        put(&mut reasons, json!("slip_second"));
    }
    let shown = third.post("/api/v1/keying/readings", &json!({"code": code, "answers": answers}));
    assert_eq!(shown.status, 200, "{}", shown.text());
    for dispute in shown.json()["disputed"].as_array().unwrap() {
        let (target, item) = (dispute["target"].as_str().unwrap(), dispute["item"].as_str().unwrap());
        assert_eq!(dispute["first"], first[target][item]);
        assert_eq!(dispute["second"], second[target][item]);
    }
    let decision = json!({"code": code, "answers": answers, "reasons": reasons});
    let done = third.post("/api/v1/keying/adjudications", &decision);
    assert_eq!((done.status, done.json()["state"].as_str()), (201, Some("cast")), "{}", done.text());
}

#[test]
fn two_people_a_third_one_and_nothing_twice() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let clerks = [
            Actor::hired(stage, &service, "nhap1", "clerk"),
            Actor::hired(stage, &service, "nhap2", "clerk"),
            Actor::hired(stage, &service, "phanxu", "adjudicator"),
        ];
        let [one, two, third] = &clerks;
        let observer = Actor::hired(stage, &service, "theodoi", "observer");
        let anon = Actor::anon(&service);
        let (code, online) = (field.take("LĐH-CH"), field.take("CC-CT"));
        let form = anon.get(&format!(
            "/api/v1/rounds/{}/questionnaires/{}",
            crate::stage::ROUND,
            crate::actors::escaped("LĐH-CH")
        ));
        let entry = full_entry(&form.json(), &code.targets, &mut Dice::new(5), false);
        let (paper, call) = (code.code.as_str(), "/api/v1/keying/open");
        let other = field.take("LĐH-CH");

        // Paper is received before it is keyed, and every ballot of a bundle has a first entry before one has a second.
        one.post(call, &json!({ "code": paper })).is_problem(409, "keying_not_received");
        enter(one, paper, "first", &entry).is_problem(409, "keying_not_received");
        received(stage, crate::stage::ROUND, [&code, &other]);

        anon.post(call, &json!({ "code": paper })).is_problem(401, "sign_in_required");
        observer.post(call, &json!({ "code": paper })).is_problem(403, "role_missing");
        one.post(call, &json!({ "code": online.code })).is_problem(409, "code_is_online");
        one.post(call, &json!({"code": "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYM"})).is_problem(404, "code_unknown");
        let mut hole = entry.clone();
        hole[code.targets[0].as_str()].as_object_mut().unwrap().remove("X1.1");
        let problem = enter(one, paper, "first", &hole).is_problem(422, "answers_invalid");
        assert_eq!(problem["errors"][0]["code"], "item_missing");
        assert_eq!(stage.count("capture"), 0);
        assert_eq!(stage.count("draft"), 0);

        assert_eq!(enter(one, paper, "first", &entry).status, 201);
        assert_eq!(enter(one, paper, "first", &entry).status, 200, "the same again changes nothing");
        enter(one, paper, "second", &entry).is_problem(409, "keying_same_person");
        let second = differing(&entry);
        two.post(call, &json!({ "code": paper })).is_problem(409, "keying_firsts_missing");
        enter(two, paper, "second", &second).is_problem(409, "keying_firsts_missing");
        let others = full_entry(&form.json(), &other.targets, &mut Dice::new(6), false);
        assert_eq!(enter(two, &other.code, "first", &others).status, 201);
        assert_eq!(enter(two, paper, "second", &second).json()["disputed"], 1);
        two.post(call, &json!({ "code": paper })).is_problem(409, "keying_awaits_third");
        assert_eq!(stage.count("envelope"), 0, "nothing is cast while they differ");

        let (target, item) = (code.targets[0].as_str(), "X1.1");
        let empty = json!({"code": paper, "answers": {}, "reasons": {}});
        third.post("/api/v1/keying/adjudications", &empty).is_problem(409, "keying_reading_missing");
        let blind = json!({"code": paper, "answers": {target: {item: entry[target][item]}}});
        assert_eq!(third.post("/api/v1/keying/readings", &blind).status, 200);
        third.post("/api/v1/keying/adjudications", &empty).is_problem(422, "answers_invalid");
        one.post("/api/v1/keying/adjudications", &empty).is_problem(403, "role_missing");
        let decision = json!({
            "code": paper,
            "answers": {target: {item: entry[target][item]}},
            "reasons": {target: {item: "slip_second"}},
        });
        assert_eq!(third.post("/api/v1/keying/adjudications", &decision).json()["state"], "cast");
        third.post(call, &json!({ "code": paper })).is_problem(409, "keying_already_cast");
        assert_eq!((stage.count("envelope"), stage.count("draft")), (1, 1), "{}", stage.backend);
        assert_eq!(stage.count("capture WHERE state = 'cast'"), 1);
    });
}

#[test]
fn a_program_is_one_clerk() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let code = field.take("LĐH-CH");
        received(stage, crate::stage::ROUND, [&code]);
        let (one, two) =
            (Actor::machine(stage, &service, "ballots:key"), Actor::machine(stage, &service, "ballots:key,rates:read"));
        let reader = Actor::machine(stage, &service, "rates:read");
        let form = Actor::anon(&service).get(&format!(
            "/api/v1/rounds/{}/questionnaires/{}",
            crate::stage::ROUND,
            crate::actors::escaped("LĐH-CH")
        ));
        let entry = full_entry(&form.json(), &code.targets, &mut Dice::new(8), false);
        let paper = code.code.as_str();
        enter(&reader, paper, "first", &entry).is_problem(403, "scope_missing");
        assert_eq!(enter(&one, paper, "first", &entry).status, 201);
        enter(&one, paper, "second", &entry).is_problem(409, "keying_same_person");
        assert_eq!(enter(&two, paper, "second", &entry).json()["state"], "cast", "{}", stage.backend);
        let empty = json!({"code": paper, "answers": {}, "reasons": {}});
        one.post("/api/v1/keying/adjudications", &empty).is_problem(403, "role_missing");
        let sign = json!({"act": "sign"});
        let bundle =
            format!("/api/v1/keying/bundles/{}/{}/1/acts", crate::stage::ROUND, crate::actors::escaped("LĐH-CH"));
        one.post(&bundle, &sign).is_problem(403, "role_missing");
        assert_eq!(stage.count("staff WHERE name LIKE 'client.%' AND disabled"), 2, "nobody signs in as a program");
    });
}
