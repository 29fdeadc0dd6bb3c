//! What the acts read and write: the round's row, the box, the ballots, the publication.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, Binary, Text};
use survey_forms::scoring::Turnouts;

use super::Remark;
use crate::db::Conn;
use crate::db::schema::{ballot, ballot_box, credential, opening, publication, remark, round};

/// A round's row, held until the transaction ends: casts in flight are decided before this returns, later ones
/// see what the act has made of the round (they hold the row `FOR SHARE`; SQLite has one writer anyway).
pub(super) fn hold(conn: &mut Conn, id: &str) -> QueryResult<Option<(String, Option<Vec<u8>>)>> {
    let query = round::table.filter(round::id.eq(id)).select((round::state, round::box_public));
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_update().first(c).optional(),
    }
}

/// Codes of a round in a state.
pub(super) fn codes(conn: &mut Conn, id: &str, state: &str) -> QueryResult<i64> {
    credential::table.filter(credential::round.eq(id).and(credential::state.eq(state))).select(count_star()).first(conn)
}

pub(super) fn in_box(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    ballot_box::table.filter(ballot_box::round.eq(id)).select(count_star()).first(conn)
}

/// Id and sealed bytes of the next envelopes of the box behind `after`, in the order of their ids.
pub(super) fn box_page(conn: &mut Conn, id: &str, after: &[u8], most: i64) -> QueryResult<Vec<(Vec<u8>, Vec<u8>)>> {
    ballot_box::table
        .filter(ballot_box::round.eq(id).and(ballot_box::id.gt(after)))
        .order(ballot_box::id)
        .limit(most)
        .select((ballot_box::id, ballot_box::sealed))
        .load(conn)
}

pub(super) struct NewBallot {
    pub(super) id: [u8; 16],
    pub(super) body: String,
}

/// Inserts ballots in the order given, which is that of their random ids.
pub(super) fn insert_ballots(conn: &mut Conn, round: &str, ballots: &[NewBallot]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => {
            for one in ballots {
                diesel::insert_into(ballot::table)
                    .values((ballot::id.eq(one.id.as_slice()), ballot::round.eq(round), ballot::body.eq(&one.body)))
                    .execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            let ids: Vec<&[u8]> = ballots.iter().map(|b| b.id.as_slice()).collect();
            let bodies: Vec<&str> = ballots.iter().map(|b| b.body.as_str()).collect();
            diesel::sql_query(
                "INSERT INTO ballot (id, round, body) SELECT id, $3, body FROM unnest($1, $2) AS b (id, body)",
            )
            .bind::<Array<Binary>, _>(ids)
            .bind::<Array<Text>, _>(bodies)
            .bind::<Text, _>(round)
            .execute(c)?;
        }
    }
    Ok(())
}

/// Id and canonical body of the next ballots behind `after`.
pub(super) fn ballot_page(
    conn: &mut Conn,
    round: &str,
    after: &[u8],
    most: i64,
) -> QueryResult<Vec<(Vec<u8>, String)>> {
    ballot::table
        .filter(ballot::round.eq(round).and(ballot::id.gt(after)))
        .order(ballot::id)
        .limit(most)
        .select((ballot::id, ballot::body))
        .load(conn)
}

/// A remark under its random id.
pub(super) type NewRemark = ([u8; 16], Remark);

/// Inserts remarks in the order given, which is that of their random ids.
pub(super) fn insert_remarks(conn: &mut Conn, round: &str, remarks: &[NewRemark]) -> QueryResult<()> {
    for (id, one) in remarks {
        diesel::insert_into(remark::table)
            .values((
                remark::id.eq(id.as_slice()),
                remark::round.eq(round),
                remark::respondent_code.eq(&one.respondent_code),
                remark::target.eq(&one.target),
                remark::item_code.eq(&one.item_code),
                remark::body.eq(&one.body),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// Id and text of the next remarks behind `after`.
pub(super) fn remark_page(
    conn: &mut Conn,
    round: &str,
    after: &[u8],
    most: i64,
) -> QueryResult<Vec<(Vec<u8>, Remark)>> {
    let rows: Vec<(Vec<u8>, String, String, String, String)> = remark::table
        .filter(remark::round.eq(round).and(remark::id.gt(after)))
        .order(remark::id)
        .limit(most)
        .select((remark::id, remark::respondent_code, remark::target, remark::item_code, remark::body))
        .load(conn)?;
    let read =
        |(id, respondent_code, target, item_code, body)| (id, Remark { respondent_code, target, item_code, body });
    Ok(rows.into_iter().map(read).collect())
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = opening)]
pub(super) struct OpeningRow {
    pub(super) round: String,
    pub(super) envelopes: i64,
    pub(super) opened: i64,
    pub(super) unreadable: i64,
    pub(super) log_root: String,
    pub(super) salt: Option<Vec<u8>>,
}

pub(super) fn insert_opening(conn: &mut Conn, row: &OpeningRow) -> QueryResult<()> {
    diesel::insert_into(opening::table).values(row).execute(conn).map(|_| ())
}

pub(super) fn opening(conn: &mut Conn, id: &str) -> QueryResult<Option<OpeningRow>> {
    opening::table.find(id).first(conn).optional()
}

/// Codes given out and ballots that came back, by group and the targets that are rated together.
pub(super) fn turnout(conn: &mut Conn, id: &str) -> QueryResult<Turnouts> {
    let rows: Vec<(String, String, String, i64)> = credential::table
        .filter(credential::round.eq(id).and(credential::state.ne("revoked")))
        .group_by((credential::respondent_code, credential::targets, credential::state))
        .select((credential::respondent_code, credential::targets, credential::state, count_star()))
        .load(conn)?;
    let mut turnout = Turnouts::new();
    for (group, targets, state, count) in rows {
        let count = u64::try_from(count).unwrap_or_default();
        let both = turnout.entry((group, targets)).or_default();
        both.issued += count;
        if state == "used" {
            both.returned += count;
        }
    }
    Ok(turnout)
}

/// The released documents, the oldest first.
pub(super) fn releases(conn: &mut Conn, id: &str) -> QueryResult<Vec<String>> {
    publication::table
        .filter(publication::round.eq(id))
        .order(publication::release)
        .select(publication::document)
        .load(conn)
}

pub(super) fn insert_publication(
    conn: &mut Conn,
    id: &str,
    release: i64,
    published_at: i64,
    document: &str,
) -> QueryResult<()> {
    diesel::insert_into(publication::table)
        .values((
            publication::round.eq(id),
            publication::release.eq(release),
            publication::published_at.eq(published_at),
            publication::document.eq(document),
        ))
        .execute(conn)
        .map(|_| ())
}

/// Writes SQLite's log back and empties it: what was moved or deleted leaves the disk. After the commit only.
pub(super) fn empty_log(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)"),
        Conn::Postgres(_) => Ok(()),
    }
}
