//! Answers are whole numbers of people: what a hidden mean of a row can be, given the pooled score.

use num_integer::Integer;
use num_traits::ToPrimitive;

use super::tree::{Cell, EPSILON, Item};

/// More possible sums of answers than this are as good as a continuum.
const FINE: u64 = 2_000;
/// Most combinations of other cells that are tried; more are as good as a continuum.
const TRIED: u64 = 1_500;

/// From the lowest to the highest value that a hidden cell can have, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Any number between 0 and 100 being a mean.
    pub(super) smooth: f64,
    /// Means being those of whole people.
    pub(super) whole: f64,
}

/// What is left possible when the pooled score and the shown cells of the row are known.
///
/// A mean of `n` answers is a multiple of `step / n`. With few other hidden cells these multiples meet the pooled score,
/// known to half its last decimal, only now and then (7 and 11 answers: once in 25 points), and what does not meet it
/// is not possible.
pub(super) fn spread(item: &Item, cell: &Cell, decimals: u32) -> Spread {
    let known: f64 = item.answered().filter(|c| c.is_known()).map(|c| c.weight * c.mean).sum();
    let left = item.weights() * item.score() - known;
    let hidden = item.answered().filter(|other| !other.is_known());
    let others: Vec<&Cell> = hidden.filter(|other| !std::ptr::eq(*other, cell)).collect();
    let most: f64 = others.iter().map(|other| other.weight * 100.0).sum();
    let low = ((left - most) / cell.weight).max(0.0);
    let high = (left / cell.weight).min(100.0);
    let smooth = (high - low).max(0.0);
    let digits = 0.1_f64.powi(i32::try_from(decimals).unwrap_or(2));
    // Points are rounded too; with many points to an item they are the finer figure.
    let finer = if item.max_points > 100.0 { 100.0 / item.max_points } else { 1.0 };
    let slack = 0.5 * digits * finer * item.weights() + EPSILON;
    let all_smooth = Spread { smooth, whole: smooth };
    let Some(others) = Others::of(&others, slack) else { return all_smooth };
    let Some(sums) = lattice(cell).filter(|sums| *sums <= FINE) else { return all_smooth };
    let value = |sum: u64| real(sum) * cell.step / real(cell.n);
    let possible = |sum: &u64| {
        let value = value(*sum);
        value >= low - slack / cell.weight
            && value <= high + slack / cell.weight
            && others.fit(left - cell.weight * value, slack)
    };
    let (lowest, highest) = ((0..=sums).find(possible), (0..=sums).rev().find(possible));
    // The true value is always possible; nothing found would be an error of arithmetic, and counts as pinned.
    let whole = lowest.zip(highest).map_or(0.0, |(lowest, highest)| value(highest) - value(lowest));
    Spread { smooth, whole }
}

/// How many steps the sum of a cell's answers may have above zero.
fn lattice(cell: &Cell) -> Option<u64> {
    (cell.step > 0.0).then(|| (real(cell.n) * 100.0 / cell.step).round().to_u64()).flatten()
}

fn real(count: u64) -> f64 {
    count.to_f64().unwrap_or(f64::MAX)
}

/// Other hidden cells of a row, each with what a step of its sum adds and how many there are; the largest last.
struct Others(Vec<(f64, u64)>);

impl Others {
    /// `None` where they can add up to about any amount.
    fn of(cells: &[&Cell], slack: f64) -> Option<Self> {
        let mut units = Vec::new();
        let (mut multiple, mut finest) = (1_u64, f64::MAX);
        for cell in cells {
            units.push((cell.weight * cell.step / real(cell.n), lattice(cell)?));
            multiple = multiple.checked_div(multiple.gcd(&cell.n))?.checked_mul(cell.n)?;
            finest = finest.min(cell.weight * cell.step);
        }
        units.sort_by_key(|(_, sums)| *sums);
        let looped = units.iter().rev().skip(1).try_fold(1_u64, |all, (_, sums)| all.checked_mul(sums + 1));
        // Sums this close together lie within the rounding.
        let dense = finest / real(multiple) <= 2.0 * slack;
        (!dense && looped? <= TRIED).then_some(Self(units))
    }

    /// Whether they can add up to an amount.
    fn fit(&self, amount: f64, slack: f64) -> bool {
        fit(&self.0, amount, slack)
    }
}

fn fit(units: &[(f64, u64)], amount: f64, slack: f64) -> bool {
    match units {
        [] => amount.abs() <= slack,
        [(unit, sums)] => {
            let nearest = (amount / unit).round().clamp(0.0, real(*sums));
            (amount - nearest * unit).abs() <= slack
        }
        [(unit, sums), rest @ ..] => {
            // Only what leaves the rest an amount that they can reach.
            let most: f64 = rest.iter().map(|(unit, sums)| unit * real(*sums)).sum();
            let first = ((amount - most - slack) / unit).ceil().to_u64().unwrap_or(0);
            let last = ((amount + slack) / unit).floor().to_u64().map_or(0, |last| last.min(*sums));
            amount >= -slack && (first..=last).any(|sum| fit(rest, amount - unit * real(sum), slack))
        }
    }
}
