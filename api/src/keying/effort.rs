//! What keying costs: keystrokes, refused keys and seconds at work, told by the desk's browsers with each entry and added
//! up by round, person and day. Nothing of a single ballot is kept.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::KeyingError;
use crate::clock::local;
use crate::db::Conn;
use crate::db::schema::{keying_effort, staff};

/// What one entry took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Keys pressed, refused ones too.
    pub keystrokes: u32,
    /// Keys that meant nothing where they were pressed.
    pub refused: u32,
    /// Seconds from the first key to the last, without pauses.
    pub seconds: u32,
}

/// What a member of the desk did for a round in a day of Viet Nam.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct DayOfWork {
    /// Sign-in name.
    pub clerk: String,
    /// `2023-10-20`.
    pub day: String,
    /// Entries of either pass.
    pub entries: i64,
    /// Keys pressed.
    pub keystrokes: i64,
    /// Keys refused.
    pub refused: i64,
    /// Seconds at work, without pauses.
    pub active_seconds: i64,
}

/// Adds one entry; without an effort (a form without script, a program) only the entry counts, as neither keys nor
/// seconds.
pub(super) fn add(
    conn: &mut Conn,
    round: &str,
    by: &str,
    at: DateTime<Utc>,
    effort: Option<Effort>,
) -> Result<(), KeyingError> {
    let Some(effort) = effort else { return Ok(()) };
    let day = local(at).format("%Y-%m-%d").to_string();
    let (keys, refused, seconds) = (i64::from(effort.keystrokes), i64::from(effort.refused), i64::from(effort.seconds));
    let row = (
        keying_effort::round.eq(round),
        keying_effort::staff.eq(by),
        keying_effort::day.eq(&day),
        keying_effort::entries.eq(1),
        keying_effort::keystrokes.eq(keys),
        keying_effort::refused.eq(refused),
        keying_effort::active_seconds.eq(seconds),
    );
    let place = (keying_effort::round, keying_effort::staff, keying_effort::day);
    let set = (
        keying_effort::entries.eq(keying_effort::entries + 1),
        keying_effort::keystrokes.eq(keying_effort::keystrokes + keys),
        keying_effort::refused.eq(keying_effort::refused + refused),
        keying_effort::active_seconds.eq(keying_effort::active_seconds + seconds),
    );
    match conn {
        Conn::Sqlite(c) => {
            diesel::insert_into(keying_effort::table).values(row).on_conflict(place).do_update().set(set).execute(c)?
        }
        Conn::Postgres(c) => {
            diesel::insert_into(keying_effort::table).values(row).on_conflict(place).do_update().set(set).execute(c)?
        }
    };
    Ok(())
}

/// Every day of everybody who keyed for a round, by name and day: entries that came with an effort.
///
/// # Errors
/// When the database fails.
pub fn days(conn: &mut Conn, round: &str) -> Result<Vec<DayOfWork>, KeyingError> {
    Ok(keying_effort::table
        .inner_join(staff::table.on(staff::id.eq(keying_effort::staff)))
        .filter(keying_effort::round.eq(round))
        .order((staff::name, keying_effort::day))
        .select((
            staff::name,
            keying_effort::day,
            keying_effort::entries,
            keying_effort::keystrokes,
            keying_effort::refused,
            keying_effort::active_seconds,
        ))
        .load(conn)?)
}
