//! The token endpoint as a program sees it.

use actix_web::test::TestRequest;
use data_encoding::BASE64;
use serde_json::json;
use utoipa_actix_web::AppExt as _;

use super::super::fixture::{Answer, BASE, app, call, enrol, none, places, write};
use super::super::{Actor, client};
use super::*;

const PATH: &str = "/khao-sat/api/v1/oauth/token";

fn post(fields: &[(&str, &str)]) -> TestRequest {
    TestRequest::post().uri(PATH).set_form(fields)
}

fn ask(id: &str, secret: &Secret, scope: &str) -> TestRequest {
    post(&[
        ("grant_type", "client_credentials"),
        ("client_id", id),
        ("client_secret", secret.reveal()),
        ("scope", scope),
    ])
}

fn basic(id: &str, secret: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", BASE64.encode(format!("{id}:{secret}").as_bytes())))
}

fn refusal(answer: &Answer) -> (u16, String, String) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(body["status"], answer.status);
    (answer.status, body["error"].as_str().unwrap().to_owned(), body["code"].as_str().unwrap().to_owned())
}

fn same(status: u16, name: &str) -> (u16, String, String) {
    (status, name.to_owned(), name.to_owned())
}

#[actix_web::test]
async fn a_client_gets_a_token_that_any_jose_library_verifies() {
    let (_, all) = places();
    for test in &all {
        let (client, secret) = enrol(test, "rates:read scores:read");
        let app = app(test, BASE, none, none).await;
        let in_form = ask(&client.id, &secret, "");
        let in_header = post(&[("grant_type", "client_credentials")]).insert_header(basic(&client.id, secret.reveal()));
        for request in [in_form, in_header] {
            let answer = call(&app, request).await;
            assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", test.backend);
            let body = answer.json();
            assert_eq!(body["token_type"], "Bearer");
            assert_eq!(body["expires_in"], 600);
            assert_eq!(body["scope"], "rates:read scores:read");

            let keys = call(&app, TestRequest::get().uri("/khao-sat/api/v1/.well-known/jwks.json")).await;
            let set: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&keys.body).unwrap();
            let jwt = body["access_token"].as_str().unwrap();
            let kid = jsonwebtoken::decode_header(jwt).unwrap().kid.unwrap();
            let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
            let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
            rules.set_audience(&["https://cchc.example/khao-sat/api/v1"]);
            let claims = jsonwebtoken::decode::<serde_json::Value>(jwt, &key, &rules).unwrap().claims;
            assert_eq!(claims["sub"], json!(client.id));
        }
    }
}

#[actix_web::test]
async fn a_client_may_ask_for_less_but_not_for_more() {
    let (_, all) = places();
    for test in &all {
        let (client, secret) = enrol(test, "rates:read scores:read");
        let app = app(test, BASE, none, none).await;
        let less = call(&app, ask(&client.id, &secret, "rates:read")).await;
        assert_eq!(less.json()["scope"], "rates:read", "{}", test.backend);
        for scope in ["codes:issue", "rates:read codes:issue", "admin"] {
            let more = call(&app, ask(&client.id, &secret, scope)).await;
            assert_eq!(refusal(&more), same(400, "invalid_scope"), "{scope}");
        }
    }
}

