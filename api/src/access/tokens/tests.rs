//! Tokens: what is accepted, and every way of making one up that is not.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};

use super::super::fixture::{enrol, morning, places, write};
use super::super::{Actor, client};
use super::*;
use crate::testing::TestDb;

fn tokens() -> Tokens {
    Tokens::new(&BaseUrl::parse("https://cchc.example/khao-sat").unwrap(), &Entropy::System)
}

fn part(value: &Value) -> String {
    BASE64URL_NOPAD.encode(value.to_string().as_bytes())
}

fn read(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

async fn granted(tokens: &Tokens, test: &TestDb) -> (Client, String) {
    let (client, _) = enrol(test, "rates:read scores:read");
    let granted = tokens.issue(&test.db, &client, client.scopes.clone(), morning()).await.unwrap();
    (client, granted.token.reveal().to_owned())
}

async fn outcome(tokens: &Tokens, test: &TestDb, token: &str, at: DateTime<Utc>) -> Result<Verified, String> {
    let verified = tokens.verify(&test.db, &Secret::new(token.to_owned()), at).await;
    verified.map_err(|refused| format!("{refused:?}"))
}

async fn is_invalid(tokens: &Tokens, test: &TestDb, token: &str) -> bool {
    outcome(tokens, test, token, morning()).await == Err("Invalid".to_owned())
}

#[actix_web::test]
async fn a_token_says_who_what_for_whom_and_until_when() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (client, token) = granted(&tokens, test).await;
        let set = tokens.jwk_set(&test.db).await.unwrap();
        let header = read(&token, 0);
        assert_eq!(header, json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": set.keys[0].kid }), "{}", test.backend);
        let claims = read(&token, 1);
        assert_eq!(claims["iss"], "https://cchc.example/khao-sat");
        assert_eq!(claims["aud"], "https://cchc.example/khao-sat/api/v1");
        assert_eq!(claims["sub"], json!(client.id));
        assert_eq!(claims["scope"], "rates:read scores:read");
        assert_eq!(claims["iat"], morning().timestamp());
        assert_eq!(claims["exp"], morning().timestamp() + 600);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 36);

        let verified = outcome(&tokens, test, &token, morning()).await.unwrap();
        assert_eq!(verified, Verified { client: client.id, scopes: client.scopes, rounds: Vec::new() });
        // Another process, which made no key, reads it from the table.
        assert!(outcome(&self::tokens(), test, &token, morning()).await.is_ok());
    }
}

#[actix_web::test]
async fn a_token_ends_after_ten_minutes_and_is_not_good_before_its_time() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (_, token) = granted(&tokens, test).await;
        let after = |s: i64| morning() + TimeDelta::seconds(s);
        assert!(outcome(&tokens, test, &token, after(629)).await.is_ok(), "{}", test.backend);
        assert_eq!(outcome(&tokens, test, &token, after(630)).await, Err("Expired".to_owned()));
        assert!(outcome(&tokens, test, &token, after(-30)).await.is_ok());
        assert_eq!(outcome(&tokens, test, &token, after(-31)).await, Err("Invalid".to_owned()));
    }
}

#[actix_web::test]
async fn no_other_algorithm_passes() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (_, token) = granted(&tokens, test).await;
        let (header, claims) = (read(&token, 0), read(&token, 1));
        let signature = token.rsplit('.').next().unwrap();
        for alg in ["none", "None", "NONE", "HS256", "ES256", "RS256", ""] {
            let mut header = header.clone();
            header["alg"] = json!(alg);
            let head = format!("{}.{}", part(&header), part(&claims));
            assert!(is_invalid(&tokens, test, &format!("{head}.")).await, "{alg}");
            assert!(is_invalid(&tokens, test, &format!("{head}.{signature}")).await, "{alg}");
        }
        // The classic: the public key as the secret of an HMAC.
        let jwk = tokens.jwk_set(&test.db).await.unwrap().keys.remove(0);
        let public = BASE64URL_NOPAD.decode(jwk.x.as_bytes()).unwrap();
        let mut hmac = Header::new(Algorithm::HS256);
        (hmac.kid, hmac.typ) = (Some(jwk.kid.clone()), Some(TYP.to_owned()));
        for secret in [public.as_slice(), jwk.x.as_bytes()] {
            let forged = jsonwebtoken::encode(&hmac, &claims, &EncodingKey::from_secret(secret)).unwrap();
            assert!(is_invalid(&tokens, test, &forged).await, "{}", test.backend);
        }
    }
}

