//! What is published beside the scores: whether it tells of hidden cells.

use super::*;

/// The width of a total's interval is the same whatever the groups answer whose cells are hidden, though the total moves.
#[test]
fn an_intervals_width_tells_nothing_of_hidden_groups() {
    let round = lenient_plan();
    let sizes = [60, 50, 45, 9, 9, 60, 9, 9];
    let small: Vec<&str> =
        round.groups.iter().zip(sizes).filter(|(_, size)| *size < 10).map(|(group, _)| group.code.as_str()).collect();
    // Everybody of a small group answers otherwise than before.
    let turned = |ballots: &[Ballot], by: usize| -> Vec<Ballot> {
        let mut all = ballots.to_vec();
        for ballot in all.iter_mut().filter(|ballot| small.contains(&ballot.stratum.respondent_code.as_str())) {
            let mut answers = Answers::new();
            for (target, item, answer) in ballot.answers.iter() {
                let Answer::Choice(option) = answer else { panic!("the plan asks for options") };
                let other = "ABCDE".find(option.as_str()).map_or("N", |at| &"ABCDEABCDE"[at + by..=at + by]);
                answers.insert(target, item, Answer::Choice(other.to_owned()));
            }
            ballot.answers = answers;
        }
        all
    };
    let (mut compared, mut moved) = (0, 0);
    for seed in 1..12 {
        let ballots = ballots(&round, &["SNV"], seed, sizes);
        let told = [0, 1, 2, 3].map(|by| document(&round, &sheet(&round, &turned(&ballots, by))).targets.remove(0));
        let open = |target: &DocumentTarget| -> Vec<bool> {
            let cells = target.items.iter().flat_map(|item| &item.groups);
            cells.map(|cell| cell.mean.is_some() && cell.distribution.is_some()).collect()
        };
        let width = |target: &DocumentTarget| {
            let number = |text: &str| text.parse::<f64>().unwrap();
            target.interval.as_ref().map(|ends| number(&ends.high) - number(&ends.low))
        };
        let [first, others @ ..] = &told;
        for other in others.iter().filter(|other| open(other) == open(first)) {
            let (Some(one), Some(two)) = (width(first), width(other)) else { continue };
            assert!((one - two).abs() < 0.021, "seed {seed}: {one} and {two}");
            compared += 1;
            moved += usize::from(first.percent != other.percent);
        }
    }
    assert!(compared > 5 && moved > 5, "{compared} {moved}");
}
