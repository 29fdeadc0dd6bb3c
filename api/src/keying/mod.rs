//! The paper desk (`/nhap-phieu`): a clerk keys a paper ballot by its code, a second clerk keys it blind, equal entries
//! are cast through the same path as online ones, and where they differ a third person decides from the paper.
//!
//! Every question has its code on paper, whatever its conditions say. Choices and numbers are compared as they are kept;
//! texts letter by letter in NFC, with blanks and line breaks of any length as one: any other difference is for the third
//! person.
//!
//! Entries wait under the ballot's own code ([`crate::ballot::draft`]), so the server can compare them only while
//! somebody holds the paper under the scanner. Nothing derived from an entry outlives the cast: whoever repeats their
//! pass after it is told that it is done, and no more. Otherwise a stolen database and a photographed code would prove
//! a vote.

pub mod aside;
mod command;
mod decide;
mod device;
pub mod effort;
mod enter;
mod entry;
mod error;
pub mod pages;
mod progress;
mod reading;
pub mod rest;
pub mod scan;
mod screen;
mod sheet;
pub mod state;
pub mod statistics;
mod store;
mod third;
mod training;
mod training_pages;
mod unfinished;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use survey_forms::answers::Answers;
use survey_forms::round::Channel;

pub use command::CommandKey;
pub use device::{StoreKey, desk_number};
pub use effort::Effort;
pub use entry::{Decision, Dispute, Place, Reason, places, read_key, show};
pub use error::KeyingError;
pub use progress::Progress;
pub use state::{Capture, Pass, Refusal};

use crate::access::{Actor, Role, Staff, audit};
use crate::ballot::{Bearer, Casting, CredentialState, Purpose, Token, draft, find};
use crate::bundle::{self, SheetLabel, claims};
use crate::clock::Entropy;
use crate::db::{Conn, Db, DbError};
use crate::round::Rounds;

/// Where the decided ballot waits between the decision and the cast: a paper code has no respondent's draft.
const DECIDED: Purpose = Purpose::Draft;

/// What the desk works with; cheap to clone.
#[derive(Clone)]
pub struct PaperDesk {
    /// The database.
    pub db: Db,
    /// Its rounds.
    pub rounds: Rounds,
    /// The way into the box.
    pub casting: Casting,
    /// Nonces of the entries.
    pub entropy: Entropy,
}

/// What somebody may do with the ballot in their hand.
pub enum Task {
    /// Key it.
    Key(Pass),
    /// Read these places on the paper, before what the two entries have there is shown; never empty.
    Read(Vec<Place>),
    /// Decide where the two entries differ, having read it.
    Decide {
        /// Where, and what the entries have; never empty.
        disputes: Vec<Dispute>,
        /// What this person read there.
        reading: Answers,
    },
    /// Nothing: it was settled, and this scan has put it into the box.
    Finished,
}

/// How far a ballot came by what somebody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// One entry waits for the second.
    FirstDone,
    /// The entries differ in so many places.
    Mismatched(usize),
    /// The entries agree; the ballot was drawn for the sample and waits to be read a third time.
    AwaitsSample,
    /// In the box.
    Cast,
}

/// The answer to an entry or a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How far.
    pub reached: Reached,
    /// The same person has done the same before; nothing was stored this time.
    pub repeated: bool,
}

/// How an entry reached the desk, beside what it is; nothing of it for a form without script.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The command's key.
    pub key: Option<CommandKey>,
    /// What it took.
    pub effort: Option<Effort>,
}

/// Clerks key and do not read samples; auditors read samples and do not key.
fn may_do(role: Role, pass: Pass) -> Result<(), KeyingError> {
    match (pass, role) {
        (Pass::Sample, Role::Clerk) => Err(Refusal::AwaitsSample.into()),
        (Pass::First | Pass::Second, Role::Auditor) => Err(KeyingError::RoleMissing),
        _ => Ok(()),
    }
}

fn may_decide(role: Role) -> bool {
    matches!(role, Role::Adjudicator | Role::Supervisor)
}

impl PaperDesk {
    /// The paper ballot of a code.
    ///
    /// # Errors
    /// [`KeyingError::Find`], [`KeyingError::NotPaper`], [`KeyingError::Revoked`].
    pub async fn find(&self, token: &Token) -> Result<Arc<Bearer>, KeyingError> {
        let (rounds, token) = (self.rounds.clone(), token.clone());
        let bearer = self.db.read(move |conn| find(conn, &rounds, &token).map_err(KeyingError::from)).await?;
        if bearer.channel != Channel::Paper {
            return Err(KeyingError::NotPaper);
        }
        if matches!(bearer.state, CredentialState::Revoked) {
            return Err(KeyingError::Revoked);
        }
        Ok(Arc::new(bearer))
    }

    /// What `staff` may do with this ballot now. A settled ballot that a crash kept from the box is cast here.
    ///
    /// # Errors
    /// [`KeyingError`]: why there is nothing to do.
    pub async fn open(&self, staff: &Staff, ballot: &Arc<Bearer>) -> Result<Task, KeyingError> {
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        let task = self.db.read(move |conn| desk.task(conn, &bearer, &by)).await?;
        if matches!(task, Task::Finished) {
            self.finish(staff, ballot).await?;
        } else {
            let (bearer, by) = (Arc::clone(ballot), staff.id.clone());
            self.db.write(move |conn| begin(conn, &bearer, &by)).await?;
        }
        Ok(task)
    }

