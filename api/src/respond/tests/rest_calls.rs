//! The respondents' REST calls.

use std::collections::BTreeSet;
use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::places;

#[actix_web::test]
async fn a_code_is_asked_its_own_questions_and_cast_once() {
    for place in places().await {
        let code = place.code("LĐ-CP/SCT+SGTVT", "online", "issued");
        let asked = place.rest("/ballots/form", &json!({"code": code.to_lowercase()})).await;
        assert_eq!(asked.status, StatusCode::OK, "{}", place.test.backend);
        let asked = asked.json();
        assert_eq!((&asked["state"], &asked["receipt"]), (&json!("issued"), &Value::Null));
        assert_eq!(asked["round"]["id"], "quang-nam-2023");
        assert_eq!(asked["round"]["opens_at"], "2023-09-15T07:00:00+07:00");
        assert_eq!(asked["round"]["sample"], true);
        let form = &asked["form"];
        assert_eq!(form["targets"][1], json!({"target": "SGTVT", "name": "Sở Giao thông vận tải", "kind": "so"}));
        let item = &form["questionnaire"]["sections"][0]["items"][0];
        assert_eq!((&item["item_code"], &item["number"]), (&json!("X1.1"), &json!(1)));
        assert_eq!(item["options"][5], json!({"option": "N", "label": "Không có thông tin để đánh giá"}));
        assert!(!asked.to_string().contains("percent"), "what an option is worth is not shown");
        assert_eq!((place.drafts(), place.envelopes()), (0, 0));
        // The second time it comes from memory, and is the same.
        assert_eq!(place.rest("/ballots/form", &json!({"code": code})).await.json(), asked);

        let ballot = json!({"code": code, "answers": {"SCT": {"X1.1": "B"}, "SGTVT": {"X1.1": "N"}}});
        let first = place.rest("/ballots", &ballot).await;
        assert_eq!(first.status, StatusCode::CREATED);
        assert_eq!(first.json()["round"], "quang-nam-2023");
        assert_eq!(first.json()["receipt"].as_str().unwrap().len(), 64);
        for again in
            [ballot, json!({"code": code, "answers": {"SCT": {"X1.1": "A"}}}), json!({"code": code, "answers": 7})]
        {
            let repeated = place.rest("/ballots", &again).await;
            assert_eq!((repeated.status, repeated.json()), (StatusCode::OK, first.json()));
        }
        let asked = place.rest("/ballots/form", &json!({"code": code})).await.json();
        assert_eq!((&asked["state"], &asked["receipt"]), (&json!("used"), &first.json()["receipt"]));
        assert_eq!(place.envelopes(), 1);
    }
}

