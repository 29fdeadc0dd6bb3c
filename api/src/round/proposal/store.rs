//! The table of proposals.

use diesel::prelude::*;

use super::{Proposal, ProposalState};
use crate::db::schema::round_proposal;
use crate::db::{Conn, from_unix_ms};

#[derive(Insertable)]
#[diesel(table_name = round_proposal)]
pub(super) struct NewProposal<'a> {
    pub(super) id: &'a str,
    pub(super) round: &'a str,
    pub(super) title: &'a str,
    pub(super) hash: &'a str,
    pub(super) files: &'a str,
    pub(super) errors: i64,
    pub(super) warnings: i64,
    pub(super) state: &'a str,
    pub(super) proposed_by: &'a str,
    pub(super) proposed_at: i64,
}

type Row = (String, String, String, String, i64, i64, String, String, i64, Option<String>, Option<i64>);

type Columns = (
    round_proposal::id,
    round_proposal::round,
    round_proposal::title,
    round_proposal::hash,
    round_proposal::errors,
    round_proposal::warnings,
    round_proposal::state,
    round_proposal::proposed_by,
    round_proposal::proposed_at,
    round_proposal::settled_by,
    round_proposal::settled_at,
);

const COLUMNS: Columns = (
    round_proposal::id,
    round_proposal::round,
    round_proposal::title,
    round_proposal::hash,
    round_proposal::errors,
    round_proposal::warnings,
    round_proposal::state,
    round_proposal::proposed_by,
    round_proposal::proposed_at,
    round_proposal::settled_by,
    round_proposal::settled_at,
);

fn parse(row: Row) -> QueryResult<Proposal> {
    let (id, round, title, hash, errors, warnings, state, proposed_by, proposed_at, settled_by, settled_at) = row;
    let state = ProposalState::parse(&state)
        .ok_or_else(|| diesel::result::Error::DeserializationError("round_proposal.state".into()))?;
    Ok(Proposal {
        id,
        round,
        title,
        hash,
        errors,
        warnings,
        state,
        proposed_by,
        proposed_at: from_unix_ms(proposed_at),
        settled: settled_by.zip(settled_at.map(from_unix_ms)),
    })
}

pub(super) fn insert(conn: &mut Conn, row: &NewProposal<'_>) -> QueryResult<()> {
    diesel::insert_into(round_proposal::table).values(row).execute(conn).map(|_| ())
}

pub(super) fn waiting(conn: &mut Conn) -> QueryResult<i64> {
    round_proposal::table.filter(round_proposal::state.eq("waiting")).count().get_result(conn)
}

/// The newest first.
pub(super) fn list(conn: &mut Conn, most: i64) -> QueryResult<Vec<Proposal>> {
    let order = (round_proposal::proposed_at.desc(), round_proposal::id);
    let rows: Vec<Row> = round_proposal::table.order(order).limit(most).select(COLUMNS).load(conn)?;
    rows.into_iter().map(parse).collect()
}

pub(super) fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Proposal>> {
    let row: Option<Row> = round_proposal::table.find(id).select(COLUMNS).first(conn).optional()?;
    row.map(parse).transpose()
}

pub(super) fn files(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    round_proposal::table.find(id).select(round_proposal::files).first(conn).optional()
}

/// Settles a proposal that waits, and lets its files go; false when it does not wait.
pub(super) fn settle(conn: &mut Conn, id: &str, state: ProposalState, by: &str, at: i64) -> QueryResult<bool> {
    let waiting = round_proposal::table.find(id).filter(round_proposal::state.eq("waiting"));
    let settled = diesel::update(waiting)
        .set((
            round_proposal::state.eq(state.as_str()),
            round_proposal::files.eq(""),
            round_proposal::settled_by.eq(by),
            round_proposal::settled_at.eq(at),
        ))
        .execute(conn)?;
    Ok(settled == 1)
}
