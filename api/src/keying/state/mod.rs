//! How far one paper ballot is: a closed set of states, each with the persons it owes itself to, and moves that can
//! refuse. Nothing here knows an answer.
//!
//! Whoever scans a ballot's code has the paper in hand, so a ballot that is in progress goes over to whoever scans it next;
//! of two who finish the same pass, the first one counts.

mod pass;

pub use pass::Pass;

/// Who acts: the id of a member of staff.
pub type Person = String;

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
mod tests;
