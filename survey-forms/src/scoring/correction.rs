//! A later release: what it leaves out of the count, and whether it tells more than the releases before it.
//!
//! Ballots are fixed and rules are declared before a round opens, so a correction can leave out answers that must not
//! count (an agency whose people were told what to tick, an item printed wrongly), or mend what a program got wrong.
//!
//! What is left out may not become known by it. With an item's score before and after, `P` and `P'`, and the weights of
//! the groups, the mean of a group that was left out is `(P·W − P'·W') / w`: so only cells may be left out that were
//! shown before, or a whole item that was. Then every number of the new release follows from the older ones, and the
//! attacker has learnt nothing. [`reveals`] holds a correction to that, and finds every number that was hidden in all
//! earlier releases and is shown in the new one.

use serde::{Deserialize, Serialize};

use super::document::{DocumentItem, DocumentTarget, ScoreDocument};
use crate::disclosure::Suppression;
use crate::round::Round;

/// Answers that do not count: those that fit everything that is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Of one group; of every group when absent.
    pub respondent_code: Option<String>,
    /// About one target; about every target when absent.
    pub target: Option<String>,
    /// To one item; to every item when absent.
    pub item_code: Option<String>,
}

/// Why a release was made after the first one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// In words, for everybody.
    pub reason: String,
    /// What does not count in it, seen from the box: not only what is new.
    pub left_out: Vec<LeftOut>,
}

/// A number that a correction would give away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revealed {
    /// About this target.
    pub target: String,
    /// Of this item; of the target's fields or total when absent.
    pub item_code: Option<String>,
    /// Of this group; the score of all groups when absent.
    pub respondent_code: Option<String>,
}

impl LeftOut {
    /// Whether it names something, and only what the round has.
    #[must_use]
    pub fn is_of(&self, round: &Round) -> bool {
        let known = |name: &Option<String>, known: &dyn Fn(&str) -> bool| name.as_deref().is_none_or(known);
        *self != Self::default()
            && known(&self.respondent_code, &|code| round.group(code).is_some())
            && known(&self.target, &|code| round.target(code).is_some())
            && known(&self.item_code, &|code| round.criterion(code).is_some())
    }

    /// Whether an answer is one of these.
    #[must_use]
    pub fn covers(&self, group: &str, target: &str, item: &str) -> bool {
        let fits = |named: &Option<String>, is: &str| named.as_deref().is_none_or(|named| named == is);
        fits(&self.respondent_code, group) && fits(&self.target, target) && fits(&self.item_code, item)
    }
}

/// What is told about a target's total: points, percent, rank.
pub type Standing = (Option<String>, Option<String>, Option<u32>);

/// A target whose total or rank differs between two releases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its code.
    pub target: String,
    /// What people see.
    pub name: String,
    /// In the older release.
    pub before: Standing,
    /// In the newer one.
    pub after: Standing,
}

/// What a newer release tells otherwise about the targets' totals and ranks, in their order; and how many other numbers
/// of fields, items and groups differ.
#[must_use]
pub fn changes(before: &ScoreDocument, after: &ScoreDocument) -> (Vec<Changed>, usize) {
    let standing = |t: &DocumentTarget| (t.survey_points.clone(), t.percent.clone(), t.rank);
    let (mut totals, mut others) = (Vec::new(), 0);
    for now in &after.targets {
        let Some(then) = before.targets.iter().find(|then| then.target == now.target) else { continue };
        if standing(then) != standing(now) {
            let (target, name) = (now.target.clone(), now.name.clone());
            totals.push(Changed { target, name, before: standing(then), after: standing(now) });
        }
        others += then.fields.iter().zip(&now.fields).filter(|(then, now)| then != now).count();
        for (then, now) in then.items.iter().zip(&now.items) {
            others += usize::from((&then.points, &then.percent, then.n) != (&now.points, &now.percent, now.n));
            others += then.groups.iter().zip(&now.groups).filter(|(then, now)| then != now).count();
        }
    }
    (totals, others)
}

