//! A client of the feed: gets a token, fetches the signed scores of a round, verifies them against the service's keys,
//! and prints a line a target. What an index engine needs to do, with nothing but HTTP and Ed25519.
//!
//! `cargo run -p phieu --example feed -- URL ROUND CLIENT_ID CLIENT_SECRET [KNOWN_ETAG]`
//!
//! Exit code 0 with the scores; 3 when the known ones are still the latest; 1 with the reason otherwise.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example prints what it found")]

use std::error::Error;
use std::process::ExitCode;

use data_encoding::BASE64URL_NOPAD;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

/// What a fetch found.
pub(crate) enum Fetched {
    /// The document, and the tag to ask with next time.
    New(Box<Value>, String),
    /// The caller has it already.
    Known,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, round, id, secret, ..] = arguments.as_slice() else {
        eprintln!("feed URL ROUND CLIENT_ID CLIENT_SECRET [KNOWN_ETAG]");
        return ExitCode::from(2);
    };
    match fetch(url, round, id, secret, arguments.get(4).map(String::as_str)) {
        Ok(Fetched::New(scores, tag)) => {
            for target in scores.pointer("/targets").and_then(Value::as_array).into_iter().flatten() {
                let of = |name: &str| target.get(name).unwrap_or(&Value::Null);
                println!("{}\t{}\t{}", of("target"), of("percent"), of("rank"));
            }
            let release = scores.get("release").unwrap_or(&Value::Null);
            eprintln!("release {release}, verified; ask with {tag} next time");
            ExitCode::SUCCESS
        }
        Ok(Fetched::Known) => ExitCode::from(3),
        Err(error) => {
            eprintln!("feed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Fetches the latest release, unless it is the one that `known` names.
///
/// # Errors
/// When the service refuses (its problem document says why), or the signature does not fit.
pub(crate) fn fetch(
    url: &str,
    round: &str,
    id: &str,
    secret: &str,
    known: Option<&str>,
) -> Result<Fetched, Box<dyn Error>> {
    let api = format!("{}/api/v1", url.trim_end_matches('/'));
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent = ureq::Agent::new_with_config(config);

    let form =
        [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret), ("scope", "scores:read")];
    let granted = json(agent.post(format!("{api}/oauth/token")).send_form(form)?)?;
    let token = text(&granted, "access_token").ok_or("no token in the answer")?;

    let mut request = agent.get(format!("{api}/rounds/{round}/scores.jws"));
    request = request.header("authorization", format!("Bearer {token}"));
    if let Some(tag) = known {
        request = request.header("if-none-match", tag);
    }
    let mut answer = request.call()?;
    if answer.status() == 304 {
        return Ok(Fetched::Known);
    }
    let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
    let body = answer.body_mut().read_to_string()?;
    if answer.status() != 200 {
        return Err(format!("status {}: {body}", answer.status()).into());
    }
    let keys = json(agent.get(format!("{api}/.well-known/jwks.json")).call()?)?;
    Ok(Fetched::New(Box::new(verified(&body, &keys)?), tag))
}

/// The payload of a compact JWS (RFC 7515), if one of the keys signed it as published scores.
///
/// # Errors
/// When it is something else, or the signature does not fit.
pub(crate) fn verified(jws: &str, keys: &Value) -> Result<Value, Box<dyn Error>> {
    let (signed, signature) = jws.rsplit_once('.').ok_or("not a JWS")?;
    let (header, payload) = signed.split_once('.').ok_or("not a JWS")?;
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes());
    let header: Value = serde_json::from_slice(&decode(header)?)?;
    // The type, so that nothing else that these keys sign passes for scores.
    if (text(&header, "alg"), text(&header, "typ")) != (Some("EdDSA"), Some("scores+json")) {
        return Err("not signed scores".into());
    }
    let key = keys
        .get("keys")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|key| text(key, "kid") == text(&header, "kid"));
    let key = key.and_then(|key| text(key, "x")).ok_or("signed by a key that the service does not have")?;
    let key: [u8; 32] = decode(key)?.try_into().map_err(|_length| "a key has 32 bytes")?;
    let signature = Signature::from_slice(&decode(signature)?)?;
    VerifyingKey::from_bytes(&key)?.verify_strict(signed.as_bytes(), &signature)?;
    Ok(serde_json::from_slice(&decode(payload)?)?)
}

fn text<'v>(of: &'v Value, name: &str) -> Option<&'v str> {
    of.get(name).and_then(Value::as_str)
}

fn json(mut answer: ureq::http::Response<ureq::Body>) -> Result<Value, Box<dyn Error>> {
    let body = answer.body_mut().read_to_string()?;
    if answer.status() != 200 {
        return Err(format!("status {}: {body}", answer.status()).into());
    }
    Ok(serde_json::from_str(&body)?)
}
