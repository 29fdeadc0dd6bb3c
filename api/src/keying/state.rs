//! How far one paper ballot is: a closed set of states, each with the persons it owes itself to, and moves that can
//! refuse. Nothing here knows an answer.
//!
//! Whoever scans a ballot's code has the paper in hand, so a ballot that is in progress goes over to whoever scans it next;
//! of two who finish the same pass, the first one counts.

use std::fmt;

/// Who acts: the id of a member of staff.
pub type Person = String;

/// The two blind passes, and the blind third reading of a sample.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Pass {
    /// Nobody has keyed this ballot yet.
    First,
    /// Somebody else has.
    Second,
    /// Two have keyed the same, and the ballot was drawn for the sample.
    Sample,
}

impl Pass {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Sample];

    /// As in the API and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Sample => "sample",
        }
    }

    /// The pass of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pass| pass.as_str() == text)
    }

    /// 1, 2 or 3, for people.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Sample => 3,
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
    /// Somebody is keying it.
    FirstInProgress {
        /// Who scanned it last.
        by: Person,
    },
    /// One entry waits for the second.
    FirstDone {
        /// Who keyed it first.
        first: Person,
    },
    /// One entry waits, and somebody else is keying the second.
    SecondInProgress {
        /// Who keyed it first.
        first: Person,
        /// Who scanned it last.
        by: Person,
    },
    /// Two people keyed the same; a sampled ballot waits here for the third reading.
    Matched {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
    },
    /// Two readings differ; somebody else decides from the paper.
    Mismatched {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who read it as a sample and found what both have otherwise.
        audited: Option<Person>,
    },
    /// Somebody is deciding.
    Adjudicating {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who read it as a sample and found what both have otherwise.
        audited: Option<Person>,
        /// Who scanned it last.
        by: Person,
    },
    /// Settled; it goes into the box.
    Verified {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who read it as a sample.
        audited: Option<Person>,
        /// Who decided, when readings differed.
        third: Option<Person>,
    },
    /// In the box.
    Cast {
        /// Who keyed it first.
        first: Person,
        /// Who keyed it second.
        second: Person,
        /// Who read it as a sample.
        audited: Option<Person>,
        /// Who decided, when readings differed.
        third: Option<Person>,
    },
    /// Set aside with a question about the whole ballot.
    Referred {
        /// What it comes back to; at rest itself.
        before: Box<Self>,
        /// Who set it aside.
        by: Person,
    },
    /// Void: it is kept and never cast.
    Invalid {
        /// What a reopening finds; at rest itself.
        before: Box<Self>,
        /// Who proposed it.
        by: Person,
        /// Who else confirmed it.
        confirmed: Person,
    },
    /// A supervisor has it keyed anew; the entries of before are kept.
    Reopened {
        /// Who keyed it before.
        earlier: Vec<Person>,
    },
}

/// Why a move is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Each pass needs a person of its own, and the decision another one.
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
    /// The two entries are equal and the ballot waits for the third reading of a sample.
    #[error("the ballot waits for the reading of a sample")]
    AwaitsSample,
    /// The two entries do not differ, or are not both there.
    #[error("there is nothing to decide")]
    NotDisputed,
    /// Neither two equal entries nor a decision.
    #[error("the ballot is not settled")]
    NotSettled,
    /// In the box already.
    #[error("the ballot is in the box")]
    AlreadyCast,
    /// Set aside; a supervisor decides what becomes of it.
    #[error("the ballot is set aside")]
    SetAside,
    /// Void by two persons' verdict.
    #[error("the ballot is void")]
    Void,
    /// It is not set aside.
    #[error("the ballot is not set aside")]
    NotSetAside,
    /// Nothing was keyed that could be keyed anew.
    #[error("there is nothing to reopen")]
    NothingToReopen,
}

impl Capture {
    /// Which pass `by` may do now.
    ///
    /// # Errors
    /// Why none.
    pub fn next_pass(&self, by: &str) -> Result<Pass, Refusal> {
        match self {
            Self::Awaiting | Self::FirstInProgress { .. } | Self::Reopened { .. } => Ok(Pass::First),
            Self::FirstDone { first } | Self::SecondInProgress { first, .. } if first == by => Err(Refusal::SamePerson),
            Self::FirstDone { .. } | Self::SecondInProgress { .. } => Ok(Pass::Second),
            Self::Matched { first, second } if first == by || second == by => Err(Refusal::SamePerson),
            Self::Matched { .. } => Ok(Pass::Sample),
            Self::Mismatched { .. } | Self::Adjudicating { .. } => Err(Refusal::AwaitsThird),
            Self::Verified { .. } => Err(Refusal::PassTaken),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            Self::Referred { .. } => Err(Refusal::SetAside),
            Self::Invalid { .. } => Err(Refusal::Void),
        }
    }

