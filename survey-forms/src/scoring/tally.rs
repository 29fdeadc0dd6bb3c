//! Counting ballots: integer histograms, one pass, order does not matter.

use std::collections::{BTreeMap, BTreeSet};

use super::correction::LeftOut;
use crate::answers::{Answer, Asked, Ballot, Form, Mark};
use crate::questionnaire::{Choices, Questionnaire, Scale};
use crate::ratio::{self, Ratio};
use crate::round::{Channel, Round};

/// What became of a ballot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// It counts.
    Valid,
    /// It does not count, for this reason.
    Void(VoidReason),
}

/// Why a ballot does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoidReason {
    /// Of another round.
    OtherRound,
    /// No group rates these targets together.
    UnknownStratum,
    /// Filled in on another version of the questionnaire.
    OtherQuestionnaire,
    /// Holds a target, item, option or mark that its form does not have.
    UnfitAnswers,
    /// Paper, and less than the declared share of its items is valid.
    TooFewValid,
}

/// Two tallies of different rules cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tallies were made under different rules")]
pub struct TallyMismatch;

/// Counts of one item about one target from one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By option, in the order of the scale.
    pub options: Vec<u64>,
    /// Paper: nothing marked.
    pub blank: u64,
    /// Paper: more than one option marked.
    pub several: u64,
    /// Paper: cannot be read.
    pub illegible: u64,
    /// Online: not answered.
    pub absent: u64,
}

/// Positions behind an item's options.
const MARKS: usize = 4;
const ABSENT: usize = 3;

/// Integer counts of all ballots of a round. Adding is one pass over a ballot's items.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    round: String,
    rules_hash: String,
    void_below: Ratio,
    groups: BTreeMap<String, GroupTally>,
    /// Ballots of no known group.
    stray: BTreeMap<VoidReason, u64>,
}

#[derive(Debug, Clone, PartialEq)]
struct GroupTally {
    questionnaire: String,
    channel: Channel,
    /// The scored items.
    items: Vec<ItemShape>,
    /// For forms that ask more than scales, or ask under conditions.
    rich: Option<Box<Rich>>,
    /// Targets of the group → place of their block of counts.
    targets: BTreeMap<String, usize>,
    strata: BTreeSet<Vec<String>>,
    /// Target blocks, each with the items' options and marks in a row.
    counts: Vec<u64>,
    block: usize,
    valid: u64,
    void: BTreeMap<VoidReason, u64>,
}

