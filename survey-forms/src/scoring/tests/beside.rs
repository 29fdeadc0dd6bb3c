//! What is said beside the scores: intervals, ranges of ranks, weights by response, other rules, explanations.

use std::collections::BTreeSet;

use super::*;

/// Two groups of equal weight: (s²/n · fpc) of the ballots' totals, a quarter of each, added.
#[test]
fn a_totals_interval_takes_ballots_whole() {
    let mut round = plan();
    let nd = round.targets.iter().find(|t| t.kind == "nganh_doc").unwrap().code.clone();
    let kept: BTreeSet<String> = round.questionnaire("CC-ND").unwrap().items().map(|i| i.code.clone()).collect();
    let shared: BTreeSet<String> =
        round.questionnaire("HĐ-CT").unwrap().items().map(|i| i.code.clone()).filter(|c| kept.contains(c)).collect();
    round.criteria.retain(|c| shared.contains(&c.item_code));
    let ballots: Vec<(usize, Ballot)> = vec![
        (30, ballot(&round, &format!("CC-ND/{nd}"), |_, _| choice("A"))),
        (10, ballot(&round, &format!("CC-ND/{nd}"), |_, _| choice("C"))),
        (25, ballot(&round, &council(&round), |_, _| choice("B"))),
        (5, ballot(&round, &council(&round), |_, _| choice("D"))),
    ];
    let tally = tally(&round, &ballots);
    let all = council(&round).split_once('/').unwrap().1.to_owned();
    let document = document(&round, &tally, &[("CC-ND", &nd, 80, 40), ("HĐ-CT", &all, 60, 30)]);
    let own = target(&document, &nd);
    // CC-ND: mean 87.5, Σ(x − m)² = 30 · 12.5² + 10 · 37.5² = 18750, s² = 18750/39, ·(80−40)/79/40 = 6.0857…
    // HĐ-CT: mean 66.67, Σ = 25 · 8.33² + 5 · 41.67² = 10416.67, s² = 10416.67/29, ·(60−30)/59/30 = 6.0880…
    let variance: f64 = (18750.0 / 39.0 * (40.0 / 79.0) / 40.0 + 10_416.666_666_7 / 29.0 * (30.0 / 59.0) / 30.0) / 4.0;
    let mean = (87.5 + 200.0 / 3.0) / 2.0;
    let interval = own.interval.as_ref().unwrap();
    assert_eq!(interval.low, format!("{:.2}", mean - 1.959_963_984_540_054 * variance.sqrt()));
    assert_eq!(interval.high, format!("{:.2}", mean + 1.959_963_984_540_054 * variance.sqrt()));
    // Kish: 70 · (½²/40 + ½²/30) = 1.0208…
    assert_eq!(own.design_effect.as_deref(), Some("1.02"));
    let asked = own.items.iter().map(|item| (item.asked, item.n)).collect::<Vec<_>>();
    assert!(asked.iter().all(|(asked, n)| *asked == Some(70) && *n == 70), "{asked:?}");
}

fn council(round: &Round) -> String {
    round.assignments().into_iter().find(|a| a.respondent_code == "HĐ-CT").unwrap().stratum().to_string()
}

/// People who are not shown cannot be seen in the interval either: their answers may be anything with the same means.
#[test]
fn a_hidden_group_does_not_move_the_interval() {
    let round = plan();
    let with = |two: [&'static str; 2]| {
        let ballots = [
            (30, ballot(&round, "CC-CT/SNV", |_, _| choice("B"))),
            (10, ballot(&round, "CC-CT/SNV", |_, _| choice("D"))),
            (25, ballot(&round, "LĐ-CP/SNV", |_, _| choice("C"))),
            (13, ballot(&round, &council(&round), |_, _| choice("B"))),
            (12, ballot(&round, &council(&round), |_, _| choice("C"))),
            (1, ballot(&round, "LĐH-CH/SNV", move |_, _| choice(two[0]))),
            (1, ballot(&round, "LĐH-CH/SNV", move |_, _| choice(two[1]))),
        ];
        target(&document(&round, &tally(&round, &ballots), &[("CC-CT", "SNV", 90, 40)]), "SNV").clone()
    };
    let (alike, apart) = (with(["C", "C"]), with(["A", "E"]));
    assert!(alike.interval.is_some());
    assert_eq!(alike, apart, "a variance of two people would tell them apart");
}

