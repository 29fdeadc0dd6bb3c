//! The table of proposed releases.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{Draft, Proposal, ProposalState};
use crate::access::Actor;
use crate::db::schema::release_proposal;
use crate::db::{Conn, from_unix_ms, unix_ms};

type Row = (String, String, i64, String, String, String, String, String, i64, Option<String>, Option<i64>);

fn parse(row: Row) -> QueryResult<Proposal> {
    let unreadable = |column: &str| diesel::result::Error::DeserializationError(column.to_owned().into());
    let (id, round, release, reason, left_out, digest, state, proposed_by, proposed_at, settled_by, settled_at) = row;
    let state = ProposalState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(Proposal {
        id,
        round,
        release,
        draft: Draft {
            reason,
            left_out: serde_json::from_str(&left_out).map_err(|_json| unreadable("release_proposal.left_out"))?,
        },
        digest,
        state: state.ok_or_else(|| unreadable("release_proposal.state"))?,
        proposed_by,
        proposed_at: from_unix_ms(proposed_at),
        settled: settled_by.zip(settled_at.map(from_unix_ms)),
    })
}

pub(super) fn insert(conn: &mut Conn, proposal: &Proposal) -> QueryResult<()> {
    let left_out = serde_json::to_string(&proposal.draft.left_out)
        .map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    diesel::insert_into(release_proposal::table)
        .values((
            release_proposal::id.eq(&proposal.id),
            release_proposal::round.eq(&proposal.round),
            release_proposal::release.eq(proposal.release),
            release_proposal::reason.eq(&proposal.draft.reason),
            release_proposal::left_out.eq(left_out),
            release_proposal::digest.eq(&proposal.digest),
            release_proposal::state.eq(proposal.state.as_str()),
            release_proposal::proposed_by.eq(&proposal.proposed_by),
            release_proposal::proposed_at.eq(unix_ms(&proposal.proposed_at)),
        ))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Proposal>> {
    let row: Option<Row> = release_proposal::table.find(id).first(conn).optional()?;
    row.map(parse).transpose()
}

/// The proposal of a round that waits.
pub(super) fn waiting(conn: &mut Conn, round: &str) -> QueryResult<Option<Proposal>> {
    let waits =
        release_proposal::table.filter(release_proposal::round.eq(round).and(release_proposal::state.eq("waiting")));
    let row: Option<Row> = waits.first(conn).optional()?;
    row.map(parse).transpose()
}

/// Settles a proposal that waits; false when it does not wait.
pub(super) fn settle(
    conn: &mut Conn,
    id: &str,
    state: ProposalState,
    by: &Actor,
    at: DateTime<Utc>,
) -> QueryResult<bool> {
    let waiting = release_proposal::table.find(id).filter(release_proposal::state.eq("waiting"));
    let settled = diesel::update(waiting)
        .set((
            release_proposal::state.eq(state.as_str()),
            release_proposal::settled_by.eq(by.to_string()),
            release_proposal::settled_at.eq(unix_ms(&at)),
        ))
        .execute(conn)?;
    Ok(settled == 1)
}
