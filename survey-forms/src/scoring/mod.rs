//! What answers are worth: counted as integers, scored as exact fractions, rounded once.
//!
//! The declared rules (the round's `[scoring]` and `[disclosure]`):
//! 1. An answer is worth its option's percent. Options without a percent, blank, several,
//!    illegible and absent are left out of mean and n, and counted.
//! 2. A group's score of an item is the plain mean over its valid answers.
//! 3. An item's score is the mean of the groups that answered, by the groups' weights. A group
//!    without a valid answer, or that does not rate the target, drops out of the denominator.
//! 4. An item's points are `max_points` × score. An item that nobody validly answered for a target
//!    has no points, and counts in neither the target's points nor its maximum.
//! 5. Fields and the total add points and maxima; percent is points by maximum.
//! 6. Ranks compare exact percents within a kind; ties share (1, 2, 2, 4).
//! 7. A paper ballot with less than the declared share of valid items is void.

mod certainty;
mod correction;
mod document;
mod explain;
mod interval;
mod sensitivity;
mod sheet;
mod tables;
mod tally;
mod variance;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use crate::ratio::Ratio;
pub use correction::{Changed, Correction, LeftOut, Revealed, Standing, changes, reveals};
pub use document::{
    Ballots, DocumentCell, DocumentField, DocumentItem, DocumentTarget, Interval, OptionCount, RankRange,
    ScoreDocument, VoidCount,
};
pub use explain::{Explanation, GroupPart, MarkPart, OptionPart, explain};
pub use sensitivity::{KindRanks, OtherRank, OtherRule, Scenario, Sensitivity, sensitivity};
pub use sheet::{CellScore, FieldScore, GroupBallots, ItemScore, ScoreSheet, TargetScore, ranks, score};
pub use tally::{BallotKind, Counted, Histogram, Tally, TallyMismatch, VoidReason};
pub use variance::Share;

/// Turnout by group and stratum: the targets that its ballots rate together, in the order of the round, joined by `+`.
/// What is missing counts as zero.
pub type Turnouts = BTreeMap<(String, String), Turnout>;

/// Codes given out and ballots that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Turnout {
    /// Codes given out, without the revoked.
    pub issued: u64,
    /// Ballots that came back, void ones included.
    pub returned: u64,
}
