//! Publications, as they were released.

use diesel::dsl::max;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::publication;

/// The latest release of a round.
pub(super) fn latest(conn: &mut Conn, round: &str) -> QueryResult<Option<i64>> {
    publication::table.filter(publication::round.eq(round)).select(max(publication::release)).first(conn)
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