#[actix_web::test]
async fn refusals_have_stable_codes_and_repeat_nothing() {
    const CANARY: &str = "con-chim-hoang-yen";
    for place in places().await {
        let code = place.online();
        let mut wrong = code.clone();
        wrong.replace_range(..1, if code.starts_with('7') { "8" } else { "7" });
        let good = json!({"SNV": {"X1.1": "B"}});
        let revoked = place.code("CC-CT/SNV", "online", "revoked");
        let paper = place.code("HĐ-CT/SNV", "paper", "issued");
        for (sent, status, name) in [
            (json!({"code": wrong, "answers": good}), 404, "code_unknown"),
            (json!({"code": "0".repeat(24), "answers": good}), 404, "code_unknown"),
            (json!({"code": CANARY, "answers": good}), 404, "code_unknown"),
            (json!({"code": revoked, "answers": good}), 410, "code_revoked"),
            (json!({"code": paper, "answers": good}), 409, "code_is_paper"),
            (json!({"code": "", "answers": good}), 422, "fields_invalid"),
            (json!({"code": CANARY.repeat(50), "answers": good}), 422, "fields_invalid"),
            (json!({"code": code}), 400, "body_malformed"),
            (json!({"code": code, "answers": good, CANARY: 1}), 400, "body_malformed"),
            (json!({"code": code, "answers": {}}), 422, "answers_invalid"),
            (json!({"code": code, "answers": CANARY}), 422, "answers_invalid"),
            (json!({"code": code, "answers": {"SNV": {"X1.1": CANARY}}}), 422, "answers_invalid"),
            (json!({"code": code, "answers": {CANARY: {"X1.1": "A"}}}), 422, "answers_invalid"),
            (json!({"code": code, "answers": {"SNV": {"X1.1": {"mark": "blank"}}}}), 422, "answers_invalid"),
        ] {
            let refused = place.rest("/ballots", &sent).await;
            assert_eq!((refused.status.as_u16(), refused.json()["code"].as_str()), (status, Some(name)));
            assert!(!refused.body.contains(CANARY) && !refused.body.contains(&code), "{name}");
        }
        let errors = |answers: Value| {
            let sent = json!({"code": code, "answers": answers});
            let place = &place;
            async move { place.rest("/ballots", &sent).await.json()["errors"].clone() }
        };
        assert_eq!(
            errors(json!({"SNV": {"X1.1": "Z", "X1.2": 3}})).await,
            json!([
                {"pointer": "/answers/SNV/X1.1", "code": "option_unknown"},
                {"pointer": "/answers/SNV/X1.2", "code": "answer_malformed"}
            ])
        );
        assert_eq!(errors(json!({})).await, json!([{"pointer": "/answers", "code": "nothing_answered"}]));
        for (code, status) in [(&revoked, 410), (&paper, 409), (&wrong, 404)] {
            assert_eq!(place.rest("/ballots/form", &json!({"code": code})).await.status.as_u16(), status);
        }
        for time in ["2023-09-14T00:00:00Z", "2023-10-14T17:00:00Z"] {
            place.at(time);
            let refused = place.rest("/ballots", &json!({"code": code, "answers": good})).await;
            assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &json!("round_not_open")));
            // The questions can be read all the same, with the dates.
            assert_eq!(place.rest("/ballots/form", &json!({"code": code})).await.status, StatusCode::OK);
        }
        assert_eq!((place.envelopes(), place.drafts()), (0, 0), "{}", place.test.backend);
    }
}

#[actix_web::test]
async fn sixty_four_at_once_are_one_ballot() {
    for place in places().await {
        let code = place.online();
        let mut racing = Vec::new();
        for n in 0..64 {
            let option = ["A", "B", "C", "D", "E", "N"][n % 6];
            let body = json!({"code": code, "answers": {"SNV": {"X1.1": option}}});
            let request = TestRequest::post().uri("/api/v1/ballots").set_json(&body);
            let call = Rc::clone(&place.call);
            racing.push(actix_web::rt::spawn(async move { call(request).await }));
        }
        let mut receipts = BTreeSet::new();
        let mut created = 0;
        for one in racing {
            let answer = one.await.unwrap();
            created += usize::from(answer.status == StatusCode::CREATED);
            assert!(answer.status.is_success(), "{}", answer.body);
            receipts.insert(answer.json()["receipt"].as_str().unwrap().to_owned());
        }
        assert_eq!((created, receipts.len(), place.envelopes()), (1, 1, 1), "{}", place.test.backend);
    }
}

#[actix_web::test]
async fn saves_at_once_from_two_pages_keep_both() {
    for place in places().await {
        let mut browser = place.browser();
        browser.post("/p", &[("ma", &place.online())]).await;
        let mut racing = Vec::new();
        let items = ["c.X1.1", "c.X1.2", "c.X2.1", "c.X3.1"];
        for item in items {
            let cookie = browser.cookie.clone().unwrap();
            let request = TestRequest::post().uri("/p?phan=1").set_form([(item, "B")]).cookie(cookie);
            let call = Rc::clone(&place.call);
            racing.push(actix_web::rt::spawn(async move { call(request).await }));
        }
        for one in racing {
            assert_eq!(one.await.unwrap().status, StatusCode::SEE_OTHER);
        }
        assert_eq!(browser.get("/p?phan=1").await.checked(), items.len(), "{}", place.test.backend);
    }
}
