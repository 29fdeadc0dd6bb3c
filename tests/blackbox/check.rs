//! Check or cast: the server commits to an envelope before it knows whether it will be opened.

use serde_json::{Value, json};

use crate::actors::Actor;
use crate::field::{Dice, Field, answers, text};
use crate::stage::{ROUND, Stage, both, on_each, python_with};

fn resealed(stage: &Stage, file: &Value) -> (bool, String) {
    let path = stage.path("opened.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = stage.command(&["verify", "--reseal", text(&path)]).output().unwrap();
    (output.status.success(), both(&output))
}

#[test]
fn an_opened_envelope_is_sealed_again_elsewhere_and_never_cast() {
    on_each(|stage| {
        let mut field = Field::open(stage);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let (code, other) = (field.take("CC-CT").code, field.take("CC-CT").code);
        let form = anon.form(&code).json();
        let filled = answers(&form["form"], &mut Dice::new(5));
        let commit = || anon.post("/api/v1/ballots/check", &json!({"code": code, "answers": filled})).json();
        let decide = |act: &str, code: &str, held: &Value| {
            anon.post(&format!("/api/v1/ballots/check/{act}"), &json!({"code": code, "held": held}))
        };

        let committed = commit();
        decide("open", &other, &committed["held"]).is_problem(409, "state_conflict");
        decide("open", &code, &json!("AAAA")).is_problem(409, "state_conflict");
        let opened = decide("open", &code, &committed["held"]);
        assert_eq!(opened.status, 200);
        let opened = opened.json();
        assert_eq!(opened["receipt"], committed["receipt"], "what was shown first");
        let ballot: Value = serde_json::from_str(opened["ballot"].as_str().unwrap()).unwrap();
        assert_eq!(ballot["answers"], filled, "what was answered");
        let key = anon.get(&format!("/api/v1/rounds/{ROUND}")).json()["box_public_key"].clone();
        assert_eq!(opened["box_public_key"], key);
        let (same, said) = resealed(stage, &opened);
        assert!(same && said.contains(committed["receipt"].as_str().unwrap()), "{said}");
        // By another implementation, in another language.
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reseal.py");
        let other_way = python_with("cryptography").args([script, text(&stage.path("opened.json"))]).output().unwrap();
        assert_eq!(both(&other_way).trim(), committed["receipt"], "python3-cryptography is needed (tests/run)");
        // A server that had altered an answer.
        let mut altered = opened.clone();
        altered["ballot"] =
            json!(opened["ballot"].as_str().unwrap().replacen("\"answers\":{", "\"answers\":{\"A\":{},", 1));
        let (same, said) = resealed(stage, &altered);
        assert!(!same && said.contains("another number"), "{said}");
        let (same, said) = resealed(stage, &json!({"format": "phieu-check/v1"}));
        assert!(!same && said.contains("no file of an opened envelope"), "{said}");

        // Opened, it is not cast; the code is not used and nothing is kept.
        decide("cast", &code, &committed["held"]).is_problem(409, "state_conflict");
        assert_eq!(anon.form(&code).json()["state"], "issued");
        assert_eq!(stage.count("draft") + stage.count("envelope"), 0);

        // Another commitment, cast: it is exactly the envelope that was shown.
        let second = commit();
        assert_ne!(second["receipt"], committed["receipt"], "a new salt");
        assert_eq!(decide("cast", &code, &second["held"]).receipt(201), second["receipt"].as_str().unwrap());
        assert_eq!(decide("cast", &code, &second["held"]).receipt(200), second["receipt"].as_str().unwrap());
        assert_eq!(stage.count("envelope"), 1);
        decide("open", &code, &second["held"]).is_problem(409, "state_conflict");
        // From before the service was started.
        let late = anon.post("/api/v1/ballots/check", &json!({"code": other, "answers": filled})).json();
        drop(service);
        let service = stage.serve();
        let anon = Actor::anon(&service);
        let body = json!({"code": other, "held": late["held"]});
        anon.post("/api/v1/ballots/check/cast", &body).is_problem(409, "state_conflict");
    });
}

#[test]
fn the_pages_lead_from_the_review_to_an_opened_envelope_and_back() {
    let stage = Stage::sqlite();
    let mut field = Field::open(&stage);
    let service = stage.serve();
    let code = field.take("CC-CT").code;
    let form = Actor::anon(&service).form(&code).json();
    let filled = answers(&form["form"], &mut Dice::new(6));
    let (item, choice) =
        filled.as_object().unwrap().values().next().unwrap().as_object().unwrap().iter().next().unwrap();
    let anon = Actor::anon(&service);
    let anon = anon.with("cookie", &format!("phieu_code={}", code.replace('-', "")));
    anon.post_form("/p?phan=1", &[(&format!("c.{item}"), choice.as_str().unwrap()), ("di", "xem-lai")]);
    let review = anon.get("/p/xem-lai").is_page(200);
    assert!(review.contains("Kiểm tra thay vì gửi"), "{review}");
    let committed = anon.post_form("/p/thu", &[]).is_page(200);
    let field = |page: &str, name: &str| {
        let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let number = |page: &str| {
        let rest = page.split("<p class=\"code\">").nth(1).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let held = field(&committed, "giu");
    let opened = anon.post_form("/p/thu/mo", &[("giu", &held)]).is_page(200);
    assert_eq!(number(&opened), number(&committed), "the number that was shown first");
    let file = anon.post_form("/p/thu/mo", &[("giu", &held), ("tep", "true")]);
    assert!(file.header("content-disposition").unwrap().contains("attachment"));
    let (same, said) = resealed(&stage, &file.json());
    assert!(same && said.contains(&number(&committed)), "{said}");
    let refused = anon.post_form("/p/thu/gui", &[("giu", &held)]);
    assert_eq!((refused.status, refused.header("location")), (303, Some("/p/xem-lai")));
    assert_eq!(stage.count("credential WHERE state = 'used'"), 0);

    let held = field(&anon.post_form("/p/thu", &[]).is_page(200), "giu");
    let cast = anon.post_form("/p/thu/gui", &[("giu", &held)]);
    assert_eq!((cast.status, cast.header("location")), (303, Some("/p/xong")));
    assert_eq!(stage.count("credential WHERE state = 'used'"), 1);
}
