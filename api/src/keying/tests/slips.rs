//! Slips of the hand, thousands of them: what one clerk did wrong goes to a third person, whatever kind of slip it was,
//! and only what both did wrong in the same way reaches the box.

use rand::RngExt as _;
use rand::rngs::StdRng;

use super::super::sheet::{self, Typed};
use super::*;
use crate::clock::Entropy;
use crate::keying::fixture::{MIXED, scenes_of_every_kind};

const SLIPS: usize = 10_000;
const SIGNS: [&str; 9] = ["1", "2", "3", "4", "5", "6", ".", "*", "/"];

/// What hands do at a number pad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slip {
    /// Another digit.
    Digit,
    /// A row was read one too low from here on.
    RowShift,
    /// A row was left out: all that follow stand one too high, and the last is filled with what is left.
    SkippedRow,
    /// A key counted twice: all that follow stand one too low.
    DoubledKey,
}

const KINDS: [Slip; 4] = [Slip::Digit, Slip::RowShift, Slip::SkippedRow, Slip::DoubledKey];

fn sign(lot: &mut StdRng) -> String {
    SIGNS[lot.random_range(0..SIGNS.len())].to_owned()
}

/// The keys with one slip in the block of `block` items that holds it: a stop line ends what a shift can reach.
fn slipped(keys: &[String], block: usize, slip: Slip, lot: &mut StdRng) -> Vec<String> {
    let mut typed = keys.to_vec();
    let at = lot.random_range(0..keys.len());
    let end = ((at / block + 1) * block).min(keys.len());
    match slip {
        Slip::Digit => typed[at] = sign(lot),
        Slip::RowShift | Slip::SkippedRow => {
            for place in at..end - 1 {
                typed[place].clone_from(&keys[place + 1]);
            }
            typed[end - 1] = if slip == Slip::RowShift { sign(lot) } else { ".".to_owned() };
        }
        Slip::DoubledKey => {
            for place in at + 1..end {
                typed[place].clone_from(&keys[place - 1]);
            }
        }
    }
    typed
}

/// The entry that the desk makes of keys, as it compares it.
fn entry(ballot: &Bearer, keys: &[String]) -> Answers {
    let form = ballot.form().unwrap();
    let names = places(&form).map(|(target, item)| sheet::input_name(&form, target, item));
    let typed: Typed = names.zip(keys.iter().cloned()).collect();
    entry::comparable(&sheet::read(&form, &typed).ok().unwrap())
}

#[actix_web::test]
async fn of_ten_thousand_slips_none_reaches_the_box_but_what_both_did() {
    let scene = scenes().remove(0);
    let mut lot = Entropy::seeded(7).generator();
    let mut counts: BTreeMap<Slip, [usize; 3]> = BTreeMap::new();
    let (mut both_slipped, mut same) = (0, 0);
    for (group, block, share) in [(SINGLE, 5, 9), (MATRIX, 8, 1)] {
        let ballot = scene.bearer(&scene.code(group)).await;
        let form = ballot.form().unwrap();
        let items = places(&form).count();
        for n in 0..SLIPS * share / 10 {
            let paper: Vec<String> = (0..items).map(|_| sign(&mut lot)).collect();
            let right = entry(&ballot, &paper);
            let slip = KINDS[n % KINDS.len()];
            let both = n % 3 == 0;
            both_slipped += usize::from(both);
            let wrong = entry(&ballot, &slipped(&paper, block, slip, &mut lot));
            // In either pass; the other clerk keys right, and one in three slips too, in a way of her own.
            let other = if both {
                let slip = KINDS[lot.random_range(0..KINDS.len())];
                entry(&ballot, &slipped(&paper, block, slip, &mut lot))
            } else {
                right.clone()
            };
            let (first, second) = if lot.random_range(0..2) == 0 { (&wrong, &other) } else { (&other, &wrong) };
            let count = counts.entry(slip).or_default();
            count[0] += 1;
            let disputes = entry::disputes(&form, first, second);
            assert_eq!(disputes.is_empty(), first == second, "whatever differs is disputed");
            if first == second {
                // It is cast: it is what stands on the paper, or both did the very same.
                if *first == right {
                    count[2] += 1;
                } else {
                    assert!(wrong == other);
                    same += 1;
                }
                continue;
            }
            count[1] += 1;
            // The third person reads what is disputed from the paper.
            let mut read = decision(&[], "A");
            for dispute in &disputes {
                let answer = right.get(&dispute.target, &dispute.item).unwrap().clone();
                read.answers.insert(&dispute.target, &dispute.item, answer);
                read.reasons.insert((dispute.target.clone(), dispute.item.clone()), Reason::SlipFirst);
            }
            let decided = entry::settle(&form, first, &disputes, &read).unwrap();
            let left: Vec<_> = entry::disputes(&form, &decided, &right);
            assert!(left.iter().all(|d| first.get(&d.target, &d.item) == second.get(&d.target, &d.item)));
            assert!(both || left.is_empty(), "one clerk's slip never reaches the box");
            same += usize::from(!left.is_empty());
        }
    }
    for (slip, [all, caught, none]) in &counts {
        println!("# {slip:?}: {all} slips, {caught} went to a third person, {none} left every code as it was");
    }
    let one = SLIPS - both_slipped;
    println!("# {one} ballots on which one clerk slipped: 0 reached the box with the slip");
    println!(
        "# {both_slipped} on which both were made to slip in the same way somewhere: {same} with a code that both had wrong alike"
    );
    assert_eq!(counts.values().map(|c| c[0]).sum::<usize>(), SLIPS);
    assert!(counts.values().all(|[all, caught, _]| caught * 2 > *all), "the test makes slips");
}

/// The same through the whole desk, with every kind of question.
#[actix_web::test]
async fn slips_on_the_desk_itself_end_at_the_third_person() {
    for scene in scenes_of_every_kind() {
        let mut lot = Entropy::seeded(11).generator();
        // As many as the round allows.
        for n in 0..4 {
            let ballot = scene.bearer(&scene.code(MIXED)).await;
            let form = ballot.form().unwrap();
            let mut keyed = || -> Vec<String> {
                let given = |item: &survey_forms::questionnaire::Item, lot: &mut StdRng| match item.kind.as_str() {
                    "text" => ["Trả kết quả đúng hẹn", "Cần thêm ghế"][lot.random_range(0..2)].to_owned(),
                    "number" => ["7", "12,5"][lot.random_range(0..2)].to_owned(),
                    _ => ["1", "2", ".", "*", "/"][lot.random_range(0..5)].to_owned(),
                };
                places(&form).map(|(_, item)| given(item, &mut lot)).collect()
            };
            let paper = keyed();
            let mut slip = paper.clone();
            let at = n % slip.len();
            slip[at] = if paper[at] == "." { "/" } else { "." }.to_owned();
            let (first, second) = if n % 2 == 0 { (&paper, &slip) } else { (&slip, &paper) };
            scene.desk.enter(&staff("an"), &ballot, Pass::First, entry(&ballot, first)).await.unwrap();
            let done = scene.desk.enter(&staff("binh"), &ballot, Pass::Second, entry(&ballot, second)).await.unwrap();
            assert_eq!(done.reached, Reached::Mismatched(1));
        }
        assert_eq!(scene.box_content().len(), 0, "{}", scene.test.backend);
    }
}
