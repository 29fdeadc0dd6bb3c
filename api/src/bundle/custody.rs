//! Where one sheet of paper is: a closed set of places, and moves that can refuse.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a sheet leaves the way to the box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Misprinted, torn, or replaced by another sheet.
    Spoiled,
    /// It did not reach anybody.
    Undeliverable,
    /// Nobody knows where it is.
    Lost,
    /// It was handed out and did not come back.
    NotReturned,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Spoiled, Self::Undeliverable, Self::Lost, Self::NotReturned];

    /// As in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spoiled => "spoiled",
            Self::Undeliverable => "undeliverable",
            Self::Lost => "lost",
            Self::NotReturned => "not_returned",
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Spoiled => "Hỏng",
            Self::Undeliverable => "Không phát được",
            Self::Lost => "Thất lạc",
            Self::NotReturned => "Không thu về được",
        }
    }

    /// The exit of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.as_str() == text)
    }
}

/// Where a sheet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Custody {
    /// Its code was made; it lies with whoever prints.
    Printed,
    /// Handed to whoever carries it out.
    Issued,
    /// In a respondent's hands.
    Delivered,
    /// Back.
    Received,
    /// Counted into its bundle.
    Bundled,
    /// Its bundle is locked.
    Archived,
    /// It left the way.
    Gone(Exit),
}

/// What happens to a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Handed to whoever carries it out.
    Issue,
    /// Given to a respondent.
    Deliver,
    /// It came back.
    Receive,
    /// Its bundle was counted.
    Bundle,
    /// Its bundle was locked.
    Archive,
    /// It left the way.
    Leave(Exit),
    /// What was thought gone is here.
    Find,
}

/// Why a sheet does not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CustodyRefusal {
    /// The step before is missing.
    #[error("the sheet has not come so far")]
    TooEarly,
    /// It has come further, or left.
    #[error("the sheet is past this")]
    Past,
    /// It left the way.
    #[error("the sheet is gone")]
    Gone,
    /// It is not gone.
    #[error("the sheet is not gone")]
    Here,
}

impl Custody {
    /// All of them, in the order of the way.
    pub const ALL: [Self; 10] = [
        Self::Printed,
        Self::Issued,
        Self::Delivered,
        Self::Received,
        Self::Bundled,
        Self::Archived,
        Self::Gone(Exit::Spoiled),
        Self::Gone(Exit::Undeliverable),
        Self::Gone(Exit::Lost),
        Self::Gone(Exit::NotReturned),
    ];

    /// As in the database and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Printed => "printed",
            Self::Issued => "issued",
            Self::Delivered => "delivered",
            Self::Received => "received",
            Self::Bundled => "bundled",
            Self::Archived => "archived",
            Self::Gone(exit) => exit.as_str(),
        }
    }

    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Printed => "Đã in",
            Self::Issued => "Đã bàn giao",
            Self::Delivered => "Đã phát",
            Self::Received => "Đã thu về",
            Self::Bundled => "Đã kiểm đếm",
            Self::Archived => "Đã lưu",
            Self::Gone(exit) => exit.words(),
        }
    }

    /// The place of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|custody| custody.as_str() == text)
    }

    /// Whether the sheet lies at the desk: it can be keyed.
    #[must_use]
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Received | Self::Bundled)
    }

    /// Steps from the printer; none for what left.
    const fn step(self) -> Option<u8> {
        match self {
            Self::Printed => Some(0),
            Self::Issued => Some(1),
            Self::Delivered => Some(2),
            Self::Received => Some(3),
            Self::Bundled => Some(4),
            Self::Archived => Some(5),
            Self::Gone(_) => None,
        }
    }

    /// The place after a move.
    ///
    /// # Errors
    /// [`CustodyRefusal`]; the sheet stays where it is.
    pub fn after(self, step: Move) -> Result<Self, CustodyRefusal> {
        let Some(at) = self.step() else {
            return match step {
                Move::Find => Ok(Self::Received),
                _ => Err(CustodyRefusal::Gone),
            };
        };
        let (from, to) = match step {
            Move::Find => return Err(CustodyRefusal::Here),
            Move::Leave(_) if matches!(self, Self::Archived) => return Err(CustodyRefusal::Past),
            Move::Leave(exit) => return Ok(Self::Gone(exit)),
            Move::Issue => (0..=0, Self::Issued),
            Move::Deliver => (1..=1, Self::Delivered),
            // Sheets that nobody noted as given out come back all the same.
            Move::Receive => (1..=2, Self::Received),
            Move::Bundle => (3..=3, Self::Bundled),
            Move::Archive => (4..=4, Self::Archived),
        };
        if from.contains(&at) {
            Ok(to)
        } else if at < *from.start() {
            Err(CustodyRefusal::TooEarly)
        } else {
            Err(CustodyRefusal::Past)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn step() -> impl Strategy<Value = Move> {
        prop_oneof![
            Just(Move::Issue),
            Just(Move::Deliver),
            Just(Move::Receive),
            Just(Move::Bundle),
            Just(Move::Archive),
            prop::sample::select(Exit::ALL.to_vec()).prop_map(Move::Leave),
            Just(Move::Find),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// An account of the accepted moves, kept beside the machine, explains where the sheet is.
        #[test]
        fn no_sequence_of_moves_loses_or_doubles_a_sheet(moves in prop::collection::vec(step(), 0..30)) {
            let mut at = Custody::Printed;
            let (mut issued, mut back, mut archived) = (false, false, false);
            for step in moves {
                let Ok(next) = at.after(step) else { continue };
                prop_assert_ne!(next, at);
                prop_assert!(!archived, "nothing leaves the archive");
                match step {
                    Move::Issue => issued = true,
                    Move::Deliver => prop_assert!(issued),
                    Move::Receive => { prop_assert!(issued); back = true; }
                    Move::Bundle => prop_assert!(back),
                    Move::Archive => { prop_assert!(back); archived = true; }
                    Move::Find => { prop_assert!(matches!(at, Custody::Gone(_))); (issued, back) = (true, true); }
                    Move::Leave(exit) => prop_assert_eq!(next, Custody::Gone(exit)),
                }
                prop_assert!(!next.is_here() || back, "only what came back is keyed");
                at = next;
                prop_assert_eq!(Custody::parse(at.as_str()), Some(at));
            }
        }
    }

    #[test]
    fn each_refusal_says_why() {
        assert_eq!(Custody::Printed.after(Move::Receive), Err(CustodyRefusal::TooEarly));
        assert_eq!(Custody::Received.after(Move::Issue), Err(CustodyRefusal::Past));
        assert_eq!(Custody::Gone(Exit::Lost).after(Move::Bundle), Err(CustodyRefusal::Gone));
        assert_eq!(Custody::Bundled.after(Move::Find), Err(CustodyRefusal::Here));
        assert_eq!(Custody::Archived.after(Move::Leave(Exit::Lost)), Err(CustodyRefusal::Past));
    }
}
