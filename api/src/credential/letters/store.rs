//! The outbox.

use std::collections::BTreeSet;

use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;

use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{addressee, credential, letter, posting};

/// Rows of one statement: PostgreSQL takes 65,535 parameters.
const CHUNK: usize = 5_000;

#[derive(Insertable)]
#[diesel(table_name = letter)]
pub(super) struct NewLetter {
    pub(super) id: String,
    pub(super) round: String,
    pub(super) addressee: String,
    pub(super) template: &'static str,
    pub(super) number: i64,
    pub(super) state: &'static str,
    pub(super) due: i64,
    pub(super) tries: i64,
}

pub(super) fn insert(conn: &mut Conn, rows: &[NewLetter]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(letter::table).values(row).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            for chunk in rows.chunks(CHUNK) {
                diesel::insert_into(letter::table).values(chunk).execute(c)?;
            }
        }
    }
    Ok(())
}

/// Addressee, template and number of every letter of a round.
pub(super) fn planned(conn: &mut Conn, round: &str) -> QueryResult<BTreeSet<(String, String, i64)>> {
    let rows: Vec<(String, String, i64)> = letter::table
        .filter(letter::round.eq(round))
        .select((letter::addressee, letter::template, letter::number))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Everybody of a round whose invitation or replacement has reached the mail server.
pub(super) fn reached(conn: &mut Conn, round: &str) -> QueryResult<BTreeSet<String>> {
    let ids: Vec<String> = letter::table
        .filter(letter::round.eq(round).and(letter::state.eq("sent")).and(letter::template.ne("reminder")))
        .select(letter::addressee)
        .load(conn)?;
    Ok(ids.into_iter().collect())
}

/// Whether a reminder that may go by now is still on its way.
pub(super) fn is_reminding(conn: &mut Conn, round: &str, now: i64) -> QueryResult<bool> {
    let one: Option<String> = letter::table
        .filter(letter::round.eq(round).and(letter::template.eq("reminder")))
        .filter(letter::state.eq_any(["waiting", "sending"]).and(letter::due.le(now)))
        .select(letter::id)
        .first(conn)
        .optional()?;
    Ok(one.is_some())
}

pub(super) fn last_number(conn: &mut Conn, person: &str, template: &str) -> QueryResult<i64> {
    let last: Option<i64> = letter::table
        .filter(letter::addressee.eq(person).and(letter::template.eq(template)))
        .select(max(letter::number))
        .first(conn)?;
    Ok(last.unwrap_or(0))
}

pub(super) fn drop_waiting(conn: &mut Conn, person: &str, templates: &[&str]) -> QueryResult<()> {
    let waiting = letter::addressee.eq(person).and(letter::state.eq("waiting"));
    diesel::delete(letter::table.filter(waiting.and(letter::template.eq_any(templates)))).execute(conn).map(|_| ())
}

/// Template, state, count.
pub(super) fn counts(conn: &mut Conn, round: &str) -> QueryResult<Vec<(String, String, i64)>> {
    letter::table
        .filter(letter::round.eq(round))
        .group_by((letter::template, letter::state))
        .select((letter::template, letter::state, count_star()))
        .load(conn)
}

pub(super) fn first_due(conn: &mut Conn, round: &str) -> QueryResult<Option<i64>> {
    letter::table
        .filter(letter::round.eq(round).and(letter::state.eq_any(["waiting", "sending"])))
        .select(min(letter::due))
        .first(conn)
}

#[derive(Queryable)]
pub(super) struct Posting {
    pub(super) paused_by: Option<String>,
    pub(super) trouble: Option<String>,
    pub(super) trouble_at: Option<i64>,
}

pub(super) fn posting(conn: &mut Conn, round: &str) -> QueryResult<Option<Posting>> {
    posting::table
        .find(round)
        .select((posting::paused_by, posting::trouble, posting::trouble_at))
        .first(conn)
        .optional()
}

fn keep_posting(conn: &mut Conn, round: &str) -> QueryResult<()> {
    let there: Option<String> = posting::table.find(round).select(posting::round).first(conn).optional()?;
    if there.is_some() {
        return Ok(());
    }
    match conn {
        Conn::Sqlite(c) => {
            diesel::insert_into(posting::table).values(posting::round.eq(round)).on_conflict_do_nothing().execute(c)
        }
        Conn::Postgres(c) => {
            diesel::insert_into(posting::table).values(posting::round.eq(round)).on_conflict_do_nothing().execute(c)
        }
    }
    .map(|_| ())
}

pub(super) fn set_paused(conn: &mut Conn, round: &str, by: Option<&str>) -> QueryResult<()> {
    keep_posting(conn, round)?;
    diesel::update(posting::table.find(round)).set(posting::paused_by.eq(by)).execute(conn).map(|_| ())
}

pub(super) fn set_trouble(conn: &mut Conn, round: &str, trouble: Option<&str>, at: i64) -> QueryResult<()> {
    keep_posting(conn, round)?;
    let at = trouble.map(|_| at);
    diesel::update(posting::table.find(round))
        .set((posting::trouble.eq(trouble), posting::trouble_at.eq(at)))
        .execute(conn)
        .map(|_| ())
}

/// A letter that may go now.
#[derive(Queryable)]
pub(super) struct Due {
    pub(super) id: String,
    pub(super) addressee: String,
    pub(super) template: String,
    pub(super) state: String,
    pub(super) tries: i64,
}

/// Letters that may go, held until the transaction ends; those that another process holds are left to it.
pub(super) fn due(conn: &mut Conn, round: &str, now: i64, most: i64) -> QueryResult<Vec<Due>> {
    let query = letter::table
        .filter(letter::round.eq(round))
        .filter(letter::state.eq_any(["waiting", "sending"]))
        .filter(letter::due.le(now))
        .order((letter::due, letter::id))
        .limit(most)
        .select((letter::id, letter::addressee, letter::template, letter::state, letter::tries));
    match conn {
        Conn::Sqlite(c) => query.load(c),
        Conn::Postgres(c) => query.for_update().skip_locked().load(c),
    }
}

/// Whether a letter may go.
pub(super) fn is_due(conn: &mut Conn, round: &str, now: i64) -> QueryResult<bool> {
    let one: Option<String> = letter::table
        .filter(letter::round.eq(round))
        .filter(letter::state.eq_any(["waiting", "sending"]))
        .filter(letter::due.le(now))
        .select(letter::id)
        .first(conn)
        .optional()?;
    Ok(one.is_some())
}

/// The state of a code, held until the transaction ends, so that no cast comes between.
pub(super) fn held_code(conn: &mut Conn, key: &PublicKey) -> QueryResult<Option<String>> {
    let query = credential::table.find(key.as_slice()).select(credential::state);
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_update().first(c).optional(),
    }
}

