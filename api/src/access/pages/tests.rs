//! The sign-in as a browser sees it.

use actix_web::test::TestRequest;
use actix_web::web;

use super::super::Role;
use super::super::fixture::{Answer, BASE, PASSWORD, app, call, carrying, enrol, hire, none, places};
use super::super::{AnyStaff, Signed};
use super::*;

fn post(fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri("/khao-sat/dang-nhap").set_form(fields)
}

fn session_of(answer: &Answer) -> Secret {
    let (pair, _) = answer.header("set-cookie").split_once(';').unwrap();
    Secret::new(pair.strip_prefix("phieu_staff=").unwrap().to_owned())
}

#[actix_web::test]
async fn a_member_signs_in_and_starts_on_the_page_of_their_role() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, none, none).await;
        for (role, first) in [
            (Role::Clerk, "/khao-sat/nhap-phieu"),
            (Role::Observer, "/khao-sat/giam-sat"),
            (Role::Administrator, "/khao-sat/quan-tri"),
        ] {
            hire(test, role.as_str(), role);
            let answer = call(&app, post(&[("name", role.as_str()), ("password", PASSWORD)])).await;
            assert_eq!((answer.status, answer.header("location")), (303, first), "{}", test.backend);
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[actix_web::test]
async fn the_cookie_is_for_this_site_alone_and_out_of_reach_of_scripts() {
    let (_, all) = places();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        for (base, prefix, attributes) in [
            (BASE, "/khao-sat", "HttpOnly; SameSite=Strict; Secure; Path=/khao-sat"),
            ("http://127.0.0.1:8080", "", "HttpOnly; SameSite=Strict; Path=/"),
        ] {
            let app = app(test, base, none, none).await;
            let form = TestRequest::post()
                .uri(&format!("{prefix}/dang-nhap"))
                .set_form([("name", "lan"), ("password", PASSWORD)]);
            let answer = call(&app, form).await;
            let (pair, rest) = answer.header("set-cookie").split_once("; ").unwrap();
            assert_eq!(rest, attributes, "{}", test.backend);
            assert_eq!(pair.len(), "phieu_staff=".len() + 43, "256 bits");
        }
    }
}

#[actix_web::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let (_, all) = places();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let app = app(test, BASE, none, none).await;
        let known = call(&app, post(&[("name", "lan"), ("password", "một mật khẩu nào đó")])).await;
        let unknown = call(&app, post(&[("name", "nga"), ("password", "một mật khẩu nào đó")])).await;
        assert_eq!((known.status, unknown.status), (401, 401), "{}", test.backend);
        assert_eq!(known.body.replace("\"lan\"", "\"nga\""), unknown.body);
        assert!(known.body.contains("Tên đăng nhập hoặc mật khẩu không đúng."));
        assert!(known.body.contains("<title>Lỗi: Đăng nhập"));
        assert!(known.body.contains(r#"value="lan""#), "the name is kept");
        assert!(!known.body.contains("nào đó"), "the password is not");
        assert!(!known.headers.contains_key("set-cookie"));
    }
}

