//! The figures are those that a recount gives, and a sample that both clerks have wrong is found and counted.

use survey_forms::answers::{Answer, Answers};

use super::*;
use crate::bundle::{Act, By};
use crate::keying::fixture::{MATRIX, ROUND, SINGLE, Scene, all, but, scenes, staff};
use crate::keying::{Circumstances, Effort, Reached, Refusal, Task};

fn decision(disputes: &[Dispute], option: &str, reason: Reason) -> Decision {
    let mut decision = Decision { answers: Answers::new(), reasons: BTreeMap::new() };
    for dispute in disputes {
        decision.answers.insert(&dispute.target, &dispute.item, Answer::Choice(option.to_owned()));
        decision.reasons.insert((dispute.target.clone(), dispute.item.clone()), reason);
    }
    decision
}

/// A ballot of which both clerks read the first item wrongly, drawn for the sample.
async fn sampled(scene: &Scene) -> std::sync::Arc<Bearer> {
    let ballot = scene.bearer(&scene.code(SINGLE)).await;
    let label = scene.write(|conn| bundle::label(conn, &ballot.keys.public).unwrap().unwrap());
    let at = scene.clock.fixed().unwrap();
    scene.write(|conn| {
        let id = bundle::find(conn, ROUND, SINGLE, label.bundle).unwrap().id;
        let by = By::Staff(staff("dung"));
        bundle::act(conn, at, &scene.desk.entropy, &by, &id, &Act::Sample { ballots: None }).unwrap();
    });
    for (who, pass) in [("an", Pass::First), ("binh", Pass::Second)] {
        scene.desk.enter(&staff(who), &ballot, pass, all(&ballot, "1")).await.unwrap();
    }
    ballot
}

#[actix_web::test]
async fn a_sample_is_read_blind_by_a_third_and_finds_what_both_have_wrong() {
    for scene in scenes() {
        let ballot = sampled(&scene).await;
        assert_eq!(scene.box_content().len(), 0, "two equal entries wait for the reading");
        let refused = |done: Result<Task, KeyingError>| match done {
            Err(KeyingError::Refused(refusal)) => refusal,
            _ => panic!(),
        };
        assert_eq!(refused(scene.desk.open(&staff("em"), &ballot).await), Refusal::AwaitsSample, "a clerk does not");
        assert_eq!(refused(scene.desk.open(&staff("an"), &ballot).await), Refusal::SamePerson);
        assert!(matches!(scene.desk.open(&staff("chi"), &ballot).await, Ok(Task::Key(Pass::Sample))));
        let paper = but(&ballot, &all(&ballot, "1"), &[(0, "C")]);
        let done = scene.desk.enter(&staff("chi"), &ballot, Pass::Sample, paper.clone()).await.unwrap();
        assert_eq!(done.reached, Reached::Mismatched(1));
        let again = scene.desk.enter(&staff("chi"), &ballot, Pass::Sample, paper.clone()).await.unwrap();
        assert!(again.repeated);
        assert_eq!(
            refused(scene.desk.open(&staff("chi"), &ballot).await),
            Refusal::SamePerson,
            "nor decides its reader"
        );
        let disputes = crate::keying::entry::disputes(&ballot.form().unwrap(), &all(&ballot, "1"), &paper);
        let slip = decision(&disputes, "C", Reason::SlipFirst);
        scene.desk.read_blind(&staff("dung"), &ballot, slip.answers.clone()).await.unwrap();
        scene.desk.adjudicate(&staff("dung"), &ballot, slip).await.unwrap();
        assert!(scene.box_content()[0].answers == paper, "{}", scene.test.backend);

        // Another one reads as both did.
        let ballot = sampled(&scene).await;
        let done = scene.desk.enter(&staff("dung"), &ballot, Pass::Sample, all(&ballot, "1")).await.unwrap();
        assert_eq!((done.reached, scene.turnout()), (Reached::Cast, (2, 2)));
        let figures = scene.desk.figures(ROUND).await.unwrap();
        let sample = figures.sample;
        assert_eq!((sample.items, sample.wrong), (20, 1));
        let bound = sample.upper_per_thousand.unwrap();
        assert!((bound - 1000.0 * upper_bound(1, 20).unwrap()).abs() < 1e-9);
        let wrong: Vec<_> = figures.clerks.iter().filter(|c| c.wrong > 0).map(|c| (c.name.as_str(), c.wrong)).collect();
        assert_eq!(wrong, [("an", 1), ("binh", 1)], "both had it wrong");
    }
}

