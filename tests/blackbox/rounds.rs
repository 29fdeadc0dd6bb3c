//! `phieu round check` and `load` on good and broken folders; what exit codes say.

use crate::stage::{Stage, both, edit, open_round_folder, program, stages};

/// How to break a folder, and what the check must then say: file and code.
type Break = (&'static str, fn(&str) -> String, &'static str);

#[test]
fn the_plans_round_is_counted() {
    let stage = Stage::sqlite();
    let folder = open_round_folder(&stage.path("round"));
    let said = stage.phieu(&["round", "check", folder.to_str().unwrap()]);
    for fact in [
        "groups: 8 (5 online, 3 paper)",
        "targets: 43 (huyen 18, nganh_doc 5, so 20)",
        "xa 241",
        "questionnaires: 8, items: 83",
        "paper ballots: 106",
    ] {
        assert!(said.contains(fact), "{fact:?} is not in:\n{said}");
    }
}

#[test]
fn exit_codes_tell_done_failed_and_misspoken() {
    let code = |arguments: &[&str]| program(arguments).output().unwrap().status.code();
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["round", "check", "/nowhere"]), Some(1));
    assert_eq!(code(&["round", "check"]), Some(2));
    assert_eq!(code(&["rond"]), Some(2));
}

#[test]
fn a_mistyped_database_is_not_made() {
    let stage = Stage::sqlite();
    let said = stage.phieu_fails(&["round", "list"]);
    assert!(said.contains("phieu.db"), "{said}");
    assert!(!stage.path("phieu.db").exists());
}

#[test]
fn broken_rounds_are_refused_whole() {
    let breaks: [Break; 7] = [
        ("targets.tsv", |t| t.replace("SNV\tso\t", "SNV\tbo\t"), "targets.tsv"),
        ("targets.tsv", |t| format!("{t}SNV\tso\tSở Nội vụ\n"), "targets.tsv"),
        ("mapping.tsv", |t| t.replace("PNV\tSNV", "PNV\tSNX"), "mapping.tsv"),
        ("round.toml", |t| t.replace("declared_paper_total = 106", "declared_paper_total = 107"), "round.toml"),
        ("round.toml", |t| t.replace("weight = \"1\"", "weight = \"0,5\""), "round.toml"),
        ("questionnaires/cc-ct.toml", |t| t.replace("code = \"X1.1\"", "code = \"X9.9\""), "questionnaires/cc-ct.toml"),
        ("scales.tsv", |t| t.replace("L5\tB\tTốt\t75", "L5\tB\tTốt\t175"), "scales.tsv"),
    ];
    let stages = stages();
    for stage in &stages {
        stage.phieu(&["migrate"]);
    }
    for (number, (file, change, blamed)) in breaks.iter().enumerate() {
        let folder = open_round_folder(&stages[0].path(&format!("round-{number}")));
        edit(&folder.join(file), change);
        let folder = folder.to_str().unwrap();
        let output = program(&["round", "check", folder]).output().unwrap();
        let said = both(&output);
        assert_eq!(output.status.code(), Some(1), "{file}: {said}");
        assert!(said.contains(&format!("error: {blamed}: ")), "{file}: {said}");
        for stage in &stages {
            let said = stage.phieu_fails(&["round", "load", folder]);
            assert!(said.contains("nothing was loaded"), "{said}");
            assert_eq!(stage.phieu(&["round", "list"]), "", "{} after {file}", stage.backend);
            assert_eq!(stage.count("round"), 0);
        }
    }
}
