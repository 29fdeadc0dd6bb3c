//! The desk as three people see it, over HTTP with their sessions.

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, middleware::from_fn};
use serde_json::{Value, json};

use super::super::fixture::{MATRIX, MIXED, SINGLE, Scene, answer_keys, scenes, scenes_of_every_kind};
use super::*;
use crate::access::{Actor, NewPassword, Passwords, Role, Secret, SignInName, staff};
use crate::config::BaseUrl;
use crate::http;

mod bad_input;
mod kinds;
mod scans;

const PREFIX: &str = "/khao-sat";

struct Answer {
    status: u16,
    location: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Hires somebody and signs them in.
async fn cookie(scene: &Scene, name: &str, role: Role) -> String {
    let entropy = Entropy::System;
    let words = "mật khẩu của tôi";
    let hash = NewPassword::parse(words).unwrap().hash_here(&entropy).unwrap();
    let login = SignInName::parse(name).unwrap();
    scene.write(|conn| {
        let at = scene.desk.db.now(conn).unwrap();
        staff::add(conn, at, &entropy, &Actor::Command, &login, role, &hash).map(|_| ()).unwrap();
    });
    let passwords = Passwords::new(&entropy).unwrap();
    let given = Secret::new(words.to_owned());
    let signed = staff::sign_in(&scene.desk.db, &passwords, &entropy, name, &given, None).await.unwrap();
    format!("phieu_staff={}", signed.unwrap().1.reveal())
}

async fn send(scene: &Scene, request: TestRequest, cookie: &str) -> Answer {
    let base = BaseUrl::parse(&format!("https://cchc.example{PREFIX}")).unwrap();
    let app = init_service(
        App::new()
            .app_data(Data::new(scene.desk.db.clone()))
            .app_data(Data::new(scene.desk.rounds.clone()))
            .app_data(Data::new(scene.desk.casting.clone()))
            .app_data(Data::new(scene.desk.entropy.clone()))
            .app_data(Data::new(Site::new(base)))
            .configure(http::extractors)
            .service(web::scope(&format!("{PREFIX}/api/v1")).configure(|cfg| {
                super::super::rest::rest(&mut utoipa_actix_web::service_config::ServiceConfig::new(cfg));
            }))
            .service(
                web::scope(PREFIX)
                    .wrap(from_fn(http::problems_as_pages))
                    .configure(pages)
                    .configure(super::super::aside::pages::pages),
            ),
    )
    .await;
    let mut request = request;
    if !cookie.is_empty() {
        request = request.insert_header(("cookie", cookie));
    }
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    let location = response.headers().get("location").map_or("", |l| l.to_str().unwrap()).to_owned();
    let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
    Answer { status, location, body }
}

async fn post(scene: &Scene, path: &str, cookie: &str, fields: &[(String, String)]) -> Answer {
    send(scene, TestRequest::post().uri(&format!("{PREFIX}{path}")).set_form(fields), cookie).await
}

async fn call(scene: &Scene, path: &str, cookie: &str, body: Value) -> Answer {
    send(scene, TestRequest::post().uri(&format!("{PREFIX}/api/v1{path}")).set_json(body), cookie).await
}

fn code(token: &Token) -> (String, String) {
    ("code".to_owned(), token.expose().to_string())
}

fn entry(token: &Token, pass: &str, keys: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut fields = vec![code(token), ("pass".to_owned(), pass.to_owned())];
    fields.extend(keys);
    fields
}

#[actix_web::test]
async fn three_people_bring_a_ballot_into_the_box() {
    for scene in scenes() {
        let (an, binh) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "do.binh", Role::Clerk).await);
        let chi = cookie(&scene, "vu.chi", Role::Adjudicator).await;
        let token = scene.code(SINGLE);
        let ballot = scene.bearer(&token).await;

        let start = send(&scene, TestRequest::get().uri("/khao-sat/nhap-phieu"), &an).await;
        assert_eq!(start.status, 200);
        assert!(start.body.contains("autofocus") && !start.body.contains("Tiến độ"), "clerks see no counts");

        // The scanner types digits.
        let scanned = [("code".to_owned(), token.digits().to_string())];
        let sheet = post(&scene, "/nhap-phieu", &an, &scanned).await;
        assert_eq!(sheet.status, 200);
        assert!(sheet.body.contains("Lượt 1") && sheet.body.contains("Sở Nội vụ"));
        let done = post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", answer_keys(&ballot, "2", &[]))).await;
        assert_eq!((done.status, done.location.as_str()), (303, "/khao-sat/nhap-phieu?kq=luot-1"));
        let start = send(&scene, TestRequest::get().uri(&done.location), &an).await;
        assert!(start.body.contains("Đã lưu lượt 1"));
        let again = post(&scene, "/nhap-phieu", &an, &[code(&token)]).await;
        assert!(again.status == 409 && again.body.contains("Ông/bà đã nhập phiếu này"));

