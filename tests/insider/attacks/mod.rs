//! What the insider tries. Each attack says, from what is held, which ballot is whose: by two orders that are laid side
//! by side within a stratum, or by a likeness of each pair. The same for free texts, beside people, ballots and each other.

mod content;
mod ids;
mod link;
mod order;
mod remark;

use crate::copies::Evidence;

pub use link::{by_pages, by_rows, by_transaction, by_writes};

/// What an attack comes to.
pub enum Guess {
    /// A key of each person and of each ballot; those of equal rank belong together.
    Orders(Vec<Option<Vec<u8>>>, Vec<Option<Vec<u8>>>),
    /// How much speaks for a person and a ballot belonging together.
    Pairs(Box<dyn Fn(usize, usize) -> i64>),
}

/// What an attack assigns.
#[derive(Clone, Copy)]
pub enum About {
    /// To each person a ballot.
    Ballots,
    /// To each person a free text.
    Remarks,
    /// To each ballot a free text.
    RemarksOfBallots,
    /// To each free text another one of the same person.
    SecondRemarks,
}

/// One attack.
pub struct Attack {
    pub about: About,
    pub name: &'static str,
    /// What it uses.
    pub uses: &'static str,
    pub guess: fn(&Evidence) -> Guess,
}

/// All of them.
pub fn all() -> Vec<Attack> {
    [order::all(), ids::all(), content::all(), remark::all()].into_iter().flatten().collect()
}

/// A number as a key that sorts like it.
fn key(number: i64) -> Vec<u8> {
    (number.cast_unsigned() ^ (1 << 63)).to_be_bytes().to_vec()
}
