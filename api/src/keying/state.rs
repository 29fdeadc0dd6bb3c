//! How far one paper ballot is: a closed set of states, each with the persons it owes itself to, and moves that can
//! refuse. Nothing here knows an answer.

use std::fmt;

/// Who acts: the id of a member of staff.
pub type Person = String;

/// The two blind passes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Nobody has keyed this ballot yet.
    First,
    /// Somebody else has.
    Second,
}

impl Pass {
    /// As in the API and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
        }
    }

    /// 1 or 2, for people.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The capture of one paper ballot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capture {
    /// Nobody has keyed it.
    Awaiting,
    /// One entry waits for the second.
    FirstDone {
        /// Who keyed it first.
        first: Person,
    },
    /// Two people keyed the same; it goes into the box.
    Matched {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
    },
    /// Two people keyed different things; a third decides from the paper.
    Mismatched {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
    },
    /// The third has decided; it goes into the box.
    Adjudicated {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who decided.
        third: Person,
    },
    /// In the box.
    Cast {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who decided, when the two differed.
        third: Option<Person>,
    },
}

/// Why a move is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Each pass needs a person of its own, and the decision a third one.
    #[error("this person has already worked on the ballot")]
    SamePerson,
    /// Somebody else has already done this pass.
    #[error("this pass has been done by somebody else")]
    PassTaken,
    /// There is no first entry to compare with.
    #[error("the first pass comes first")]
    FirstMissing,
    /// The two entries differ: a third person decides.
    #[error("the ballot waits for a third person")]
    AwaitsThird,
    /// The two entries do not differ, or are not both there.
    #[error("there is nothing to decide")]
    NotDisputed,
    /// Neither two equal entries nor a decision.
    #[error("the ballot is not settled")]
    NotSettled,
    /// In the box already.
    #[error("the ballot is in the box")]
    AlreadyCast,
}

impl Capture {
    /// Which pass `by` may do now.
    ///
    /// # Errors
    /// Why none.
    pub fn next_pass(&self, by: &str) -> Result<Pass, Refusal> {
        match self {
            Self::Awaiting => Ok(Pass::First),
            Self::FirstDone { first } if first == by => Err(Refusal::SamePerson),
            Self::FirstDone { .. } => Ok(Pass::Second),
            Self::Mismatched { .. } => Err(Refusal::AwaitsThird),
            Self::Matched { .. } | Self::Adjudicated { .. } => Err(Refusal::PassTaken),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
        }
    }

    /// The first entry is in.
    ///
    /// # Errors
    /// Unless nobody has keyed the ballot.
    pub fn first_done(&self, by: &str) -> Result<Self, Refusal> {
        match self.next_pass(by)? {
            Pass::First => Ok(Self::FirstDone { first: by.to_owned() }),
            Pass::Second => Err(Refusal::PassTaken),
        }
    }

    /// The second entry is in, equal to the first or not.
    ///
    /// # Errors
    /// Unless exactly one entry waits, keyed by somebody else.
    pub fn second_done(&self, by: &str, equal: bool) -> Result<Self, Refusal> {
        self.next_pass(by)?;
        match self {
            Self::FirstDone { first } => {
                let (first, second) = (first.clone(), by.to_owned());
                Ok(if equal { Self::Matched { first, second } } else { Self::Mismatched { first, second } })
            }
            _ => Err(Refusal::FirstMissing),
        }
    }

    /// Whether `by` may decide.
    ///
    /// # Errors
    /// Unless two different entries wait, both keyed by others.
    pub fn may_settle(&self, by: &str) -> Result<(), Refusal> {
        match self {
            Self::Mismatched { first, second } if first == by || second == by => Err(Refusal::SamePerson),
            Self::Mismatched { .. } => Ok(()),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            Self::Adjudicated { .. } => Err(Refusal::PassTaken),
            Self::Awaiting | Self::FirstDone { .. } | Self::Matched { .. } => Err(Refusal::NotDisputed),
        }
    }

    /// A third person has decided.
    ///
    /// # Errors
    /// As [`Capture::may_settle`].
    pub fn settled(&self, by: &str) -> Result<Self, Refusal> {
        self.may_settle(by)?;
        match self {
            Self::Mismatched { first, second } => {
                Ok(Self::Adjudicated { first: first.clone(), second: second.clone(), third: by.to_owned() })
            }
            _ => Err(Refusal::NotDisputed),
        }
    }

    /// The ballot is in the box.
    ///
    /// # Errors
    /// Unless two entries were equal or a third person decided; never twice.
    pub fn cast(&self) -> Result<Self, Refusal> {
        match self {
            Self::Matched { first, second } => {
                Ok(Self::Cast { first: first.clone(), second: second.clone(), third: None })
            }
            Self::Adjudicated { first, second, third } => {
                Ok(Self::Cast { first: first.clone(), second: second.clone(), third: Some(third.clone()) })
            }
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            Self::Awaiting | Self::FirstDone { .. } | Self::Mismatched { .. } => Err(Refusal::NotSettled),
        }
    }

