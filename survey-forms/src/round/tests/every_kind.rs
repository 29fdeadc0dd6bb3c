//! The example that has everything: it loads, and each of its parts means what its file says.

use serde_json::json;

use super::*;
use crate::every_kind;
use crate::questionnaire::{Holds, ItemKind};

fn example() -> Round {
    Round::from_files(&every_kind()).unwrap()
}

/// Faults of the example with one text replaced.
fn faults_with(path: &str, find: &str, replace: &str) -> Vec<(Severity, String, &'static str)> {
    let mut files = every_kind();
    let text = String::from_utf8(files[path].clone()).unwrap();
    assert!(text.contains(find), "{path}: {find:?} is not there");
    files.insert(path.to_owned(), text.replacen(find, replace, 1).into_bytes());
    Round::check(&files).faults.into_iter().map(|f| (f.severity, format!("{}, {}", f.file, f.place), f.code)).collect()
}

#[test]
fn it_loads_and_only_its_small_group_is_warned_of() {
    let checked = Round::check(&every_kind());
    let faults: Vec<_> = checked.faults.iter().map(|f| (f.severity, f.code, &*f.place)).collect();
    assert_eq!(faults, [(Severity::Warning, "stratum_small", "groups[2].quota")]);
    let kinds: Vec<&str> = checked.round.unwrap().questionnaires[0].items().map(|item| item.kind.as_str()).collect();
    assert_eq!(kinds, ["single", "number", "multiple", "scale", "scale", "text"]);
}

#[test]
fn agencies_that_do_not_exist_on_the_first_day_have_no_part() {
    let round = example();
    assert_eq!(round.targets.len(), 3);
    let rated: Vec<String> = round.assignments().iter().map(|a| a.stratum().to_string()).collect();
    assert_eq!(rated, ["CC/SNV", "CC/STP", "HV/SNV+STP"]);
    let late = faults_with("targets.csv", "2026-01-01", "2026-09-10");
    let begins = (Severity::Warning, "targets.csv, line 3".to_owned(), "target_not_in_force");
    assert!(late.contains(&begins), "{late:?}");
}

#[test]
fn sections_give_their_conditions_to_their_items() {
    let text = String::from_utf8(every_kind()["questionnaires/cc.toml"].clone()).unwrap();
    let moved = text.replace("title = \"Góp ý\"", "title = \"Góp ý\"\nonly_if = [{ item = \"Q0\", is = [\"CO\"] }]");
    let mut files = every_kind();
    files.insert("questionnaires/cc.toml".to_owned(), moved.into_bytes());
    let round = Round::from_files(&files).unwrap();
    let last = round.questionnaire("CC").unwrap().item("Q3").unwrap();
    assert_eq!(last.only_if.len(), 1);
    assert_eq!(last.only_if[0].holds, Holds::Is(vec!["CO".to_owned()]));
}

#[test]
fn nothing_may_depend_on_free_text() {
    let item = "code = \"C\"\ntitle = \"Góp ý\"\n\n[[sections.items]]\ncode = \"Q4\"\nkind = \"text\"\nquestion = \"Gì nữa?\"\n\n\
                [[sections.items]]\nonly_if = [{ item = \"Q4\", answered = true }]";
    let faults = faults_with("questionnaires/cc.toml", "code = \"C\"\ntitle = \"Góp ý\"\n\n[[sections.items]]", item);
    let place = "questionnaires/cc.toml, sections[3].items[2].only_if".to_owned();
    assert!(faults.contains(&(Severity::Error, place, "condition_unfit")), "{faults:?}");
}

#[test]
fn translations_are_by_text_and_what_is_missing_is_told() {
    let round = example();
    assert_eq!(round.translated("en", "Góp ý"), "Suggestions");
    assert_eq!(round.translated("en", "Không có ở đây"), "Không có ở đây");
    assert_eq!(round.translated("fr", "Góp ý"), "Góp ý");
    let lost = faults_with("translations.csv", "Góp ý,Suggestions\n", "");
    assert!(
        lost.contains(&(Severity::Warning, "round.toml, languages[1]".to_owned(), "translation_missing")),
        "{lost:?}"
    );
    let odd = faults_with("translations.csv", "Góp ý,Suggestions\n", "Góp ý,Suggestions\nGóp  ý,Twice\n");
    let unused = (Severity::Warning, "translations.csv, line 35, vi".to_owned(), "translation_unused");
    assert!(odd.contains(&unused), "{odd:?}");
    let double = faults_with("translations.csv", "Góp ý,Suggestions\n", "Góp ý,Suggestions\nGóp ý,Twice\n");
    assert!(
        double.contains(&(Severity::Error, "translations.csv, line 35, vi".to_owned(), "row_double")),
        "{double:?}"
    );
}

