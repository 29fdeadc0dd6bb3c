//! How uncertain a mean and a total are: weights of answers, design effect, variance by linearisation.
//!
//! A group's part in a target's total is `M = Σ_i c_i · m_i`, `m_i` its means and `c_i` the items' and groups' declared
//! weights, `Σ_i c_i = A`. The answers of one ballot go together, so its items are not added as if they were strangers:
//! each ballot has the deviation `e = n · Σ_i (c_i / A) · v_i · (x_i − m_i)` over the items that it answers validly, `v_i`
//! the answer's share in `m_i` (1 by the valid answers of the item, where answers weigh alike). Then
//! `s² = Σ e² / (n − 1)` and the variance of the total is `Σ_g A_g² · s_g² / n_g · (N_g − n_g)/(N_g − 1)`: the ratio
//! estimator's linearisation (W. Cochran, *Sampling Techniques*, 6.3), groups being independent strata. `n` is the
//! largest number of valid answers that the group gives on one item about the target: counts are public.
//!
//! Floating point is used for variances only, and sums of squares are whole numbers, so that the order of the ballots
//! changes nothing.

use std::collections::BTreeMap;

use num_traits::{ToPrimitive, Zero};

use super::Turnouts;
use super::interval;
use super::sheet::{ItemScore, about};
use super::tally::Tally;
use crate::ratio::{self, Ratio};
use crate::round::Round;

/// Of a ballot's deviation, in points: 2⁻³².
const UNIT: f64 = 4_294_967_296.0;

/// A group's part in a target's total.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// The group.
    pub respondent_code: String,
    /// Codes given out for the target.
    pub issued: u64,
    /// Most valid answers that it gives on one item.
    pub n: u64,
    /// `A`: its weight in the total; all of them add up to 1.
    pub weight: Ratio,
    /// `s²` of its ballots; none for fewer than two answers.
    pub variance: Option<f64>,
}

impl Share {
    /// Its part in the variance of the total, its ballots having the variance given.
    pub(super) fn variance_of_total(&self, variance: f64) -> f64 {
        let weight = self.weight.to_f64().unwrap_or_default();
        weight * weight * variance * interval::correction(self.n, self.issued) / real(self.n)
    }
}

/// What one valid answer of each stratum counts for in a group's mean: all of them together count for 1.
pub(super) struct Weights<'t>(BTreeMap<&'t str, Ratio>);

