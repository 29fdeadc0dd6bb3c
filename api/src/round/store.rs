//! The table of rounds.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::db::Conn;
use crate::db::schema::{credential, log, round};

#[derive(Queryable)]
pub(super) struct Header {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) hash: String,
    pub(super) opens_at: i64,
    pub(super) closes_at: i64,
    pub(super) keying_closes_at: i64,
    pub(super) box_public: Option<Vec<u8>>,
    pub(super) custody: Option<String>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = round)]
pub(super) struct NewRound<'a> {
    pub(super) id: &'a str,
    pub(super) state: &'a str,
    pub(super) hash: &'a str,
    pub(super) files: &'a str,
    pub(super) opens_at: i64,
    pub(super) closes_at: i64,
    pub(super) keying_closes_at: i64,
}

pub(super) fn headers(conn: &mut Conn) -> QueryResult<Vec<Header>> {
    round::table
        .select((
            round::id,
            round::state,
            round::hash,
            round::opens_at,
            round::closes_at,
            round::keying_closes_at,
            round::box_public,
            round::custody,
        ))
        .load(conn)
}

/// The verifier keys of the rounds' logs.
pub(super) fn log_keys(conn: &mut Conn) -> QueryResult<BTreeMap<String, String>> {
    let rows: Vec<(String, String)> = log::table.select((log::round, log::vkey)).load(conn)?;
    Ok(rows.into_iter().collect())
}

pub(super) fn files(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    round::table.find(id).select(round::files).first(conn).optional()
}

pub(super) fn state(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    round::table.find(id).select(round::state).first(conn).optional()
}

/// Where a round is on its way, and its rules hash; within a transaction it stays so.
pub(super) fn state_and_hash(conn: &mut Conn, id: &str) -> QueryResult<Option<(String, String)>> {
    let query = round::table.find(id).select((round::state, round::hash));
    match conn {
        Conn::Sqlite(conn) => query.first(conn).optional(),
        Conn::Postgres(conn) => query.for_update().first(conn).optional(),
    }
}

pub(super) fn has_codes(conn: &mut Conn, id: &str) -> QueryResult<bool> {
    let one: Option<String> =
        credential::table.filter(credential::round.eq(id)).select(credential::state).first(conn).optional()?;
    Ok(one.is_some())
}

pub(super) fn insert(conn: &mut Conn, row: &NewRound<'_>) -> QueryResult<()> {
    diesel::insert_into(round::table).values(row).execute(conn).map(|_| ())
}

pub(super) fn replace(conn: &mut Conn, row: &NewRound<'_>) -> QueryResult<()> {
    diesel::update(round::table.find(row.id)).set(row).execute(conn).map(|_| ())
}

pub(super) fn advance(conn: &mut Conn, id: &str, from: &str, to: &str) -> QueryResult<bool> {
    let moved =
        diesel::update(round::table.find(id).filter(round::state.eq(from))).set(round::state.eq(to)).execute(conn)?;
    Ok(moved == 1)
}

pub(super) fn set_box_key(conn: &mut Conn, id: &str, public: &[u8], replaces: bool) -> QueryResult<bool> {
    let free = round::box_public.is_null().or(replaces.into_sql::<Bool>());
    let set = diesel::update(round::table.find(id).filter(round::state.eq("loaded")).filter(free))
        .set(round::box_public.eq(public))
        .execute(conn)?;
    Ok(set == 1)
}

/// `None` for no such round, `Some(None)` while nothing is kept.
pub(super) fn custody(conn: &mut Conn, id: &str) -> QueryResult<Option<Option<String>>> {
    round::table.find(id).select(round::custody).first(conn).optional()
}

pub(super) fn set_custody(conn: &mut Conn, id: &str, json: &str) -> QueryResult<()> {
    diesel::update(round::table.find(id)).set(round::custody.eq(json)).execute(conn).map(|_| ())
}
