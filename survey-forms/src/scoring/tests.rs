//! The declared rules, each on figures worked out by hand.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use chrono::DateTime;
use proptest::prelude::*;

use super::*;
use crate::answers::{Answer, Answers, Ballot, Mark, Stratum};
use crate::disclosure::Suppression;
use crate::ratio;
use crate::round::Round;

mod beside;

fn plan() -> Round {
    static PLAN: LazyLock<Round> = LazyLock::new(|| Round::from_files(&crate::quang_nam_2023()).unwrap());
    PLAN.clone()
}

/// A ballot; each item gets the answer that `fill` gives it.
fn ballot(round: &Round, stratum: &str, fill: impl Fn(&str, &str) -> Option<Answer>) -> Ballot {
    let stratum: Stratum = stratum.parse().unwrap();
    let form = round.questionnaire(&stratum.respondent_code).unwrap();
    let mut answers = Answers::new();
    for target in &stratum.targets {
        for item in form.items() {
            if let Some(answer) = fill(target, &item.code) {
                answers.insert(target, &item.code, answer);
            }
        }
    }
    Ballot { round: round.id.clone(), questionnaire: form.hash.clone(), stratum, answers }
}

fn choice(option: &str) -> Option<Answer> {
    Some(Answer::Choice(option.to_owned()))
}

fn tally(round: &Round, ballots: &[(usize, Ballot)]) -> Tally {
    let mut tally = Tally::new(round);
    for (times, ballot) in ballots {
        for _ in 0..*times {
            assert_eq!(tally.add(ballot), Counted::Valid);
        }
    }
    tally
}

fn turnout(cells: &[(&str, &str, u64, u64)]) -> BTreeMap<(String, String), Turnout> {
    let entry = |(group, target, issued, returned): &(&str, &str, u64, u64)| {
        let turnout = Turnout { issued: *issued, returned: *returned };
        (((*group).to_owned(), (*target).to_owned()), turnout)
    };
    cells.iter().map(entry).collect()
}

fn document(round: &Round, tally: &Tally, cells: &[(&str, &str, u64, u64)]) -> ScoreDocument {
    let published = DateTime::parse_from_rfc3339("2023-11-15T08:00:00+07:00").unwrap();
    score(round, tally, &turnout(cells)).document(round, published, "root")
}

fn target<'d>(document: &'d ScoreDocument, code: &str) -> &'d DocumentTarget {
    document.targets.iter().find(|target| target.target == code).unwrap()
}

fn item<'d>(document: &'d ScoreDocument, code: &str, item: &str) -> &'d DocumentItem {
    target(document, code).items.iter().find(|found| found.item_code == item).unwrap()
}

fn cell<'d>(item: &'d DocumentItem, group: &str) -> &'d DocumentCell {
    item.groups.iter().find(|cell| cell.respondent_code == group).unwrap()
}

