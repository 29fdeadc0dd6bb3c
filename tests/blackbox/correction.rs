//! A correction from its proposal by command to what outsiders check: two persons, a new release beside the old one, the
//! log, the pack, and servers that cheat with it.

use std::fs;

use data_encoding::HEXLOWER;
use phieu::ballot::log::entry::Entry;
use sha2::{Digest as _, Sha256};

use crate::actors::Actor;
use crate::data::scored_again;
use crate::field::{Dice, Field, answer_and_cast, text};
use crate::forger::Forger;
use crate::stage::{ROUND, Stage};
use crate::verify::{caught, log_secret, passes};

const REASON: &str = "Tiêu chí X1.1 in sai trên phiếu của Sở Nội vụ.";

#[test]
fn a_correction_takes_a_second_person_and_outsiders_can_check_it() {
    let stage = Stage::sqlite();
    let mut field = Field::open(&stage);
    let service = stage.serve();
    let (anon, engine) = (Actor::anon(&service), Actor::machine(&stage, &service, "scores:read"));
    let mut dice = Dice::new(31);
    for _ in 0..30 {
        answer_and_cast(&anon, &field.take("CC-CT"), &mut dice);
    }
    stage.phieu(&["round", "close", ROUND]);
    stage.phieu(&["box", "open", ROUND, "--key", text(&field.key)]);
    let correct = ["round", "correct", ROUND, "--reason", REASON, "--leave-out", "target=SNV,item=X1.1"];
    stage.phieu_fails(&correct);
    stage.phieu(&["round", "publish", ROUND, "--force-early"]);
    let first = engine.get(&format!("/api/v1/rounds/{ROUND}/scores")).text();

    let refused = stage.phieu_fails(&["round", "correct", ROUND, "--reason", "sai", "--leave-out", "target=SNV"]);
    assert!(refused.contains("says why"), "{refused}");
    // Five people of the finance department: what they said would be the difference.
    let refused = stage.phieu_fails(&["round", "correct", ROUND, "--reason", REASON, "--leave-out", "target=STC"]);
    assert!(refused.contains("would give away") && refused.contains("target STC"), "{refused}");
    let said = stage.phieu(&correct);
    let told = |name: &str| said.lines().find_map(|line| line.strip_prefix(&format!("{name}\t"))).unwrap().to_owned();
    let (id, digest) = (told("proposed"), told("digest"));
    assert!(stage.phieu_fails(&correct).contains("another proposal"), "one at a time");
    assert_eq!(engine.get(&format!("/api/v1/rounds/{ROUND}/scores")).text(), first, "nothing is out yet");

    let second = Actor::hired(&stage, &service, "minh", "supervisor");
    let page = second.get(&format!("/quan-tri/cong-bo/{ROUND}")).is_page(200);
    assert!(page.contains(&digest) && page.contains(REASON));
    let confirm = format!("/quan-tri/de-xuat-cong-bo/{id}/xac-nhan");
    assert_eq!(second.post_form(&confirm, &[("digest", &"0".repeat(64))]).status, 409);
    assert_eq!(second.post_form(&confirm, &[("digest", &digest)]).status, 303);
    let now = engine.get(&format!("/api/v1/rounds/{ROUND}/scores")).json();
    assert_eq!((now["release"].as_u64(), now["correction"]["reason"].as_str()), (Some(2), Some(REASON)));
    assert_eq!(engine.get(&format!("/api/v1/rounds/{ROUND}/scores?as_of=1")).text(), first);
    let listed = anon.get(&format!("/api/v1/rounds/{ROUND}/releases")).json();
    assert_eq!(listed["releases"].as_array().unwrap().len(), 2);

    scored_again(&stage, ROUND, 2);
    let (dir, pack) = (stage.path("log"), stage.path("pack"));
    stage.phieu(&["export", ROUND, "--what", "log", "--out", text(&dir)]);
    stage.phieu(&["export", ROUND, "--what", "pack", "--out", text(&pack)]);
    let said = passes(&stage, &["--dir", text(&dir), "--pack", text(&pack)]);
    assert!(said.contains("release 2,"), "{said}");
    passes(&stage, &["--url", &service.base, "--round", ROUND, "--pack", text(&pack)]);

    // A server that cheats with the correction: with the log's blessing, but not with the pack's.
    let blessed = |name: &str, change: &dyn Fn(&str) -> String| {
        let mut forger = Forger::of(&dir, &stage.path(name), &log_secret(&stage));
        let changed = change(&fs::read_to_string(dir.join("result/2")).unwrap());
        let sha256 = HEXLOWER.encode(&Sha256::digest(&changed));
        *forger.leaves.last_mut().unwrap() = Entry::Result { release: 2, sha256 }.canonical();
        let forged = forger.write();
        fs::write(forged.join("result/2"), changed).unwrap();
        forged
    };
    let silent = blessed("silent", &|text| text.replace(REASON, ""));
    caught(&stage, &["--dir", text(&silent)], &["result-equals-tables"], "does not say why");
    let other = blessed("other", &|text| {
        text.replace(
            "\"item_code\":\"X1.1\",\"respondent_code\":null",
            "\"item_code\":\"X1.2\",\"respondent_code\":null",
        )
    });
    caught(
        &stage,
        &["--dir", text(&other), "--pack", text(&pack)],
        &["pack-scores"],
        "do not give the published scores",
    );
    let renumbered = blessed("renumbered", &|text| text.replace("\"release\":2", "\"release\":1"));
    caught(&stage, &["--dir", text(&renumbered)], &["result-equals-tables"], "says that it is release 1");
    fs::remove_file(dir.join("result/1")).unwrap();
    caught(&stage, &["--dir", text(&dir)], &["result-equals-tables"], "release 1 is missing");
}
