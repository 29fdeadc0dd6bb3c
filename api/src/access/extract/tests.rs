//! What each extractor lets through, on pages and on REST routes.

use actix_web::test::TestRequest;
use actix_web::web;
use chrono::TimeDelta;

use super::super::fixture::{BASE, PASSWORD, app, call, carrying, enrol, hire, name, places, sign_in, write};
use super::super::scopes::{BallotsKey, RatesRead, Scopes};
use super::super::{Administration, Desk, Passwords, Role, staff};
use super::*;
use crate::clock::Entropy;
use crate::testing::TestDb;

async fn desk(signed: Signed<Desk>) -> String {
    let links: Vec<_> = signed.bar().links.into_iter().map(|(path, _)| path).collect();
    format!("{} {} {}", signed.actor(), signed.bar().role, links.join(","))
}

async fn administration(signed: Signed<Administration>) -> String {
    signed.staff().name.clone()
}

async fn rates(machine: Machine<RatesRead>) -> String {
    machine.actor().to_string()
}

async fn keying(caller: Caller<Desk, BallotsKey>) -> String {
    caller.actor().to_string()
}

fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/ban", web::get().to(desk)).route("/ban", web::post().to(desk));
    cfg.route("/quan-tri", web::get().to(administration));
}

fn rest(cfg: &mut web::ServiceConfig) {
    cfg.route("/ban", web::get().to(desk)).route("/rates", web::get().to(rates));
    cfg.route("/keying", web::get().to(keying));
}

fn get(path: &str) -> TestRequest {
    TestRequest::get().uri(&format!("/khao-sat{path}"))
}

async fn session(test: &TestDb, who: &str, role: Role) -> Secret {
    hire(test, who, role);
    sign_in(test, &Passwords::new(&Entropy::System).unwrap(), who, PASSWORD).await.unwrap()
}

async fn token(test: &TestDb, scopes: &str, age: TimeDelta) -> (String, String) {
    let (client, _) = enrol(test, scopes);
    let tokens = Tokens::new(&BaseUrl::parse(BASE).unwrap(), &Entropy::System);
    let scopes = Scopes::parse(scopes).unwrap();
    let granted = tokens.issue(&test.db, &client, scopes, machine_now() - age).await.unwrap();
    (client.id, format!("Bearer {}", granted.token.reveal()))
}

#[actix_web::test]
async fn without_a_session_people_are_led_to_the_sign_in_and_programs_are_told() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let page = call(&app, get("/ban?nhom=CC&x=1")).await;
        assert_eq!(page.status, 303, "{}", test.backend);
        assert_eq!(page.header("location"), "/khao-sat/dang-nhap?tiep=/khao-sat/ban%3Fnhom%3DCC%26x%3D1");
        let posted = call(&app, TestRequest::post().uri("/khao-sat/ban")).await;
        assert_eq!((posted.status, posted.header("location")), (303, "/khao-sat/dang-nhap"));

        let rest = call(&app, get("/api/v1/ban")).await;
        assert_eq!((rest.status, rest.header("content-type")), (401, "application/problem+json"));
        assert_eq!(rest.json()["code"], "sign_in_required");
    }
}

#[actix_web::test]
async fn the_right_role_passes_and_the_header_says_who() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let lan = session(test, "lan", Role::Clerk).await;
        for path in ["/ban", "/api/v1/ban"] {
            let answer = call(&app, carrying(get(path), &lan)).await;
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (200, "staff:lan Người nhập phiếu /nhap-phieu,/nhap-phieu/bo")
            );
        }
    }
}

#[actix_web::test]
async fn another_role_is_refused() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let observer = session(test, "nga", Role::Observer).await;
        let clerk = session(test, "lan", Role::Clerk).await;
        let page = call(&app, carrying(get("/ban"), &observer)).await;
        assert_eq!(page.status, 403, "{}", test.backend);
        assert!(page.body.contains("không có quyền") && page.body.contains("<html"), "{}", page.body);
        let rest = call(&app, carrying(get("/api/v1/ban"), &observer)).await;
        assert_eq!((rest.status, &rest.json()["code"]), (403, &serde_json::json!("role_missing")));
        assert_eq!(call(&app, carrying(get("/quan-tri"), &clerk)).await.status, 403);
    }
}

#[actix_web::test]
async fn a_disabled_member_and_an_old_session_are_out() {
    let (clock, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let (lan, nga) = (session(test, "lan", Role::Clerk).await, session(test, "nga", Role::Clerk).await);
        write(test, |conn, at| staff::disable(conn, at, &Actor::Command, &name("lan"))).unwrap();
        assert_eq!(call(&app, carrying(get("/ban"), &lan)).await.status, 303, "{}", test.backend);
        assert_eq!(call(&app, carrying(get("/ban"), &nga)).await.status, 200);
        clock.advance(session::IDLE);
        assert_eq!(call(&app, carrying(get("/ban"), &nga)).await.status, 303, "{}", test.backend);
    }
}

