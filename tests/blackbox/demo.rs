//! `phieu demo`: everything with nothing set up, and never at the cost of somebody else's files.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::actors::Actor;
use crate::field::{Code, Dice, answer_and_cast, eventually_within, text};
use crate::stage::{ROUND, Stage, both, ends, program};

const GROUPS: [&str; 8] = ["CC-CT", "CC-ND", "CC-CH", "LĐ-CP", "LĐX-CH", "HĐ-CT", "LĐH-CH", "LĐS-CT"];
const ROLES: [&str; 6] = ["administrator", "supervisor", "clerk", "adjudicator", "auditor", "observer"];

struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a demo and waits until it serves; gives back what its `demo.json` says.
fn start(data: &Path, more: &[&str]) -> (Demo, Value) {
    let mut command: Command = program(&["demo", "--listen", "127.0.0.1:0", "--data", text(data)]);
    let mut demo = Demo(command.args(more).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let said = eventually_within(Duration::from_secs(120), "the demo is ready", || {
        assert!(demo.0.try_wait().unwrap().is_none(), "the demo ended");
        let said: Value = serde_json::from_slice(&std::fs::read(data.join("demo.json")).ok()?).ok()?;
        let base = said["base_url"].as_str()?.to_owned();
        Actor::at(&base).try_get("/readyz").is_ok_and(|a| a.status == 200).then_some(said)
    });
    (demo, said)
}

#[test]
fn the_whole_survey_is_there() {
    let stage = Stage::sqlite();
    let data = stage.path("demo");
    let (demo, said) = start(&data, &["--ballots", "30", "--published"]);
    let base = said["base_url"].as_str().unwrap();
    assert_eq!(said["round"], ROUND);
    let roles: BTreeSet<&str> = said["staff"].as_array().unwrap().iter().map(|s| s["role"].as_str().unwrap()).collect();
    assert_eq!(roles, BTreeSet::from(ROLES));
    for one in said["staff"].as_array().unwrap() {
        Actor::signed_in(base, one["name"].as_str().unwrap(), one["password"].as_str().unwrap());
    }
    let engine = Actor::client_at(
        base,
        said["client"]["client_id"].as_str().unwrap(),
        said["client"]["client_secret"].as_str().unwrap(),
    );
    let rates = engine.get(&format!("/api/v1/rounds/{ROUND}/rates")).json();
    let online: u64 = rates["groups"].as_array().unwrap()[..5].iter().map(|g| g["returned"].as_u64().unwrap()).sum();
    assert_eq!(online, 30);
    engine.get(&format!("/api/v1/rounds/{ROUND}/scores")).is_problem(409, "not_published");
    let rounds = engine.get("/api/v1/rounds").json();
    let rounds = rounds.as_array().or(rounds["rounds"].as_array()).unwrap();
    let published = rounds.iter().find(|r| r["state"] == "published").unwrap();
    let scores = engine.get(&format!("/api/v1/rounds/{}/scores", published["id"].as_str().unwrap()));
    assert_eq!(scores.json()["targets"].as_array().unwrap().len(), 43);
    Actor::at(base).get("/ket-qua").is_page(200);

    for group in GROUPS {
        let codes = said["codes"][group].as_array().unwrap();
        assert!(!codes.is_empty(), "{group}");
    }
    let code = said["codes"]["CC-CT"][0].as_str().unwrap();
    let asked = Actor::at(base).form(code).json();
    let target = asked["form"]["targets"][0]["target"].as_str().unwrap().to_owned();
    let code =
        Code { group: "CC-CT".into(), unit: target.clone(), targets: vec![target], code: code.to_owned(), sheet: None };
    answer_and_cast(&Actor::at(base), &code, &mut Dice::new(4));

    // A demo that still runs keeps its folder from another one on its port; when it has ended, a new one starts afresh.
    let listen = base.trim_start_matches("http://");
    let second = ends(program(&["demo", "--listen", listen, "--data", text(&data)]));
    assert_eq!(second.status.code(), Some(1), "{}", both(&second));
    assert_eq!(Actor::at(base).form(&code.code).json()["state"], "used");
    drop(demo);
    let (_demo, fresh) = start(&data, &["--ballots", "0"]);
    assert_ne!(fresh["codes"], said["codes"]);
}

#[test]
fn a_folder_with_something_else_is_refused_and_left_alone() {
    let stage = Stage::sqlite();
    let data = stage.path("papers");
    std::fs::create_dir(&data).unwrap();
    for (name, content) in [("thesis.docx", "years of work"), ("phieu.db", "somebody's"), ("demo.json", "{}")] {
        std::fs::write(data.join(name), content).unwrap();
    }
    let refused = ends(program(&["demo", "--listen", "127.0.0.1:0", "--data", text(&data)]));
    assert_eq!(refused.status.code(), Some(1), "{}", both(&refused));
    assert!(both(&refused).contains("thesis.docx"), "{}", both(&refused));
    let mut left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|e| e.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["demo.json", "phieu.db", "thesis.docx"]);
    assert_eq!(std::fs::read_to_string(data.join("phieu.db")).unwrap(), "somebody's");
}

#[test]
fn an_address_in_use_is_said_before_anything_is_done() {
    let stage = Stage::sqlite();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = stage.path("demo");
    let refused = ends(program(&["demo", "--listen", &address, "--data", text(&data)]));
    assert_eq!(refused.status.code(), Some(1));
    assert!(both(&refused).contains(&address), "{}", both(&refused));
    assert!(!data.exists());
}
