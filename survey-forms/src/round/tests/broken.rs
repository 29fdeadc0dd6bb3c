//! Broken rounds: one fault each, and the check names its file, place and kind.

use proptest::prelude::*;

use super::*;

/// One broken round a line.
const CASES: &str = include_str!("broken.txt");

fn replaced(path: &str, find: &str, replace: &str) -> RoundFiles {
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(find), "{path}: {find:?} is not there");
    files.insert(path.to_owned(), text.replacen(find, replace, 1).into_bytes());
    files
}

fn unescaped(text: &str) -> String {
    [("\\t", "\t"), ("\\n", "\n"), ("\\u{200b}", "\u{200b}"), ("\\u{7}", "\u{7}")]
        .into_iter()
        .chain([("\\u{31b}", "\u{31b}"), ("\\u{309}", "\u{309}")])
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[test]
fn each_fault_is_named_with_its_file_and_place() {
    let mut count = 0;
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<String> = line.split(" | ").map(unescaped).collect();
        let [path, find, replace, place, code] = columns.as_slice() else {
            panic!("{line}");
        };
        let checked = Round::check(&replaced(path, find, replace));
        assert!(checked.round.is_none(), "{line}: loads");
        let named = checked.faults.iter().any(|fault| {
            fault.severity == Severity::Error && (&fault.file, &fault.place, fault.code) == (path, place, code)
        });
        assert!(named, "{line}: {:#?}", checked.faults);
        count += 1;
    }
    assert!(count > 80, "{count}");
}

#[test]
fn a_target_that_nobody_rates_is_named() {
    let kind = "code = \"bo\"\nname = \"Bộ\"\n\n[[target_kinds]]\ncode = \"so\"";
    let mut files = replaced("round.toml", "code = \"so\"", kind);
    let targets = replaced("targets.tsv", "KBNN\t", "BNV\tbo\tBộ Nội vụ\nKBNN\t");
    files.insert("targets.tsv".to_owned(), targets["targets.tsv"].clone());
    let faults = Round::from_files(&files).unwrap_err();
    let named = |fault: &&Fault| fault.severity == Severity::Error;
    let errors: Vec<_> = faults.iter().filter(named).map(|f| (&*f.place, f.code)).collect();
    assert_eq!(errors, [("line 44, target_code", "target_unrated")]);
}

#[test]
fn what_is_only_odd_is_a_warning() {
    let kind = "code = \"bo\"\nname = \"Bộ\"\n\n[[target_kinds]]\ncode = \"so\"";
    let field = "code = \"0\"\nname = \"Khác\"\n\n[[fields]]\ncode = \"1\"";
    let scale = "\nL2\tA\tCó\t100\t\nL2\tB\tKhông\t0\t\nL2\tN\tKhông rõ\t\t\n";
    let cases = [
        ("round.toml", "code = \"so\"", kind, "target_kinds[1]", "kind_unused"),
        ("round.toml", "code = \"1\"", field, "fields[1]", "field_unused"),
        ("round.toml", "k = 10", "k = 4", "disclosure.k", "k_small"),
        ("mapping.tsv", "PDT\tBDT", "PDT\tBDT\nPXX\tBDT", "line 26, division", "division_unused"),
        ("scales.tsv", "\n", scale, "line 2, scale", "scale_unused"),
        ("targets.tsv", "Sở Tư pháp", "Sở Nội vụ", "line 3, name", "name_double"),
    ];
    for (path, find, replace, place, code) in cases {
        let checked = Round::check(&replaced(path, find, replace));
        assert!(checked.round.is_some(), "{path}: {:#?}", checked.faults);
        let warned = checked.faults.iter().any(|fault| {
            fault.severity == Severity::Warning && (&*fault.file, &*fault.place, fault.code) == (path, place, code)
        });
        assert!(warned, "{path}, {place}: {:#?}", checked.faults);
    }
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files["units.tsv"].clone()).unwrap();
    let dated: String = text
        .lines()
        .enumerate()
        .map(|(index, line)| match index {
            0 => format!("{line}\tvalid_to\n"),
            1 => format!("{line}\t2023-10-01\n"),
            _ => format!("{line}\t2025-07-01\n"),
        })
        .collect();
    files.insert("units.tsv".to_owned(), dated.into_bytes());
    let checked = Round::check(&files);
    let odd: Vec<_> = checked.faults.iter().filter(|f| f.file == "units.tsv").collect();
    assert_eq!(odd.len(), 1);
    assert_eq!((&*odd[0].place, odd[0].code), ("line 2", "unit_not_in_force"));
}