    /// `by` has the paper in hand and begins what [`Capture::next_pass`] or [`Capture::may_settle`] allows. A sample's
    /// reader leaves no mark before they are done.
    ///
    /// # Errors
    /// As those.
    pub fn started(&self, by: &str) -> Result<Self, Refusal> {
        let by = by.to_owned();
        match self {
            Self::Mismatched { first, second, audited } | Self::Adjudicating { first, second, audited, .. } => {
                self.may_settle(&by)?;
                Ok(Self::Adjudicating { first: first.clone(), second: second.clone(), audited: audited.clone(), by })
            }
            _ => match (self.next_pass(&by)?, self) {
                (Pass::First, _) => Ok(Self::FirstInProgress { by }),
                (Pass::Second, Self::FirstDone { first } | Self::SecondInProgress { first, .. }) => {
                    Ok(Self::SecondInProgress { first: first.clone(), by })
                }
                _ => Ok(self.clone()),
            },
        }
    }

    /// The first entry is in.
    ///
    /// # Errors
    /// Unless no first entry is there.
    pub fn first_done(&self, by: &str) -> Result<Self, Refusal> {
        match self.next_pass(by)? {
            Pass::First => Ok(Self::FirstDone { first: by.to_owned() }),
            Pass::Second | Pass::Sample => Err(Refusal::PassTaken),
        }
    }

    /// The second entry is in, equal to the first or not.
    ///
    /// # Errors
    /// Unless exactly one entry waits, keyed by somebody else.
    pub fn second_done(&self, by: &str, equal: bool) -> Result<Self, Refusal> {
        match (self.next_pass(by)?, self) {
            (Pass::Second, Self::FirstDone { first } | Self::SecondInProgress { first, .. }) => {
                let (first, second) = (first.clone(), by.to_owned());
                Ok(if equal {
                    Self::Matched { first, second }
                } else {
                    Self::Mismatched { first, second, audited: None }
                })
            }
            (Pass::Sample, _) => Err(Refusal::PassTaken),
            _ => Err(Refusal::FirstMissing),
        }
    }

    /// Two equal entries suffice: the ballot was not drawn for the sample.
    ///
    /// # Errors
    /// Unless two equal entries wait.
    pub fn verified(&self) -> Result<Self, Refusal> {
        match self {
            Self::Matched { first, second } => {
                Ok(Self::Verified { first: first.clone(), second: second.clone(), audited: None, third: None })
            }
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            _ => Err(Refusal::NotSettled),
        }
    }

    /// A sample was read, equal to what both have or not.
    ///
    /// # Errors
    /// Unless two equal entries wait, keyed by others.
    pub fn sampled(&self, by: &str, equal: bool) -> Result<Self, Refusal> {
        match (self.next_pass(by)?, self) {
            (Pass::Sample, Self::Matched { first, second }) => {
                let (first, second, audited) = (first.clone(), second.clone(), Some(by.to_owned()));
                Ok(if equal {
                    Self::Verified { first, second, audited, third: None }
                } else {
                    Self::Mismatched { first, second, audited }
                })
            }
            _ => Err(Refusal::NotSettled),
        }
    }

    /// Whether `by` may decide.
    ///
    /// # Errors
    /// Unless two different readings wait, all made by others.
    pub fn may_settle(&self, by: &str) -> Result<(), Refusal> {
        match self {
            Self::Mismatched { first, second, audited } | Self::Adjudicating { first, second, audited, .. } => {
                if first == by || second == by || audited.as_deref() == Some(by) {
                    Err(Refusal::SamePerson)
                } else {
                    Ok(())
                }
            }
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            Self::Verified { .. } => Err(Refusal::PassTaken),
            Self::Referred { .. } => Err(Refusal::SetAside),
            Self::Invalid { .. } => Err(Refusal::Void),
            _ => Err(Refusal::NotDisputed),
        }
    }

