//! What the ranks would be under other rules than the declared ones.
//!
//! Worked out from the released document alone, with its rounded numbers, so it tells nothing that anyone could not work
//! out from it: what is hidden stays together as one group with the mean that the pooled score leaves it, and what is
//! not shown at all stays as it is. Where that is not enough (a group to be left out has a hidden cell) there is no
//! answer for that kind of targets.

use std::collections::BTreeMap;

use num_traits::Zero;
use serde::{Deserialize, Serialize};

use super::document::{DocumentCell, DocumentItem, DocumentTarget, ScoreDocument};
use super::ranks;
use crate::ratio::{self, Ratio};
use crate::round::Round;

/// Ranks under other rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The round's id.
    pub round: String,
    /// One a rule.
    pub scenarios: Vec<Scenario>,
}

/// One other rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Which.
    pub rule: OtherRule,
    /// The group that is left out.
    pub respondent_code: Option<String>,
    /// By kind of targets, those that the rule concerns.
    pub kinds: Vec<KindRanks>,
}

/// Another rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherRule {
    /// Groups weigh by their valid answers: every ballot alike.
    EqualBallots,
    /// One group's answers are left out.
    WithoutGroup,
    /// Options are worth the `other_percent` of their scale.
    OtherScale,
}

/// A kind's ranks under a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRanks {
    /// The kind.
    pub kind: String,
    /// Whether there is an answer: not where a hidden cell would have to be known.
    pub available: bool,
    /// How many targets have another rank than the declared one.
    pub moved: u64,
    /// By how many places the one moved that moved most.
    pub most: u64,
    /// The ranked targets, in the order of the round.
    pub targets: Vec<OtherRank>,
}

/// A target's rank under a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherRank {
    /// The target.
    pub target: String,
    /// Its percent under the rule.
    pub percent: Option<String>,
    /// Its rank under the rule.
    pub rank: Option<u32>,
    /// Its rank as declared.
    pub declared_rank: Option<u32>,
}

/// Ranks of a released document under every other rule that the round has an answer for.
#[must_use]
pub fn sensitivity(round: &Round, document: &ScoreDocument) -> Sensitivity {
    let mut rules = vec![(OtherRule::EqualBallots, None)];
    rules.extend(round.groups.iter().map(|group| (OtherRule::WithoutGroup, Some(group.code.clone()))));
    if round.scales.iter().flat_map(|scale| &scale.options).any(|option| option.other_percent.is_some()) {
        rules.push((OtherRule::OtherScale, None));
    }
    let scenarios = rules.into_iter().map(|(rule, group)| {
        let under = Under { round, rule, group: group.as_deref() };
        let kinds = round.target_kinds.iter().filter_map(|kind| under.kind(document, &kind.code)).collect();
        Scenario { rule, respondent_code: group, kinds }
    });
    Sensitivity { round: document.round.clone(), scenarios: scenarios.filter(|s| !s.kinds.is_empty()).collect() }
}

struct Under<'r> {
    round: &'r Round,
    rule: OtherRule,
    group: Option<&'r str>,
}

/// What it takes to know a hidden number.
struct Hidden;