        // Blind: the page of the second clerk is the page that a first clerk gets, but for the pass.
        let second = post(&scene, "/nhap-phieu", &binh, &[code(&token)]).await;
        assert!(second.body.contains("Lượt 2") && !second.body.contains("le.an"));
        let values = |html: &str| html.matches("name=\"a1-").count();
        assert_eq!(values(&second.body), 10);
        assert_eq!(second.body.matches("value=\"\" data-number").count(), 10, "every input is empty");
        let same = second.body.replace("do.binh", "le.an").replace("Lượt 2", "Lượt 1").replace("lượt 2", "lượt 1");
        let same = same.replace("\"second\"", "\"first\"");
        let digits = token.digits().to_string();
        assert_eq!(same.replace(token.expose().as_str(), "-"), sheet.body.replace(&digits, "-"));

        let keys = answer_keys(&ballot, "2", &[(0, "."), (3, "5")]);
        let done = post(&scene, "/nhap-phieu/luot", &binh, &entry(&token, "second", keys)).await;
        assert_eq!(done.location, "/khao-sat/nhap-phieu?kq=lech-2");
        let start = send(&scene, TestRequest::get().uri(&done.location), &binh).await;
        assert!(start.body.contains("Lệch 2 mục – chuyển người thứ ba"));

        // Blind first: the two items, and nothing that was keyed.
        let blind = post(&scene, "/nhap-phieu", &chi, &[code(&token)]).await;
        assert_eq!((values(&blind.body), blind.body.matches("value=\"\" data-number").count()), (2, 2));
        assert!(!blind.body.contains("<b>Lượt 1") && !blind.body.contains("Lượt 1:"));
        let reading = |values: [&str; 2]| {
            let given = ["a1-1", "a1-4"].iter().zip(values).map(|(n, v)| ((*n).to_owned(), v.to_owned()));
            std::iter::once(code(&token)).chain(given).collect::<Vec<_>>()
        };
        let early = post(&scene, "/nhap-phieu/phan-xu", &chi, &reading(["3", "5"])).await;
        assert!(early.status == 409 && early.body.contains("trước khi xem hai lượt nhập"));
        let half = post(&scene, "/nhap-phieu/doc", &chi, &reading(["", "5"])).await;
        assert!(half.status == 422 && half.body.contains("câu 1: chưa có mã") && !half.body.contains("Lượt 1:"));
        let screen = post(&scene, "/nhap-phieu/doc", &chi, &reading(["3", "5"])).await;
        assert_eq!(screen.body.matches("<fieldset").count(), 2, "only what is disputed");
        assert!(screen.body.contains("Ông/bà đọc: <b>5 Kém</b>") && screen.body.contains("name=\"a1-4\" value=\"5\""));
        assert!(screen.body.contains("value=\"slip_first\" checked"), "who slipped, if the reading is right");
        let again = post(&scene, "/nhap-phieu/doc", &chi, &reading(["1", "1"])).await;
        assert!(again.body.contains("Ông/bà đọc: <b>5 Kém</b>"), "what was read stays");
        assert!(screen.body.contains("(để trống)") && screen.body.contains("5 Kém"));
        assert!(!screen.body.contains("le.an") && !screen.body.contains("do.binh"));
        let names = ["a1-1", "ra1-1", "a1-4", "ra1-4"];
        let decision = |values: [&str; 4]| {
            let given = names.iter().zip(values).map(|(n, v)| ((*n).to_owned(), v.to_owned()));
            std::iter::once(code(&token)).chain(given).collect::<Vec<_>>()
        };
        let half = post(&scene, "/nhap-phieu/phan-xu", &chi, &decision(["3", "", "9", "form_defect"])).await;
        assert_eq!(half.status, 422);
        assert!(half.body.contains("chưa chọn lý do") && half.body.contains("mã không có trong thang"));
        assert!(half.body.contains("name=\"a1-1\" value=\"3\"") && half.body.contains("value=\"form_defect\" checked"));
        let whole = decision(["3", "ambiguous_mark", "5", "slip_first"]);
        let done = post(&scene, "/nhap-phieu/phan-xu", &chi, &whole).await;
        assert_eq!(done.location, "/khao-sat/nhap-phieu?kq=phan-xu", "{}", scene.test.backend);
        let again = post(&scene, "/nhap-phieu/phan-xu", &chi, &whole).await;
        assert_eq!(again.location, "/khao-sat/nhap-phieu?kq=phan-xu", "the same answer again");

