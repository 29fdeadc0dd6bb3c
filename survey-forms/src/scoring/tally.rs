//! Counting ballots: integer histograms, one pass, order does not matter.

use std::collections::BTreeMap;

use num_traits::ToPrimitive;

use super::correction::LeftOut;
use crate::answers::{Answer, Asked, Ballot, Form, Mark};
use crate::questionnaire::{Choices, Questionnaire, Scale};
use crate::ratio::{self, Ratio};
use crate::round::{Channel, Round};

mod coded;

pub use coded::BallotKind;

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
    /// Targets that are rated together → their blocks, in the same order.
    strata: BTreeMap<Vec<String>, Vec<usize>>,
    blocks: Vec<Block>,
    valid: u64,
    uniform: u64,
    void: BTreeMap<VoidReason, u64>,
}

/// What the ballots of one stratum say about one of its targets.
#[derive(Debug, Clone, PartialEq)]
struct Block {
    /// The stratum's targets, joined by `+`.
    stratum: String,
    target: String,
    /// The items' options and marks in a row.
    counts: Vec<u64>,
    /// The same answers ballot by ballot, a byte an item: without them nobody could say how answers go together, which
    /// the interval of a total depends on.
    rows: Vec<u8>,
}

/// An item that a ballot was not asked, in a row of bytes.
pub(super) const NOT_ASKED: u8 = u8::MAX;
/// Fewer answers than this cannot be told to be all the same.
const UNIFORM_FROM: usize = 3;

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
            groups.entry(code).or_insert(shape).add_stratum(assignment.targets);
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
        let mut codes = Vec::new();
        let read =
            if ballot.round == self.round { group.read(ballot, &mut codes) } else { Err(VoidReason::OtherRound) };
        match read.and_then(|blocks| group.count(&blocks, &codes, &self.void_below)) {
            Ok(()) => Counted::Valid,
            Err(reason) => group.set_aside(reason),
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
            for (block, more) in ours.blocks.iter_mut().zip(&theirs.blocks) {
                block.counts.iter_mut().zip(&more.counts).for_each(|(count, more)| *count += more);
                block.rows.extend_from_slice(&more.rows);
            }
            ours.valid += theirs.valid;
            ours.uniform += theirs.uniform;
            for (reason, more) in &theirs.void {
                *ours.void.entry(*reason).or_insert(0) += more;
            }
        }
        for (reason, more) in &other.stray {
            *self.stray.entry(*reason).or_insert(0) += more;
        }
        Ok(())
    }

    /// Takes answers out of the count again, as if they had not been asked for. Ballots stay counted as ballots.
    pub fn leave_out(&mut self, out: &LeftOut) {
        for (code, group) in &mut self.groups {
            let width = group.items.len().max(1);
            for block in &mut group.blocks {
                let of_block = group.items.iter().enumerate();
                for (place, item) in of_block.filter(|(_, item)| out.covers(code, &block.target, &item.code)) {
                    let counts = block.counts.iter_mut().skip(item.start).take(item.options.len() + MARKS);
                    counts.for_each(|count| *count = 0);
                    let rows = block.rows.chunks_mut(width).filter_map(|row| row.get_mut(place));
                    rows.for_each(|answer| *answer = NOT_ASKED);
                }
            }
        }
    }

    /// The counts of an item about a target from a group; `None` where the group is not asked that.
    #[must_use]
    pub fn histogram(&self, group: &str, target: &str, item: &str) -> Option<Histogram> {
        self.histograms(group, target, item).into_iter().map(|(_, histogram)| histogram).reduce(Histogram::plus)
    }

    /// The same by stratum: the targets that its ballots rate, joined by `+`. Empty where the group is not asked that.
    pub(super) fn histograms(&self, group: &str, target: &str, item: &str) -> Vec<(&str, Histogram)> {
        let Some(group) = self.groups.get(group) else { return Vec::new() };
        let Some(shape) = group.items.iter().find(|shape| shape.code == item) else { return Vec::new() };
        let of_target = group.blocks.iter().filter(|block| block.target == target);
        of_target.map(|block| (block.stratum.as_str(), shape.histogram(&block.counts))).collect()
    }

    /// Ballot by ballot what a group says about a target, stratum by stratum: so many bytes a ballot as the group has
    /// scored items, each the place of an option or mark, or [`NOT_ASKED`].
    pub(super) fn rows(&self, group: &str, target: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let blocks = self.groups.get(group).map(|group| group.blocks.as_slice()).unwrap_or_default();
        let of_target = blocks.iter().filter(move |block| block.target == target);
        of_target.map(|block| (block.stratum.as_str(), block.rows.as_slice()))
    }

    /// Codes of a group's scored items, in the order of [`Tally::rows`].
    pub(super) fn items(&self, group: &str) -> impl Iterator<Item = &str> {
        let items = self.groups.get(group).map(|group| group.items.as_slice()).unwrap_or_default();
        items.iter().map(|item| item.code.as_str())
    }

    /// Ballots of a group that count.
    #[must_use]
    pub fn valid(&self, group: &str) -> u64 {
        self.groups.get(group).map_or(0, |group| group.valid)
    }

    /// Of these, ballots that give the same option everywhere: at least three scored answers, all alike.
    #[must_use]
    pub fn uniform(&self, group: &str) -> u64 {
        self.groups.get(group).map_or(0, |group| group.uniform)
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

impl VoidReason {
    /// As in documents and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherRound => "other_round",
            Self::UnknownStratum => "unknown_stratum",
            Self::OtherQuestionnaire => "other_questionnaire",
            Self::UnfitAnswers => "unfit_answers",
            Self::TooFewValid => "too_few_valid",
        }
    }
}