#[actix_web::test]
async fn what_was_typed_is_shown_as_text() {
    let (_, all) = places();
    let app = app(&all[0], BASE, none, none).await;
    let answer = call(&app, post(&[("name", r#""><script>alert(1)</script>"#), ("password", "x")])).await;
    assert_eq!(answer.status, 401);
    assert!(!answer.body.contains("<script>"), "{}", answer.body);
}

#[actix_web::test]
async fn the_sign_in_leads_back_to_the_page_that_was_asked_for_and_nowhere_else() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, none, none).await;
        let outside = [
            "//evil.example",
            "https://evil.example/khao-sat/",
            "/\\evil.example",
            "/giam-sat",
            "/khao-sat//e.example",
        ];
        for (i, (tiep, location)) in [("/khao-sat/giam-sat?dot=1", "/khao-sat/giam-sat?dot=1")]
            .into_iter()
            .chain(outside.map(|tiep| (tiep, "/khao-sat/nhap-phieu")))
            .enumerate()
        {
            let name = format!("lan{i}");
            hire(test, &name, Role::Clerk);
            let answer = call(&app, post(&[("name", &name), ("password", PASSWORD), ("tiep", tiep)])).await;
            assert_eq!((answer.status, answer.header("location")), (303, location), "{tiep}");
            let uri = format!("/khao-sat/dang-nhap?tiep={}", onward::escaped(tiep));
            let form = call(&app, TestRequest::get().uri(&uri)).await;
            assert_eq!(form.status, 200);
            assert_eq!(form.body.contains(r#"name="tiep""#), tiep == location, "{tiep}");
            assert!(!form.body.contains("evil"), "{tiep}");
        }
    }
}

async fn desk(signed: Signed<AnyStaff>) -> String {
    signed.staff().name.clone()
}

fn a_desk(cfg: &mut web::ServiceConfig) {
    cfg.route("/ban", web::get().to(desk));
}

#[actix_web::test]
async fn signing_out_ends_the_session_on_the_server_too() {
    let (_, all) = places();
    for test in &all {
        hire(test, "lan", Role::Clerk);
        let app = app(test, BASE, a_desk, none).await;
        let session = session_of(&call(&app, post(&[("name", "lan"), ("password", PASSWORD)])).await);
        let ask = || carrying(TestRequest::get().uri("/khao-sat/ban"), &session);
        assert_eq!(call(&app, ask()).await.body, "lan", "{}", test.backend);

        let out = call(&app, carrying(TestRequest::post().uri("/khao-sat/dang-xuat"), &session)).await;
        assert_eq!((out.status, out.header("location")), (303, "/khao-sat/dang-nhap"));
        let taken_back = out.header("set-cookie");
        assert!(taken_back.starts_with("phieu_staff=; ") && taken_back.contains("Max-Age=0"), "{taken_back}");
        assert!(taken_back.contains("Path=/khao-sat"), "{taken_back}");
        assert_eq!(call(&app, ask()).await.status, 303, "{}", test.backend);
        assert_eq!(call(&app, TestRequest::get().uri("/khao-sat/dang-xuat")).await.status, 405, "never by a link");
    }
}

#[actix_web::test]
async fn guessing_is_slowed_down_however_the_name_is_spelled() {
    let (_, all) = places();
    let test = &all[0];
    hire(test, "lan", Role::Clerk);
    hire(test, "nga", Role::Clerk);
    let app = app(test, BASE, none, none).await;
    let mut refused = 0;
    for n in 0..14 {
        let name = ["lan", "LAN", " lan ", "Lan"][n % 4];
        let answer = call(&app, post(&[("name", name), ("password", "đoán mò thử xem")])).await;
        refused += u32::from(answer.status == 429);
        assert!(matches!(answer.status, 401 | 429), "{}", answer.status);
    }
    assert!(refused >= 3, "{refused}");
    let other = call(&app, post(&[("name", "nga"), ("password", PASSWORD)])).await;
    assert_eq!(other.status, 303, "a colleague in the same office is not locked out");
}

#[actix_web::test]
async fn another_site_cannot_sign_anyone_in_or_out() {
    let (_, all) = places();
    let test = &all[0];
    hire(test, "lan", Role::Clerk);
    let app = app(test, BASE, none, none).await;
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let form = post(&[("name", "lan"), ("password", PASSWORD)]).insert_header((header, value));
        let answer = call(&app, form).await;
        assert_eq!(answer.status, 403, "{header}");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
}

#[actix_web::test]
async fn oversized_and_malformed_forms_are_refused() {
    let (_, all) = places();
    let app = app(&all[0], BASE, none, none).await;
    let long = "x".repeat(5000);
    assert_eq!(call(&app, post(&[("name", "lan"), ("password", &long)])).await.status, 422);
    assert_eq!(call(&app, post(&[("name", "lan")])).await.status, 400);
    let json = TestRequest::post().uri("/khao-sat/dang-nhap").set_json(["lan"]);
    assert_eq!(call(&app, json).await.status, 415);
}

#[actix_web::test]
async fn the_keys_are_at_both_places_and_public_only() {
    let (_, all) = places();
    for test in &all {
        enrol(test, "rates:read");
        let app = app(test, BASE, none, none).await;
        let one = call(&app, TestRequest::get().uri("/khao-sat/.well-known/jwks.json")).await;
        let two = call(&app, TestRequest::get().uri("/khao-sat/api/v1/.well-known/jwks.json")).await;
        assert_eq!((one.status, &one.body), (200, &two.body), "{}", test.backend);
        let keys = one.json();
        let key = keys["keys"][0].as_object().unwrap();
        let members: Vec<_> = key.keys().map(String::as_str).collect();
        let mut sorted = members.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, ["alg", "crv", "kid", "kty", "use", "x"], "no private member");
    }
}
