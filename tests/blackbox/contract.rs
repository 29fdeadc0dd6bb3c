//! The OpenAPI document says what the service does: every route, every error code with its status, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use phieu::http::codes;
use serde_json::Value;

use crate::actors::Actor;
use crate::field::open_service;
use crate::stage::{Service, Stage};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/openapi.json");

/// Codes that no single REST route answers: those of pages, of acts on a round, and of any route at all.
const NOT_OF_ONE_ROUTE: [&str; 30] = [
    "box_key_missing",
    "box_key_wrong",
    "client_unknown",
    "code_used",
    "codes_missing",
    "correction_empty",
    "correction_reason",
    "correction_reveals",
    "correction_unknown",
    "counts_disagree",
    "cross_site",
    "internal",
    "method_not_allowed",
    "not_found",
    "proposal_changed",
    "proposal_faulty",
    "proposal_same_person",
    "proposal_settled",
    "proposal_unknown",
    "proposals_many",
    "release_changed",
    "release_proposal_unknown",
    "release_same_person",
    "release_settled",
    "release_waits",
    "round_frozen",
    "sign_in_failed",
    "staff_name_taken",
    "staff_unknown",
    "too_early",
];

fn document(service: &Service) -> Value {
    let answer = Actor::anon(service).get("/openapi.json");
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Method and path of every operation of the document, with the operation.
fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let paths = document["paths"].as_object().unwrap();
    let each = paths.iter().flat_map(|(path, item)| {
        let of = |method: &&str| Some(((method.to_string(), path.clone()), item.get(*method)?));
        METHODS.iter().filter_map(of).collect::<Vec<_>>()
    });
    each.collect()
}

/// Method and path of every REST handler in the sources: what the server can answer.
fn handlers(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            handlers(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for line in source.lines() {
                for method in METHODS {
                    let rest = line.trim().strip_prefix(&format!("#[{method}(\""));
                    if let Some(route) = rest.and_then(|r| r.split('"').next()) {
                        // The document leaves a tail's pattern out.
                        found.insert((method.to_owned(), format!("/api/v1{}", route.replace(":.*}", "}"))));
                    }
                }
            }
        }
    }
}

#[test]
fn every_route_is_in_the_document_and_answers() {
    let stage = Stage::sqlite();
    let (_field, service) = open_service(&stage);
    let document = document(&service);
    let operations = operations(&document);
    let documented: BTreeSet<(String, String)> = operations.keys().cloned().collect();
    let mut written = BTreeSet::new();
    handlers(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut written);
    assert_eq!(documented, written, "left: in the document, right: in the sources");
    for (method, path) in [
        ("post", "/api/v1/oauth/token"),
        ("get", "/api/v1/.well-known/jwks.json"),
        ("get", "/api/v1/rounds"),
        ("get", "/api/v1/rounds/{round}"),
        ("get", "/api/v1/rounds/{round}/targets"),
        ("get", "/api/v1/rounds/{round}/questionnaires/{respondent_code}"),
        ("post", "/api/v1/rounds/{round}/codes"),
        ("post", "/api/v1/ballots/form"),
        ("post", "/api/v1/ballots"),
        ("get", "/api/v1/rounds/{round}/rates"),
        ("get", "/api/v1/rounds/{round}/scores"),
        ("get", "/api/v1/rounds/{round}/scores.jws"),
        ("get", "/api/v1/rounds/{round}/releases"),
        ("get", "/api/v1/schemas/scores.json"),
        ("get", "/api/v1/rounds/{round}/log/checkpoint"),
        ("get", "/api/v1/rounds/{round}/log/tile/{tile}"),
        ("get", "/api/v1/receipts/{receipt}"),
    ] {
        assert!(documented.contains(&(method.to_owned(), path.to_owned())), "the contract names {method} {path}");
    }

    let anon = Actor::anon(&service);
    for ((method, path), operation) in &operations {
        let place = path
            .replace("{round}", crate::stage::ROUND)
            .replace("{respondent_code}", "CC-CT")
            .replace("{release}", "1");
        let answer = if method == "get" { anon.get(&place) } else { anon.post_bytes(&place, "text/x", b"") };
        let status = answer.status.to_string();
        assert!(
            operation["responses"].get(&status).is_some(),
            "{method} {path} answers {status}, which is not documented"
        );
        if answer.status >= 400 {
            assert_ne!(answer.json()["code"], "not_found", "{method} {path}");
            assert_ne!(answer.json()["code"], "internal", "{method} {path}");
        }
        assert!(operation["operationId"].is_string() && operation["tags"].is_array(), "{method} {path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(anon.get(path).status, 200);
    }
}

/// Words of a description that look like codes: `code_unknown`, `busy`.
fn words(description: &str) -> BTreeSet<String> {
    let quoted = description.split('`').skip(1).step_by(2);
    let bare = description.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).filter(|w| w.contains('_'));
    quoted.chain(bare).map(str::to_owned).collect()
}

#[test]
fn every_error_code_is_documented_with_its_status() {
    let stage = Stage::sqlite();
    let (_field, service) = open_service(&stage);
    let document = document(&service);
    let statuses: BTreeMap<&str, u16> = codes::ALL.iter().map(|c| (c.name, c.status)).collect();
    let mut named: BTreeSet<String> = BTreeSet::new();
    let mut wrong = Vec::new();
    for ((method, path), operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let status: u16 = status.parse().unwrap();
            if status < 400 {
                continue;
            }
            let words = words(response["description"].as_str().unwrap());
            let codes: Vec<&String> = words.iter().filter(|w| statuses.contains_key(w.as_str())).collect();
            for code in &codes {
                if statuses[code.as_str()] != status {
                    wrong.push(format!("{method} {path}: {code} is not {status}"));
                }
                named.insert((*code).clone());
            }
            if codes.is_empty() {
                wrong.push(format!("{method} {path}: {status} names no code"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    let silent: Vec<&&str> =
        statuses.keys().filter(|c| !named.contains(**c) && !NOT_OF_ONE_ROUTE.contains(c)).collect();
    assert_eq!(silent, Vec::<&&str>::new(), "codes that no route documents");
    for code in NOT_OF_ONE_ROUTE {
        assert!(statuses.contains_key(code), "{code} does not exist any more");
    }
}

#[test]
fn the_document_changes_only_on_purpose() {
    let stage = Stage::sqlite();
    let (_field, service) = open_service(&stage);
    let now = serde_json::to_string_pretty(&document(&service)).unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(SNAPSHOT, &now).unwrap();
    }
    let then = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    let differs = now.lines().zip(then.lines()).position(|(a, b)| a != b);
    if let Some(line) = differs.or((now.len() != then.len()).then(|| now.lines().count().min(then.lines().count()))) {
        panic!(
            "the OpenAPI document differs from tests/openapi.json, first at line {}:\n  was {}\n  is  {}\n\
             If that is meant: UPDATE_OPENAPI=1 tests/run blackbox, then commit the file.",
            line + 1,
            then.lines().nth(line).unwrap_or("(the end)"),
            now.lines().nth(line).unwrap_or("(the end)"),
        );
    }
}

#[test]
fn the_reader_of_the_document_needs_no_other_host() {
    let stage = Stage::sqlite();
    let (_field, service) = open_service(&stage);
    let anon = Actor::anon(&service);
    let page = anon.get("/docs/");
    assert_eq!(page.status, 200);
    let elsewhere = ["src=\"http", "href=\"http", "src=\"//", "href=\"//"];
    assert!(!elsewhere.iter().any(|e| page.text().contains(e)), "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
}