        let sealed = scene.box_content().pop().unwrap().answers;
        assert!(sealed == super::super::fixture::answers(&ballot, &answer_keys(&ballot, "2", &[(0, "3"), (3, "5")])));
        let start = send(&scene, TestRequest::get().uri("/khao-sat/nhap-phieu"), &chi).await;
        assert!(start.body.contains("Tiến độ nhập phiếu") && start.body.contains(SINGLE));
    }
}

#[actix_web::test]
async fn a_missing_item_is_named_and_nothing_typed_is_lost() {
    for scene in scenes() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let token = scene.code(MATRIX);
        let ballot = scene.bearer(&token).await;
        let mut keys = answer_keys(&ballot, "1", &[]);
        assert_eq!(keys.len(), 344);
        keys[10].1 = String::new();
        keys[11].1 = "7".to_owned();
        let page = post(&scene, "/nhap-phieu/luot", &an, &entry(&token, "first", keys)).await;
        assert_eq!(page.status, 422);
        assert_eq!(page.body.matches("value=\"1\" data-number").count(), 342);
        assert!(page.body.contains("href=\"#a2-3\"") && page.body.contains("câu 3: chưa có mã"));
        assert!(page.body.contains("href=\"#a2-4\"") && page.body.contains("câu 4: mã không có trong thang"));
        assert!(page.body.contains("name=\"a2-4\" value=\"7\""), "what was typed stays, right or wrong");
        assert!(page.body.contains("<title>Lỗi:"));
        assert_eq!(scene.drafts(), 0);
    }
}

#[actix_web::test]
async fn codes_that_cannot_be_opened_are_told_at_the_box() {
    for scene in scenes() {
        let an = cookie(&scene, "le.an", Role::Clerk).await;
        let open = async |typed: &str| post(&scene, "/nhap-phieu", &an, &[("code".to_owned(), typed.to_owned())]).await;
        let short = open("7K3Q-DM2X").await;
        assert_eq!(short.status, 422);
        assert!(short.body.contains("24 ký tự; đã nhận được 8") && short.body.contains("value=\"7K3Q-DM2X\""));
        let scanned = open(&"9".repeat(48)).await;
        assert!(scanned.status == 422 && scanned.body.contains("value=\"\""));
        assert!(open("7K3U").await.body.contains("Ký tự thứ 4"));
        let unknown = open(&Token::generate(&Entropy::System).expose()).await;
        assert!(unknown.status == 404 && unknown.body.contains("Mã phiếu không đúng"));
        let online = open(&scene.code("CC-CT").expose()).await;
        assert!(online.status == 409 && online.body.contains("phiếu trực tuyến"));

        let nobody = post(&scene, "/nhap-phieu", "", &[code(&scene.code(SINGLE))]).await;
        assert_eq!((nobody.status, nobody.location.as_str()), (303, "/khao-sat/dang-nhap"));
        let observer = cookie(&scene, "vo.tam", Role::Observer).await;
        let page = send(&scene, TestRequest::get().uri("/khao-sat/nhap-phieu"), &observer).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN.as_u16());
    }
}

