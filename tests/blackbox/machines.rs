//! Machine clients: what a token must be, and what a refusal says.

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signer as _, SigningKey};
use phieu::access::tokens::newest;
use phieu::clock::{Clock, machine_now};
use phieu::db::{Create, Db};
use serde_json::{Value, json};

use crate::actors::{Actor, Answer};
use crate::field::open_service;
use crate::stage::{ROUND, Stage, on_each};

const ROUTES: [(&str, &str); 3] = [("codes:issue", "codes"), ("rates:read", "rates"), ("scores:read", "scores")];

fn call(actor: &Actor, round: &str, route: &str) -> Answer {
    let path = format!("/api/v1/rounds/{round}/{route}");
    if route == "codes" {
        actor.post(&path, &json!({"respondent_code": "CC-CT", "unit": "STP", "count": 1}))
    } else {
        actor.get(&path)
    }
}

fn allowed(answer: &Answer) -> bool {
    // Scores are not released yet, which only somebody with the scope is told.
    [200, 201].contains(&answer.status) || (answer.status == 409 && answer.json()["code"] == "not_published")
}

#[test]
fn each_route_asks_for_its_own_scope() {
    on_each(|stage| {
        let (_field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let before = stage.count("credential");
        for (scope, _) in ROUTES {
            let machine = Actor::machine(stage, &service, scope);
            for (needed, route) in ROUTES {
                let answer = call(&machine, ROUND, route);
                if needed == scope {
                    assert!(allowed(&answer), "{route}: {} {}", answer.status, answer.text());
                    call(&machine, "no-such-round", route).is_problem(404, "round_unknown");
                } else {
                    answer.is_problem(403, "scope_missing");
                    let challenge = answer.header("www-authenticate").unwrap();
                    assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{challenge}");
                }
            }
        }
        for (_, route) in ROUTES {
            call(&anon, ROUND, route).is_problem(401, "token_missing");
        }
        assert_eq!(stage.count("credential"), before + 1, "the one call that may issued one code");
    });
}

/// A token with these claims, signed by the service's own key, read from its database.
fn forged_by_the_service(stage: &Stage, typ: &str, claims: &Value) -> String {
    let db = Db::open(&stage.database_url, 2, Create::No, Clock::Database).unwrap();
    let signer = db.read_here(newest).unwrap().unwrap();
    signer.jws(typ, claims.to_string().as_bytes())
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn signed_with(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let signature = BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()).to_bytes());
    format!("{signed}.{signature}")
}

fn encoded(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

#[test]
fn tokens_that_are_not_ours_or_not_of_today_are_refused() {
    on_each(|stage| {
        let (_field, service) = open_service(stage);
        let anon = Actor::anon(&service);
        let added = stage.phieu(&["client", "add", "index engine", "--scopes", "codes:issue", "--json"]);
        let added: Value = serde_json::from_str(&added).unwrap();
        let (id, secret) = (added["client_id"].as_str().unwrap(), added["client_secret"].as_str().unwrap());
        let granted = anon.post_form(
            "/api/v1/oauth/token",
            &[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)],
        );
        let token = granted.json()["access_token"].as_str().unwrap().to_owned();
        let (header, claims) = (part(&token, 0), part(&token, 1));
        let before = stage.count("credential");
        let refused = |token: &str, code: &str| {
            call(&anon.bearing(token), ROUND, "codes").is_problem(401, code);
        };

        // The service's own signature under claims of ours: the control that the forgery works, then each claim off.
        let with = |name: &str, value: Value| {
            let mut claims = claims.clone();
            claims[name] = value;
            claims
        };
        assert_eq!(call(&anon.bearing(&forged_by_the_service(stage, "at+jwt", &claims)), ROUND, "codes").status, 201);
        let past = machine_now().timestamp() - 3600;
        refused(&forged_by_the_service(stage, "at+jwt", &with("exp", json!(past))), "token_expired");
        refused(&forged_by_the_service(stage, "at+jwt", &with("iat", json!(past + 7200))), "token_invalid");
        refused(&forged_by_the_service(stage, "at+jwt", &with("aud", json!("https://elsewhere.vn"))), "token_invalid");
        refused(&forged_by_the_service(stage, "at+jwt", &with("iss", json!("https://elsewhere.vn"))), "token_invalid");
        refused(&forged_by_the_service(stage, "at+jwt", &with("sub", json!("nobody"))), "token_invalid");
        refused(&forged_by_the_service(stage, "scores+json", &claims), "token_invalid");

        // Tampered with: other claims under the old signature, another key, no signature, a symmetric one.
        let parts: Vec<&str> = token.split('.').collect();
        let more = encoded(&with("scope", json!("codes:issue scores:read")));
        refused(&format!("{}.{more}.{}", parts[0], parts[2]), "token_invalid");
        let stranger = SigningKey::from_bytes(&[7; 32]);
        refused(&signed_with(&stranger, &header, &claims), "token_invalid");
        let mut own_kid = header.clone();
        own_kid["jwk"] =
            json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64URL_NOPAD.encode(stranger.verifying_key().as_bytes())});
        refused(&signed_with(&stranger, &own_kid, &claims), "token_invalid");
        let none = json!({"alg": "none", "typ": "at+jwt", "kid": header["kid"]});
        refused(&format!("{}.{}.", encoded(&none), parts[1]), "token_invalid");
        let symmetric = json!({"alg": "HS256", "typ": "at+jwt", "kid": header["kid"]});
        refused(&format!("{}.{}.{}", encoded(&symmetric), parts[1], parts[2]), "token_invalid");
        refused("x.y.z", "token_invalid");
        refused(&"a".repeat(5000), "token_invalid");

        // A revoked client's token is good for nothing at once.
        assert_eq!(call(&anon.bearing(&token), ROUND, "codes").status, 201);
        stage.phieu(&["client", "revoke", id]);
        refused(&token, "token_invalid");
        assert_eq!(stage.count("credential"), before + 2, "{}", stage.backend);
    });
}

#[test]
fn requests_for_tokens_are_refused_by_name() {
    let stage = Stage::sqlite();
    let (_field, service) = open_service(&stage);
    let anon = Actor::anon(&service);
    let added = stage.phieu(&["client", "add", "index engine", "--scopes", "rates:read", "--json"]);
    let added: Value = serde_json::from_str(&added).unwrap();
    let (id, secret) = (added["client_id"].as_str().unwrap(), added["client_secret"].as_str().unwrap());
    let ask = |fields: &[(&str, &str)]| anon.post_form("/api/v1/oauth/token", fields);
    let (grant, client, key) = (("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret));
    ask(&[grant, client, ("client_secret", "wrong")]).is_problem(401, "invalid_client");
    ask(&[grant, ("client_id", "nobody"), key]).is_problem(401, "invalid_client");
    ask(&[("grant_type", "password"), client, key]).is_problem(400, "unsupported_grant_type");
    ask(&[grant, client, key, ("scope", "scores:read")]).is_problem(400, "invalid_scope");
    ask(&[grant, client, key, ("scope", "everything")]).is_problem(400, "invalid_scope");
    ask(&[client, key]).is_problem(400, "invalid_request");
    let json = anon.post("/api/v1/oauth/token", &json!({"grant_type": "client_credentials"}));
    json.is_problem(400, "invalid_request");
    assert_eq!(ask(&[grant, client, key, ("scope", "rates:read")]).json()["scope"], "rates:read");
}
