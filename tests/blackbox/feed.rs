//! The feed as an index engine meets it: the example client, a few lines of Python, keys that are rotated, clients of
//! other rounds, webhooks.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

use crate::actors::Actor;
use crate::field::{Dice, Field, answer_and_cast, eventually, text};
use crate::paper::words;
use crate::stage::{ROUND, Stage, both, python_with};

#[path = "../../api/examples/feed.rs"]
#[expect(dead_code, reason = "its main is not called here")]
mod example;

use example::{Fetched, fetch};

fn client(stage: &Stage, more: &[&str]) -> (String, String) {
    let words = [&["client", "add", "Máy chấm", "--scopes", "scores:read", "--json"], more].concat();
    let client: Value = serde_json::from_str(&stage.phieu(&words)).unwrap();
    let own = |name: &str| client[name].as_str().unwrap().to_owned();
    (own("client_id"), own("client_secret"))
}

/// The report has every name and total of the document, as Poppler reads it, and is the same each time.
fn report(stage: &Stage, anon: &Actor) {
    let file = |ending: &str| anon.get(&format!("/ket-qua/{ROUND}/tai-ve/ban-1.{ending}"));
    let answer = file("pdf");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/pdf")));
    assert!(answer.body == file("pdf").body, "the same bytes");
    let pdf = stage.path("report.pdf");
    std::fs::write(&pdf, &answer.body).unwrap();
    if let Some(folder) = std::env::var_os("PHIEU_PRINT_OUT") {
        std::fs::copy(&pdf, std::path::Path::new(&folder).join("released.pdf")).unwrap();
    }
    let words = words(&pdf);
    let document = file("json").json();
    let of = |value: &Value| value.as_str().unwrap_or_default().replace('.', ",");
    for target in document["targets"].as_array().unwrap() {
        let fields = target["fields"].as_array().unwrap().iter().map(|field| of(&field["percent"]));
        let own = [target["name"].as_str().unwrap().to_owned(), of(&target["percent"])];
        for told in own.into_iter().chain(fields) {
            assert!(words.contains(&told), "{told}");
        }
    }
    assert!(words.contains(document["rules_hash"].as_str().unwrap()));
}