#[actix_web::test]
async fn made_up_cookies_open_nothing() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        session(test, "lan", Role::Clerk).await;
        for value in ["", "lan", "' OR 1=1 --", &"A".repeat(43), &"A".repeat(4000)] {
            let answer = call(&app, carrying(get("/ban"), &Secret::new(value.to_owned()))).await;
            assert_eq!(answer.status, 303, "{value} on {}", test.backend);
        }
    }
}

#[actix_web::test]
async fn a_token_with_the_scope_passes() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let (client, bearer) = token(test, "rates:read", TimeDelta::zero()).await;
        for header in [bearer.clone(), bearer.replacen("Bearer", "bearer", 1)] {
            let answer = call(&app, get("/api/v1/rates").insert_header(("authorization", header))).await;
            assert_eq!((answer.status, answer.body), (200, format!("client:{client}")), "{}", test.backend);
        }
    }
}

#[actix_web::test]
async fn each_refusal_of_a_token_has_its_code_and_challenge() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let (_, good) = token(test, "rates:read", TimeDelta::zero()).await;
        let (_, old) = token(test, "rates:read", TimeDelta::minutes(11)).await;
        let (_, narrow) = token(test, "scores:read ballots:key", TimeDelta::zero()).await;
        let tampered = format!("{}A", good.strip_suffix(|_: char| true).unwrap());
        let bare = good.trim_start_matches("Bearer ");
        for (header, status, code, challenge) in [
            (None, 401, "token_missing", "Bearer"),
            (Some(format!("Basic {bare}")), 401, "token_missing", "Bearer"),
            (Some(bare.to_owned()), 401, "token_missing", "Bearer"),
            (Some("Bearer ".to_owned()), 401, "token_invalid", INVALID_TOKEN),
            (Some("Bearer x.y.z".to_owned()), 401, "token_invalid", INVALID_TOKEN),
            (Some(format!("{tampered}A")), 401, "token_invalid", INVALID_TOKEN),
            (Some(old), 401, "token_expired", INVALID_TOKEN),
            (Some(narrow), 403, "scope_missing", r#"Bearer error="insufficient_scope", scope="rates:read""#),
        ] {
            let mut request = get("/api/v1/rates");
            if let Some(header) = header {
                request = request.insert_header(("authorization", header));
            }
            let answer = call(&app, request).await;
            assert_eq!((answer.status, answer.json()["code"].as_str()), (status, Some(code)), "{}", test.backend);
            assert_eq!(answer.header("www-authenticate"), challenge);
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
        let in_query = call(&app, get(&format!("/api/v1/rates?access_token={bare}"))).await;
        assert_eq!(in_query.json()["code"], "token_missing");
    }
}

#[actix_web::test]
async fn sessions_and_tokens_do_not_stand_in_for_each_other() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let lan = session(test, "lan", Role::Administrator).await;
        let (_, bearer) = token(test, &super::super::scopes::ALL.join(" "), TimeDelta::zero()).await;
        let machine_route = call(&app, carrying(get("/api/v1/rates"), &lan)).await;
        assert_eq!(machine_route.json()["code"], "token_missing", "{}", test.backend);
        let staff_route = call(&app, get("/api/v1/ban").insert_header(("authorization", bearer))).await;
        assert_eq!(staff_route.json()["code"], "sign_in_required", "{}", test.backend);
    }
}

#[actix_web::test]
async fn the_desk_takes_its_staff_and_machines_that_may_key() {
    let (_, all) = places();
    for test in &all {
        let app = app(test, BASE, pages, rest).await;
        let lan = session(test, "lan", Role::Clerk).await;
        let nga = session(test, "nga", Role::Observer).await;
        let (client, may_key) = token(test, "ballots:key", TimeDelta::zero()).await;
        let (_, may_not) = token(test, "rates:read", TimeDelta::zero()).await;
        let ask = |session: &Secret| carrying(get("/api/v1/keying"), session);
        assert_eq!(call(&app, ask(&lan)).await.body, "staff:lan", "{}", test.backend);
        assert_eq!(call(&app, ask(&nga)).await.status, 403);
        let bearing = |token: String| get("/api/v1/keying").insert_header(("authorization", token));
        assert_eq!(call(&app, bearing(may_key)).await.body, format!("client:{client}"));
        assert_eq!(call(&app, bearing(may_not.clone())).await.status, 403);
        let both = ask(&lan).insert_header(("authorization", may_not));
        assert_eq!(call(&app, both).await.status, 403, "a token is not helped by a cookie");
    }
}