#[actix_web::test]
async fn tampering_is_seen() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (_, token) = granted(&tokens, test).await;
        let [head, _, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        for (claim, value) in [("scope", json!("codes:issue")), ("exp", json!(morning().timestamp() + 60_000))] {
            let mut claims = read(&token, 1);
            claims[claim] = value;
            assert!(is_invalid(&tokens, test, &format!("{head}.{}.{signature}", part(&claims))).await, "{claim}");
        }
        let cut = token.get(..token.len() - 4).unwrap();
        for bad in ["", ".", "..", "a.b.c", cut, &format!("{token}."), &format!("{token}AAAA"), &"a".repeat(5000)] {
            assert!(is_invalid(&tokens, test, bad).await, "{bad}");
        }
        assert!(outcome(&tokens, test, &token, morning()).await.is_ok(), "the untouched one still passes");
    }
}

#[actix_web::test]
async fn only_our_keys_for_our_api_and_this_purpose() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (_, token) = granted(&tokens, test).await;
        let (header, claims) = (read(&token, 0), read(&token, 1));
        let ours = test.db.read_here(newest).unwrap().unwrap();
        let strange = Signer::from_seed(&[9; 32]);
        let sign = |by: &Signer, header: &Value, claims: &Value| {
            let signed = format!("{}.{}", part(header), part(claims));
            format!("{signed}.{}", BASE64URL_NOPAD.encode(&by.sign(signed.as_bytes())))
        };
        // The way of making tokens in this test is the right one.
        assert!(outcome(&tokens, test, &sign(&ours, &header, &claims), morning()).await.is_ok());

        let with = |value: &Value, name: &str, to: Value| {
            let mut changed = value.clone();
            changed[name] = to;
            changed
        };
        let headers = [
            ("an unknown kid", &strange, with(&header, "kid", json!(strange.kid()))),
            ("our kid on another key", &strange, header.clone()),
            ("a key that the token brings", &strange, with(&header, "jwk", json!(strange.jwk()))),
            ("no kid", &ours, json!({ "alg": "EdDSA", "typ": TYP })),
            ("another kind of document", &ours, with(&header, "typ", json!("JWT"))),
            ("an extension we do not know", &ours, with(&header, "crit", json!(["exp"]))),
        ];
        for (what, by, header) in headers {
            assert!(is_invalid(&tokens, test, &sign(by, &header, &claims)).await, "{what}");
        }
        let bodies = [
            ("another audience", with(&claims, "aud", json!("https://cchc.example/api/v1"))),
            ("another issuer", with(&claims, "iss", json!("https://elsewhere.example"))),
            ("an unknown scope", with(&claims, "scope", json!("admin"))),
            ("no scope", with(&claims, "scope", json!(""))),
            ("an unknown client", with(&claims, "sub", json!("nobody"))),
            ("no expiry", with(&claims, "exp", Value::Null)),
            ("an expiry that is no number", with(&claims, "exp", json!("never"))),
        ];
        for (what, claims) in bodies {
            assert!(is_invalid(&tokens, test, &sign(&ours, &header, &claims)).await, "{what}");
        }
        let published = ours.jws("scores+json", claims.to_string().as_bytes());
        assert!(is_invalid(&tokens, test, &published).await, "a signed document is no token");
    }
}

#[actix_web::test]
async fn a_revoked_clients_tokens_end_at_once() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (client, token) = granted(&tokens, test).await;
        write(test, |conn, at| client::revoke(conn, at, &Actor::Command, &client.id)).unwrap();
        assert!(is_invalid(&tokens, test, &token).await, "{}", test.backend);
        let listed = test.db.read_here(client::list).unwrap();
        assert!(listed.len() == 1 && listed[0].revoked);
    }
}

#[actix_web::test]
async fn a_client_needs_its_own_secret() {
    let (_, all) = places();
    for test in &all {
        let tokens = tokens();
        let (one, secret) = enrol(test, "rates:read");
        let (two, _) = enrol(test, "rates:read");
        let ask = |id: &str, secret: &str| tokens.authenticate(&test.db, id.to_owned(), Secret::new(secret.to_owned()));
        assert_eq!(ask(&one.id, secret.reveal()).await.unwrap(), Some(one.clone()), "{}", test.backend);
        for (id, given) in [(&one.id, ""), (&two.id, secret.reveal()), (&String::new(), secret.reveal())] {
            assert_eq!(ask(id, given).await.unwrap(), None, "{}", test.backend);
        }
        let hash = test.db.read_here(|c| Ok::<_, DbError>(super::super::store::client(c, &one.id)?)).unwrap();
        assert_ne!(hash.unwrap().1, secret.reveal().as_bytes(), "the secret itself is not kept");
    }
}
