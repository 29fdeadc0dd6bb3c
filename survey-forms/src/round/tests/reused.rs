//! A round used again, and what differs between two rounds, in words.

use super::*;
use crate::every_kind;

fn moment(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

fn next_year() -> Dates {
    Dates {
        opens: moment("2026-11-16T07:00:00+07:00"),
        closes: moment("2026-11-30T00:00:00+07:00"),
        keying_closes: moment("2026-12-05T17:00:00+07:00"),
        publishes: moment("2026-12-10T08:00:00+07:00"),
        grace_minutes: 15,
    }
}

fn text(files: &RoundFiles, path: &str) -> String {
    String::from_utf8(files[path].clone()).unwrap()
}

fn words(before: &Round, after: &Round) -> Vec<String> {
    diff(before, after).iter().map(Change::to_string).collect()
}

#[test]
fn a_round_moves_to_other_dates_and_changes_nothing_else() {
    let dates = next_year();
    let new = Reuse { id: "demo", title: Some("Đợt thử"), dates: Some(&dates), merges: &[] };
    let files = reuse(&quang_nam_2023(), &new).unwrap();
    assert!(!files.contains_key("roster-sample.csv"), "last year's people stay behind");
    assert!(text(&files, "round.toml").contains("# Plan, II.3.a: online."), "comments stay");
    let moved = Round::from_files(&files).unwrap();
    assert_eq!((&*moved.id, &*moved.title, &moved.dates), ("demo", "Đợt thử", &dates));
    let mut back = plan();
    (back.id, back.title, back.dates) = (moved.id.clone(), moved.title.clone(), moved.dates.clone());
    back.hash.clone_from(&moved.hash);
    assert_eq!(back, moved);

    let odd = reuse(&quang_nam_2023(), &Reuse { id: "../demo", ..Reuse::default() }).unwrap();
    let faults = Round::from_files(&odd).unwrap_err();
    assert!(faults.iter().any(|f| f.place == "id" && f.code == "id_slug"));
}

#[test]
fn merged_and_dissolved_units_are_carried_into_every_table() {
    // In 2025: two departments became one, under the name of neither; a district went, its communes stayed.
    let table = "code\tinto\tname\nSTC\tSTC\tSở Tài chính\n".to_owned();
    let itself = merges("merge.tsv", table.as_bytes()).unwrap_err();
    assert!(itself.iter().any(|f| f.code == "merge_chain"), "{itself:?}");
    let table = "code\tinto\tname\nSKHDT\tSTCKH\tSở Tài chính và Kế hoạch\nSTC\tSTCKH\t\n";
    let merged = merges("merge.tsv", table.as_bytes()).unwrap();
    let files = reuse(&quang_nam_2023(), &Reuse { id: "sau-2025", merges: &merged, ..Reuse::default() }).unwrap();
    let targets = text(&files, "targets.tsv");
    assert!(!targets.contains("SKHDT\t") && !targets.contains("STC\t"));
    assert_eq!(targets.matches("STCKH\t").count(), 1);
    let mapping = text(&files, "mapping.tsv");
    assert_eq!(mapping.matches("PTCKH\tSTCKH\n").count(), 1, "two rows have become one");
    // 42 targets are left, so the plan's total does not add up any more: the check says so.
    let checked = Round::check(&files);
    let errors: Vec<_> = checked.faults.iter().filter(|f| f.severity == Severity::Error).map(|f| f.code).collect();
    assert_eq!(errors, ["paper_total"]);

    let gone = merges("m.csv", b"code,into\nSTP,\n").unwrap();
    let new = Reuse { id: "mau-2027", merges: &gone, ..Reuse::default() };
    let files = reuse(&every_kind(), &new).unwrap();
    assert!(text(&files, "round.toml").contains("targets = [\"SNV\"]"));
    let round = Round::from_files(&files).unwrap();
    assert_eq!(round.targets.iter().map(|t| &*t.code).collect::<Vec<_>>(), ["SNV", "SCU"]);

    let unknown = merges("m.csv", b"code,into\nXYZ,SNV\n").unwrap();
    let faults = reuse(&every_kind(), &Reuse { id: "x", merges: &unknown, ..Reuse::default() }).unwrap_err();
    assert_eq!(faults[0].code, "merge_unknown");
    let twice = merges("m.csv", b"code,into\nSTP,SNV\nSTP,\n").unwrap_err();
    assert_eq!((twice[0].code, &*twice[0].place), ("code_double", "line 3, code"));
}

#[test]
fn the_same_round_differs_in_nothing() {
    assert_eq!(words(&plan(), &plan()), [""; 0]);
}

#[test]
fn differences_are_told_in_words() {
    let before = Round::from_files(&every_kind()).unwrap();
    let mut files = every_kind();
    let mut change = |path: &str, find: &str, replace: &str| {
        let old = text(&files, path);
        assert!(old.contains(find), "{path}: {find:?} is not there");
        files.insert(path.to_owned(), old.replacen(find, replace, 1).into_bytes());
    };
    change("round.toml", "closes = 2026-10-01", "closes = 2026-10-02");
    change("round.toml", "quota = { fixed = 4 }", "quota = { fixed = 6 }");
    change("round.toml", "declared_paper_total = 4", "declared_paper_total = 6");
    change("scales.tsv", "M4\tB\tHài lòng\t60", "M4\tB\tHài lòng\t75");
    change("choices.tsv", "KENH\tBC\tBưu chính công ích\n", "");
    change("questionnaires/cc.toml", "Thái độ phục vụ của công chức như thế nào?", "Thái độ phục vụ ra sao?");
    let question =
        "[[sections.items]]\ncode = \"Q4\"\nscale = \"M4\"\nquestion = \"Còn gì nữa?\"\n\n[[sections]]\ncode = \"C\"";
    change("questionnaires/cc.toml", "[[sections]]\ncode = \"C\"", question);
    change("questionnaires/cc.toml", "letters = 300", "letters = 400");
    let after = Round::from_files(&files).unwrap();
    let told = words(&before, &after);
    for line in [
        "changed: dates, closes: \"2026-10-01T00:00:00+07:00\" is now \"2026-10-02T00:00:00+07:00\"",
        "changed: group HV, quota: \"fixed: 4\" is now \"fixed: 6\"",
        "changed: declared paper total: \"4\" is now \"6\"",
        "changed: paper ballots: \"4\" is now \"6\"",
        "changed: scale M4, option B, percent: \"60\" is now \"75\"",
        "removed: list of choices KENH, option BC (\"Bưu chính công ích\")",
        "changed: questionnaire CC, item Q1, question: \"Thái độ phục vụ của công chức như thế nào?\" is now \"Thái độ phục vụ ra sao?\"",
        "added: questionnaire CC, item Q4 (\"Còn gì nữa?\")",
        "changed: questionnaire CC, item Q3, letters: \"300\" is now \"400\"",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
    assert_eq!(told.len(), 9, "{told:#?}");
    // The other way round every line has its counterpart.
    assert_eq!(diff(&after, &before).len(), 9);
}

#[test]
fn moved_reordered_and_optional_things_are_told_once() {
    let before = Round::from_files(&every_kind()).unwrap();
    let mut files = every_kind();
    let units = text(&files, "choices.tsv").replace("CK\tCO\tCó\nCK\tKHONG\tKhông", "CK\tKHONG\tKhông\nCK\tCO\tCó");
    files.insert("choices.tsv".to_owned(), units.into_bytes());
    let form = text(&files, "questionnaires/cc.toml")
        .replace("closing = \"Xin cảm ơn ông/bà đã dành thời gian.\"\n", "")
        .replace("[[sections]]\ncode = \"B\"\ntitle = \"Đánh giá\"\n\n", "");
    files.insert("questionnaires/cc.toml".to_owned(), form.into_bytes());
    let round = text(&files, "round.toml").replace("[[languages]]\ncode = \"en\"\nname = \"English\"\n\n", "");
    files.insert("round.toml".to_owned(), round.into_bytes());
    files.remove("translations.csv");
    let told = words(&before, &Round::from_files(&files).unwrap());
    for line in [
        "reordered: list of choices CK, options",
        "removed: questionnaire CC, closing (\"Xin cảm ơn ông/bà đã dành thời gian.\")",
        "removed: questionnaire CC, section B (\"Đánh giá\")",
        "changed: questionnaire CC, item Q1, section: \"B\" is now \"A\"",
        "removed: language en (\"English\")",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:#?}");
    }
}
