//! Server-side sessions: the browser holds 256 random bits, the database their SHA-256. Times are the database's, so
//! that every process agrees on them.

use chrono::{DateTime, TimeDelta, Utc};

use super::audit::{self, Actor};
use super::secret::{Secret, fingerprint};
use super::staff::Staff;
use super::store;
use crate::clock::Entropy;
use crate::db::{Conn, Db, DbError};

/// A session that nobody used for so long is over.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// A session that was opened so long ago is over, used or not: one working day.
pub const LONGEST: TimeDelta = TimeDelta::hours(12);
/// `last_seen_at` is written at most so often: a page read must not cost a disk flush.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A session as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_seen_at: DateTime<Utc>,
    /// When a temporary clerk's day ends.
    pub(super) access_ends_at: Option<DateTime<Utc>>,
}

impl Times {
    fn over(self, at: DateTime<Utc>) -> bool {
        at - self.last_seen_at >= IDLE
            || at - self.created_at >= LONGEST
            || self.access_ends_at.is_some_and(|ends| at >= ends)
    }

    fn stale(self, at: DateTime<Utc>) -> bool {
        at - self.last_seen_at >= NOTED_EVERY
    }
}

/// Opens a session; the value is for the cookie. Sessions that are over leave the table on the way.
///
/// # Errors
/// When the database refuses.
pub(super) fn open(conn: &mut Conn, at: DateTime<Utc>, entropy: &Entropy, staff: &str) -> Result<Secret, DbError> {
    let cookie = Secret::random(entropy);
    store::delete_sessions_over(conn, at - IDLE, at - LONGEST)?;
    store::insert_session(conn, &fingerprint(cookie.reveal()), staff, at)?;
    Ok(cookie)
}

/// Ends a session; an unknown one is already over.
///
/// # Errors
/// When the database refuses.
pub(super) fn end(conn: &mut Conn, cookie: &Secret) -> Result<(), DbError> {
    Ok(store::delete_session(conn, &fingerprint(cookie.reveal()))?)
}

/// The member of staff behind a cookie, if the session is not over and they were not disabled.
///
/// # Errors
/// When the database does not answer.
pub async fn resume(db: &Db, cookie: &Secret) -> Result<Option<Staff>, DbError> {
    let id = fingerprint(cookie.reveal());
    let clock = db.clone();
    let found = db
        .read(move |conn| {
            let Some((times, staff)) = store::session(conn, &id)? else { return Ok(None) };
            let at = clock.now(conn)?;
            Ok::<_, DbError>((!times.over(at)).then_some((times, at, staff)))
        })
        .await?;
    let Some((times, at, staff)) = found else { return Ok(None) };
    if times.stale(at) {
        db.write(move |conn| Ok::<_, DbError>(store::note_session(conn, &id, at)?)).await?;
    }
    Ok(Some(staff))
}

/// Ends the session of a cookie and notes who signed out.
///
/// # Errors
/// When the database refuses.
pub async fn sign_out(db: &Db, cookie: Secret) -> Result<(), DbError> {
    let clock = db.clone();
    db.write(move |conn| {
        let at = clock.now(conn)?;
        if let Some((_, staff)) = store::session(conn, &fingerprint(cookie.reveal()))? {
            audit::record(conn, at, &Actor::from(&staff), "staff.signed_out", &staff.name, "")?;
        }
        end(conn, &cookie)
    })
    .await
}

#[cfg(test)]
mod tests;
