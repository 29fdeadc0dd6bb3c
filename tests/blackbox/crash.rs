//! The service is killed while ballots are on their way: what was acknowledged is there, what was not is whole or absent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::actors::Actor;
use crate::field::{Dice, Field, answers, read_codes, text};
use crate::stage::{ROUND, Stage};

const KILLS: usize = 5;
const IN_FLIGHT: usize = 20;
/// Ballots that are acknowledged before each kill, so that it falls into the middle of the work.
const BEFORE_KILL: usize = 15;

#[test]
fn five_kills_lose_no_receipt_and_make_no_second_ballot() {
    let stage = Stage::sqlite();
    Field::open(&stage);
    let more = stage.path("more.csv");
    stage.phieu(&[
        "codes",
        "issue",
        ROUND,
        "--group",
        "CC-CT",
        "--unit",
        "SYT",
        "--count",
        "600",
        "--out",
        text(&more),
    ]);
    let codes = Mutex::new(read_codes(&more).remove("CC-CT").unwrap());
    let receipts: Mutex<BTreeMap<String, String>> = Mutex::default();
    let mut tried: BTreeSet<String> = BTreeSet::new();

    for kill in 0..KILLS {
        // A batch every second, so that some of the kills fall into one.
        let service = stage.serve_with(&[("PHIEU_BATCH_SECONDS", "1")]);
        assert!(service.ready_after < Duration::from_secs(2), "ready after {:?}", service.ready_after);
        let form = Actor::anon(&service).form(&codes.lock().unwrap()[0].code).json();
        let acknowledged = AtomicUsize::new(0);
        let used = std::thread::scope(|scope| {
            let cast_until_cut = |n: usize| {
                let (service, form, codes, receipts, acknowledged) =
                    (&service, &form, &codes, &receipts, &acknowledged);
                scope.spawn(move || {
                    let anon = Actor::anon(service);
                    let mut dice = Dice::new(u64::try_from(kill * 100 + n).unwrap());
                    let mut used = Vec::new();
                    loop {
                        let Some(code) = codes.lock().unwrap().pop() else { panic!("too few codes") };
                        used.push(code.code.clone());
                        let body = json!({"code": code.code, "answers": answers(&form["form"], &mut dice)});
                        match anon.try_post("/api/v1/ballots", &body) {
                            Ok(answer) if answer.status == 201 => {
                                // An answer cut in its body is no acknowledgement.
                                if let Ok(said) = serde_json::from_slice::<serde_json::Value>(&answer.body) {
                                    let receipt = said["receipt"].as_str().unwrap().to_owned();
                                    receipts.lock().unwrap().insert(code.code, receipt);
                                    acknowledged.fetch_add(1, Ordering::SeqCst);
                                }
                            }
                            Ok(answer) => panic!("{} {}", answer.status, answer.text()),
                            Err(_cut) => return used,
                        }
                    }
                })
            };
            let casters: Vec<_> = (0..IN_FLIGHT).map(cast_until_cut).collect();
            while acknowledged.load(Ordering::SeqCst) < BEFORE_KILL {
                std::thread::yield_now();
            }
            service.signal("KILL");
            casters.into_iter().flat_map(|caster| caster.join().unwrap()).collect::<Vec<_>>()
        });
        tried.extend(used);
        let envelopes = stage.count("envelope") + stage.count("ballot_box");
        let used = stage.count("credential WHERE state = 'used'");
        assert_eq!(stage.count("log_leaf"), stage.count("ballot_box"), "after kill {kill}");
        assert_eq!(used, envelopes, "after kill {kill}");
        assert!(usize::try_from(envelopes).unwrap() >= receipts.lock().unwrap().len(), "after kill {kill}");
    }

    // Every code again: acknowledged ones have their receipt, cut ones have one now, and no ballot is there twice.
    let service = stage.serve();
    assert!(service.ready_after < Duration::from_secs(2), "ready after {:?}", service.ready_after);
    let anon = Actor::anon(&service);
    let receipts = receipts.into_inner().unwrap();
    assert!(receipts.len() >= KILLS * BEFORE_KILL);
    for (code, receipt) in &receipts {
        assert_eq!(anon.form(code).json()["receipt"], **receipt);
        assert_eq!(anon.cast(code, &json!({})).receipt(200), *receipt);
    }
    let mut all: BTreeSet<String> = receipts.values().cloned().collect();
    for code in tried.iter().filter(|code| !receipts.contains_key(*code)) {
        let form = anon.form(code).json();
        let answer = anon.cast(code, &answers(&form["form"], &mut Dice::new(9)));
        all.insert(answer.receipt(if form["state"] == "used" { 200 } else { 201 }));
    }
    assert_eq!(all.len(), tried.len(), "as many receipts as people");
    let count = i64::try_from(tried.len()).unwrap();
    assert_eq!(stage.count("credential WHERE state = 'used'"), count);
    assert_eq!(stage.count("envelope") + stage.count("ballot_box"), count);
    drop(service);
    // The program's own check of the same: it refuses to close over a difference.
    let closed = stage.phieu(&["round", "close", ROUND]);
    assert!(closed.contains(&format!("{count} ballots in the box")), "{closed}");
}
