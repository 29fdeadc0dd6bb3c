//! The service dies at every statement of a cast, before it and after it: a code is used if and only if its ballot is
//! there, and whoever tries again has one ballot and one receipt.

use std::collections::BTreeSet;

use serde_json::json;

use crate::actors::Actor;
use crate::field::{Dice, Field, answers, read_codes, text};
use crate::stage::{ROUND, Stage, on_each};

/// More than a cast has.
const MOST: usize = 80;

#[test]
fn a_death_at_any_statement_of_a_cast_leaves_one_ballot_a_code() {
    on_each(|stage| {
        let (_field, more) = (Field::open(stage), stage.path("more.csv"));
        let count = MOST.to_string();
        let issue = ["codes", "issue", ROUND, "--group", "CC-CT", "--unit", "SYT", "--count", &count];
        stage.phieu(&[issue.as_slice(), &["--out", text(&more)]].concat());
        let mut codes = read_codes(&more).remove("CC-CT").unwrap().into_iter();
        let (mut tried, mut kept) = (Vec::new(), 0);
        for at in 1.. {
            let service = stage.serve_with(&[("PHIEU_TEST_ABORT_CAST_AT", &at.to_string())]);
            let anon = Actor::anon(&service);
            let code = codes.next().expect("a cast has fewer statements").code;
            let form = anon.form(&code).json();
            let body = json!({"code": code, "answers": answers(&form["form"], &mut Dice::new(at))});
            tried.push(code);
            let answer = anon.try_post("/api/v1/ballots", &body);
            let through = answer.is_ok();
            if let Ok(answer) = answer {
                assert_eq!(answer.status, 201, "{}", answer.text());
            }
            drop(service);
            holds(stage, at);
            kept = stage.count("credential WHERE state = 'used'");
            if through {
                break;
            }
        }
        let deaths = tried.len() - 1;
        assert!(deaths >= 10, "{deaths} deaths: the switch does not work");
        assert!(kept >= 2, "a death after the commit leaves the ballot: {kept}");

        let service = stage.serve();
        let anon = Actor::anon(&service);
        let mut receipts = BTreeSet::new();
        for code in &tried {
            let form = anon.form(code).json();
            let status = if form["state"] == "used" { 200 } else { 201 };
            receipts.insert(anon.cast(code, &answers(&form["form"], &mut Dice::new(3))).receipt(status));
        }
        drop(service);
        assert_eq!(receipts.len(), tried.len(), "as many receipts as people");
        holds(stage, 0);
        let closed = stage.phieu(&["round", "close", ROUND]);
        assert!(closed.contains(&format!("{} ballots in the box", tried.len())), "{closed}");
        eprintln!("{}: {deaths} deaths, {kept} ballots before anybody tried again", stage.backend);
    });
}

fn holds(stage: &Stage, at: u64) {
    let used = stage.count("credential WHERE state = 'used'");
    assert_eq!(used, stage.count("envelope") + stage.count("ballot_box"), "death at {at}");
    let whole = "credential WHERE state = 'used' AND redeem_signature IS NOT NULL AND receipt_box IS NOT NULL";
    assert_eq!(used, stage.count(whole), "death at {at}");
    assert_eq!(stage.count("log_leaf"), stage.count("ballot_box"), "death at {at}");
}