impl Histogram {
    fn plus(mut self, other: Histogram) -> Histogram {
        self.options.iter_mut().zip(&other.options).for_each(|(count, more)| *count += more);
        self.blank += other.blank;
        self.several += other.several;
        self.illegible += other.illegible;
        self.absent += other.absent;
        self
    }

    /// Ballots that were asked this.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.options.iter().sum::<u64>() + self.blank + self.several + self.illegible + self.absent
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
            strata: BTreeMap::new(),
            blocks: Vec::new(),
            valid: 0,
            uniform: 0,
            void: BTreeMap::new(),
        })
    }

    fn add_stratum(&mut self, targets: Vec<String>) {
        if self.strata.contains_key(&targets) {
            return;
        }
        let width = self.items.last().map_or(0, |last| last.start + last.options.len() + MARKS);
        let first = self.blocks.len();
        for target in &targets {
            let (stratum, target) = (targets.join("+"), target.clone());
            self.blocks.push(Block { stratum, target, counts: vec![0; width], rows: Vec::new() });
        }
        self.strata.insert(targets, (first..self.blocks.len()).collect());
    }

    /// Counts a ballot that does not count.
    fn set_aside(&mut self, reason: VoidReason) -> Counted {
        *self.void.entry(reason).or_insert(0) += 1;
        Counted::Void(reason)
    }

    /// What a ballot says, a byte an item of each of its targets, or why it is void; gives back its targets' blocks.
    fn read(&self, ballot: &Ballot, codes: &mut Vec<u8>) -> Result<Vec<usize>, VoidReason> {
        let targets = &ballot.stratum.targets;
        let blocks = self.strata.get(targets).ok_or(VoidReason::UnknownStratum)?;
        if ballot.questionnaire != self.questionnaire {
            return Err(VoidReason::OtherQuestionnaire);
        }
        let rich = self.rich.as_deref();
        let asked = rich.map(|rich| Asked::of(&rich.questionnaire, targets, &ballot.answers));
        let asks = |target: &str, item: &str| asked.as_ref().is_none_or(|asked| asked.has(target, item));
        codes.reserve(targets.len() * self.items.len());
        let mut found = 0_usize;
        for target in targets {
            for item in &self.items {
                let answer = ballot.answers.get(target, &item.code);
                found += usize::from(answer.is_some());
                let place = item.place(answer, self.channel)?;
                if asks(target, &item.code) {
                    codes.push(place);
                } else if answer.is_some() && self.channel == Channel::Online {
                    return Err(VoidReason::UnfitAnswers);
                } else {
                    codes.push(NOT_ASKED);
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
        if found == ballot.answers.len() { Ok(blocks.clone()) } else { Err(VoidReason::UnfitAnswers) }
    }

    /// Counts what a ballot says, or gives back why it does not count. Nothing is counted before all of it is known.
    fn count(&mut self, blocks: &[usize], codes: &[u8], void_below: &Ratio) -> Result<(), VoidReason> {
        let width = self.items.len();
        if width == 0 {
            self.valid += 1;
            return Ok(());
        }
        let (mut asked, mut valid) = (0_u64, 0_u64);
        let (mut answered, mut first, mut alike) = (0_usize, None, true);
        for (item, code) in self.items.iter().cycle().zip(codes).filter(|(_, code)| **code != NOT_ASKED) {
            asked += 1;
            if let Some(option) = item.options.get(usize::from(*code)) {
                valid += u64::from(option.valid);
                answered += 1;
                alike = alike && *first.get_or_insert(&option.code) == &option.code;
            }
        }
        if self.channel == Channel::Paper && is_below(valid, asked, void_below) {
            return Err(VoidReason::TooFewValid);
        }
        self.uniform += u64::from(alike && answered >= UNIFORM_FROM);
        self.valid += 1;
        for (place, row) in blocks.iter().zip(codes.chunks(width)) {
            let Some(block) = self.blocks.get_mut(*place) else { continue };
            block.rows.extend_from_slice(row);
            for (item, code) in self.items.iter().zip(row).filter(|(_, code)| **code != NOT_ASKED) {
                if let Some(count) = block.counts.get_mut(item.start + usize::from(*code)) {
                    *count += 1;
                }
            }
        }
        Ok(())
    }
}

/// Whether so many are less than this share of all.
fn is_below(part: u64, all: u64, share: &Ratio) -> bool {
    match (share.numer().to_u64(), share.denom().to_u64()) {
        (Some(over), Some(under)) => u128::from(part) * u128::from(under) < u128::from(over) * u128::from(all),
        _ => ratio::whole(part) < share * ratio::whole(all),
    }
}

impl ItemShape {
    fn histogram(&self, counts: &[u64]) -> Histogram {
        let marks = self.start + self.options.len();
        let at = |place: usize| counts.get(place).copied().unwrap_or(0);
        Histogram {
            options: (self.start..marks).map(at).collect(),
            blank: at(marks),
            several: at(marks + 1),
            illegible: at(marks + 2),
            absent: at(marks + ABSENT),
        }
    }

    /// Position among the item's counts.
    fn place(&self, answer: Option<&Answer>, channel: Channel) -> Result<u8, VoidReason> {
        let marks = self.options.len();
        let place = match answer {
            None => marks + ABSENT,
            Some(Answer::Mark(_)) if channel == Channel::Online => return Err(VoidReason::UnfitAnswers),
            Some(Answer::Mark(Mark::Blank)) => marks,
            Some(Answer::Mark(Mark::Several)) => marks + 1,
            Some(Answer::Mark(Mark::Illegible)) => marks + 2,
            Some(Answer::Choices(_) | Answer::Number(_) | Answer::Text(_)) => return Err(VoidReason::UnfitAnswers),
            Some(Answer::Choice(code)) => {
                let found = self.options.iter().position(|option| option.code == *code);
                found.ok_or(VoidReason::UnfitAnswers)?
            }
        };
        // A scale has at most a few dozen options.
        u8::try_from(place).ok().filter(|place| *place != NOT_ASKED).ok_or(VoidReason::UnfitAnswers)
    }
}