    /// What is printed on this ballot beside its code: group, bundle and number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn label(&self, ballot: &Arc<Bearer>) -> Result<Option<SheetLabel>, KeyingError> {
        let key = ballot.keys.public;
        Ok(self.db.read(move |conn| bundle::label(conn, &key)).await?)
    }

    fn task(&self, conn: &mut Conn, bearer: &Bearer, staff: &Staff) -> Result<Task, KeyingError> {
        let capture = store::capture(conn, &bearer.keys.public)?;
        if capture.is_settled() {
            return Ok(Task::Finished);
        }
        self.still_open(conn, bearer, &capture)?;
        let passage = bundle::gate(conn, &bearer.keys.public, staff)??;
        match capture.next_pass(&staff.id) {
            Err(Refusal::AwaitsThird) if may_decide(staff.role) => {
                capture.may_settle(&staff.id)?;
                let [first, second] = entries(conn, bearer)?;
                let disputes = entry::disputes(&bearer.form()?, &first, &second);
                Ok(match reading::of(conn, bearer, &staff.id)? {
                    Some(reading) => Task::Decide { disputes, reading },
                    None => Task::Read(disputes.into_iter().map(|d| (d.target, d.item)).collect()),
                })
            }
            Err(refusal) => Err(refusal.into()),
            Ok(pass) => {
                may_do(staff.role, pass)?;
                if pass == Pass::Second {
                    bundle::firsts_complete(conn, &passage)??;
                }
                Ok(Task::Key(pass))
            }
        }
    }

    /// Refuses a ballot whose code was used past the desk, and one whose round takes no paper now.
    fn still_open(&self, conn: &mut Conn, bearer: &Bearer, capture: &Capture) -> Result<(), KeyingError> {
        match (capture, &bearer.state) {
            (Capture::Cast { .. }, _) => return Err(Refusal::AlreadyCast.into()),
            (_, CredentialState::Used(_)) => return Err(KeyingError::Duplicate),
            (_, CredentialState::Revoked) => return Err(KeyingError::Revoked),
            (_, CredentialState::Issued) => {}
        }
        let now = self.db.now(conn)?;
        if bearer.round.accepts(Channel::Paper, now) { Ok(()) } else { Err(KeyingError::NotOpen) }
    }

    /// Puts a settled ballot into the box, once: safe to repeat after a crash at any point.
    async fn finish(&self, staff: &Staff, ballot: &Arc<Bearer>) -> Result<(), KeyingError> {
        let bearer = Arc::clone(ballot);
        let settled = self.db.read(move |conn| settled_entry(conn, &bearer)).await?;
        if let Some(answers) = settled {
            self.casting.cast(ballot, &answers).await?;
        }
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        self.db
            .write(move |conn| {
                let capture = store::held(conn, &bearer.keys.public)?;
                if matches!(capture, Capture::Cast { .. }) {
                    return Ok(());
                }
                let next = capture.cast()?;
                claims::release_all(conn, &bearer.keys.public)?;
                scan::forget(conn, &bearer)?;
                if !store::save(conn, &bearer.keys.public, bearer.round.id(), &capture, &next)? {
                    return Err(DbError::Conflict.into());
                }
                desk.note(conn, &by, "keying.cast", &bearer, "")
            })
            .await
    }

    /// The group and the act; never an answer, a code or a key.
    fn note(
        &self,
        conn: &mut Conn,
        staff: &Staff,
        act: &str,
        bearer: &Bearer,
        detail: &str,
    ) -> Result<(), KeyingError> {
        let at = self.db.now(conn)?;
        let subject = format!("{}/{}", bearer.round.id(), bearer.stratum.respondent_code);
        Ok(audit::record(conn, at, &Actor::from(staff), act, &subject, detail)?)
    }

    /// How far the paper ballots are, by round and group, for rounds whose box has not been opened.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn progress(&self) -> Result<Vec<Progress>, KeyingError> {
        let rounds = self.rounds.clone();
        self.db.read(move |conn| progress::by_group(conn, &rounds)).await
    }
}

/// Notes who has the paper in hand. Of two at once the last one has it.
fn begin(conn: &mut Conn, bearer: &Bearer, by: &str) -> Result<(), KeyingError> {
    let capture = store::held(conn, &bearer.keys.public)?;
    // Somebody may have moved it on since it was looked at.
    let Ok(next) = capture.started(by) else { return Ok(()) };
    if next != capture {
        store::save(conn, &bearer.keys.public, bearer.round.id(), &capture, &next)?;
    }
    Ok(())
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Both entries, which a mismatched ballot has.
fn entries(conn: &mut Conn, bearer: &Bearer) -> Result<[Answers; 2], KeyingError> {
    Ok([kept(conn, bearer, Purpose::FirstKeying)?, kept(conn, bearer, Purpose::SecondKeying)?])
}

/// An entry that the state promises. It may be gone with a cast since the code was looked up.
fn kept(conn: &mut Conn, bearer: &Bearer, purpose: Purpose) -> Result<Answers, KeyingError> {
    match draft::read(conn, bearer, purpose)? {
        Some(answers) => Ok(answers),
        None if store::is_used(conn, &bearer.keys.public)? => Err(KeyingError::Duplicate),
        None => Err(KeyingError::EntryLost),
    }
}

/// What is to be cast; none when it has been.
fn settled_entry(conn: &mut Conn, bearer: &Bearer) -> Result<Option<Answers>, KeyingError> {
    let purpose = match store::capture(conn, &bearer.keys.public)? {
        Capture::Verified { third: None, .. } => Purpose::FirstKeying,
        Capture::Verified { third: Some(_), .. } => DECIDED,
        Capture::Cast { .. } => return Ok(None),
        other => return Err(other.cast().err().unwrap_or(Refusal::NotSettled).into()),
    };
    match draft::read(conn, bearer, purpose)? {
        Some(answers) => Ok(Some(answers)),
        None if store::is_used(conn, &bearer.keys.public)? => Ok(None),
        None => Err(KeyingError::EntryLost),
    }
}
