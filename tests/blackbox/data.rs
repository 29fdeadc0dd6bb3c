//! Data for analysts: from the exported files alone, without a database, the published scores come out again, byte for
//! byte; and a file that was changed is noticed.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::field::text;
use crate::stage::{Stage, both, program};

/// Runs a command that knows no database.
fn alone(arguments: &[&str]) -> std::process::Output {
    program(arguments).env("PHIEU_DATABASE_URL", "sqlite:///nowhere/at/all.db").output().unwrap()
}

/// Exports the analysts' folder of a published round and works its scores out again from each file of ballots.
pub(crate) fn scored_again(stage: &Stage, round: &str, release: u32) {
    let folder = stage.path("analysis");
    stage.phieu(&["export", round, "--what", "analysis", "--out", text(&folder)]);
    let published = stage.phieu(&["scores", round, "--format", "json"]);
    let same = format!("the same as release {release}, byte for byte");
    for name in ["ballots.csv", "ballots-wide.csv", "ballots.jsonl"] {
        let done = alone(&["scores", "--from", text(&folder.join(name)), "--format", "json"]);
        assert!(done.status.success(), "{name}: {}", both(&done));
        assert_eq!(String::from_utf8_lossy(&done.stdout), published, "{name}");
        assert!(both(&done).contains(&same), "{name}: {}", both(&done));
    }
    assert!(fs::read(folder.join("ballots.sav")).unwrap().starts_with(b"$FL2"));
    assert!(fs::read(folder.join("ballots.xlsx")).unwrap().starts_with(b"PK"));
    well_formed(&folder.join("codebook.xml"));
    let again = stage.path("codebook.xml");
    assert!(alone(&["codebook", text(&folder.join("round")), "--out", text(&again)]).status.success());
    assert_eq!(fs::read(&again).unwrap(), fs::read(folder.join("codebook.xml")).unwrap());
    changes_are_noticed(stage, &folder);
    stage.phieu_fails(&["export", round, "--what", "analysis", "--out", text(&folder)]);
    for (format, start) in [("xlsx", &b"PK"[..]), ("json", b"{"), ("csv", b"\xef\xbb\xbf")] {
        let file = stage.path(&format!("scores.{format}"));
        stage.phieu(&["export", round, "--what", "scores", "--format", format, "--out", text(&file)]);
        assert!(fs::read(&file).unwrap().starts_with(start), "{format}");
    }
    let rates = stage.path("rates.sav");
    let words = ["export", round, "--what", "rates", "--format", "sav", "--out", text(&rates)];
    assert_eq!(stage.command(&words).output().unwrap().status.code(), Some(2), "there is no such format of it");
}

fn well_formed(file: &Path) {
    let read = "import sys, xml.etree.ElementTree as t; print(t.parse(sys.argv[1]).getroot().tag)";
    let done = Command::new("python3").args(["-c", read, text(file)]).output().unwrap();
    assert_eq!(both(&done).trim(), "{ddi:codebook:2_5}codeBook");
}

/// Answers that were changed; and a file that stands alone.
fn changes_are_noticed(stage: &Stage, folder: &Path) {
    let score = |path: &Path| alone(&["scores", "--from", text(path)]);
    let wide = fs::read_to_string(folder.join("ballots-wide.csv")).unwrap();
    let changed = folder.join("changed.csv");
    fs::write(&changed, wide.replace(",A,", ",D,")).unwrap();
    let done = score(&changed);
    assert_eq!(done.status.code(), Some(1));
    assert!(both(&done).contains("these scores differ from release"), "{}", both(&done));
    let other = stage.path("other");
    fs::create_dir(&other).unwrap();
    fs::copy(folder.join("ballots.csv"), other.join("ballots.csv")).unwrap();
    let done = score(&other.join("ballots.csv"));
    assert!(done.status.code() == Some(1) && both(&done).contains("--round"), "{}", both(&done));
    fs::remove_file(&changed).unwrap();
}
