//! Corrections against an attacker who holds every release at once.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};
use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use super::*;
use crate::answers::{Answer, Answers, Ballot, Stratum};
use crate::scoring::{Counted, Tally, score};

fn at(day: u32) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(&format!("2023-11-{day:02}T08:00:00+07:00")).unwrap()
}

/// The plan, where a deputy's ballot need not say anything about most bodies.
fn plan() -> Round {
    let mut round = Round::from_files(&crate::quang_nam_2023()).unwrap();
    round.scoring.void_below = crate::ratio::whole(0);
    round
}

/// Ballots about one target: so many of each kind of ballot paper that rates it, with answers by a small generator.
fn tally(round: &Round, target: &str, sizes: &BTreeMap<&str, usize>) -> Tally {
    let mut tally = Tally::new(round);
    let mut dice = 7_u64;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % sides
    };
    let mut done: Vec<Stratum> = Vec::new();
    for assignment in round.assignments() {
        let stratum = assignment.stratum();
        if done.contains(&stratum) || !stratum.targets.iter().any(|code| code == target) {
            continue;
        }
        let form = round.questionnaire(&stratum.respondent_code).unwrap();
        // Several kinds of ballot paper of one group would add up; one is enough.
        let first = !done.iter().any(|other| other.respondent_code == stratum.respondent_code);
        let people = if first { sizes.get(stratum.respondent_code.as_str()).copied().unwrap_or(0) } else { 0 };
        for _ in 0..people {
            let mut answers = Answers::new();
            for item in form.items() {
                let option = ["A", "B", "C", "D", "E", "N"][roll(6)];
                answers.insert(target, &item.code, Answer::Choice(option.to_owned()));
            }
            let ballot =
                Ballot { round: round.id.clone(), questionnaire: form.hash.clone(), stratum: stratum.clone(), answers };
            assert_eq!(tally.add(&ballot), Counted::Valid);
        }
        done.push(stratum);
    }
    tally
}

fn out(group: Option<&str>, target: Option<&str>, item: Option<&str>) -> LeftOut {
    let own = |text: Option<&str>| text.map(str::to_owned);
    LeftOut { respondent_code: own(group), target: own(target), item_code: own(item) }
}

