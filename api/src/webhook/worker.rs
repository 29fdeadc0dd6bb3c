//! Sends what is due. Any number of processes may do so: each takes its rows under a lock, for a time; after a crash
//! they are due again, so a message may come twice, under the same id, and is never lost.

use chrono::TimeDelta;

use super::send::Sender;
use super::{next, store};
use crate::clock::machine_now;
use crate::db::{Db, DbError};

/// Deliveries that are sent at a time, side by side: one that hangs holds up seven at most, for 15 seconds.
const AT_ONCE: i64 = 8;
/// How long taken rows are nobody else's.
const LEASE: TimeDelta = TimeDelta::seconds(120);

/// Sends everything that is due now; gives back how many attempts were made. Blocks.
///
/// # Errors
/// When the database does not answer.
pub fn deliver_due(db: &Db, sender: &Sender) -> Result<usize, DbError> {
    let mut attempts = 0;
    loop {
        let taken = db.write_here(|conn| {
            let now = db.now(conn)?;
            Ok::<_, DbError>(store::claim(conn, now, now + LEASE, AT_ONCE)?)
        })?;
        if taken.is_empty() {
            return Ok(attempts);
        }
        attempts += taken.len();
        let outcomes = std::thread::scope(|scope| {
            let sent: Vec<_> =
                taken.iter().map(|(parcel, _)| scope.spawn(|| sender.send(parcel, machine_now()))).collect();
            let outcome = |thread: std::thread::ScopedJoinHandle<'_, _>| match thread.join() {
                Ok(outcome) => outcome,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            sent.into_iter().map(outcome).collect::<Vec<_>>()
        });
        for ((parcel, attempt), outcome) in taken.iter().zip(outcomes) {
            if !outcome.is_delivered() {
                tracing::warn!(webhook.delivery = %parcel.id, attempt, ?outcome, "a webhook was not taken");
            }
            db.write_here(|conn| {
                let now = db.now(conn)?;
                let again = if outcome.is_gone() { None } else { next(*attempt, now) };
                Ok::<_, DbError>(store::settle(conn, &parcel.id, outcome, now, again)?)
            })?;
        }
    }
}