#[test]
fn ranks_have_a_range_and_say_whether_the_next_one_differs() {
    let round = plan();
    let ballots = [
        (20, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))),
        (20, ballot(&round, "CC-CT/SNV", |_, _| choice("B"))),
        (20, ballot(&round, "CC-CT/STP", |_, _| choice("B"))),
        (20, ballot(&round, "CC-CT/STP", |_, _| choice("A"))),
        (19, ballot(&round, "CC-CT/STC", |_, _| choice("A"))),
        (21, ballot(&round, "CC-CT/STC", |_, _| choice("B"))),
        (20, ballot(&round, "CC-CT/SCT", |_, _| choice("E"))),
        (20, ballot(&round, "CC-CT/SCT", |_, _| choice("D"))),
        (1, ballot(&round, "CC-CT/SGTVT", |_, _| choice("E"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[]);
    let of = |code: &str| {
        let found = target(&document, code);
        (found.rank, found.rank_range.map(|r| (r.best, r.worst)), found.differs_from_next)
    };
    assert_eq!(of("SNV"), (Some(1), Some((1, 3)), Some(false)));
    assert_eq!(of("STP"), of("SNV"));
    assert_eq!(of("STC"), (Some(3), Some((1, 3)), Some(true)));
    assert_eq!(of("SCT"), (Some(4), Some((4, 4)), None));
    assert_eq!(of("SGTVT"), (None, None, None), "one answer alone is hidden, and is no rank");
}

/// Division heads of two kinds rate the same body; with weights by response a kind counts by its codes given out.
#[test]
fn strata_weigh_by_response_where_the_round_says_so() {
    let mut round = plan();
    let strata: BTreeSet<Stratum> =
        round.assignments().into_iter().filter(|a| a.respondent_code == "LĐ-CP").map(|a| a.stratum()).collect();
    let of = |target: &String| strata.iter().filter(|s| s.targets.contains(target)).collect::<Vec<_>>();
    let rated = round.targets.iter().map(|target| target.code.clone()).find(|target| of(target).len() > 1).unwrap();
    let two = of(&rated);
    let ballots = [
        (40, ballot(&round, &two[0].to_string(), |_, _| choice("A"))),
        (10, ballot(&round, &two[1].to_string(), |_, _| choice("E"))),
    ];
    let keys: Vec<String> = two.iter().map(|s| s.targets.join("+")).collect();
    let cells = [("LĐ-CP", keys[0].as_str(), 40, 40), ("LĐ-CP", keys[1].as_str(), 120, 10)];
    let mean = |round: &Round| {
        let document = document(round, &tally(round, &ballots), &cells);
        let found = cell(item(&document, &rated, "X1.1"), "LĐ-CP").clone();
        (found.mean, found.n, found.issued, found.suppressed)
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(mean(&round), (text("80.00"), 50, 160, None));
    round.scoring.response_adjusted = true;
    assert_eq!(mean(&round), (text("25.00"), 50, 160, None));
    // Ten people for 120 are worth (40 + 120)² / (40²/40 + 120²/10) = 17 answers of equal weight: no distribution.
    let document = document(&round, &tally(&round, &ballots), &cells);
    assert!(cell(item(&document, &rated, "X1.1"), "LĐ-CP").distribution.is_none());
}

#[test]
fn uniform_ballots_are_counted_and_told_of_large_groups_only() {
    let round = plan();
    let mixed = |_: &str, item: &str| choice(if item == "X1.1" { "A" } else { "B" });
    let uniform = |ballots: &[(usize, Ballot)]| {
        let document = document(&round, &tally(&round, ballots), &[]);
        document.ballots.iter().find(|b| b.respondent_code.as_deref() == Some("CC-CT")).unwrap().uniform
    };
    let snv = |n: usize, fill: &dyn Fn(&str, &str) -> Option<Answer>| (n, ballot(&round, "CC-CT/SNV", fill));
    let all_b = |_: &str, _: &str| choice("B");
    let two = |_: &str, item: &str| if item.starts_with("X1.") { choice("B") } else { None };
    assert_eq!(uniform(&[snv(8, &all_b), snv(12, &mixed)]), Some(8));
    assert_eq!(uniform(&[snv(8, &all_b), snv(11, &mixed)]), None, "too few ballots");
    assert_eq!(uniform(&[snv(11, &all_b), snv(10, &mixed)]), None, "more than half");
    let in_first = round.questionnaire("CC-CT").unwrap().items().filter(|i| i.code.starts_with("X1.")).count();
    assert_eq!(uniform(&[snv(5, &two), snv(15, &mixed)]), Some(if in_first >= 3 { 5 } else { 0 }));
}

#[test]
fn other_rules_rank_from_the_document_alone() {
    let round = plan();
    let ballots = [
        (60, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))),
        (20, ballot(&round, "LĐ-CP/SNV", |_, _| choice("E"))),
        (20, ballot(&round, "CC-CT/STP", |_, _| choice("B"))),
        (20, ballot(&round, "LĐ-CP/STP", |_, _| choice("C"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[]);
    let all = sensitivity(&round, &document);
    let of = |rule: OtherRule, group: Option<&str>| {
        let scenario = all.scenarios.iter().find(|s| s.rule == rule && s.respondent_code.as_deref() == group);
        let kind = scenario.unwrap().kinds[0].clone();
        let rank = |code: &str| {
            let found = kind.targets.iter().find(|t| t.target == code).unwrap();
            (found.percent.clone().unwrap(), found.rank.unwrap())
        };
        (rank("SNV"), rank("STP"), kind.moved)
    };
    let pair = |percent: &str, rank: u32| (percent.to_owned(), rank);
    assert_eq!((target(&document, "SNV").rank, target(&document, "STP").rank), (Some(2), Some(1)));
    let per_ballot = of(OtherRule::EqualBallots, None);
    assert!(per_ballot.0.1 == 1 && per_ballot.2 == 2, "sixty of eighty say A: {per_ballot:?}");
    assert_eq!(of(OtherRule::WithoutGroup, Some("LĐ-CP")), (pair("100.00", 1), pair("75.00", 2), 2));
    let other = of(OtherRule::OtherScale, None);
    assert!(other.1.0 < target(&document, "STP").percent.clone().unwrap(), "B is worth 60, C 40");
    assert!(!all.scenarios.iter().any(|s| s.respondent_code.as_deref() == Some("CC-CH")), "rates none of these");
}

/// A rank without a group that has a hidden cell would tell what the cell says.
#[test]
fn no_rank_is_given_without_a_hidden_group() {
    let round = plan();
    let ballots = [
        (60, ballot(&round, "CC-CT/SNV", |_, _| choice("B"))),
        (30, ballot(&round, "LĐ-CP/SNV", |_, _| choice("C"))),
        (2, ballot(&round, "LĐH-CH/SNV", |_, _| choice("C"))),
        (25, ballot(&round, &council(&round), |_, _| choice("C"))),
    ];
    let document = document(&round, &tally(&round, &ballots), &[]);
    let all = sensitivity(&round, &document);
    let without = |group: &str| {
        let mut found = all.scenarios.iter().filter(|s| s.respondent_code.as_deref() == Some(group));
        found.next().and_then(|s| s.kinds.iter().find(|k| k.kind == "so")).map(|k| k.available)
    };
    assert_eq!((without("LĐH-CH"), without("HĐ-CT"), without("CC-CT")), (Some(false), Some(false), Some(true)));
}

#[test]
fn an_item_explains_itself_as_far_as_it_is_shown() {
    let round = plan();
    let ballots = [
        (30, ballot(&round, "CC-CT/SNV", |_, _| choice("A"))),
        (11, ballot(&round, "CC-CT/SNV", |_, _| choice("C"))),
        (4, ballot(&round, "CC-CT/SNV", |_, _| choice("N"))),
        (21, ballot(&round, "LĐ-CP/SNV", |_, _| choice("D"))),
    ];
    let shown = document(&round, &tally(&round, &ballots), &[]);
    let told = explain(&round, &shown, "SNV", "X1.1").unwrap();
    // (30 · 100 + 11 · 50) / 41 = 3550/41 = 86.585…; with 25 of the division heads: (3550/41 + 25)/2.
    let own = &told.groups[0];
    assert_eq!((own.sum.as_deref(), own.exact_mean.as_deref()), (Some("3550"), Some("3550/41")));
    assert_eq!((told.exact_percent.as_deref(), told.percent.as_deref()), (Some("4575/82"), Some("55.79")));
    assert_eq!((&*told.weights, told.n, told.left_out), ("2", 62, Some(4)));
    assert_eq!(told.groups.iter().filter(|g| g.counts).count(), 2);
    assert!(explain(&round, &shown, "SNV", "X9").is_none() && explain(&round, &shown, "XX", "X1.1").is_none());

    let hidden = [ballots.to_vec(), vec![(2, ballot(&round, "LĐH-CH/SNV", |_, _| choice("E")))]].concat();
    let hidden = document(&round, &tally(&round, &hidden), &[]);
    let told = explain(&round, &hidden, "SNV", "X1.1").unwrap();
    assert!(told.exact_percent.is_none(), "with it the hidden mean is one subtraction away");
    for group in told.groups.iter().filter(|g| g.suppressed.is_some()) {
        assert!(group.sum.is_none() && group.options.is_none() && group.exact_mean.is_none());
    }
    assert!(told.groups.iter().any(|g| g.suppressed == Some(Suppression::Complementary)));
}
