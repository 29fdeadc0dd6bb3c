//! A pass over a ballot: taken once, compared where it is to be, and with it what came along.

use std::sync::Arc;

use survey_forms::answers::Answers;

use super::{
    Capture, Circumstances, Dispute, Done, KeyingError, PaperDesk, Pass, Reached, command, count, effort, entries,
    entry, kept, may_do, statistics, store, unfinished,
};
use crate::access::Staff;
use crate::ballot::{Bearer, Purpose, draft};
use crate::bundle::{self, Sums, claims};
use crate::db::{Conn, DbError};

/// Where the entry of a pass waits. A sample that reads as both clerks did is not kept; one that does not takes the place
/// of the second entry, which is the first one again.
fn purpose(pass: Pass) -> Purpose {
    match pass {
        Pass::First => Purpose::FirstKeying,
        Pass::Second | Pass::Sample => Purpose::SecondKeying,
    }
}

impl PaperDesk {
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
    pub(super) fn take_command(
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
            effort::add(conn, bearer.round.id(), &staff.id, at, with.effort)?;
            if let (Some(effort), Some(bundle)) = (with.effort, bundle::of(conn, &bearer.keys.public)?) {
                bundle::add_sums(conn, &bundle, Sums { seconds: effort.seconds, ..Sums::default() })?;
            }
            draft::discard(conn, bearer, unfinished::purpose(pass))?;
        }
        claims::release_of(conn, &bearer.keys.public, &staff.id)?;
        Ok(taken)
    }

    pub(super) fn take_entry(
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
