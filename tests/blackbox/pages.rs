//! The same refusals where people are: a page in Vietnamese with its own status, and nothing stored.

use serde_json::json;

use crate::actors::Actor;
use crate::field::{Dice, answer_and_cast, open_service};
use crate::stage::on_each;

#[test]
fn each_faulty_code_has_its_page() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let (fresh, revoked, used) = (field.take("CC-CT"), field.take("CC-CT"), field.take("CC-CT"));
        let paper = field.take("LĐS-CT");
        assert_eq!(stage.phieu_with_input(&["codes", "revoke"], &revoked.code).status.code(), Some(0));
        let (_, receipt) = answer_and_cast(&anon, &used, &mut Dice::new(6));
        let before = stage.count("draft") + stage.count("envelope");
        let enter = |code: &str| anon.post_form("/p", &[("ma", code)]);

        let mut mistyped = fresh.code.clone();
        mistyped.replace_range(..1, if fresh.code.starts_with('7') { "8" } else { "7" });
        let page = enter(&mistyped).is_page(422);
        assert!(page.contains("Lỗi") && page.contains(&mistyped), "what was typed stays to be mended");
        let page = enter("7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYM").is_page(404);
        assert!(page.contains("Lỗi"), "{page}");
        enter(&revoked.code).is_page(410);
        enter(&paper.code).is_page(409);
        assert_eq!(enter(&fresh.code).status, 303);

        // The receipt, whatever is posted, and in a form that a person can copy.
        let entered = enter(&used.code);
        assert_eq!((entered.status, entered.header("location")), (303, Some("/p/xong")));
        let person = carrying(&anon, &entered);
        let shown = person.get("/p/xong").is_page(200);
        let shown: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
        assert!(shown.contains(&receipt));
        assert_eq!(stage.count("draft") + stage.count("envelope"), before, "{}", stage.backend);
    });
}

#[test]
fn forms_that_no_page_sends_are_refused() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let code = field.take("CC-CT");
        let person = carrying(&anon, &anon.post_form("/p", &[("ma", &code.code)]));
        let post = |fields: &[(&str, &str)]| person.post_form("/p?phan=1", fields);
        post(&[("c.X9.9", "A")]).is_page(422);
        post(&[("c.X1.1", "Z")]).is_page(422);
        post(&[("c.X1.1", "A"), ("c.X1.1", "B")]).is_page(422);
        post(&[("colour", "red")]).is_page(422);
        post(&[("di", "nowhere")]).is_page(422);
        person.post_bytes("/p?phan=1", "application/json", b"{}").is_page(415);
        person.post_bytes("/p?phan=1", "application/x-www-form-urlencoded", b"c.X1.1=%FF%FE").is_page(422);
        let long = format!("c.X1.1={}", "A".repeat(600_000));
        person.post_bytes("/p?phan=1", "application/x-www-form-urlencoded", long.as_bytes()).is_page(413);
        person.get("/p?phan=99").is_page(404);
        person.get("/p?phan=x").is_page(400);
        let other_site = person.with("sec-fetch-site", "cross-site");
        other_site.post_form("/p?phan=1", &[("c.X1.1", "A")]).is_page(403);
        let other_origin = person.with("origin", "https://elsewhere.vn");
        other_origin.post_form("/p/xem-lai", &[]).is_page(403);
        // A ballot without an answer.
        person.post_form("/p/xem-lai", &[]).is_page(422);
        assert_eq!((stage.count("draft"), stage.count("envelope")), (0, 0), "{}", stage.backend);
        assert_eq!(anon.form(&code.code).json()["state"], "issued");
        assert_eq!(post(&[("c.X1.1", "A"), ("di", "tiep")]).status, 303, "the honest form still works");
        assert_eq!(stage.count("draft"), 1);
        let answers = json!({ code.targets[0].as_str(): {"X1.1": "A"} });
        anon.cast(&code.code, &answers).receipt(201);
        assert_eq!(stage.count("draft"), 0, "the cast takes the draft away");
    });
}

#[test]
fn head_is_get_without_the_body_and_other_methods_are_told_which_there_are() {
    on_each(|stage| {
        let (mut field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let person = carrying(&anon, &anon.post_form("/p", &[("ma", &field.take("CC-CT").code)]));
        person.post_form("/p?phan=1", &[("c.X1.1", "A")]);
        for path in ["/", "/p", "/p?phan=1", "/p/xem-lai", "/p/xong", "/thoat", "/huong-dan", "/rieng-tu", "/p?phan=9"]
        {
            let (whole, head) = (person.get(path), person.head(path));
            assert_eq!(head.status, whole.status, "{path}");
            for name in ["content-type", "location", "cache-control", "set-cookie"] {
                assert_eq!(head.header(name), whole.header(name), "{path} {name}");
            }
            assert!(head.body.is_empty(), "{path}");
        }
        assert_eq!((stage.count("draft"), stage.count("envelope")), (1, 0), "{}", stage.backend);

        let refused = person.post_form("/huong-dan", &[]);
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
        refused.is_page(405);
        let refused = anon.get("/api/v1/ballots");
        assert_eq!(refused.header("allow"), Some("POST"));
        refused.is_problem(405, "method_not_allowed");
        let refused = anon.post("/api/v1/rounds", &json!({}));
        assert_eq!(refused.header("allow"), Some("GET, HEAD"));
        refused.is_problem(405, "method_not_allowed");
        assert_eq!(anon.head("/api/v1/rounds").status, 200);
        anon.post("/api/v1/nothing", &json!({})).is_problem(404, "not_found");
    });
}

/// The same person with the cookie of the code that was just entered.
fn carrying(anon: &Actor, entered: &crate::actors::Answer) -> Actor {
    let cookie = entered.header("set-cookie").and_then(|c| c.split(';').next()).unwrap();
    anon.with("cookie", cookie)
}