impl Under<'_> {
    fn kind(&self, document: &ScoreDocument, kind: &str) -> Option<KindRanks> {
        let targets: Vec<&DocumentTarget> =
            document.targets.iter().filter(|target| target.kind == kind && target.rank.is_some()).collect();
        let mut cells = targets.iter().flat_map(|target| &target.items).flat_map(|item| &item.groups);
        let is_concerned = match self.group {
            Some(group) => cells.any(|cell| cell.respondent_code == group && cell.n > 0),
            None => !targets.is_empty(),
        };
        if !is_concerned {
            return None;
        }
        let percents: Option<Vec<Option<Ratio>>> = targets.iter().map(|target| self.percent(target).ok()).collect();
        let Some(percents) = percents else {
            let kind = kind.to_owned();
            return Some(KindRanks { kind, available: false, moved: 0, most: 0, targets: Vec::new() });
        };
        let decimals = self.round.scoring.decimals;
        let targets: Vec<OtherRank> = targets
            .iter()
            .zip(&percents)
            .zip(ranks(&percents))
            .map(|((target, percent), rank)| OtherRank {
                target: target.target.clone(),
                percent: percent.as_ref().map(|percent| ratio::to_fixed(percent, decimals)),
                rank,
                declared_rank: target.rank,
            })
            .collect();
        let moves = targets.iter().filter_map(|target| Some(target.rank?.abs_diff(target.declared_rank?)));
        let moves: Vec<u64> = moves.map(u64::from).filter(|by| *by > 0).collect();
        let moved = u64::try_from(moves.len()).unwrap_or(u64::MAX);
        let most = moves.into_iter().max().unwrap_or(0);
        Some(KindRanks { kind: kind.to_owned(), available: true, moved, most, targets })
    }

    /// A target's percent; none when nobody is left who answered.
    fn percent(&self, target: &DocumentTarget) -> Result<Option<Ratio>, Hidden> {
        let shown = target.survey_points.as_deref().and_then(ratio::parse).ok_or(Hidden)?;
        let most = ratio::parse(&target.max_points).ok_or(Hidden)?;
        // What no item shows stays as it is.
        let (mut points, mut max_points) = (shown, most);
        for item in target.items.iter().filter(|item| item.n > 0) {
            let worth = ratio::parse(&item.max_points).ok_or(Hidden)?;
            let (Some(percent), Some(item_points)) = (&item.percent, &item.points) else {
                if item.groups.iter().any(|cell| cell.n > 0 && Some(cell.respondent_code.as_str()) == self.group) {
                    return Err(Hidden);
                }
                continue;
            };
            let (percent, item_points) =
                (ratio::parse(percent).ok_or(Hidden)?, ratio::parse(item_points).ok_or(Hidden)?);
            points -= item_points;
            match self.item(item, &percent)? {
                Some(percent) => points += percent * &worth / ratio::whole(100),
                None => max_points -= worth,
            }
        }
        Ok((max_points > Ratio::zero()).then(|| points / max_points * ratio::whole(100)))
    }

    /// An item's score; none when nobody is left who answered.
    fn item(&self, item: &DocumentItem, percent: &Ratio) -> Result<Option<Ratio>, Hidden> {
        let weight = |cell: &DocumentCell| {
            self.round.group(&cell.respondent_code).map(|group| group.weight.clone()).unwrap_or_else(Ratio::zero)
        };
        let answered = || item.groups.iter().filter(|cell| cell.n > 0);
        // Weight, answers, mean; the hidden ones together.
        let (mut parts, mut hidden) = (Vec::new(), (Ratio::zero(), 0_u64));
        let mut rest = answered().map(weight).fold(Ratio::zero(), |sum, more| sum + more) * percent;
        for cell in answered() {
            let weight = weight(cell);
            let leave_out = self.group == Some(&cell.respondent_code);
            match cell.mean.as_deref().and_then(ratio::parse) {
                None if leave_out => return Err(Hidden),
                None => hidden = (hidden.0 + weight, hidden.1 + cell.n),
                Some(mean) => {
                    rest -= &weight * &mean;
                    if !leave_out {
                        parts.push((weight, cell.n, self.worth(item, cell).unwrap_or(mean)));
                    }
                }
            }
        }
        if hidden.1 > 0 {
            let mean = (rest / &hidden.0).clamp(Ratio::zero(), ratio::whole(100));
            parts.push((hidden.0, hidden.1, mean));
        }
        let weight = |(weight, n, _): &(Ratio, u64, Ratio)| match self.rule {
            OtherRule::EqualBallots => ratio::whole(*n),
            OtherRule::WithoutGroup | OtherRule::OtherScale => weight.clone(),
        };
        let weights = parts.iter().map(weight).fold(Ratio::zero(), |sum, more| sum + more);
        let sum = parts.iter().map(|part| weight(part) * &part.2).fold(Ratio::zero(), |sum, more| sum + more);
        Ok((!weights.is_zero()).then(|| sum / weights))
    }

    /// A cell's mean on the other scale, where its distribution is shown and the scale has one.
    fn worth(&self, item: &DocumentItem, cell: &DocumentCell) -> Option<Ratio> {
        if self.rule != OtherRule::OtherScale {
            return None;
        }
        let asked = self.round.questionnaire(&cell.respondent_code)?.item(&item.item_code)?;
        let options = &self.round.scale(asked.scale()?)?.options;
        let counts: BTreeMap<&str, u64> =
            cell.distribution.as_ref()?.iter().filter_map(|o| Some((o.option.as_deref()?, o.count))).collect();
        let (mut n, mut sum) = (0, Ratio::zero());
        for option in options {
            let Some(percent) = &option.other_percent else { continue };
            let count = counts.get(option.code.as_str()).copied().unwrap_or(0);
            n += count;
            sum += percent * ratio::whole(count);
        }
        (n > 0).then(|| sum / ratio::whole(n))
    }
}