#[actix_web::test]
async fn the_desk_over_rest() {
    for scene in scenes() {
        let (an, binh) = (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "do.binh", Role::Clerk).await);
        let dung = cookie(&scene, "ho.dung", Role::Supervisor).await;
        let token = scene.code(SINGLE);
        let printed = token.expose().to_string();
        let nobody = call(&scene, "/keying/open", "", json!({ "code": printed })).await;
        assert_eq!((nobody.status, nobody.json()["code"].as_str()), (401, Some("sign_in_required")));
        let wrong = call(&scene, "/keying/open", &an, json!({ "code": "7K3Q" })).await;
        assert_eq!((wrong.status, wrong.json()["code"].as_str()), (404, Some("code_unknown")));

        let opened = call(&scene, "/keying/open", &an, json!({ "code": printed })).await.json();
        assert_eq!((&opened["task"], &opened["targets"]), (&json!("first"), &json!(["SNV"])));
        let ballot = scene.bearer(&token).await;
        let mut answers = super::super::fixture::all(&ballot, "1").to_value();
        let body = |pass: &str, answers: &Value| json!({ "code": printed, "pass": pass, "answers": answers });
        let mut short = answers.clone();
        short["SNV"].as_object_mut().unwrap().remove("X1.1");
        let missing = call(&scene, "/keying/entries", &an, body("first", &short)).await;
        assert_eq!(missing.status, 422);
        assert_eq!(missing.json()["errors"], json!([{ "pointer": "/answers/SNV/X1.1", "code": "item_missing" }]));
        let done = call(&scene, "/keying/entries", &an, body("first", &answers)).await;
        assert_eq!((done.status, done.json()), (201, json!({ "state": "first_done", "repeated": false })));
        let again = call(&scene, "/keying/entries", &an, body("first", &answers)).await;
        assert_eq!((again.status, again.json()), (200, json!({ "state": "first_done", "repeated": true })));
        answers["SNV"]["X1.1"] = json!({ "mark": "several" });
        let differs = call(&scene, "/keying/entries", &an, body("first", &answers)).await;
        assert_eq!((differs.status, differs.json()["code"].as_str()), (422, Some("keying_entry_differs")));
        let same = call(&scene, "/keying/entries", &an, body("second", &answers)).await;
        assert_eq!((same.status, same.json()["code"].as_str()), (409, Some("keying_same_person")));

        let done = call(&scene, "/keying/entries", &binh, body("second", &answers)).await;
        assert_eq!(done.json(), json!({ "state": "mismatched", "disputed": 1, "repeated": false }));
        let opened = call(&scene, "/keying/open", &dung, json!({ "code": printed })).await.json();
        let unseen = json!([{ "target": "SNV", "item": "X1.1" }]);
        assert_eq!((&opened["task"], &opened["disputed"]), (&json!("read"), &unseen));
        let blind = json!({ "code": printed, "answers": { "SNV": { "X1.1": "A" } } });
        let shown = call(&scene, "/keying/readings", &dung, blind).await.json();
        let dispute = json!([{ "target": "SNV", "item": "X1.1", "first": "A", "second": { "mark": "several" } }]);
        assert_eq!(shown, json!({ "disputed": dispute }));
        let opened = call(&scene, "/keying/open", &dung, json!({ "code": printed })).await.json();
        assert_eq!((&opened["task"], &opened["disputed"]), (&json!("adjudicate"), &dispute));
        let decide = |answer: &str, reason: &str| json!({ "code": printed, "answers": { "SNV": { "X1.1": answer } }, "reasons": { "SNV": { "X1.1": reason } } });
        let reason = call(&scene, "/keying/adjudications", &dung, decide("A", "tired")).await;
        assert_eq!(reason.json()["errors"], json!([{ "pointer": "/reasons", "code": "reason_unknown" }]));
        let clerk = call(&scene, "/keying/adjudications", &binh, decide("A", "slip_second")).await;
        assert_eq!((clerk.status, clerk.json()["code"].as_str()), (403, Some("role_missing")));
        let done = call(&scene, "/keying/adjudications", &dung, decide("A", "slip_second")).await;
        assert_eq!((done.status, done.json()), (201, json!({ "state": "cast", "repeated": false })));
        assert!(scene.box_content()[0].answers == super::super::fixture::all(&ballot, "1"), "{}", scene.test.backend);
    }
}

#[actix_web::test]
async fn a_tablet_that_will_not_come_back_is_given_up_by_whoever_leads() {
    for scene in scenes() {
        let (an, dung) =
            (cookie(&scene, "le.an", Role::Clerk).await, cookie(&scene, "ho.dung", Role::Supervisor).await);
        let number = "7d1f2d0e-1f0a-4a4e-8f60-0d6b3e1a2b3c";
        let token = scene.code(SINGLE);
        let fields = [code(&token), ("desk".to_owned(), number.to_owned())];
        assert_eq!(post(&scene, "/nhap-phieu", &an, &fields).await.status, 200);
        let start = send(&scene, TestRequest::get().uri("/khao-sat/nhap-phieu"), &dung).await;
        assert!(start.body.contains("Máy đang giữ phiếu") && start.body.contains(number), "{}", scene.test.backend);
        let clerks = send(&scene, TestRequest::get().uri("/khao-sat/nhap-phieu"), &an).await;
        assert!(!clerks.body.contains("Máy đang giữ phiếu"));
        let gone = [("may".to_owned(), number.to_owned())];
        assert_eq!(post(&scene, "/nhap-phieu/may", &an, &gone).await.status, 403);
        let done = post(&scene, "/nhap-phieu/may", &dung, &gone).await;
        assert_eq!((done.status, done.location.as_str()), (303, "/khao-sat/nhap-phieu?kq=may-1"));
        let start = send(&scene, TestRequest::get().uri(&done.location), &dung).await;
        assert!(start.body.contains("1 phiếu được bỏ giữ") && !start.body.contains("Máy đang giữ phiếu"));
    }
}