#[test]
fn faults_of_lists_tables_and_json_are_named() {
    let error = |path: &str, find: &str, replace: &str, place: &str, code: &'static str| {
        let faults = faults_with(path, find, replace);
        assert!(faults.contains(&(Severity::Error, place.to_owned(), code)), "{path}, {find:?}: {faults:?}");
    };
    error("choices.tsv", "CK\tKHONG\tKhông\n", "", "choices.tsv, line 2, list", "scale_short");
    error("choices.tsv", "CK\tKHONG", "CK\tCO", "choices.tsv, line 3, option", "code_double");
    error("choices.tsv", "KHONG\tKhông", "KHONG\tCó", "choices.tsv, line 3, label", "label_double");
    error("choices.tsv", "KENH\tTT", "M4\tTT", "scales.tsv, line 2, scale", "code_double");
    error(
        "questionnaires/cc.toml",
        "at_most = 2",
        "at_most = 4",
        "questionnaires/cc.toml, sections[1].items[3].at_most",
        "number_range",
    );
    error(
        "questionnaires/hv.json",
        "{ \"code\": \"Q0\",",
        "{ \"code\": \"Q0\"",
        "questionnaires/hv.json, line 10",
        "json_syntax",
    );
    error("questionnaires/hv.json", "\"decimals\": 1", "\"decimals\": null", "questionnaires/hv.json, ", "json_syntax");
    error("targets.csv", "\"Sở Tư pháp\"", "\"Sở Tư pháp", "targets.csv, line 3, name", "text_lines");
    error("targets.csv", "2026-01-01", "1/1/2026", "targets.csv, line 3, valid_from", "date_form");
    error("targets.csv", "2026-01-01,", "2026-01-01,2025-01-01", "targets.csv, line 3, valid_to", "dates_order");
    let mut files = every_kind();
    files.insert("targets.tsv".to_owned(), files["targets.csv"].clone());
    assert!(Round::check(&files).faults.iter().any(|f| f.file == "targets.csv" && f.code == "table_double"));
    let unscored = faults_with("criteria.tsv", "Q2\t1\tThời gian giải quyết\t7.2\t1.5\n", "");
    let place = "questionnaires/cc.toml, sections[2].items[2].code".to_owned();
    assert!(unscored.contains(&(Severity::Warning, place, "item_unscored")), "{unscored:?}");
}

#[test]
fn semicolons_between_cells_read_as_commas_do() {
    let mut files = every_kind();
    let text = String::from_utf8(files["targets.csv"].clone()).unwrap();
    files.insert("targets.csv".to_owned(), text.replace(',', ";").into_bytes());
    assert_eq!(Round::from_files(&files).unwrap().hash, example().hash);
}

#[test]
fn what_people_see_is_in_the_questionnaires_hash() {
    let (before, mut files) = (example(), every_kind());
    let text = String::from_utf8(files["choices.tsv"].clone()).unwrap();
    files.insert("choices.tsv".to_owned(), text.replace("Trực tuyến", "Qua mạng").into_bytes());
    let after = Round::from_files(&files).unwrap();
    assert_ne!(before.questionnaire("CC").unwrap().hash, after.questionnaire("CC").unwrap().hash);
    let number = before.questionnaire("CC").unwrap().item("Q0A").unwrap();
    assert!(matches!(&number.kind, ItemKind::Number { decimals: 0, .. }));
    let seen = serde_json::to_value(number).unwrap();
    assert_eq!(seen["kind"], "number");
    assert_eq!(seen["only_if"], json!([{"item": "Q0", "is": ["CO"]}]));
}