#[actix_web::test]
async fn an_unknown_client_a_wrong_secret_and_a_revoked_client_look_the_same() {
    let (_, all) = places();
    for test in &all {
        let (client, secret) = enrol(test, "rates:read");
        let (gone, its_secret) = enrol(test, "rates:read");
        write(test, |conn, at| client::revoke(conn, at, &Actor::Command, &gone.id)).unwrap();
        let app = app(test, BASE, none, none).await;
        let wrong = Secret::new("wrong".to_owned());
        let mut bodies = Vec::new();
        for request in [
            ask("nobody", &secret, ""),
            ask(&client.id, &wrong, ""),
            ask(&gone.id, &its_secret, ""),
            post(&[("grant_type", "client_credentials")]),
            post(&[("grant_type", "client_credentials")]).insert_header(basic(&client.id, "wrong")),
            post(&[("grant_type", "client_credentials")]).insert_header(("authorization", "Basic !!!")),
            post(&[("grant_type", "client_credentials")]).insert_header(("authorization", "Negotiate abc")),
        ] {
            let answer = call(&app, request).await;
            assert_eq!(refusal(&answer), same(401, "invalid_client"), "{}", test.backend);
            assert_eq!(answer.header("www-authenticate"), r#"Basic realm="phieu""#);
            bodies.push(answer.body);
        }
        assert!(bodies.windows(2).all(|w| w[0] == w[1]));
    }
}

#[actix_web::test]
async fn requests_that_are_none_are_named() {
    let (_, all) = places();
    let test = &all[0];
    let (client, secret) = enrol(test, "rates:read");
    let app = app(test, BASE, none, none).await;
    let id = client.id.as_str();
    let long = "x".repeat(300);
    for request in [
        post(&[("client_id", id), ("client_secret", secret.reveal())]),
        post(&[("grant_type", "client_credentials"), ("grant_type", "client_credentials")]),
        post(&[("grant_type", "client_credentials"), ("client_id", &long), ("client_secret", "x")]),
        TestRequest::post().uri(PATH).set_json(json!({ "grant_type": "client_credentials" })),
        TestRequest::post().uri(PATH),
        ask(id, &secret, "").insert_header(basic(id, secret.reveal())),
        post(&[("grant_type", "client_credentials"), ("client_id", "another")])
            .insert_header(basic(id, secret.reveal())),
    ] {
        assert_eq!(refusal(&call(&app, request).await), same(400, "invalid_request"));
    }
    for grant in ["password", "authorization_code", "refresh_token", ""] {
        let request = post(&[("grant_type", grant), ("client_id", id), ("client_secret", secret.reveal())]);
        assert_eq!(refusal(&call(&app, request).await), same(400, "unsupported_grant_type"), "{grant}");
    }
    let by_get = call(&app, TestRequest::get().uri(PATH)).await;
    assert!(matches!(by_get.status, 404 | 405), "{}", by_get.status);
}

#[actix_web::test]
async fn guessing_a_secret_is_slowed_down() {
    let (_, all) = places();
    let test = &all[0];
    let (client, secret) = enrol(test, "rates:read");
    let (other, its_secret) = enrol(test, "rates:read");
    let app = app(test, BASE, none, none).await;
    let wrong = Secret::new("wrong".to_owned());
    let mut slowed = None;
    for _ in 0..140 {
        let answer = call(&app, ask(&client.id, &wrong, "")).await;
        if answer.status == 429 {
            slowed = Some(answer);
            break;
        }
    }
    let slowed = slowed.expect("a limit");
    assert_eq!(refusal(&slowed), (429, "temporarily_unavailable".to_owned(), "too_many_requests".to_owned()));
    assert_eq!(slowed.header("retry-after"), "60");
    assert_eq!(call(&app, ask(&client.id, &secret, "")).await.status, 429);
    assert_eq!(call(&app, ask(&other.id, &its_secret, "")).await.status, 200, "another client goes on");
}

#[test]
fn both_routes_are_in_the_documentation() {
    let (_, document) = actix_web::App::new().into_utoipa_app().configure(rest).split_for_parts();
    let document = serde_json::to_value(&document).unwrap();
    let answers = &document["paths"]["/oauth/token"]["post"]["responses"];
    for status in ["200", "400", "401", "429", "503"] {
        assert!(answers[status].is_object(), "{status}");
    }
    assert!(document["paths"]["/.well-known/jwks.json"]["get"].is_object());
    for schema in ["TokenRequest", "TokenAnswer", "TokenProblem", "JwkSet", "Jwk"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}
