//! Publications, as they were released.

use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::publication;

/// The latest release of a round.
pub(super) fn latest(conn: &mut Conn, round: &str) -> QueryResult<Option<i64>> {
    publication::table.filter(publication::round.eq(round)).select(max(publication::release)).first(conn)
}

/// The latest release of a round that was out at a time.
pub(super) fn latest_at(conn: &mut Conn, round: &str, at: i64) -> QueryResult<Option<i64>> {
    let out = publication::table.filter(publication::round.eq(round).and(publication::published_at.le(at)));
    out.select(max(publication::release)).first(conn)
}

/// How many releases a round has; they are numbered from 1.
pub(super) fn count(conn: &mut Conn, round: &str) -> QueryResult<i64> {
    publication::table.filter(publication::round.eq(round)).count().get_result(conn)
}

/// The canonical document of a release.
pub(super) fn document(conn: &mut Conn, round: &str, release: i64) -> QueryResult<String> {
    publication::table.find((round, release)).select(publication::document).first(conn)
}

/// Rounds with a release and when the first one came out, the newest first.
pub(super) fn published(conn: &mut Conn) -> QueryResult<Vec<String>> {
    publication::table
        .filter(publication::release.eq(1))
        .order((publication::published_at.desc(), publication::round))
        .select(publication::round)
        .load(conn)
}