    /// Another person has decided.
    ///
    /// # Errors
    /// As [`Capture::may_settle`].
    pub fn settled(&self, by: &str) -> Result<Self, Refusal> {
        self.may_settle(by)?;
        match self {
            Self::Mismatched { first, second, audited } | Self::Adjudicating { first, second, audited, .. } => {
                Ok(Self::Verified {
                    first: first.clone(),
                    second: second.clone(),
                    audited: audited.clone(),
                    third: Some(by.to_owned()),
                })
            }
            _ => Err(Refusal::NotDisputed),
        }
    }

    /// The ballot is in the box.
    ///
    /// # Errors
    /// Unless it is settled; never twice.
    pub fn cast(&self) -> Result<Self, Refusal> {
        match self {
            Self::Verified { first, second, audited, third } => Ok(Self::Cast {
                first: first.clone(),
                second: second.clone(),
                audited: audited.clone(),
                third: third.clone(),
            }),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            _ => Err(Refusal::NotSettled),
        }
    }

    /// Set aside with a question about the whole ballot. What was in progress is what it was before.
    ///
    /// # Errors
    /// Once it is settled, set aside or void.
    pub fn referred(&self, by: &str) -> Result<Self, Refusal> {
        match self {
            Self::Referred { .. } => Err(Refusal::SetAside),
            Self::Invalid { .. } => Err(Refusal::Void),
            Self::Verified { .. } => Err(Refusal::PassTaken),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            _ => Ok(Self::Referred { before: Box::new(self.at_rest()), by: by.to_owned() }),
        }
    }

    /// The question is answered: the ballot comes back to what it was.
    ///
    /// # Errors
    /// Unless it is set aside.
    pub fn returned(&self) -> Result<Self, Refusal> {
        match self {
            Self::Referred { before, .. } => Ok(Self::clone(before)),
            Self::Invalid { .. } => Err(Refusal::Void),
            _ => Err(Refusal::NotSetAside),
        }
    }

    /// Void, by the word of two.
    ///
    /// # Errors
    /// Unless it is set aside and the two are two.
    pub fn voided(&self, proposed: &str, confirmed: &str) -> Result<Self, Refusal> {
        match self {
            Self::Referred { .. } if proposed == confirmed => Err(Refusal::SamePerson),
            Self::Referred { before, .. } => {
                Ok(Self::Invalid { before: before.clone(), by: proposed.to_owned(), confirmed: confirmed.to_owned() })
            }
            Self::Invalid { .. } => Err(Refusal::Void),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            _ => Err(Refusal::NotSetAside),
        }
    }

    /// A supervisor has it keyed anew.
    ///
    /// # Errors
    /// Once it is settled, and while nothing was keyed or decided about it.
    pub fn reopened(&self) -> Result<Self, Refusal> {
        match self {
            Self::Verified { .. } => Err(Refusal::PassTaken),
            Self::Cast { .. } => Err(Refusal::AlreadyCast),
            Self::Awaiting | Self::Reopened { .. } | Self::FirstInProgress { .. } => Err(Refusal::NothingToReopen),
            _ => {
                let who = [self.keyed_by(Pass::First), self.keyed_by(Pass::Second)];
                Ok(Self::Reopened { earlier: who.into_iter().flatten().map(str::to_owned).collect() })
            }
        }
    }