#[actix_web::test]
async fn figures_are_those_of_a_recount() {
    for scene in scenes() {
        // Three ballots: equal; the second clerk slips twice; one first entry only.
        let mut ballots = Vec::new();
        for group in [SINGLE, SINGLE, MATRIX] {
            ballots.push(scene.bearer(&scene.code(group)).await);
        }
        for ballot in &ballots {
            scene.desk.enter(&staff("an"), ballot, Pass::First, all(ballot, "2")).await.unwrap();
        }
        scene.clock.advance(TimeDelta::days(1));
        scene.desk.enter(&staff("binh"), &ballots[0], Pass::Second, all(&ballots[0], "2")).await.unwrap();
        let slips = but(&ballots[1], &all(&ballots[1], "2"), &[(0, "D"), (3, "E")]);
        scene.desk.enter(&staff("binh"), &ballots[1], Pass::Second, slips.clone()).await.unwrap();
        let disputes = crate::keying::entry::disputes(&ballots[1].form().unwrap(), &all(&ballots[1], "2"), &slips);
        let decided = decision(&disputes, "B", Reason::SlipSecond);
        scene.desk.read_blind(&staff("chi"), &ballots[1], decided.answers.clone()).await.unwrap();
        scene.desk.adjudicate(&staff("chi"), &ballots[1], decided).await.unwrap();

        let figures = scene.desk.figures(ROUND).await.unwrap();
        let of = |name: &str| {
            let c = figures.clerks.iter().find(|c| c.name == name).unwrap();
            (c.ballots, c.items, c.wrong)
        };
        assert_eq!((of("an"), of("binh")), ((3, 20, 0), (2, 20, 2)), "{}", scene.test.backend);
        let first = |name: &str| figures.clerks.iter().find(|c| c.name == name).map(|c| (c.first_items, c.first_wrong));
        assert_eq!((first("an"), first("binh")), (Some((20, 0)), Some((0, 0))), "first passes apart");
        let worst: Vec<_> =
            figures.items.iter().take(2).map(|i| (i.item_code.as_str(), i.compared, i.differed)).collect();
        let form = ballots[1].form().unwrap();
        let codes: Vec<_> = form.questionnaire.items().map(|i| i.code.as_str()).collect();
        assert_eq!(worst, [(codes[0], 2, 1), (codes[3], 2, 1)]);
        assert!(figures.items.iter().skip(2).all(|i| (i.compared, i.differed) == (2, 0) && !i.label.is_empty()));
        let days: Vec<_> = figures.days.iter().map(|d| (d.first, d.second)).collect();
        assert_eq!(days, [(3, 0), (0, 2)]);
        // One second entry is left; at 5 entries in two days it takes one more.
        let forecast = figures.forecast.unwrap();
        assert_eq!((forecast.left, forecast.a_day, forecast.in_time), (1, 2, true));
        let today = local(scene.clock.fixed().unwrap()).date_naive();
        assert_eq!(forecast.done_on, today.succ_opt().unwrap());
        assert_eq!(figures.bundles.iter().map(|b| b.mismatched).sum::<u32>(), 1);
        assert_eq!(figures.here, 3);
        scene.clock.advance(TimeDelta::days(-1));
    }
}

#[actix_web::test]
async fn a_clerks_pace_is_told_by_the_day_and_for_the_round() {
    for scene in scenes() {
        for (keystrokes, refused, seconds) in [(120, 3, 60), (100, 0, 120)] {
            let ballot = scene.bearer(&scene.code(MATRIX)).await;
            let effort = Some(Effort { keystrokes, refused, seconds });
            let with = Circumstances { key: None, effort };
            scene.desk.enter_with(&staff("an"), &ballot, Pass::First, all(&ballot, "2"), with).await.unwrap();
            scene.clock.advance(TimeDelta::days(1));
        }
        // By other means: an entry, and nothing about its pace.
        let ballot = scene.bearer(&scene.code(MATRIX)).await;
        scene.desk.enter(&staff("an"), &ballot, Pass::First, all(&ballot, "2")).await.unwrap();
        let figures = scene.desk.figures(ROUND).await.unwrap();
        let an = figures.clerks.iter().find(|c| c.name == "an").unwrap();
        let told = |pace: Pace| [pace.ballots_per_hour(), pace.keystrokes_per_hour(), pace.refused_per_thousand()];
        assert_eq!(told(an.pace), [Some(40.0), Some(4400.0), Some(3000.0 / 220.0)], "{}", scene.test.backend);
        let days: Vec<_> = an.days.iter().map(|day| (day.ballots, told(day.pace))).collect();
        let expected = [
            (1, [Some(60.0), Some(7200.0), Some(25.0)]),
            (1, [Some(30.0), Some(3000.0), Some(0.0)]),
            (1, [None, None, None]),
        ];
        assert_eq!(days, expected);
        assert_eq!(scene.write(|conn| effort::days(conn, "khac").unwrap()), [], "another round's days are its own");
        scene.clock.advance(TimeDelta::days(-2));
    }
}

#[test]
fn a_median_is_in_the_middle() {
    assert_eq!(median(vec![]), None);
    assert_eq!(median(vec![3.0]), Some(3.0));
    assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
}
