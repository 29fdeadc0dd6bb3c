//! Other readings of the plan and other provinces are other data, not other code.

use super::*;

fn with(file: &str, change: impl Fn(String) -> String) -> RoundFiles {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files[file].clone()).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed, "the test changes nothing");
    files.insert(file.to_owned(), changed.into_bytes());
    files
}

/// Two leaders of every respondent unit with matrix ballots: 36 and 40 instead of 40 and 36.
fn other_reading() -> Round {
    let files = with("round.toml", |text| {
        let (head, tail) = text.split_once("code = \"LĐH-CH\"").unwrap();
        let (districts, departments) = tail.split_once("code = \"LĐS-CT\"").unwrap();
        let districts = districts
            .replace("sources = []", "sources = [\"huyen\"]")
            .replace("one_per_ballot = [\"so\"]", "kinds = [\"so\", \"nganh_doc\"]")
            .replace("{ per_target = 2, of = \"so\" }", "{ per_source_unit = 2, of = \"huyen\" }");
        let departments = departments
            .replace("sources = []", "sources = [\"so\"]")
            .replace("one_per_ballot = [\"huyen\"]", "kinds = [\"huyen\"]")
            .replace("{ per_target = 2, of = \"huyen\" }", "{ per_source_unit = 2, of = \"so\" }");
        format!("{head}code = \"LĐH-CH\"{districts}code = \"LĐS-CT\"{departments}")
    });
    Round::from_files(&files).unwrap()
}

fn papers(round: &Round, group: &str) -> (usize, u32, usize) {
    let all = round.assignments();
    let own: Vec<&Assignment> = all.iter().filter(|a| a.respondent_code == group).collect();
    let ballots = own.iter().filter_map(|a| a.ballots).sum();
    (own.len(), ballots, own.iter().map(|a| a.targets.len()).max().unwrap())
}

#[test]
fn the_literal_reading_has_single_target_ballots() {
    let round = plan();
    assert_eq!(papers(&round, "HĐ-CT"), (1, 30, 43));
    assert_eq!(papers(&round, "LĐH-CH"), (20, 40, 1));
    assert_eq!(papers(&round, "LĐS-CT"), (18, 36, 1));
    assert!(
        round
            .assignments()
            .iter()
            .filter(|a| a.respondent_code == "LĐH-CH")
            .all(|a| a.source_unit.is_none() && a.ballots == Some(2))
    );
}

#[test]
fn the_other_reading_is_a_change_of_round_toml_alone() {
    let round = other_reading();
    assert_eq!(papers(&round, "LĐH-CH"), (18, 36, 25));
    assert_eq!(papers(&round, "LĐS-CT"), (20, 40, 18));
    assert_eq!(round.summary().paper_ballots, 106);
    assert_eq!(round.declared_paper_total, Some(106));
}

/// The four-option scale of another province: 100/60/20/0, and nothing for "no information".
#[test]
fn another_scale_loads_with_a_warning() {
    let mut files = with("scales.tsv", |_| {
        "scale\toption\tlabel\tpercent\nYB4\tA\tRất tốt\t100\nYB4\tB\tTốt\t60\n\
         YB4\tC\tĐạt\t20\nYB4\tD\tKém\t0\n"
            .to_owned()
    });
    for (path, bytes) in &mut files {
        if path.starts_with("questionnaires/") {
            let text = String::from_utf8(bytes.clone()).unwrap();
            *bytes = text.replace("scale = \"L5\"", "scale = \"YB4\"").into_bytes();
        }
    }
    let checked = Round::check(&files);
    assert!(checked.faults.iter().any(|fault| {
        fault.severity == Severity::Warning
            && fault.code == "scale_without_excluded"
            && (&*fault.file, &*fault.place) == ("scales.tsv", "line 2, scale")
    }));
    let round = checked.round.unwrap();
    let percents: Vec<_> = round.scale("YB4").unwrap().options.iter().map(|o| o.percent.clone()).collect();
    assert_eq!(percents, [100, 60, 20, 0].map(|p| Some(ratio::whole(p))));
}

/// After 2025: no districts, other kinds and groups, no mapping table.
#[test]
fn a_province_without_districts_loads() {
    let mut files = quang_nam_2023();
    files.remove("mapping.tsv");
    files.retain(|path, _| !path.starts_with("questionnaires/") || path.ends_with("cc-ct.toml"));
    let put = |files: &mut RoundFiles, path: &str, text: &str| {
        files.insert(path.to_owned(), text.as_bytes().to_vec());
    };
    put(&mut files, "targets.tsv", "target_code\ttarget_kind\tname\nP1\tphuong\tUBND phường Một\n");
    put(
        &mut files,
        "units.tsv",
        "unit_code\tparent_code\tunit_kind\tname\ttarget_code\tvalid_from\nP1\t\tphuong\tUBND phường Một\tP1\t2025-07-01\n",
    );
    let form = String::from_utf8(files["questionnaires/cc-ct.toml"].clone()).unwrap();
    put(&mut files, "questionnaires/cc-ct.toml", &form.replace("\"CC-CT\"", "\"CC-P\""));
    let criteria = String::from_utf8(files["criteria.tsv"].clone()).unwrap();
    let asked: Vec<&str> = criteria
        .lines()
        .filter(|line| line.starts_with("item") || form.contains(&format!("\"{}\"", line.split('\t').next().unwrap())))
        .collect();
    put(&mut files, "criteria.tsv", &asked.join("\n"));
    put(
        &mut files,
        "round.toml",
        r#"
id = "da-nang-2026"
title = "Đợt 2026"
legal_basis = "Kế hoạch"
organiser = { name = "Sở Nội vụ" }
dates = { opens = 2026-09-01T07:00:00+07:00, closes = 2026-10-01T00:00:00+07:00, keying_closes = 2026-10-01T00:00:00+07:00, publishes = 2026-11-01T00:00:00+07:00 }
target_kinds = [{ code = "phuong", name = "Phường" }]
unit_kinds = [{ code = "phuong", name = "Phường" }]
fields = [{ code = "1", name = "Một" }, { code = "2", name = "Hai" }, { code = "3", name = "Ba" }, { code = "4", name = "Bốn" }, { code = "5", name = "Năm" }, { code = "6", name = "Sáu" }, { code = "7", name = "Bảy" }]
scoring = { void_below = "0.5", excluded_is_valid = true, decimals = 2 }
disclosure = { k = 10, distribution_n = 20 }
[[groups]]
code = "CC-P"
name = "Công chức phường"
channel = "online"
issue = "addressed"
sources = ["phuong"]
rates = "own_unit"
quota = "roster"
weight = 1
"#,
    );
    let checked = Round::check(&files);
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    assert_eq!(checked.round.unwrap().assignments().len(), 1);
}
