//! The plan's round loads and says what the plan says.

use std::sync::LazyLock;

use super::*;
use crate::quang_nam_2023;

mod broken;
mod documents;
mod every_kind;
mod logo;
mod readings;
mod reused;

pub(super) fn plan() -> Round {
    static PLAN: LazyLock<Round> = LazyLock::new(|| Round::from_files(&crate::quang_nam_2023()).unwrap());
    PLAN.clone()
}

#[test]
fn the_plan_in_figures() {
    let summary = plan().summary();
    let kinds = |counts: &BTreeMap<String, usize>| -> Vec<(String, usize)> {
        counts.iter().map(|(kind, count)| (kind.clone(), *count)).collect()
    };
    let expect = |counts: &[(&str, usize)]| -> Vec<(String, usize)> {
        counts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
    };
    assert_eq!(kinds(&summary.targets_by_kind), expect(&[("huyen", 18), ("nganh_doc", 5), ("so", 20)]));
    assert_eq!(
        kinds(&summary.units_by_kind),
        expect(&[("hdnd_tinh", 1), ("huyen", 18), ("nganh_doc", 5), ("phong", 225), ("so", 20), ("xa", 241)])
    );
    assert_eq!((summary.groups, summary.online_groups, summary.paper_groups), (8, 5, 3));
    assert_eq!((summary.questionnaires, summary.items, summary.criteria), (8, 83, 16));
    assert_eq!((summary.paper_ballots, plan().declared_paper_total), (106, Some(106)));
}

#[test]
fn the_only_warnings_are_of_the_two_groups_with_two_ballots_about_each_target() {
    let checked = Round::check(&quang_nam_2023());
    let faults: Vec<_> = checked.faults.iter().map(|f| (f.severity, f.code, &*f.place)).collect();
    let small = |place| (Severity::Warning, "stratum_small", place);
    let pool = (Severity::Warning, "item_small_pool", "line 5, item_code");
    assert_eq!(faults, [pool, small("groups[7].quota"), small("groups[8].quota")]);
}

#[test]
fn people_rate_what_the_plan_says() {
    let round = plan();
    let rated = |group: &str, unit: &str| -> String {
        let all = round.assignments();
        let own = all.iter().find(|a| a.respondent_code == group && a.source_unit.as_deref() == Some(unit));
        own.unwrap().targets.join("+")
    };
    assert_eq!(rated("CC-CT", "SNV"), "SNV");
    assert_eq!(rated("CC-ND", "KBNN"), "KBNN");
    assert_eq!(rated("CC-CH", "H504"), "H504");
    assert_eq!(rated("LĐX-CH", "X20437"), "H504");
    assert_eq!(rated("LĐ-CP", "H502-PQLDT"), "SGTVT+SXD");
    assert_eq!(rated("LĐ-CP", "H504-PKTHT"), "SCT+SGTVT+SXD+SKHCN");
    assert_eq!(rated("HĐ-CT", "HDND").split('+').count(), 43);
}

#[test]
fn items_are_numbered_as_on_paper_and_know_their_field() {
    let round = plan();
    let form = round.questionnaire("HĐ-CT").unwrap();
    let items: Vec<_> = form.items().map(|i| (i.number, &*i.code, i.field.as_deref().unwrap_or_default())).collect();
    assert_eq!(items[5], (6, "X6.1", "6"));
    assert_eq!(items.len(), 8);
    assert_eq!(round.criterion("X6.1").unwrap().max_points, ratio::whole(2));
    let total: Ratio = round.criteria.iter().map(|c| c.max_points.clone()).sum();
    assert_eq!(total, ratio::whole(32));
}

#[test]
fn hashes_follow_meaning_not_layout() {
    let round = plan();
    assert_eq!(round.hash.len(), 64);
    let mut files = quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    files.insert("round.toml".to_owned(), format!("# a comment\n{text}").into_bytes());
    assert_eq!(Round::from_files(&files).unwrap().hash, round.hash);
    files.insert("round.toml".to_owned(), text.replace("k = 10", "k = 11").into_bytes());
    let stricter = Round::from_files(&files).unwrap();
    assert_ne!(stricter.hash, round.hash);
    assert_eq!(stricter.questionnaires, round.questionnaires);

    let scales = String::from_utf8(files["scales.tsv"].clone()).unwrap();
    files.insert("scales.tsv".to_owned(), scales.replace("Rất tốt", "Xuất sắc").into_bytes());
    let relabelled = Round::from_files(&files).unwrap();
    assert_ne!(relabelled.questionnaires[0].hash, round.questionnaires[0].hash);
}

#[test]
fn one_bucket_holds_every_ballot_of_a_group() {
    let round = plan();
    let group = round.ballot_bucket("LĐ-CP").unwrap();
    for assignment in round.assignments().iter().filter(|a| a.respondent_code == "LĐ-CP") {
        let form = round.form("LĐ-CP", &assignment.targets).unwrap();
        assert!(form.max_canonical_len() <= group);
    }
    assert_eq!(round.ballot_bucket("CC-XX"), None);
}