/// What it takes to know what is asked and whether other answers fit.
#[derive(Debug, Clone, PartialEq)]
struct Rich {
    questionnaire: Questionnaire,
    scales: Vec<Scale>,
    choices: Vec<Choices>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ItemShape {
    code: String,
    start: usize,
    options: Vec<OptionShape>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct OptionShape {
    code: String,
    /// Counts as a valid item for the rule on void ballots.
    valid: bool,
}

impl Tally {
    /// An empty tally under a round's rules.
    #[must_use]
    pub fn new(round: &Round) -> Tally {
        let mut groups: BTreeMap<String, GroupTally> = BTreeMap::new();
        for assignment in round.assignments() {
            let code = assignment.respondent_code;
            let Some(shape) = GroupTally::of(round, &code) else {
                continue;
            };
            let group = groups.entry(code).or_insert(shape);
            for target in &assignment.targets {
                let next = group.targets.len();
                group.targets.entry(target.clone()).or_insert(next);
            }
            group.strata.insert(assignment.targets);
        }
        for group in groups.values_mut() {
            group.counts = vec![0; group.block * group.targets.len()];
        }
        Tally {
            round: round.id.clone(),
            rules_hash: round.hash.clone(),
            void_below: round.scoring.void_below.clone(),
            groups,
            stray: BTreeMap::new(),
        }
    }

    /// Counts one ballot.
    pub fn add(&mut self, ballot: &Ballot) -> Counted {
        let Some(group) = self.groups.get_mut(&ballot.stratum.respondent_code) else {
            let reason = if ballot.round == self.round { VoidReason::UnknownStratum } else { VoidReason::OtherRound };
            *self.stray.entry(reason).or_insert(0) += 1;
            return Counted::Void(reason);
        };
        let places = if ballot.round == self.round {
            group.places(ballot, &self.void_below)
        } else {
            Err(VoidReason::OtherRound)
        };
        match places {
            Ok(places) => {
                for place in places {
                    if let Some(count) = group.counts.get_mut(place) {
                        *count += 1;
                    }
                }
                group.valid += 1;
                Counted::Valid
            }
            Err(reason) => {
                *group.void.entry(reason).or_insert(0) += 1;
                Counted::Void(reason)
            }
        }
    }

    /// Adds another tally of the same rules, for counting in parts.
    ///
    /// # Errors
    /// The other was made under other rules; nothing is added.
    pub fn merge(&mut self, other: &Tally) -> Result<(), TallyMismatch> {
        if self.rules_hash != other.rules_hash || self.round != other.round {
            return Err(TallyMismatch);
        }
        for (code, theirs) in &other.groups {
            let Some(ours) = self.groups.get_mut(code) else {
                return Err(TallyMismatch);
            };
            for (count, more) in ours.counts.iter_mut().zip(&theirs.counts) {
                *count += more;
            }
            ours.valid += theirs.valid;
            for (reason, more) in &theirs.void {
                *ours.void.entry(*reason).or_insert(0) += more;
            }
        }
        for (reason, more) in &other.stray {
            *self.stray.entry(*reason).or_insert(0) += more;
        }
        Ok(())
    }

    /// Takes answers out of the count again. Ballots stay counted as ballots.
    pub fn leave_out(&mut self, out: &LeftOut) {
        for (code, group) in &mut self.groups {
            for (target, place) in &group.targets {
                for item in group.items.iter().filter(|item| out.covers(code, target, &item.code)) {
                    let start = place * group.block + item.start;
                    let counts = group.counts.iter_mut().skip(start).take(item.options.len() + MARKS);
                    counts.for_each(|count| *count = 0);
                }
            }
        }
    }

    /// The counts of an item about a target from a group; `None` where the group is not asked that.
    #[must_use]
    pub fn histogram(&self, group: &str, target: &str, item: &str) -> Option<Histogram> {
        let group = self.groups.get(group)?;
        let block = group.targets.get(target)? * group.block;
        let shape = group.items.iter().find(|shape| shape.code == item)?;
        let start = block + shape.start;
        let marks = start + shape.options.len();
        let at = |place: usize| group.counts.get(place).copied().unwrap_or(0);
        Some(Histogram {
            options: (start..marks).map(at).collect(),
            blank: at(marks),
            several: at(marks + 1),
            illegible: at(marks + 2),
            absent: at(marks + ABSENT),
        })
    }

    /// Ballots of a group that count.
    #[must_use]
    pub fn valid(&self, group: &str) -> u64 {
        self.groups.get(group).map_or(0, |group| group.valid)
    }

    /// Void ballots of a group, by reason.
    #[must_use]
    pub fn void(&self, group: &str) -> BTreeMap<VoidReason, u64> {
        self.groups.get(group).map(|group| group.void.clone()).unwrap_or_default()
    }

    /// Void ballots that name no group of the round, by reason.
    #[must_use]
    pub fn stray(&self) -> &BTreeMap<VoidReason, u64> {
        &self.stray
    }
}

impl GroupTally {
    fn of(round: &Round, code: &str) -> Option<GroupTally> {
        let group = round.group(code)?;
        let questionnaire = round.questionnaire(code)?;
        let mut items = Vec::new();
        let mut start = 0;
        for item in questionnaire.items() {
            let Some(scale) = item.scale() else { continue };
            let options: Vec<OptionShape> = round
                .scale(scale)?
                .options
                .iter()
                .map(|option| OptionShape {
                    code: option.code.clone(),
                    valid: option.percent.is_some() || round.scoring.excluded_is_valid,
                })
                .collect();
            let width = options.len() + MARKS;
            items.push(ItemShape { code: item.code.clone(), start, options });
            start += width;
        }
        let rich = questionnaire.has_conditions() || questionnaire.items().any(|item| item.scale().is_none());
        let rich = rich.then(|| {
            let (scales, choices) = (round.scales.clone(), round.choices.clone());
            Box::new(Rich { questionnaire: questionnaire.clone(), scales, choices })
        });
        Some(GroupTally {
            rich,
            questionnaire: questionnaire.hash.clone(),
            channel: group.channel,
            items,
            targets: BTreeMap::new(),
            strata: BTreeSet::new(),
            counts: Vec::new(),
            block: start,
            valid: 0,
            void: BTreeMap::new(),
        })
    }

    /// Where a ballot adds one, or why it is void. Nothing is counted before all of it is known.
    fn places(&self, ballot: &Ballot, void_below: &Ratio) -> Result<Vec<usize>, VoidReason> {
        let targets = &ballot.stratum.targets;
        if !self.strata.contains(targets) {
            return Err(VoidReason::UnknownStratum);
        }
        if ballot.questionnaire != self.questionnaire {
            return Err(VoidReason::OtherQuestionnaire);
        }
        let rich = self.rich.as_deref();
        let asked = rich.map(|rich| Asked::of(&rich.questionnaire, targets, &ballot.answers));
        let asks = |target: &str, item: &str| asked.as_ref().is_none_or(|asked| asked.has(target, item));
        let mut places = Vec::with_capacity(targets.len() * self.items.len());
        let (mut total, mut valid, mut found) = (0_usize, 0_usize, 0_usize);
        for target in targets {
            let slot = self.targets.get(target).ok_or(VoidReason::UnknownStratum)?;
            let block = slot * self.block;
            for item in &self.items {
                let answer = ballot.answers.get(target, &item.code);
                found += usize::from(answer.is_some());
                let (offset, counts) = item.place(answer, self.channel)?;
                if asks(target, &item.code) {
                    total += 1;
                    valid += usize::from(counts);
                    places.push(block + item.start + offset);
                } else if answer.is_some() && self.channel == Channel::Online {
                    return Err(VoidReason::UnfitAnswers);
                }
            }
        }
        if let Some(rich) = rich {
            let form = Form {
                questionnaire: &rich.questionnaire,
                scales: &rich.scales,
                choices: &rich.choices,
                targets,
                channel: self.channel,
            };
            found += form.fitting_others(&ballot.answers, asks).ok_or(VoidReason::UnfitAnswers)?;
        }
        if found != ballot.answers.len() {
            return Err(VoidReason::UnfitAnswers);
        }
        let count = |number: usize| ratio::whole(u64::try_from(number).unwrap_or(u64::MAX));
        if self.channel == Channel::Paper && count(valid) < void_below * count(total) {
            return Err(VoidReason::TooFewValid);
        }
        Ok(places)
    }
}

impl ItemShape {
    /// Position among the item's counts, and whether the item is valid.
    fn place(&self, answer: Option<&Answer>, channel: Channel) -> Result<(usize, bool), VoidReason> {
        let marks = self.options.len();
        match answer {
            None => Ok((marks + ABSENT, false)),
            Some(Answer::Mark(_)) if channel == Channel::Online => Err(VoidReason::UnfitAnswers),
            Some(Answer::Mark(Mark::Blank)) => Ok((marks, false)),
            Some(Answer::Mark(Mark::Several)) => Ok((marks + 1, false)),
            Some(Answer::Mark(Mark::Illegible)) => Ok((marks + 2, false)),
            Some(Answer::Choices(_) | Answer::Number(_) | Answer::Text(_)) => Err(VoidReason::UnfitAnswers),
            Some(Answer::Choice(code)) => {
                let mut options = self.options.iter().enumerate();
                let found = options.find(|(_, option)| option.code == *code);
                found.map(|(place, option)| (place, option.valid)).ok_or(VoidReason::UnfitAnswers)
            }
        }
    }
}