#[test]
fn groups_weigh_alike_however_many_answer() {
    let round = plan();
    let ballots = [
        (30, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))),
        (10, ballot(&round, "CC-CT/SNV", |_, _| choice("C"))),
        (12, ballot(&round, "LĐ-CP/SNV", |_, _| choice("D"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[("CC-CT", "SNV", 50, 40)]);
    let item = item(&document, "SNV", "X1.1");
    // (30 × 100 + 10 × 50) / 40 = 87.5; the division heads say 25; (87.5 + 25) / 2 = 56.25 %.
    assert_eq!(cell(item, "CC-CT").mean.as_deref(), Some("87.50"));
    assert_eq!(cell(item, "LĐ-CP").mean.as_deref(), Some("25.00"));
    assert_eq!(item.percent.as_deref(), Some("56.25"));
    // Half up, once: 2 × 0.5625 = 1.125.
    assert_eq!(item.points.as_deref(), Some("1.13"));
    assert_eq!((item.n, &*item.max_points), (52, "2.00"));
    let cell = cell(item, "CC-CT");
    assert_eq!((cell.issued, cell.returned, cell.n, cell.suppressed), (50, 40, 40, None));
    let counts: Vec<u64> = cell.distribution.as_ref().unwrap().iter().map(|o| o.count).collect();
    assert_eq!(counts, [30, 0, 10, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn weights_are_data() {
    let mut round = plan();
    for group in &mut round.groups {
        if group.code == "CC-CT" {
            group.weight = ratio::parse("3").unwrap();
        }
    }
    let ballots =
        [(1, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))), (1, ballot(&round, "LĐ-CP/SNV", |_, _| choice("E")))];
    let sheet = score(&round, &tally(&round, &ballots), &BTreeMap::new());
    let snv = &sheet.targets[0];
    assert_eq!(snv.items[0].score, Some(ratio::whole(75)));
}

#[test]
fn what_is_no_valid_answer_is_counted_and_not_averaged() {
    let round = plan();
    let fill =
        |first: Option<Answer>| move |_: &str, item: &str| if item == "X1.1" { first.clone() } else { choice("B") };
    let marks = [Mark::Blank, Mark::Several, Mark::Illegible].map(|mark| Some(Answer::Mark(mark)));
    let mut ballots = vec![
        (20, ballot(&round, "CC-CT/STP", fill(choice("B")))),
        (4, ballot(&round, "CC-CT/STP", fill(choice("N")))),
        (3, ballot(&round, "CC-CT/STP", fill(None))),
    ];
    for mark in marks {
        ballots.push((1, ballot(&round, "LĐH-CH/STP", fill(mark))));
    }
    let tally = tally(&round, &ballots);
    let online = tally.histogram("CC-CT", "STP", "X1.1").unwrap();
    assert_eq!((online.options, online.absent), (vec![0, 20, 0, 0, 0, 4], 3));
    let paper = tally.histogram("LĐH-CH", "STP", "X1.1").unwrap();
    assert_eq!((paper.blank, paper.several, paper.illegible, paper.absent), (1, 1, 1, 0));
    let document = document(&round, &tally, &[]);
    let item = item(&document, "STP", "X1.1");
    assert_eq!((item.n, item.percent.as_deref()), (20, Some("75.00")));
    assert_eq!(cell(item, "LĐH-CH").suppressed, Some(Suppression::NoValidAnswers));
    assert_eq!(tally.histogram("CC-CT", "H502", "X1.1"), None);
}

#[test]
fn an_item_without_valid_answers_counts_nowhere() {
    let round = plan();
    let fill = |_: &str, item: &str| match item {
        "X1.1" => choice("A"),
        "X1.2" => choice("N"),
        _ => None,
    };
    let tally = tally(&round, &[(25, ballot(&round, "CC-CT/STC", fill))]);
    let document = document(&round, &tally, &[]);
    let stc = target(&document, "STC");
    assert_eq!((stc.survey_points.as_deref(), &*stc.max_points), (Some("2.00"), "2.00"));
    assert_eq!((stc.percent.as_deref(), stc.rank), (Some("100.00"), Some(1)));
    assert_eq!((&*stc.fields[0].max_points, stc.fields[0].points.as_deref()), ("2.00", Some("2.00")));
    assert_eq!((stc.fields[1].points.as_deref(), &*stc.fields[1].max_points), (None, "0.00"));
    let silent = item(&document, "STC", "X1.2");
    assert_eq!((silent.points.as_deref(), &*silent.max_points, silent.n), (None, "2.00", 0));
    let nobody = target(&document, "STP");
    assert_eq!((nobody.survey_points.as_deref(), nobody.percent.as_deref(), nobody.rank), (None, None, None));
}

#[test]
fn fields_weigh_their_items_by_points() {
    let mut round = plan();
    for criterion in &mut round.criteria {
        if criterion.item_code == "X1.2" {
            criterion.max_points = ratio::whole(6);
        }
    }
    let fill = |_: &str, item: &str| choice(if item == "X1.1" { "A" } else { "E" });
    let document = document(&round, &tally(&round, &[(10, ballot(&round, "CC-CT/STC", fill))]), &[]);
    let field = &target(&document, "STC").fields[0];
    assert_eq!((field.points.as_deref(), &*field.max_points), (Some("2.00"), "8.00"));
    assert_eq!(field.percent.as_deref(), Some("25.00"));
}

#[test]
fn ties_share_a_rank_and_skip_the_next() {
    let values = [Some(80), None, Some(90), Some(80), Some(70)].map(|v| v.map(ratio::whole));
    assert_eq!(ranks(&values), [Some(2), None, Some(1), Some(2), Some(4)]);
    assert_eq!(ranks(&[]), []);
}

#[test]
fn ranks_are_within_a_kind() {
    let round = plan();
    let ballots = [
        (10, ballot(&round, "CC-CT/SNV", |_, _| choice("B"))),
        (10, ballot(&round, "CC-CT/STP", |_, _| choice("A"))),
        (10, ballot(&round, "CC-CH/H502", |_, _| choice("D"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[]);
    let rank = |code| target(&document, code).rank;
    assert_eq!((rank("STP"), rank("SNV"), rank("H502")), (Some(1), Some(2), Some(1)));
}

#[test]
fn a_paper_ballot_under_half_valid_is_void_and_counted() {
    let round = plan();
    let mut tally = Tally::new(&round);
    // LĐH-CH has ten items: with five valid it stands, with four it does not.
    let valid = |count: usize, rest: Option<Answer>| {
        let codes: Vec<String> = round.questionnaire("LĐH-CH").unwrap().items().map(|i| i.code.clone()).collect();
        ballot(&round, "LĐH-CH/SNV", move |_, item| {
            let place = codes.iter().position(|code| code == item).unwrap();
            if place < count { choice("A") } else { rest.clone() }
        })
    };
    let blank = Some(Answer::Mark(Mark::Blank));
    assert_eq!(tally.add(&valid(5, blank.clone())), Counted::Valid);
    assert_eq!(tally.add(&valid(4, blank)), Counted::Void(VoidReason::TooFewValid));
    // "No information" is an answer, unless the round says otherwise.
    assert_eq!(tally.add(&valid(4, choice("N"))), Counted::Valid);
    assert_eq!((tally.valid("LĐH-CH"), tally.void("LĐH-CH").into_values().sum::<u64>()), (2, 1));
    assert_eq!(tally.histogram("LĐH-CH", "SNV", "X1.1").unwrap().options[0], 2);
    let document = document(&round, &tally, &[]);
    let own = document.ballots.iter().find(|b| b.respondent_code.as_deref() == Some("LĐH-CH"));
    assert_eq!(own.unwrap().void, [VoidCount { reason: VoidReason::TooFewValid, count: 1 }]);

    let mut strict = round.clone();
    strict.scoring.excluded_is_valid = false;
    let counted = Tally::new(&strict).add(&valid(4, choice("N")));
    assert_eq!(counted, Counted::Void(VoidReason::TooFewValid));
    // Online there is no such rule: a respondent may stop anywhere.
    let first_only = |_: &str, item: &str| if item == "X1.1" { choice("A") } else { None };
    assert_eq!(tally.add(&ballot(&round, "CC-CT/SNV", first_only)), Counted::Valid);
}

#[test]
fn ballots_that_fit_no_form_are_void_and_change_no_count() {
    let round = plan();
    let good = ballot(&round, "CC-CT/SNV", |_, _| choice("A"));
    let mut tally = Tally::new(&round);
    let mut void = |change: &dyn Fn(&mut Ballot)| {
        let mut bad = good.clone();
        change(&mut bad);
        match tally.add(&bad) {
            Counted::Valid => panic!("counted"),
            Counted::Void(reason) => reason,
        }
    };
    let group = |code: &'static str| move |b: &mut Ballot| b.stratum.respondent_code = code.to_owned();
    assert_eq!(void(&|b| b.round = "other".to_owned()), VoidReason::OtherRound);
    assert_eq!(void(&|b| b.questionnaire = "0".repeat(64)), VoidReason::OtherQuestionnaire);
    assert_eq!(void(&group("XX")), VoidReason::UnknownStratum);
    assert_eq!(void(&group("CC-CH")), VoidReason::UnknownStratum);
    assert_eq!(void(&|b| b.stratum.targets.push("STP".to_owned())), VoidReason::UnknownStratum);
    let put = |target: &'static str, item: &'static str, answer: Answer| {
        move |b: &mut Ballot| {
            b.answers.insert(target, item, answer.clone());
        }
    };
    let a = || Answer::Choice("A".to_owned());
    assert_eq!(void(&put("STP", "X1.1", a())), VoidReason::UnfitAnswers);
    assert_eq!(void(&put("SNV", "X9.9", a())), VoidReason::UnfitAnswers);
    assert_eq!(void(&put("SNV", "X1.1", Answer::Choice("Z".to_owned()))), VoidReason::UnfitAnswers);
    assert_eq!(void(&put("SNV", "X1.1", Answer::Mark(Mark::Blank))), VoidReason::UnfitAnswers);
    assert_eq!(tally.valid("CC-CT"), 0);
    assert_eq!(tally.histogram("CC-CT", "SNV", "X1.1").unwrap().options, [0; 6]);
    assert_eq!(tally.stray().values().sum::<u64>(), 1);
}

#[test]
fn intervals_shrink_to_nothing_when_all_have_answered() {
    let round = plan();
    let ballots =
        [(20, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))), (20, ballot(&round, "CC-CT/SNV", |_, _| choice("C")))];
    let tally = tally(&round, &ballots);
    let bounds = |issued| {
        let document = document(&round, &tally, &[("CC-CT", "SNV", issued, 40)]);
        let interval = cell(item(&document, "SNV", "X1.1"), "CC-CT").interval.clone().unwrap();
        (interval.low, interval.high)
    };
    let text = |low: &str, high: &str| (low.to_owned(), high.to_owned());
    assert_eq!(bounds(40), text("75.00", "75.00"));
    // s² = 625 × 40/39; 1.96 × √(s²/40 × (80 − 40)/(80 − 1)) = 5.58…
    assert_eq!(bounds(80), text("69.42", "80.58"));
    // Nobody said how many were asked: no correction, 1.96 × √(s²/40) = 7.84….
    assert_eq!(bounds(0), text("67.15", "82.85"));
}

#[test]
fn small_groups_count_in_the_pooled_score_and_are_never_shown() {
    let round = plan();
    let council = round.assignments().into_iter().find(|a| a.respondent_code == "HĐ-CT").unwrap();
    let council = council.stratum().to_string();
    let ballots = [
        (40, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))),
        (25, ballot(&round, &council, |_, _| choice("B"))),
        (2, ballot(&round, "LĐH-CH/SNV", |_, _| choice("E"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[]);
    let item = item(&document, "SNV", "X1.1");
    assert_eq!(item.percent.as_deref(), Some("58.33"));
    let cells: Vec<_> = item.groups.iter().map(|c| (&*c.respondent_code, c.mean.as_deref(), c.suppressed)).collect();
    assert_eq!(
        cells,
        [
            ("CC-CT", Some("100.00"), None),
            ("LĐ-CP", None, Some(Suppression::NoValidAnswers)),
            ("HĐ-CT", None, Some(Suppression::Complementary)),
            ("LĐH-CH", None, Some(Suppression::NBelowK)),
        ]
    );
    for cell in item.groups.iter().filter(|cell| cell.suppressed.is_some()) {
        assert!(cell.interval.is_none() && cell.distribution.is_none());
    }
}

#[test]
fn the_document_has_the_shape_of_the_contract() {
    let round = plan();
    let tally = tally(&round, &[(12, ballot(&round, "CC-CT/SNV", |_, _| choice("B")))]);
    let document = document(&round, &tally, &[]);
    let value: serde_json::Value = serde_json::from_slice(&document.canonical()).unwrap();
    assert_eq!(value["published_at"], "2023-11-15T08:00:00+07:00");
    assert_eq!((&value["round"], &value["log_root"]), (&"quang-nam-2023".into(), &"root".into()));
    assert_eq!(value["rules_hash"], round.hash);
    let snv = &value["targets"][0];
    for key in ["target", "kind", "survey_points", "max_points", "percent", "fields"] {
        assert!(!snv[key].is_null(), "{key}");
    }
    assert_eq!((snv["rank"].as_u64(), snv["percent"].as_str()), (Some(1), Some("75.00")));
    let item = &snv["items"][0];
    assert!(item["index_ref"].is_null() && item.get("index_ref").is_some());
    assert_eq!((item["points"].as_str(), item["n"].as_u64()), (Some("1.50"), Some(12)));
    let cell = &item["groups"][0];
    assert_eq!((cell["mean"].as_str(), cell["n"].as_u64()), (Some("75.00"), Some(12)));
    assert!(cell["suppressed"].is_null() && cell["distribution"].is_null());
    let again: ScoreDocument = serde_json::from_value(value).unwrap();
    assert_eq!(again, document);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// Counting in parts, in any order, gives the same document; scores stay within bounds.
    #[test]
    fn order_and_parts_change_nothing(picks in prop::collection::vec((0_usize..4, 0_usize..7), 1..40), cut in any::<prop::sample::Index>()) {
        let round = plan();
        let strata = ["CC-CT/SNV", "LĐ-CP/SNV", "LĐH-CH/SNV", "CC-CH/H502"];
        let options = ["A", "B", "C", "D", "E", "N"];
        let ballots: Vec<Ballot> = picks
            .iter()
            .map(|(stratum, pick)| ballot(&round, strata[*stratum], |_, item| {
                if *pick == 6 && item == "X1.1" { None } else { choice(options[*pick % 6]) }
            }))
            .collect();
        let count = |ballots: &mut dyn Iterator<Item = &Ballot>| {
            let mut tally = Tally::new(&round);
            ballots.for_each(|ballot| { tally.add(ballot); });
            tally
        };
        let whole = count(&mut ballots.iter().rev());
        let (first, second) = ballots.split_at(cut.index(ballots.len()));
        let mut parts = count(&mut first.iter());
        parts.merge(&count(&mut second.iter())).unwrap();
        let document = document(&round, &whole, &[]);
        prop_assert!(self::document(&round, &parts, &[]) == document);
        let hundred = ratio::whole(100);
        for target in score(&round, &whole, &BTreeMap::new()).targets {
            prop_assert!(target.percent.iter().all(|p| *p >= ratio::whole(0) && *p <= hundred));
        }
        for cell in document.targets.iter().flat_map(|t| &t.items).flat_map(|i| &i.groups) {
            prop_assert!(cell.n >= 10 || cell.mean.is_none());
        }
    }
}

#[test]
fn tallies_of_other_rules_do_not_mix() {
    let round = plan();
    let mut other = round.clone();
    other.hash = "0".repeat(64);
    assert_eq!(Tally::new(&round).merge(&Tally::new(&other)), Err(TallyMismatch));
}
