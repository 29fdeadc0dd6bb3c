//! Counting ballots whose answers are bytes already: the quick way for files with a row a ballot.

use super::{Answer, Channel, Counted, ItemShape, Tally, VoidReason};

/// A kind of ballot: whose, about which targets, with which scored items.
#[derive(Debug, Clone)]
pub struct BallotKind {
    group: String,
    channel: Channel,
    items: Vec<ItemShape>,
    blocks: Vec<usize>,
}

impl BallotKind {
    /// Codes of the items, in the order of the form.
    pub fn items(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.code.as_str())
    }

    /// The byte of an answer to the item at this place of the form, or of none; `None` where it does not fit.
    #[must_use]
    pub fn code(&self, item: usize, answer: Option<&Answer>) -> Option<u8> {
        self.items.get(item)?.place(answer, self.channel).ok()
    }
}

impl Tally {
    /// How ballots of a group about these targets are counted as bytes. `None` where nobody rates these together, and
    /// for forms that ask more than scales or ask under conditions: those are [`Tally::add`]'s.
    #[must_use]
    pub fn kind(&self, group: &str, targets: &[String]) -> Option<BallotKind> {
        let known = self.groups.get(group).filter(|known| known.rich.is_none())?;
        Some(BallotKind {
            group: group.to_owned(),
            channel: known.channel,
            items: known.items.clone(),
            blocks: known.strata.get(targets)?.clone(),
        })
    }

    /// Counts one ballot of a kind of this round: a byte an item ([`BallotKind::code`]), target after target.
    pub fn add_coded(&mut self, kind: &BallotKind, codes: &[u8]) -> Counted {
        let Some(group) = self.groups.get_mut(&kind.group) else { return Counted::Void(VoidReason::UnknownStratum) };
        if codes.len() != kind.blocks.len() * group.items.len() {
            return group.set_aside(VoidReason::UnfitAnswers);
        }
        match group.count(&kind.blocks, codes, &self.void_below) {
            Ok(()) => Counted::Valid,
            Err(reason) => group.set_aside(reason),
        }
    }
}