#[test]
fn an_engine_takes_published_scores_with_what_the_documentation_says() {
    let stage = Stage::sqlite();
    let mut field = Field::open(&stage);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let hook = format!("http://{}/hook", listener.local_addr().unwrap());
    let service = stage.serve_with(&[("PHIEU_WEBHOOK_SECONDS", "1"), ("PHIEU_WEBHOOK_NETWORKS", "[\"127.0.0.0/8\"]")]);
    let refused = stage.phieu_fails(&["webhook", "add", &hook]);
    assert!(refused.contains("TLS"), "no network is allowed for this command: {refused}");
    let added = stage
        .command(&["webhook", "add", &hook, "--round", ROUND, "--json"])
        .env("PHIEU_WEBHOOK_NETWORKS", "[\"127.0.0.0/8\"]")
        .output()
        .unwrap();
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    assert!(added["secret"].as_str().unwrap().starts_with("whsec_"));
    assert!(!stage.phieu(&["webhook", "list", "--json"]).contains("whsec_"), "the secret is shown once");

    let anon = Actor::anon(&service);
    let mut dice = Dice::new(41);
    for _ in 0..25 {
        answer_and_cast(&anon, &field.take("CC-CT"), &mut dice);
    }
    stage.phieu(&["round", "close", ROUND]);
    stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
    let (id, secret) = client(&stage, &["--round", ROUND]);
    let early = fetch(&service.base, ROUND, &id, &secret, None).err().unwrap().to_string();
    assert!(early.contains("not_published"), "{early}");
    let (told, message) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
        told.send(serde_json::from_slice::<Value>(&body).unwrap()).unwrap();
    });
    stage.phieu(&["round", "publish", ROUND, "--force-early"]);
    let message = message.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    assert_eq!((&message["type"], &message["data"]["release"]), (&json!("scores.published"), &json!(1)));
    eventually("written down", || {
        stage.phieu(&["webhook", "deliveries", "--json"]).contains("\"delivered\"").then_some(())
    });
    let listed = anon.get(&format!("/api/v1/rounds/{ROUND}/releases")).json();
    assert_eq!(listed["releases"][0]["sha256"], message["data"]["sha256"]);
    report(&stage, &anon);

    let Fetched::New(scores, tag) = fetch(&service.base, ROUND, &id, &secret, None).unwrap() else { panic!("new") };
    let path = message["data"]["path"].as_str().unwrap();
    let engine = Actor::client_at(&service.base, &id, &secret);
    assert_eq!(engine.get(path).json(), *scores);
    assert!(matches!(fetch(&service.base, ROUND, &id, &secret, Some(&tag)), Ok(Fetched::Known)));
    let python = python(&service.base, &id, &secret);
    assert_eq!(python.lines().count(), scores["targets"].as_array().unwrap().len(), "{python}");

    // A key goes and another one comes; what the first one signed still verifies, until it is withdrawn.
    let signed = engine.get(&format!("/api/v1/rounds/{ROUND}/scores.jws")).text();
    let keys = || anon.get("/api/v1/.well-known/jwks.json").json();
    let old = keys()["keys"][0]["kid"].as_str().unwrap().to_owned();
    assert!(stage.phieu_fails(&["keys", "withdraw", &old]).contains("this key signs"));
    let said = stage.phieu(&["keys", "rotate"]);
    let new = said.split_whitespace().next().unwrap().to_owned();
    assert_eq!(keys()["keys"].as_array().unwrap().len(), 2);
    assert!(example::verified(&signed, &keys()).is_ok(), "signed before the rotation");
    let Fetched::New(again, other) = fetch(&service.base, ROUND, &id, &secret, Some(&tag)).unwrap() else {
        panic!("new")
    };
    assert_eq!((&again, other == tag), (&scores, false), "the same scores, signed by the new key");
    assert!(stage.phieu(&["keys", "list"]).starts_with(&format!("{new}\tsigns")));
    let token = engine.get(&format!("/api/v1/rounds/{ROUND}/scores"));
    assert_eq!(token.status, 200, "a token of the old key is good for its ten minutes");
    stage.phieu(&["keys", "withdraw", &old]);
    assert!(example::verified(&signed, &keys()).is_err());
    engine.get(&format!("/api/v1/rounds/{ROUND}/scores")).is_problem(401, "token_invalid");

    // A client of another round is told so, not that there is nothing.
    let folder = field.folder.to_str().unwrap();
    let other_folder = stage.path("other");
    stage.phieu(&["round", "clone", folder, text(&other_folder), "--id", "dot-khac"]);
    stage.phieu(&["round", "load", text(&other_folder)]);
    let (id, secret) = client(&stage, &["--round", "dot-khac"]);
    let stranger = Actor::client_at(&service.base, &id, &secret);
    stranger.get(&format!("/api/v1/rounds/{ROUND}/scores")).is_problem(403, "round_not_granted");
    // The service looks for new rounds every few seconds.
    let own = || stranger.get("/api/v1/rounds/dot-khac/scores");
    eventually("the round is known", || (own().status != 404).then_some(()));
    own().is_problem(409, "not_published");
    assert!(stage.phieu_fails(&["client", "add", "x", "--scopes", "scores:read", "--round", "nope"]).contains("round"));
}

/// Runs the lines of the documentation.
fn python(base: &str, id: &str, secret: &str) -> String {
    let readme = include_str!("../../api/src/score/README.md");
    let code = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let done = python_with("cryptography").args(["-c", code, base, ROUND, id, secret]).output().unwrap();
    assert!(done.status.success(), "{}", both(&done));
    String::from_utf8(done.stdout).unwrap()
}