pub(super) fn begin(conn: &mut Conn, id: &str, tries: i64, lease: i64) -> QueryResult<()> {
    diesel::update(letter::table.find(id))
        .set((letter::state.eq("sending"), letter::tries.eq(tries), letter::due.eq(lease)))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn postpone(conn: &mut Conn, id: &str, due: i64) -> QueryResult<()> {
    diesel::update(letter::table.find(id)).set(letter::due.eq(due)).execute(conn).map(|_| ())
}

pub(super) fn delete(conn: &mut Conn, id: &str) -> QueryResult<()> {
    diesel::delete(letter::table.find(id)).execute(conn).map(|_| ())
}

/// What becomes of a letter that was being sent.
pub(super) struct Settled<'s> {
    pub(super) state: &'s str,
    pub(super) due: i64,
    pub(super) tries: i64,
    pub(super) fault: Option<&'s str>,
}

/// Notes it, unless the letter was given to somebody else meanwhile; `tries` counts whose turn it is.
pub(super) fn settle(conn: &mut Conn, id: &str, turn: i64, settled: &Settled<'_>) -> QueryResult<bool> {
    let own = letter::table.find(id).filter(letter::state.eq("sending").and(letter::tries.eq(turn)));
    let changed = diesel::update(own)
        .set((
            letter::state.eq(settled.state),
            letter::due.eq(settled.due),
            letter::tries.eq(settled.tries),
            letter::fault.eq(settled.fault),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Whether a person's invitation or replacement has reached the mail server; `None` when none will any more.
pub(super) fn has_letter(conn: &mut Conn, person: &str) -> QueryResult<Option<bool>> {
    let states: Vec<String> = letter::table
        .filter(letter::addressee.eq(person).and(letter::template.ne("reminder")))
        .select(letter::state)
        .load(conn)?;
    let has = |wanted: &str| states.iter().any(|state| state == wanted);
    Ok(if has("sent") {
        Some(true)
    } else if has("waiting") || has("sending") {
        Some(false)
    } else {
        None
    })
}

pub(super) type UndeliveredRow = (String, String, String, String, String, Option<String>);

pub(super) fn undelivered(conn: &mut Conn, round: &str, state: &str) -> QueryResult<Vec<UndeliveredRow>> {
    letter::table
        .inner_join(addressee::table.on(addressee::id.eq(letter::addressee)))
        .filter(letter::round.eq(round).and(letter::state.eq(state)))
        .order((addressee::source_unit, addressee::name, letter::id))
        .select((
            addressee::name,
            addressee::email,
            addressee::source_unit,
            letter::template,
            letter::state,
            letter::fault,
        ))
        .load(conn)
}

pub(super) fn send_again(conn: &mut Conn, round: &str, now: i64) -> QueryResult<usize> {
    diesel::update(letter::table.filter(letter::round.eq(round).and(letter::state.eq_any(["failed", "bounced"]))))
        .set((letter::state.eq("waiting"), letter::due.eq(now), letter::tries.eq(0)))
        .execute(conn)
}

/// The letters of an address that the server took count as returned.
pub(super) fn mark_bounced(conn: &mut Conn, round: &str, mailbox: &str) -> QueryResult<usize> {
    let person: Option<String> = addressee::table
        .filter(addressee::round.eq(round).and(addressee::mailbox.eq(mailbox)))
        .select(addressee::id)
        .first(conn)
        .optional()?;
    let Some(person) = person else { return Ok(0) };
    let changed = diesel::update(letter::table.filter(letter::addressee.eq(person).and(letter::state.eq("sent"))))
        .set(letter::state.eq("bounced"))
        .execute(conn)?;
    Ok(usize::from(changed > 0))
}
