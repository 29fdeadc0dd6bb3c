//! `phieu round check` and `load` on good and broken folders; what exit codes say.

use std::io::Write as _;
use std::path::Path;

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
        ("questionnaires/cc-ct.toml", |t| t.replace("scale = \"L5\"", "scale = \"L9\""), "questionnaires/cc-ct.toml"),
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

/// A zip of a folder, under `dot/`.
fn zip_of(folder: &Path, into: &Path) {
    let mut writer = zip::ZipWriter::new(std::fs::File::create(into).unwrap());
    for below in ["", "questionnaires"] {
        for entry in std::fs::read_dir(folder.join(below)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                writer.start_file(format!("dot/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
                writer.write_all(&std::fs::read(&path).unwrap()).unwrap();
            }
        }
    }
    writer.finish().unwrap();
}

#[test]
fn a_zip_is_as_good_as_the_folder_and_an_open_round_keeps_its_words() {
    let stage = Stage::sqlite();
    stage.phieu(&["migrate"]);
    let folder = open_round_folder(&stage.path("round"));
    let (zip, reworded) = (stage.path("round.zip"), stage.path("reworded.zip"));
    zip_of(&folder, &zip);
    edit(&folder.join("scales.tsv"), |text| text.replacen("\tTốt\t", "\tKhá tốt\t", 1));
    zip_of(&folder, &reworded);
    let (zip, reworded) = (zip.to_str().unwrap(), reworded.to_str().unwrap());

    assert!(stage.phieu(&["round", "check", zip]).contains("paper ballots: 106"));
    assert!(stage.phieu(&["round", "load", reworded]).contains("loaded quang-nam-2023"));
    assert!(stage.phieu(&["round", "load", zip]).contains("loaded quang-nam-2023"), "nobody has a code yet");
    assert!(stage.phieu(&["round", "load", zip]).contains("nothing was changed"));

    let codes = stage.path("codes.csv");
    stage.phieu(&["codes", "issue", "quang-nam-2023", "--group", "HĐ-CT", "--out", codes.to_str().unwrap()]);
    assert!(stage.phieu_fails(&["round", "load", reworded]).contains("codes of this round are out"));
    let key = stage.path("box.key");
    stage.phieu(&["box", "keygen", "quang-nam-2023", "--out", key.to_str().unwrap()]);
    stage.phieu(&["round", "open", "quang-nam-2023"]);
    let said = stage.phieu_fails(&["round", "load", reworded]);
    assert!(said.contains("everybody must answer the same words") && said.contains("under another id"), "{said}");
    assert!(stage.phieu(&["round", "load", zip]).contains("nothing was changed"));

    std::fs::write(stage.path("no.zip"), "%PDF-1.7").unwrap();
    let no = stage.path("no.zip");
    assert!(stage.phieu_fails(&["round", "check", no.to_str().unwrap()]).contains("this is no zip file"));
}
