//! Counts of codes, of ballots by day, and of the paper desk. Nothing here reads an envelope or a ballot.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{capture, credential, turnout};

/// Codes of one kind of ballot paper in one state.
#[derive(Queryable)]
pub(super) struct CodeCount {
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) targets: String,
    pub(super) channel: String,
    pub(super) state: String,
    pub(super) count: i64,
}

/// Ballots of one kind of ballot paper on one day.
#[derive(Queryable)]
pub(super) struct DayCount {
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) targets: String,
    pub(super) channel: String,
    pub(super) day: String,
    pub(super) returned: i64,
}

/// All counts of a round as of one moment: a ballot that is cast meanwhile is in all of them or in none.
pub(super) struct Counts {
    pub(super) codes: Vec<CodeCount>,
    pub(super) days: Vec<DayCount>,
    /// Paper ballots at the desk by how far they are.
    pub(super) captures: Vec<(String, i64)>,
}

/// Counts a round on one snapshot. Not inside a transaction.
pub(super) fn counts(conn: &mut Conn, round: &str) -> QueryResult<Counts> {
    conn.batch_execute(match conn {
        Conn::Sqlite(_) => "BEGIN",
        Conn::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    let counts = read(conn, round);
    conn.batch_execute("ROLLBACK")?;
    counts
}

fn read(conn: &mut Conn, round: &str) -> QueryResult<Counts> {
    Ok(Counts { codes: codes(conn, round)?, days: days(conn, round)?, captures: captures(conn, round)? })
}

fn codes(conn: &mut Conn, round: &str) -> QueryResult<Vec<CodeCount>> {
    let key = (
        credential::respondent_code,
        credential::source_unit,
        credential::targets,
        credential::channel,
        credential::state,
    );
    credential::table
        .filter(credential::round.eq(round).and(credential::state.ne("revoked")))
        .group_by(key)
        .select((
            credential::respondent_code,
            credential::source_unit,
            credential::targets,
            credential::channel,
            credential::state,
            count_star(),
        ))
        .load(conn)
}

fn days(conn: &mut Conn, round: &str) -> QueryResult<Vec<DayCount>> {
    turnout::table
        .filter(turnout::round.eq(round))
        .select((
            turnout::respondent_code,
            turnout::source_unit,
            turnout::targets,
            turnout::channel,
            turnout::day,
            turnout::returned,
        ))
        .order(turnout::day)
        .load(conn)
}

fn captures(conn: &mut Conn, round: &str) -> QueryResult<Vec<(String, i64)>> {
    capture::table
        .filter(capture::round.eq(round))
        .group_by(capture::state)
        .select((capture::state, count_star()))
        .load(conn)
}