    /// Without whoever is at it.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        match self {
            Self::FirstInProgress { .. } => Self::Awaiting,
            Self::SecondInProgress { first, .. } => Self::FirstDone { first: first.clone() },
            Self::Adjudicating { first, second, audited, .. } => {
                Self::Mismatched { first: first.clone(), second: second.clone(), audited: audited.clone() }
            }
            other => other.clone(),
        }
    }

    /// Settled, but not yet in the box.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Verified { .. })
    }

    /// Who did a pass, as far as it is done.
    #[must_use]
    pub fn keyed_by(&self, pass: Pass) -> Option<&str> {
        let (first, second, audited) = match self {
            Self::FirstDone { first } | Self::SecondInProgress { first, .. } => (Some(first), None, None),
            Self::Matched { first, second } => (Some(first), Some(second), None),
            Self::Mismatched { first, second, audited }
            | Self::Adjudicating { first, second, audited, .. }
            | Self::Verified { first, second, audited, .. }
            | Self::Cast { first, second, audited, .. } => (Some(first), Some(second), audited.as_ref()),
            Self::Referred { before, .. } | Self::Invalid { before, .. } => return before.keyed_by(pass),
            Self::Reopened { earlier } => (earlier.first(), earlier.get(1), None),
            Self::Awaiting | Self::FirstInProgress { .. } => (None, None, None),
        };
        match pass {
            Pass::First => first.map(String::as_str),
            Pass::Second => second.map(String::as_str),
            Pass::Sample => audited.map(String::as_str),
        }
    }

    /// Who decided, when somebody did.
    #[must_use]
    pub fn settled_by(&self) -> Option<&str> {
        match self {
            Self::Verified { third, .. } | Self::Cast { third, .. } => third.as_deref(),
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
        Start(u8),
        First(u8),
        Second(u8, bool),
        Verify,
        Sample(u8, bool),
        Settle(u8),
        Cast,
        Refer(u8),
        Return,
        Void(u8, u8),
        Reopen,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => (0_u8..5).prop_map(Event::Start),
            3 => (0_u8..5).prop_map(Event::First),
            3 => (0_u8..5, any::<bool>()).prop_map(|(by, equal)| Event::Second(by, equal)),
            1 => Just(Event::Verify),
            2 => (0_u8..5, any::<bool>()).prop_map(|(by, equal)| Event::Sample(by, equal)),
            2 => (0_u8..5).prop_map(Event::Settle),
            2 => Just(Event::Cast),
            1 => (0_u8..5).prop_map(Event::Refer),
            1 => Just(Event::Return),
            1 => (0_u8..5, 0_u8..5).prop_map(|(a, b)| Event::Void(a, b)),
            1 => Just(Event::Reopen),
        ]
    }

    fn apply(capture: &Capture, event: &Event) -> Result<Capture, Refusal> {
        match event {
            Event::Start(by) => capture.started(&by.to_string()),
            Event::First(by) => capture.first_done(&by.to_string()),
            Event::Second(by, equal) => capture.second_done(&by.to_string(), *equal),
            Event::Verify => capture.verified(),
            Event::Sample(by, equal) => capture.sampled(&by.to_string(), *equal),
            Event::Settle(by) => capture.settled(&by.to_string()),
            Event::Cast => capture.cast(),
            Event::Refer(by) => capture.referred(&by.to_string()),
            Event::Return => capture.returned(),
            Event::Void(a, b) => capture.voided(&a.to_string(), &b.to_string()),
            Event::Reopen => capture.reopened(),
        }
    }

    /// What the accepted events make of a ballot, told apart from the machine.
    #[derive(Default)]
    struct Account {
        first: Option<u8>,
        second: Option<u8>,
        equal: bool,
        audited: Option<u8>,
        third: Option<u8>,
        settled: bool,
        aside: bool,
        void: bool,
        casts: u8,
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// An independent account of the accepted events, kept beside the machine, must explain every state.
        #[test]
        fn no_sequence_of_events_breaks_the_rules(events in prop::collection::vec(event(), 0..40)) {
            let mut capture = Capture::Awaiting;
            let mut seen = Account::default();
            for event in &events {
                let Ok(next) = apply(&capture, event) else { continue };
                prop_assert_eq!(seen.casts, 0, "nothing moves what is in the box");
                if !matches!(event, Event::Reopen) {
                    prop_assert!(!seen.void, "what is void is only reopened");
                }
                if seen.aside {
                    prop_assert!(matches!(event, Event::Return | Event::Void(..) | Event::Reopen));
                }
                match event {
                    Event::Start(_) => {}
                    Event::First(by) => prop_assert_eq!(seen.first.replace(*by), None, "one first entry"),
                    Event::Second(by, same) => {
                        prop_assert!(seen.first.is_some(), "the first pass comes first");
                        prop_assert_eq!(seen.second.replace(*by), None, "one second entry");
                        seen.equal = *same;
                    }
                    Event::Verify => {
                        prop_assert!(seen.second.is_some() && seen.equal);
                        seen.settled = true;
                    }
                    Event::Sample(by, same) => {
                        prop_assert!(seen.second.is_some() && seen.equal, "only what two agree on is a sample");
                        prop_assert_eq!(seen.audited.replace(*by), None);
                        (seen.equal, seen.settled) = (*same, *same);
                    }
                    Event::Settle(by) => {
                        prop_assert!(seen.second.is_some() && !seen.equal, "only a difference is decided");
                        prop_assert_eq!(seen.third.replace(*by), None, "one decision");
                        seen.settled = true;
                    }
                    Event::Cast => {
                        prop_assert!(seen.settled, "nothing is cast that is not settled");
                        seen.casts += 1;
                    }
                    Event::Refer(_) => {
                        prop_assert!(!seen.settled);
                        seen.aside = true;
                    }
                    Event::Return => {
                        prop_assert!(seen.aside);
                        seen.aside = false;
                    }
                    Event::Void(a, b) => {
                        prop_assert!(seen.aside && a != b, "two persons make a ballot void");
                        (seen.aside, seen.void) = (false, true);
                    }
                    Event::Reopen => {
                        prop_assert!(!seen.settled);
                        seen = Account::default();
                    }
                }
                capture = next;
                let people: Vec<u8> = [seen.first, seen.second, seen.audited, seen.third].into_iter().flatten().collect();
                prop_assert_eq!(people.iter().collect::<BTreeSet<_>>().len(), people.len(), "different persons");
                prop_assert_eq!(matches!(capture, Capture::Cast { .. }), seen.casts == 1);
                prop_assert_eq!(matches!(capture, Capture::Invalid { .. }), seen.void);
                prop_assert_eq!(matches!(capture, Capture::Referred { .. }), seen.aside);
                if !matches!(capture, Capture::Reopened { .. })
                    && !matches!(&capture, Capture::Referred { before, .. } | Capture::Invalid { before, .. }
                                 if matches!(**before, Capture::Reopened { .. })) {
                    let name = |by: Option<u8>| by.map(|n| n.to_string());
                    prop_assert_eq!(capture.keyed_by(Pass::First).map(str::to_owned), name(seen.first));
                    prop_assert_eq!(capture.keyed_by(Pass::Second).map(str::to_owned), name(seen.second));
                    prop_assert_eq!(capture.keyed_by(Pass::Sample).map(str::to_owned), name(seen.audited));
                    prop_assert_eq!(capture.settled_by().map(str::to_owned), name(seen.third));
                }
            }
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let awaiting = Capture::Awaiting;
        assert_eq!(awaiting.second_done("b", true), Err(Refusal::FirstMissing));
        let begun = awaiting.started("a").unwrap();
        assert_eq!(begun.started("b"), Ok(Capture::FirstInProgress { by: "b".to_owned() }), "the paper is in b's hand");
        let first = begun.first_done("a").unwrap();
        assert_eq!(first.first_done("a"), Err(Refusal::SamePerson));
        assert_eq!(first.started("a"), Err(Refusal::SamePerson));
        assert_eq!(first.first_done("b"), Err(Refusal::PassTaken));
        assert_eq!(first.second_done("a", true), Err(Refusal::SamePerson));
        assert_eq!(first.cast(), Err(Refusal::NotSettled));
        let differ = first.started("b").unwrap().second_done("b", false).unwrap();
        assert_eq!(differ.next_pass("c"), Err(Refusal::AwaitsThird));
        assert_eq!(differ.settled("b"), Err(Refusal::SamePerson));
        assert_eq!(differ.cast(), Err(Refusal::NotSettled));
        let cast = differ.started("c").unwrap().settled("c").unwrap().cast().unwrap();
        assert_eq!(cast.cast(), Err(Refusal::AlreadyCast));
        assert_eq!(cast.next_pass("d"), Err(Refusal::AlreadyCast));
        assert_eq!(cast.settled("d"), Err(Refusal::AlreadyCast));
        assert_eq!(cast.referred("d"), Err(Refusal::AlreadyCast));
        assert_eq!(cast.reopened(), Err(Refusal::AlreadyCast));
        let aside = differ.referred("b").unwrap();
        assert_eq!(aside.next_pass("c"), Err(Refusal::SetAside));
        assert_eq!(aside.returned(), Ok(differ.clone()));
        assert_eq!(differ.returned(), Err(Refusal::NotSetAside));
        assert_eq!(aside.voided("c", "c"), Err(Refusal::SamePerson));
        let void = aside.voided("c", "d").unwrap();
        assert_eq!(void.next_pass("e"), Err(Refusal::Void));
        assert_eq!(void.reopened(), Ok(Capture::Reopened { earlier: vec!["a".to_owned(), "b".to_owned()] }));
        let matched = first.second_done("b", true).unwrap();
        assert_eq!(matched.next_pass("a"), Err(Refusal::SamePerson));
        assert_eq!(matched.next_pass("c"), Ok(Pass::Sample));
        let contested = matched.sampled("c", false).unwrap();
        assert_eq!(contested.settled("c"), Err(Refusal::SamePerson));
        assert_eq!(awaiting.reopened(), Err(Refusal::NothingToReopen));
    }
}
