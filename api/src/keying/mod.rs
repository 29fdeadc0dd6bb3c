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
mod device;
pub mod effort;
mod entry;
mod error;
pub mod pages;
mod progress;
mod reading;
pub mod rest;
pub mod scan;
mod scan_pages;
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

use std::collections::BTreeMap;
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
use crate::bundle::{self, SheetLabel, Sums, claims};
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
    /// The number of the browser that held the ballot.
    pub desk: Option<String>,
    /// What it took.
    pub effort: Option<Effort>,
}

/// Where the entry of a pass waits. A sample that reads as both clerks did is not kept; one that does not takes the place
/// of the second entry, which is the first one again.
fn purpose(pass: Pass) -> Purpose {
    match pass {
        Pass::First => Purpose::FirstKeying,
        Pass::Second | Pass::Sample => Purpose::SecondKeying,
    }
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

    /// Takes one pass. The same entry again by the same person changes nothing and gets the same answer.
    ///
    /// # Errors
    /// [`KeyingError::Answers`] when an item has no explicit code; [`KeyingError::EntryDiffers`] when this person has
    /// done this pass with another entry; [`KeyingError::Refused`] and the rest of [`KeyingError`].
    pub async fn enter(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        pass: Pass,
        answers: Answers,
    ) -> Result<Done, KeyingError> {
        self.enter_with(staff, ballot, pass, answers, Circumstances::default()).await
    }

    /// [`PaperDesk::enter`] from a browser of the desk. The same command again gets the stored answer.
    ///
    /// # Errors
    /// As [`PaperDesk::enter`]; [`KeyingError::KeyReused`] for the key of another entry.
    pub async fn enter_with(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        pass: Pass,
        answers: Answers,
        with: Circumstances,
    ) -> Result<Done, KeyingError> {
        let answers = entry::comparable(&answers);
        ballot.form()?.check_cast(&answers).map_err(KeyingError::Answers)?;
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        let (capture, done) =
            self.db.write(move |conn| desk.take_command(conn, &bearer, &by, pass, &answers, &with)).await?;
        if capture.is_settled() && done.reached == Reached::Cast {
            self.finish(staff, ballot).await?;
        }
        Ok(done)
    }

    /// An entry with what comes along with it, in one transaction.
    fn take_command(
        &self,
        conn: &mut Conn,
        bearer: &Bearer,
        staff: &Staff,
        pass: Pass,
        answers: &Answers,
        with: &Circumstances,
    ) -> Result<(Capture, Done), KeyingError> {
        let before = match &with.key {
            Some(key) => command::answered(conn, key, bearer, &staff.id, pass, answers)?,
            None => None,
        };
        let taken = match before {
            Some(reached) => (store::held(conn, &bearer.keys.public)?, Done { reached, repeated: true }),
            None => self.take_entry(conn, bearer, staff, pass, answers)?,
        };
        if before.is_none()
            && let Some(key) = &with.key
        {
            command::note(conn, key, bearer, &staff.id, (pass, answers), taken.1.reached, &self.entropy)?;
        }
        if !taken.1.repeated {
            let at = self.db.now(conn)?;
            effort::add(conn, &staff.id, at, with.effort)?;
            if let (Some(effort), Some(bundle)) = (with.effort, bundle::of(conn, &bearer.keys.public)?) {
                bundle::add_sums(conn, &bundle, Sums { seconds: effort.seconds, ..Sums::default() })?;
            }
            draft::discard(conn, bearer, unfinished::purpose(pass))?;
        }
        if let Some(desk) = &with.desk {
            claims::release(conn, desk, &bearer.keys.public)?;
        }
        Ok(taken)
    }

    fn take_entry(
        &self,
        conn: &mut Conn,
        bearer: &Bearer,
        staff: &Staff,
        pass: Pass,
        answers: &Answers,
    ) -> Result<(Capture, Done), KeyingError> {
        // Two first entries at once: the row is there for whoever asks again.
        for _ in 0..3 {
            let capture = store::held(conn, &bearer.keys.public)?;
            let anew = matches!(capture, Capture::Reopened { .. });
            if capture.keyed_by(pass) == Some(&staff.id) && !anew {
                let reached = repeated(conn, bearer, &capture, pass, answers)?;
                return Ok((capture, Done { reached, repeated: true }));
            }
            self.still_open(conn, bearer, &capture)?;
            let passage = bundle::gate(conn, &bearer.keys.public, staff)??;
            may_do(staff.role, pass)?;
            let (next, disputes) = match pass {
                Pass::First => (capture.first_done(&staff.id)?, Vec::new()),
                Pass::Second => {
                    let done = second_entry(conn, bearer, &capture, &staff.id, answers, passage.sampled)?;
                    bundle::firsts_complete(conn, &passage)??;
                    done
                }
                Pass::Sample => sample_entry(conn, bearer, &capture, &staff.id, answers)?,
            };
            let reached = reached(&next, disputes.len());
            if store::save(conn, &bearer.keys.public, bearer.round.id(), &capture, &next)? {
                if pass != Pass::Sample {
                    self.keep_earlier(conn, bearer, pass)?;
                }
                if pass != Pass::Sample || !next.is_settled() {
                    draft::keep(conn, bearer, purpose(pass), answers, &self.entropy)?;
                }
                let at = self.db.now(conn)?;
                statistics::entered(conn, at, bearer, (&staff.id, pass), &next, &disputes)?;
                if pass == Pass::Sample {
                    let read = Sums { items: count(answers.len()), ..Sums::default() };
                    bundle::add_sums(conn, &passage.bundle, read)?;
                }
                let (act, detail) = match (pass, reached) {
                    (Pass::Sample, Reached::Mismatched(places)) => ("keying.sample_differs", format!("{places} items")),
                    (Pass::Sample, _) => ("keying.sample_read", String::new()),
                    (_, Reached::Mismatched(places)) => ("keying.mismatched", format!("{places} items")),
                    (Pass::Second, _) => ("keying.matched", String::new()),
                    _ => ("keying.first_done", String::new()),
                };
                self.note(conn, staff, act, bearer, &detail)?;
                return Ok((next, Done { reached, repeated: false }));
            }
        }
        Err(DbError::Conflict.into())
    }

    /// The entry that a ballot keyed anew had in this place stays under its code until the cast.
    fn keep_earlier(&self, conn: &mut Conn, bearer: &Bearer, pass: Pass) -> Result<(), KeyingError> {
        let earlier = if pass == Pass::First { Purpose::EarlierFirst } else { Purpose::EarlierSecond };
        if let Some(before) = draft::read(conn, bearer, purpose(pass))? {
            draft::keep(conn, bearer, earlier, &before, &self.entropy)?;
        }
        Ok(())
    }

    /// A third person, who has read them ([`PaperDesk::read_blind`]), decides every disputed place; the ballot is cast
    /// then.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`], [`KeyingError::ReadingMissing`], [`KeyingError::Decision`] with every place at fault, and the rest of
    /// [`KeyingError`].
    pub async fn adjudicate(
        &self,
        staff: &Staff,
        ballot: &Arc<Bearer>,
        decision: Decision,
    ) -> Result<Done, KeyingError> {
        if !may_decide(staff.role) {
            return Err(KeyingError::RoleMissing);
        }
        let decision = Decision { answers: entry::comparable(&decision.answers), ..decision };
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        let repeated = self.db.write(move |conn| desk.take_decision(conn, &bearer, &by, &decision)).await?;
        self.finish(staff, ballot).await?;
        Ok(Done { reached: Reached::Cast, repeated })
    }

    fn take_decision(
        &self,
        conn: &mut Conn,
        bearer: &Bearer,
        staff: &Staff,
        decision: &Decision,
    ) -> Result<bool, KeyingError> {
        let capture = store::held(conn, &bearer.keys.public)?;
        let again = capture.settled_by() == Some(&staff.id);
        if again && matches!(capture, Capture::Cast { .. }) {
            return Ok(true);
        }
        if !again {
            self.still_open(conn, bearer, &capture)?;
            capture.may_settle(&staff.id)?;
        }
        let passage = bundle::gate(conn, &bearer.keys.public, staff)??;
        let [first, second] = entries(conn, bearer)?;
        let form = bearer.form()?;
        let disputes = entry::disputes(&form, &first, &second);
        let read = reading::of(conn, bearer, &staff.id)?;
        if !again && read.is_none() {
            return Err(KeyingError::ReadingMissing);
        }
        let decided = entry::settle(&form, &first, &disputes, decision).map_err(KeyingError::Decision)?;
        if again {
            let before = kept(conn, bearer, DECIDED)?;
            return if before == decided { Ok(true) } else { Err(KeyingError::EntryDiffers) };
        }
        let next = capture.settled(&staff.id)?;
        if !store::save(conn, &bearer.keys.public, bearer.round.id(), &capture, &next)? {
            return Err(DbError::Conflict.into());
        }
        draft::keep(conn, bearer, DECIDED, &decided, &self.entropy)?;
        let at = self.db.now(conn)?;
        statistics::settled(conn, at, bearer, &next, Some(decision))?;
        if capture.keyed_by(Pass::Sample).is_some() {
            // Both clerks read the same; where the decision is another, both were wrong.
            let wrong = disputes.iter().filter(|d| decided.get(&d.target, &d.item) != Some(&d.first)).count();
            bundle::add_sums(conn, &passage.bundle, Sums { wrong: count(wrong), ..Sums::default() })?;
        }
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        for reason in decision.reasons.values() {
            *reasons.entry(reason.as_str()).or_default() += 1;
        }
        let mut detail: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        let other = decision.answers.iter().filter(|(target, item, answer)| {
            read.as_ref().and_then(|read| read.get(target, item)).is_some_and(|read| read != *answer)
        });
        match other.count() {
            0 => {}
            count => detail.push(format!("decided otherwise than read {count}")),
        }
        self.note(conn, staff, "keying.adjudicated", bearer, &detail.join(", "))?;
        Ok(false)
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

/// The answer to an entry of somebody who has done this pass before.
fn repeated(
    conn: &mut Conn,
    bearer: &Bearer,
    capture: &Capture,
    pass: Pass,
    answers: &Answers,
) -> Result<Reached, KeyingError> {
    // A sample that reads as both clerks did was not kept.
    let compared = pass != Pass::Sample || !capture.is_settled();
    if compared && !matches!(capture, Capture::Cast { .. }) {
        match draft::read(conn, bearer, purpose(pass))? {
            Some(kept) if kept != *answers => return Err(KeyingError::EntryDiffers),
            Some(_) => {}
            // The cast has just deleted the entries; the capture follows.
            None if store::is_used(conn, &bearer.keys.public)? => {}
            None => return Err(KeyingError::EntryLost),
        }
    }
    Ok(match (pass, capture.at_rest()) {
        (Pass::First, _) => Reached::FirstDone,
        (Pass::Second, Capture::Matched { .. }) => Reached::AwaitsSample,
        (_, Capture::Mismatched { .. }) => {
            let [first, second] = entries(conn, bearer)?;
            Reached::Mismatched(entry::disputes(&bearer.form()?, &first, &second).len())
        }
        (_, _) => Reached::Cast,
    })
}

/// How far a ballot in this state has come, with so many places in which readings differ.
fn reached(capture: &Capture, disputes: usize) -> Reached {
    match capture {
        Capture::Mismatched { .. } => Reached::Mismatched(disputes),
        Capture::Matched { .. } => Reached::AwaitsSample,
        Capture::Verified { .. } => Reached::Cast,
        _ => Reached::FirstDone,
    }
}

/// The ballot after its second entry, and where that differs from the first.
fn second_entry(
    conn: &mut Conn,
    bearer: &Bearer,
    capture: &Capture,
    by: &str,
    answers: &Answers,
    sampled: bool,
) -> Result<(Capture, Vec<Dispute>), KeyingError> {
    // Refuses before anything is decrypted.
    capture.second_done(by, true)?;
    let first = kept(conn, bearer, Purpose::FirstKeying)?;
    let next = capture.second_done(by, first == *answers)?;
    let disputes = entry::disputes(&bearer.form()?, &first, answers);
    let verified = matches!(next, Capture::Matched { .. }) && !sampled;
    Ok((if verified { next.verified()? } else { next }, disputes))
}

/// The ballot after the blind third reading of a sample, and where that differs from what two agree on.
fn sample_entry(
    conn: &mut Conn,
    bearer: &Bearer,
    capture: &Capture,
    by: &str,
    answers: &Answers,
) -> Result<(Capture, Vec<Dispute>), KeyingError> {
    capture.sampled(by, true)?;
    let first = kept(conn, bearer, Purpose::FirstKeying)?;
    let disputes = entry::disputes(&bearer.form()?, &first, answers);
    Ok((capture.sampled(by, disputes.is_empty())?, disputes))
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