/// What a correction would give away; nothing, when it may be released.
#[must_use]
pub fn reveals(earlier: &[ScoreDocument], new: &ScoreDocument) -> Vec<Revealed> {
    let left_out = new.correction.as_ref().map(|correction| correction.left_out.as_slice()).unwrap_or_default();
    let mut revealed = Vec::new();
    for target in &new.targets {
        let then: Vec<&DocumentTarget> =
            earlier.iter().flat_map(|release| &release.targets).filter(|then| then.target == target.target).collect();
        let seen = |item_code: Option<&str>, respondent_code: Option<&str>| Revealed {
            target: target.target.clone(),
            item_code: item_code.map(str::to_owned),
            respondent_code: respondent_code.map(str::to_owned),
        };
        let total =
            Number { now: target.percent.is_some(), then: then.iter().map(|t| (t.suppressed, t.percent.is_some())) };
        let mut sums = vec![total.comes_new()];
        for field in &target.fields {
            let then = then.iter().flat_map(|t| &t.fields).filter(|then| then.field == field.field);
            let then = then.map(|then| (then.suppressed, then.percent.is_some()));
            sums.push(Number { now: field.percent.is_some(), then }.comes_new());
        }
        if sums.contains(&true) {
            revealed.push(seen(None, None));
        }
        for item in &target.items {
            let then: Vec<&DocumentItem> =
                then.iter().flat_map(|t| &t.items).filter(|then| then.item_code == item.item_code).collect();
            revealed.extend(
                of_item(&target.target, item, &then, left_out)
                    .into_iter()
                    .map(|group| seen(Some(&item.item_code), group)),
            );
        }
    }
    revealed.sort();
    revealed.dedup();
    revealed
}

/// The groups of an item whose means would become known; none for its score.
fn of_item<'d>(
    target: &str,
    item: &'d DocumentItem,
    then: &[&DocumentItem],
    left_out: &[LeftOut],
) -> Vec<Option<&'d str>> {
    let mut revealed = Vec::new();
    let scores = then.iter().map(|then| (then.suppressed, then.percent.is_some()));
    if (Number { now: item.percent.is_some(), then: scores }).comes_new() {
        revealed.push(None);
    }
    let of_group =
        |group: &'d str| then.iter().flat_map(|then| &then.groups).filter(move |cell| cell.respondent_code == group);
    let answered = |group: &'d str| of_group(group).any(|cell| cell.n > 0);
    let gone = |group: &str| left_out.iter().any(|out| out.covers(group, target, &item.item_code));
    let groups = || item.groups.iter().map(|cell| cell.respondent_code.as_str()).filter(|group| answered(group));
    let was_shown = |group: &'d str| of_group(group).any(|cell| cell.mean.is_some());
    // The item as a whole is its score, which was told.
    let whole = groups().all(gone) && then.iter().any(|then| then.percent.is_some());
    revealed.extend(groups().filter(|group| gone(group) && !whole && !was_shown(group)).map(Some));
    for cell in &item.groups {
        let then = of_group(&cell.respondent_code).map(|then| (then.suppressed, then.mean.is_some()));
        if (Number { now: cell.mean.is_some(), then }).comes_new() {
            revealed.push(Some(&cell.respondent_code));
        }
    }
    revealed
}

/// A number now, and in each earlier release: why it was hidden, and whether it was shown.
struct Number<I> {
    now: bool,
    then: I,
}

impl<I: Iterator<Item = (Option<Suppression>, bool)>> Number<I> {
    /// Whether it is told for the first time, after it was kept back.
    fn comes_new(self) -> bool {
        let (mut kept_back, mut told) = (false, false);
        for (hidden, shown) in self.then {
            kept_back |= hidden.is_some_and(|reason| reason != Suppression::NoValidAnswers);
            told |= shown;
        }
        self.now && kept_back && !told
    }
}

#[cfg(test)]
mod tests;