    /// Settled, but not yet in the box.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Matched { .. } | Self::Adjudicated { .. })
    }

    /// Who did a pass, as far as it is done.
    #[must_use]
    pub fn keyed_by(&self, pass: Pass) -> Option<&str> {
        match (self, pass) {
            (
                Self::FirstDone { first }
                | Self::Matched { first, .. }
                | Self::Mismatched { first, .. }
                | Self::Adjudicated { first, .. }
                | Self::Cast { first, .. },
                Pass::First,
            ) => Some(first),
            (
                Self::Matched { second, .. }
                | Self::Mismatched { second, .. }
                | Self::Adjudicated { second, .. }
                | Self::Cast { second, .. },
                Pass::Second,
            ) => Some(second),
            _ => None,
        }
    }

    /// Who decided, when somebody did.
    #[must_use]
    pub fn settled_by(&self) -> Option<&str> {
        match self {
            Self::Adjudicated { third, .. } => Some(third),
            Self::Cast { third, .. } => third.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Event {
        First(u8),
        Second(u8, bool),
        Settle(u8),
        Cast,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0_u8..4).prop_map(Event::First),
            (0_u8..4, any::<bool>()).prop_map(|(by, equal)| Event::Second(by, equal)),
            (0_u8..4).prop_map(Event::Settle),
            Just(Event::Cast),
        ]
    }

    fn apply(capture: &Capture, event: &Event) -> Result<Capture, Refusal> {
        match event {
            Event::First(by) => capture.first_done(&by.to_string()),
            Event::Second(by, equal) => capture.second_done(&by.to_string(), *equal),
            Event::Settle(by) => capture.settled(&by.to_string()),
            Event::Cast => capture.cast(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// An independent account of the accepted events, kept beside the machine, must explain every state.
        #[test]
        fn no_sequence_of_events_breaks_the_rules(events in prop::collection::vec(event(), 0..24)) {
            let mut capture = Capture::Awaiting;
            let (mut first, mut second, mut third) = (None, None, None);
            let (mut equal, mut casts) = (false, 0);
            for event in &events {
                let Ok(next) = apply(&capture, event) else { continue };
                prop_assert_ne!(&next, &capture, "an accepted event moves on");
                match event {
                    Event::First(by) => {
                        prop_assert_eq!(first.replace(*by), None, "one first entry");
                    }
                    Event::Second(by, same) => {
                        prop_assert!(first.is_some(), "the first pass comes first");
                        prop_assert_eq!(second.replace(*by), None, "one second entry");
                        equal = *same;
                    }
                    Event::Settle(by) => {
                        prop_assert!(second.is_some() && !equal, "only a difference is decided");
                        prop_assert_eq!(third.replace(*by), None, "one decision");
                    }
                    Event::Cast => {
                        casts += 1;
                        prop_assert!(second.is_some(), "nothing is cast from one entry");
                        prop_assert!(equal || third.is_some(), "two equal entries or a decision");
                    }
                }
                capture = next;
                let people: Vec<u8> = [first, second, third].into_iter().flatten().collect();
                prop_assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len(), "different persons");
                prop_assert!(casts <= 1, "never twice");
                prop_assert_eq!(matches!(capture, Capture::Cast { .. }), casts == 1);
                let name = |by: Option<u8>| by.map(|n| n.to_string());
                prop_assert_eq!(capture.keyed_by(Pass::First).map(str::to_owned), name(first));
                prop_assert_eq!(capture.keyed_by(Pass::Second).map(str::to_owned), name(second));
                prop_assert_eq!(capture.settled_by().map(str::to_owned), name(third));
            }
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let awaiting = Capture::Awaiting;
        assert_eq!(awaiting.second_done("b", true), Err(Refusal::FirstMissing));
        let first = awaiting.first_done("a").unwrap();
        assert_eq!(first.first_done("a"), Err(Refusal::SamePerson));
        assert_eq!(first.first_done("b"), Err(Refusal::PassTaken));
        assert_eq!(first.second_done("a", true), Err(Refusal::SamePerson));
        assert_eq!(first.cast(), Err(Refusal::NotSettled));
        let differ = first.second_done("b", false).unwrap();
        assert_eq!(differ.next_pass("c"), Err(Refusal::AwaitsThird));
        assert_eq!(differ.settled("b"), Err(Refusal::SamePerson));
        assert_eq!(differ.cast(), Err(Refusal::NotSettled));
        let cast = differ.settled("c").unwrap().cast().unwrap();
        assert_eq!(cast.cast(), Err(Refusal::AlreadyCast));
        assert_eq!(cast.next_pass("d"), Err(Refusal::AlreadyCast));
        assert_eq!(cast.settled("d"), Err(Refusal::AlreadyCast));
    }
}
