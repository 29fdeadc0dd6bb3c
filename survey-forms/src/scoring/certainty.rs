//! How sure a published total is: its interval, the ranks that it may have, the design effect.
//!
//! None of it may tell about a hidden cell. So a group enters the variance of a total with its own variance only where
//! every one of its cells about the target is shown with its distribution; every other group is taken to vary as much as
//! the most varied of those (a stratum with too few answers borrows the variance of its neighbours; W. Cochran, *Sampling
//! Techniques*, 5A.12). Where no group is shown so, there is no interval. The design effect and the item non-response
//! are made of counts, which are public.

use super::interval::Z;
use super::sheet::{ItemScore, TargetScore};
use super::tables::items_by_field;
use super::variance::Share;
use crate::disclosure::{self, Table};
use crate::ratio::{self, Ratio};
use crate::round::{DisclosureRules, Round};

/// Variance of a target's percent; `table` is its table after disclosure control.
pub(super) fn variance(rules: &DisclosureRules, target: &TargetScore, table: &Table) -> Option<f64> {
    if table.hidden.is_some() {
        return None;
    }
    let own = |share: &Share| share.variance.filter(|_| is_open(rules, target, table, &share.respondent_code));
    let most = target.shares.iter().filter_map(own).max_by(f64::total_cmp)?;
    Some(target.shares.iter().map(|share| share.variance_of_total(own(share).unwrap_or(most))).sum())
}

/// Whether all that a group says about a target is shown, distributions too.
fn is_open(rules: &DisclosureRules, target: &TargetScore, table: &Table, group: &str) -> bool {
    let fields = items_by_field(target);
    let rows = fields.iter().zip(&table.fields).flat_map(|(items, field)| items.iter().zip(&field.items));
    let cells = rows.flat_map(|(item, judged)| item.groups.iter().zip(&judged.cells));
    let mut own = cells.filter(|(cell, _)| cell.respondent_code == group && cell.n > 0);
    own.all(|(cell, judged)| judged.hidden.is_none() && disclosure::shows_distribution(rules, cell.effective_n))
}

/// Kish's design effect of unequal weights, `n · Σ w² / (Σ w)²`: how many times more ballots the total needs than if all
/// weighed alike. From counts and declared weights alone.
pub(super) fn design_effect(target: &TargetScore) -> Option<Ratio> {
    let ballots: u64 = target.shares.iter().map(|share| share.n).sum();
    let parts = target.shares.iter().map(|share| share.weight.pow(2) / ratio::whole(share.n));
    (ballots > 0).then(|| parts.fold(ratio::whole(0), |sum, part| sum + part) * ratio::whole(ballots))
}

/// How many ballots were asked an item. None where some are asked only after certain answers: the number would tell how
/// many gave these.
pub(super) fn asked(round: &Round, item: &ItemScore) -> Option<u64> {
    let always = |group: &str| {
        let asked = round.questionnaire(group).and_then(|form| form.item(&item.item_code));
        asked.is_some_and(|item| item.only_if.is_empty())
    };
    let all = item.groups.iter().all(|cell| always(&cell.respondent_code));
    all.then(|| item.groups.iter().map(|cell| cell.histogram.asked()).sum())
}

/// A total among those of its kind.
#[derive(Debug, Clone)]
pub(super) struct Total {
    pub(super) percent: Ratio,
    pub(super) variance: Option<f64>,
}

/// Whether two totals differ by more than chance makes in 95 of 100 cases; unknown where one has no variance. They are
/// compared as independent: people who rate both are mostly strict or lenient with both, so the truth is on the side of
/// more differences.
pub(super) fn differ(one: &Total, other: &Total) -> Option<bool> {
    let variance = one.variance? + other.variance?;
    let apart = Ratio::from_float(Z * variance.max(0.0).sqrt())?;
    Some(num_traits::Signed::abs(&(&one.percent - &other.percent)) > apart)
}

/// The best and the worst rank that a total may have, and whether it really differs from the next one below it: none
/// where one of the two has no variance, and at the end of the list.
pub(super) fn place(own: &Total, of_kind: &[Total]) -> ((u32, u32), Option<bool>) {
    let apart = |other: &&Total| differ(own, other) == Some(true);
    let better = of_kind.iter().filter(|other| other.percent > own.percent).filter(apart).count();
    let worse = of_kind.iter().filter(|other| other.percent < own.percent).filter(apart).count();
    let rank = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let below = of_kind.iter().filter(|other| other.percent < own.percent);
    let next = below.max_by(|one, other| one.percent.cmp(&other.percent));
    // Of several that tie, the least certain one decides.
    let ties = next.map(|next| of_kind.iter().filter(|other| other.percent == next.percent));
    let next = ties.and_then(|ties| {
        ties.map(|tie| differ(own, tie)).reduce(|one, other| if one == Some(true) { other } else { one })
    });
    ((rank(better + 1), rank(of_kind.len() - worse)), next.flatten())
}