/// The release after `earlier`.
fn release(round: &Round, tally: &Tally, earlier: &[ScoreDocument], left_out: Vec<LeftOut>) -> ScoreDocument {
    let mut counted = tally.clone();
    left_out.iter().for_each(|out| counted.leave_out(out));
    let day = 15 + u32::try_from(earlier.len()).unwrap();
    let mut new = score(round, &counted, &BTreeMap::new()).document_after(round, at(day), "root", earlier);
    if !earlier.is_empty() {
        new.correction =
            Some(Correction { reason: "Có bằng chứng chỉ đạo cách chấm điểm".to_owned(), left_out });
    }
    new
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

/// How narrow everything published about a target, in all these releases together, makes a cell's mean. Ballots do not
/// change, so a cell with the same n has the same mean in each.
fn width(round: &Round, releases: &[&DocumentTarget], item: &str, group: &str) -> f64 {
    let end = |direction| {
        let mut problem = Problem::new(direction);
        let half = 0.5 * 0.1_f64.powi(i32::try_from(round.scoring.decimals).unwrap()) + 1e-6;
        let mut means: BTreeMap<(&str, &str, u64), Variable> = BTreeMap::new();
        for target in releases {
            for (item_now, cell) in target.items.iter().flat_map(|i| i.groups.iter().map(move |c| (i, c))) {
                let key = (item_now.item_code.as_str(), cell.respondent_code.as_str(), cell.n);
                let known = releases.iter().flat_map(|t| &t.items).filter(|i| i.item_code == item_now.item_code);
                let known = known.flat_map(|i| &i.groups).find(|c| {
                    (c.respondent_code.as_str(), c.n) == (cell.respondent_code.as_str(), cell.n) && c.mean.is_some()
                });
                let bounds = known.and_then(|cell| cell.mean.as_deref()).map(number);
                let bounds = bounds.map_or((0.0, 100.0), |mean| ((mean - half).max(0.0), (mean + half).min(100.0)));
                let wish = if (key.0, key.1) == (item, group) && cell.n > 0 { 1.0 } else { 0.0 };
                if cell.n > 0 {
                    means.entry(key).or_insert_with(|| problem.add_var(wish, bounds));
                }
            }
        }
        for target in releases {
            let mut scores: BTreeMap<&str, (Variable, f64)> = BTreeMap::new();
            for item in target.items.iter().filter(|item| item.n > 0) {
                let bounds = item.percent.as_deref().map(number);
                let bounds = bounds.map_or((0.0, 100.0), |score| ((score - half).max(0.0), (score + half).min(100.0)));
                let pooled = problem.add_var(0.0, bounds);
                let (mut row, mut weights) = (LinearExpr::empty(), 0.0);
                for cell in item.groups.iter().filter(|cell| cell.n > 0) {
                    let weight = &round.group(&cell.respondent_code).unwrap().weight;
                    let weight = number(&crate::ratio::to_exact(weight));
                    row.add(means[&(item.item_code.as_str(), cell.respondent_code.as_str(), cell.n)], weight);
                    weights += weight;
                }
                row.add(pooled, -weights);
                problem.add_constraint(row, ComparisonOp::Eq, 0.0);
                scores.insert(&item.item_code, (pooled, number(&item.max_points)));
            }
            let mut sums: Vec<(Vec<&DocumentItem>, Option<&String>)> = Vec::new();
            for field in &target.fields {
                let own = target.items.iter().filter(|item| item.n > 0 && item.field == field.field);
                sums.push((own.collect(), field.points.as_ref()));
            }
            sums.push((target.items.iter().filter(|item| item.n > 0).collect(), target.survey_points.as_ref()));
            for (items, points) in sums {
                let Some(points) = points.map(|text| number(text)) else { continue };
                let terms: Vec<(Variable, f64)> = items
                    .iter()
                    .map(|item| scores[item.item_code.as_str()])
                    .map(|(pooled, most)| (pooled, most / 100.0))
                    .collect();
                problem.add_constraint(&terms, ComparisonOp::Ge, points - half);
                problem.add_constraint(&terms, ComparisonOp::Le, points + half);
            }
        }
        problem.solve().unwrap().into_solution().unwrap().objective()
    };
    end(OptimizationDirection::Maximize) - end(OptimizationDirection::Minimize)
}

/// Cells that the first release hides and the others do not touch, narrowest by all releases.
fn narrowest(round: &Round, releases: &[&ScoreDocument], hidden: &[(String, String)]) -> f64 {
    let targets: Vec<&DocumentTarget> = releases.iter().map(|release| &release.targets[0]).collect();
    hidden.iter().map(|(item, group)| width(round, &targets, item, group)).fold(f64::INFINITY, f64::min)
}

fn only(mut document: ScoreDocument, target: &str) -> ScoreDocument {
    document.targets.retain(|found| found.target == target);
    document
}

fn hidden(document: &ScoreDocument, group: &str) -> Vec<(String, String)> {
    let cells = document.targets[0].items.iter().flat_map(|item| item.groups.iter().map(move |cell| (item, cell)));
    cells
        .filter(|(_, cell)| cell.n > 0 && cell.mean.is_none() && cell.respondent_code == group)
        .map(|(item, cell)| (item.item_code.clone(), cell.respondent_code.clone()))
        .collect()
}

/// SNV is rated by its own people (40), heads of divisions (4: a small cell), deputies (30) and district leaders (25).
fn snv() -> (Round, Tally) {
    let round = plan();
    let sizes = BTreeMap::from([("CC-CT", 40), ("LĐ-CP", 4), ("HĐ-CT", 30), ("LĐH-CH", 25)]);
    let tally = tally(&round, "SNV", &sizes);
    (round, tally)
}

#[test]
fn what_was_shown_may_be_left_out_and_tells_nothing_new() {
    let (round, tally) = snv();
    let first = only(release(&round, &tally, &[], Vec::new()), "SNV");
    assert_eq!((first.release, &first.correction), (1, &None));
    let shown = |group: &str| {
        let mut cells = first.targets[0].items.iter().flat_map(|i| &i.groups).filter(|c| c.respondent_code == group);
        cells.all(|cell| cell.n == 0 || cell.mean.is_some())
    };
    let group = ["CC-CT", "HĐ-CT", "LĐH-CH"].into_iter().find(|group| shown(group)).expect("one is shown throughout");
    let left_out = vec![out(Some(group), Some("SNV"), None)];
    let second = only(release(&round, &tally, std::slice::from_ref(&first), left_out.clone()), "SNV");
    assert_eq!(reveals(std::slice::from_ref(&first), &second), []);
    assert_eq!((second.release, second.correction.as_ref().unwrap().left_out.len()), (2, 1));
    assert!(second.targets[0].survey_points.is_some(), "the corrected total is told");
    assert_ne!(second.targets[0].survey_points, first.targets[0].survey_points);
    let cells = hidden(&first, "LĐ-CP");
    assert!(!cells.is_empty());
    let (alone, both) = (narrowest(&round, &[&first], &cells), narrowest(&round, &[&first, &second], &cells));
    assert!(alone > 1.0 && both > alone - 0.1, "{alone} alone, {both} with the correction");
    // Taken back in a third release: the first one's numbers again.
    let third = only(release(&round, &tally, &[first.clone(), second.clone()], Vec::new()), "SNV");
    assert_eq!(reveals(&[first.clone(), second.clone()], &third), []);
    assert_eq!(third.targets[0].survey_points, first.targets[0].survey_points);
    assert!(narrowest(&round, &[&first, &second, &third], &cells) > alone - 0.1);
}

/// The test of the test: the refused correction is one with which the attacker wins.
#[test]
fn a_small_group_left_out_would_be_known_and_is_refused() {
    let (round, tally) = snv();
    let first = only(release(&round, &tally, &[], Vec::new()), "SNV");
    let left_out = vec![out(Some("LĐ-CP"), Some("SNV"), None)];
    let second = only(release(&round, &tally, std::slice::from_ref(&first), left_out), "SNV");
    let revealed = reveals(std::slice::from_ref(&first), &second);
    let cells = hidden(&first, "LĐ-CP");
    let of_group = revealed.iter().filter(|r| r.respondent_code.as_deref() == Some("LĐ-CP")).count();
    assert_eq!(of_group, cells.len());
    // As if it had been released: what was hidden is known to a fraction of a point.
    assert!(narrowest(&round, &[&first, &second], &cells) < 1.0);
}

/// A group that is hidden to cover another one: without it, the other one is known.
#[test]
fn a_covering_group_left_out_is_refused() {
    let (round, tally) = snv();
    let first = only(release(&round, &tally, &[], Vec::new()), "SNV");
    let covering = first.targets[0].items.iter().flat_map(|i| &i.groups);
    let covering = covering.filter(|c| c.suppressed == Some(Suppression::Complementary)).map(|c| &c.respondent_code);
    let covering: std::collections::BTreeSet<&String> = covering.collect();
    assert!(!covering.is_empty());
    for group in covering {
        let left_out = vec![out(Some(group), Some("SNV"), None)];
        let second = only(release(&round, &tally, std::slice::from_ref(&first), left_out), "SNV");
        assert!(!reveals(std::slice::from_ref(&first), &second).is_empty(), "{group}");
    }
}

/// A misprinted item goes as a whole: its score was told, so nothing of its groups is.
#[test]
fn an_item_goes_as_a_whole() {
    let (round, tally) = snv();
    let first = only(release(&round, &tally, &[], Vec::new()), "SNV");
    let item =
        first.targets[0].items.iter().find(|i| i.percent.is_some() && i.groups.iter().any(|c| c.n == 4)).unwrap();
    let left_out = vec![out(None, None, Some(&item.item_code))];
    let second = only(release(&round, &tally, std::slice::from_ref(&first), left_out), "SNV");
    assert_eq!(reveals(std::slice::from_ref(&first), &second), []);
    let gone = second.targets[0].items.iter().find(|i| i.item_code == item.item_code).unwrap();
    assert_eq!((gone.n, &gone.percent, gone.suppressed), (0, &None, Some(Suppression::NoValidAnswers)));
    let cells = hidden(&first, "LĐ-CP");
    let (alone, both) = (narrowest(&round, &[&first], &cells), narrowest(&round, &[&first, &second], &cells));
    assert!(both > alone - 0.1, "{alone} alone, {both} with the correction");
}

#[test]
fn only_what_the_round_has_can_be_left_out() {
    let round = plan();
    for (left_out, good) in [
        (out(Some("CC-CT"), Some("SNV"), None), true),
        (out(None, None, Some("X1.1")), true),
        (out(None, None, None), false),
        (out(Some("CC-XX"), None, None), false),
        (out(None, Some("XX"), None), false),
        (out(None, None, Some("X99")), false),
    ] {
        assert_eq!(left_out.is_of(&round), good, "{left_out:?}");
    }
}