impl<'t> Weights<'t> {
    /// From the valid answers of each stratum. Without adjustment all answers weigh alike; with it each stratum that
    /// answered weighs by its codes given out, or by its answers where there are more of these than codes are known.
    pub(super) fn of(round: &Round, turnout: &Turnouts, group: &str, answers: &[(&'t str, u64)]) -> Self {
        let answered = || answers.iter().filter(|(_, n)| *n > 0);
        let codes = |stratum: &str, n: u64| {
            let key = (group.to_owned(), stratum.to_owned());
            turnout.get(&key).map_or(n, |turnout| turnout.issued.max(n))
        };
        let size = |stratum: &str, n: u64| if round.scoring.response_adjusted { codes(stratum, n) } else { n };
        let all: u64 = answered().map(|(stratum, n)| size(stratum, *n)).sum();
        let weight = |(stratum, n): &(&'t str, u64)| (*stratum, Ratio::new(size(stratum, *n).into(), (n * all).into()));
        Weights(answered().map(weight).collect())
    }

    pub(super) fn of_stratum(&self, stratum: &str) -> Option<&Ratio> {
        self.0.get(stratum)
    }

    pub(super) fn are_several(&self) -> bool {
        let mut weights = self.0.values();
        weights.next().is_some_and(|first| weights.any(|other| other != first))
    }

    /// `(Σ v)² / Σ v²`, rounded down.
    pub(super) fn effective_n(&self, answers: &[(&str, u64)]) -> Option<u64> {
        let square = |(stratum, n): &(&str, u64)| Some(self.of_stratum(stratum)?.pow(2) * ratio::whole(*n));
        let squares = answers.iter().filter_map(square).fold(Ratio::zero(), |sum, part| sum + part);
        if squares.is_zero() { None } else { squares.recip().to_integer().to_u64() }
    }
}

/// Every group's part in a target's total.
pub(super) fn shares(
    round: &Round,
    tally: &Tally,
    turnout: &Turnouts,
    target: &str,
    items: &[ItemScore],
) -> Vec<Share> {
    let answered = || items.iter().filter(|item| item.n > 0);
    let points: Ratio = answered().map(|item| &item.max_points).fold(Ratio::zero(), |sum, more| sum + more);
    if points.is_zero() {
        return Vec::new();
    }
    let weight_of = |group: &str| round.group(group).map(|group| group.weight.clone()).unwrap_or_else(Ratio::zero);
    let mut shares = Vec::new();
    for group in &round.groups {
        let mut parts: BTreeMap<&str, Part<'_>> = BTreeMap::new();
        for item in answered() {
            let Some(cell) = item.groups.iter().find(|cell| cell.respondent_code == group.code) else { continue };
            let Some(mean) = &cell.mean else { continue };
            let weights: Ratio = item
                .groups
                .iter()
                .filter(|cell| cell.n > 0)
                .map(|cell| weight_of(&cell.respondent_code))
                .fold(Ratio::zero(), |sum, more| sum + more);
            let weight = &item.max_points * &group.weight / (&points * weights);
            parts.insert(&item.item_code, Part { weight, mean, n: cell.n });
        }
        let weight = parts.values().fold(Ratio::zero(), |sum, part| sum + &part.weight);
        let Some(n) = parts.values().map(|part| part.n).max() else { continue };
        if weight.is_zero() {
            continue;
        }
        let of = Deviations { round, tally, turnout, group: &group.code, target, parts: &parts, weight: &weight, n };
        shares.push(Share {
            respondent_code: group.code.clone(),
            issued: about(turnout, &group.code, target).0,
            n,
            variance: (n > 1).then(|| of.squares() / real(n - 1)),
            weight,
        });
    }
    shares
}

/// A group's part in one item's part of the total.
struct Part<'s> {
    weight: Ratio,
    mean: &'s Ratio,
    n: u64,
}

struct Deviations<'s> {
    round: &'s Round,
    tally: &'s Tally,
    turnout: &'s Turnouts,
    group: &'s str,
    target: &'s str,
    parts: &'s BTreeMap<&'s str, Part<'s>>,
    weight: &'s Ratio,
    n: u64,
}

impl Deviations<'_> {
    /// `Σ e²`.
    fn squares(&self) -> f64 {
        let items: Vec<&str> = self.tally.items(self.group).collect();
        let mut by_stratum: BTreeMap<&str, Vec<Vec<i64>>> = BTreeMap::new();
        for item in &items {
            let strata = self.tally.histograms(self.group, self.target, item);
            let worth = self.worth(item);
            let answers: Vec<(&str, u64)> = strata
                .iter()
                .map(|(stratum, counts)| {
                    let valid = worth.iter().zip(&counts.options).filter(|(worth, _)| worth.is_some());
                    (*stratum, valid.map(|(_, count)| count).sum())
                })
                .collect();
            let weights = Weights::of(self.round, self.turnout, self.group, &answers);
            for (stratum, _) in answers {
                let share = weights.of_stratum(stratum).cloned().unwrap_or_else(Ratio::zero);
                let deviation = |worth: &Option<Ratio>| {
                    let exact = worth.as_ref().map(|worth| worth * &share * ratio::whole(self.n));
                    exact.and_then(|exact| exact.to_f64()).and_then(|real| (real * UNIT).round().to_i64()).unwrap_or(0)
                };
                by_stratum.entry(stratum).or_default().push(worth.iter().map(deviation).collect());
            }
        }
        let mut sum = 0_i128;
        for (stratum, rows) in self.tally.rows(self.group, self.target) {
            let Some(worth) = by_stratum.get(stratum) else { continue };
            for row in rows.chunks(items.len().max(1)) {
                let of_item = |(code, worth): (&u8, &Vec<i64>)| worth.get(usize::from(*code)).copied().unwrap_or(0);
                let deviation: i64 = row.iter().zip(worth).map(of_item).sum();
                sum = sum.saturating_add(i128::from(deviation) * i128::from(deviation));
            }
        }
        sum.to_f64().unwrap_or_default() / (UNIT * UNIT)
    }

    /// By option of an item's scale: `(c / A) · (x − m)`; none for an option that does not count, nothing at all for an
    /// item that is not in the total.
    fn worth(&self, item: &str) -> Vec<Option<Ratio>> {
        let Some(part) = self.parts.get(item) else { return Vec::new() };
        let asked = self.round.questionnaire(self.group).and_then(|form| form.item(item));
        let scale = asked.and_then(|item| item.scale()).and_then(|scale| self.round.scale(scale));
        let factor = &part.weight / self.weight;
        let options = scale.map(|scale| scale.options.as_slice()).unwrap_or_default();
        let worth = |percent: &Ratio| (percent - part.mean) * &factor;
        options.iter().map(|option| option.percent.as_ref().map(worth)).collect()
    }
}

/// As floating point.
pub(super) fn real(count: u64) -> f64 {
    count.to_f64().unwrap_or(f64::MAX)
}
