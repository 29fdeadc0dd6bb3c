//! The trail: who did what to a round, to codes, to staff. Never an answer, a code, a key or a password.

use std::fmt;

use chrono::{DateTime, Utc};

use super::staff::Staff;
use super::store;
use crate::clock::Entropy;
use crate::db::{Conn, DbError};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A member of staff, by sign-in name.
    Staff(String),
    /// A machine client, by id.
    Client(String),
    /// Whoever runs commands on the server.
    Command,
    /// The service itself, at a set time.
    Service,
}

impl From<&Staff> for Actor {
    fn from(staff: &Staff) -> Self {
        Self::Staff(staff.name.clone())
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Staff(name) => write!(f, "staff:{name}"),
            Self::Client(id) => write!(f, "client:{id}"),
            Self::Command => f.write_str("command"),
            Self::Service => f.write_str("service"),
        }
    }
}

/// One line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Random.
    pub id: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Who: [`Actor`] as text.
    pub actor: String,
    /// What: `room.act`, such as `staff.added`.
    pub action: String,
    /// To whom or what: a name or an id.
    pub subject: String,
    /// A few more words; may be empty.
    pub detail: String,
}

/// Writes a line, in the transaction of the act itself: neither is there without the other.
///
/// # Errors
/// When the database refuses.
pub fn record(
    conn: &mut Conn,
    at: DateTime<Utc>,
    actor: &Actor,
    action: &str,
    subject: &str,
    detail: &str,
) -> Result<(), DbError> {
    // Only a name for the row, never compared or shown: no caller needs to make it reproducible.
    let id = Entropy::System.uuid().to_string();
    let (actor, action, subject, detail) = (actor.to_string(), action.into(), subject.into(), detail.into());
    store::insert_audit(conn, &Entry { id, at, actor, action, subject, detail })?;
    Ok(())
}

/// Whether a line about `subject` ends in ` mark`.
///
/// # Errors
/// When the database does not answer.
pub fn has_mark(conn: &mut Conn, subject: &str, mark: &str) -> Result<bool, DbError> {
    Ok(store::audit_has(conn, subject, &format!("% {mark}"))?)
}

/// The trail from the newest line on, at most `most` lines; `after` is the last line of the page before.
///
/// # Errors
/// When the database does not answer.
pub fn read(conn: &mut Conn, after: Option<&Entry>, most: u32) -> Result<Vec<Entry>, DbError> {
    Ok(store::audit_trail(conn, after, most)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::databases;

    #[test]
    fn the_trail_reads_newest_first_and_pages_without_a_gap() {
        for test in databases() {
            let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
            test.db
                .write_here(|conn| {
                    for n in 0..7 {
                        // Several at the same instant.
                        let when = at + chrono::TimeDelta::seconds(n / 3);
                        record(conn, when, &Actor::Command, "test.act", &n.to_string(), "")?;
                    }
                    Ok::<_, DbError>(())
                })
                .unwrap();
            let mut seen = Vec::new();
            loop {
                let page = test.db.read_here(|conn| read(conn, seen.last(), 2)).unwrap();
                if page.is_empty() {
                    break;
                }
                seen.extend(page);
            }
            let mut subjects: Vec<_> = seen.iter().map(|e| e.subject.clone()).collect();
            assert_eq!(subjects.first().map(String::as_str), Some("6"), "{}", test.backend);
            assert!(seen.windows(2).all(|w| w[0].at >= w[1].at));
            subjects.sort();
            assert_eq!(subjects, ["0", "1", "2", "3", "4", "5", "6"], "{}", test.backend);
        }
    }
}