#[test]
fn faults_of_the_folder_itself() {
    let check = |change: &dyn Fn(&mut RoundFiles)| -> Vec<(String, &'static str)> {
        let mut files = quang_nam_2023();
        change(&mut files);
        let faults = Round::check(&files).faults.into_iter();
        faults
            .filter(|fault| !["item_small_pool", "stratum_small"].contains(&fault.code))
            .map(|fault| (fault.file, fault.code))
            .collect()
    };
    let missing = |path: &'static str| check(&|files| drop(files.remove(path)));
    assert_eq!(missing("round.toml"), [("round.toml".to_owned(), "file_missing")]);
    assert_eq!(missing("units.tsv"), [("units.tsv".to_owned(), "file_missing")]);
    let form = missing("questionnaires/ld-cp.toml");
    assert!(form.contains(&("round.toml".to_owned(), "questionnaire_missing")), "{form:?}");

    let add = |path: &'static str| check(&|files| drop(files.insert(path.to_owned(), b"x".to_vec())));
    assert_eq!(add("../escape.toml")[0].1, "path_unsafe");
    assert_eq!(add("/etc/passwd")[0].1, "path_unsafe");
    assert_eq!(add("targets.txt"), [("targets.txt".to_owned(), "file_unknown")]);

    let latin = check(&|files| drop(files.insert("targets.tsv".to_owned(), b"a\tb\n\xc3\x28".to_vec())));
    assert_eq!(latin, [("targets.tsv".to_owned(), "not_utf8")]);
    let huge = check(&|files| drop(files.insert("units.tsv".to_owned(), vec![b' '; 5 << 20])));
    assert_eq!(huge, [("units.tsv".to_owned(), "file_too_big")]);
    let none = check(&|files| files.clear());
    assert_eq!(none.len(), 5, "{none:?}");
}

#[test]
fn all_faults_come_at_once() {
    let mut files = quang_nam_2023();
    for (path, find, replace, ..) in [
        ("round.toml", "weight = \"1\"", "weight = \"0\""),
        ("targets.tsv", "STP\tso\t", "STP\tbo\t"),
        ("criteria.tsv", "X1.1\t1", "X1.1\t9"),
        ("questionnaires/cc-ct.toml", "scale = \"L5\"", "scale = \"L9\""),
    ] {
        let text = String::from_utf8(files[path].clone()).unwrap();
        files.insert(path.to_owned(), text.replacen(find, replace, 1).into_bytes());
    }
    let faulty: std::collections::BTreeSet<String> =
        Round::from_files(&files).unwrap_err().into_iter().map(|fault| fault.file).collect();
    for file in ["round.toml", "targets.tsv", "criteria.tsv", "questionnaires/cc-ct.toml"] {
        assert!(faulty.contains(file), "{file}: {faulty:?}");
    }
}

#[test]
fn line_ends_and_byte_order_marks_do_no_harm() {
    let mut files = quang_nam_2023();
    for bytes in files.values_mut() {
        let text = String::from_utf8(bytes.clone()).unwrap();
        *bytes = format!("\u{feff}{}", text.replace('\n', "\r\n")).into_bytes();
    }
    assert_eq!(Round::from_files(&files).unwrap(), plan());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// Random damage never panics, and what still loads still has everything a round needs.
    #[test]
    fn damaged_files_are_refused_not_fatal(
        file in 0_usize..16,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..6),
    ) {
        let mut files = quang_nam_2023();
        let path = files.keys().nth(file).unwrap().clone();
        let bytes = files.get_mut(&path).unwrap();
        for (at, byte, kind) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        let checked = Round::check(&files);
        let errors = checked.faults.iter().any(|fault| fault.severity == Severity::Error);
        prop_assert_eq!(checked.round.is_none(), errors);
        if let Some(round) = checked.round {
            prop_assert!(!round.assignments().is_empty());
            prop_assert!(round.groups.iter().all(|g| round.ballot_bucket(&g.code).is_some()));
        }
    }
}
