//! The tables of the log, and the rows that it commits to.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Text};

use super::commit::Code;
use super::merkle::Node;
use crate::db::Conn;
use crate::db::schema::{ballot_box, capture, credential, envelope, log, log_leaf, log_tile, roster, round};

#[derive(Queryable)]
pub(super) struct Row {
    pub(super) vkey: String,
    pub(super) secret: Vec<u8>,
    pub(super) size: i64,
    pub(super) checkpoint: String,
    pub(super) close_root: Option<String>,
}

/// How a log is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until whoever appends to it is done.
    Yes,
    /// Not at all: whoever holds it does the same work.
    No,
}

/// The log's row, held until the transaction ends (SQLite has one writer anyway).
pub(super) fn hold(conn: &mut Conn, id: &str, wait: Wait) -> QueryResult<Option<Row>> {
    let query = log::table.filter(log::round.eq(id)).select((
        log::vkey,
        log::secret,
        log::size,
        log::checkpoint,
        log::close_root,
    ));
    match (conn, wait) {
        (Conn::Sqlite(c), _) => query.first(c).optional(),
        (Conn::Postgres(c), Wait::Yes) => query.for_update().first(c).optional(),
        (Conn::Postgres(c), Wait::No) => query.for_update().skip_locked().first(c).optional(),
    }
}

pub(super) fn head(conn: &mut Conn, id: &str) -> QueryResult<Option<(String, String)>> {
    log::table.find(id).select((log::vkey, log::checkpoint)).first(conn).optional()
}

pub(super) fn insert(conn: &mut Conn, id: &str, vkey: &str, secret: &[u8], checkpoint: &str) -> QueryResult<()> {
    diesel::insert_into(log::table)
        .values((
            log::round.eq(id),
            log::vkey.eq(vkey),
            log::secret.eq(secret),
            log::size.eq(0_i64),
            log::checkpoint.eq(checkpoint),
        ))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn set_head(conn: &mut Conn, id: &str, size: i64, checkpoint: &str) -> QueryResult<()> {
    diesel::update(log::table.find(id))
        .set((log::size.eq(size), log::checkpoint.eq(checkpoint)))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn set_close_root(conn: &mut Conn, id: &str, root: &str) -> QueryResult<()> {
    diesel::update(log::table.find(id)).set(log::close_root.eq(root)).execute(conn).map(|_| ())
}

pub(super) fn tile(conn: &mut Conn, id: &str, level: i16, number: i64) -> QueryResult<Option<Vec<u8>>> {
    log_tile::table.find((id, level, number)).select(log_tile::body).first(conn).optional()
}

pub(super) fn put_tile(conn: &mut Conn, id: &str, level: i16, number: i64, body: &[u8]) -> QueryResult<()> {
    let row = (log_tile::round.eq(id), log_tile::level.eq(level), log_tile::number.eq(number), log_tile::body.eq(body));
    let key = (log_tile::round, log_tile::level, log_tile::number);
    let set = log_tile::body.eq(body);
    match conn {
        Conn::Sqlite(c) => {
            diesel::insert_into(log_tile::table).values(row).on_conflict(key).do_update().set(set).execute(c)
        }
        Conn::Postgres(c) => {
            diesel::insert_into(log_tile::table).values(row).on_conflict(key).do_update().set(set).execute(c)
        }
    }
    .map(|_| ())
}

/// Round and place of an envelope's leaf.
pub(super) fn leaf(conn: &mut Conn, id: &Node) -> QueryResult<Option<(String, i64)>> {
    log_leaf::table.find(id.as_slice()).select((log_leaf::round, log_leaf::place)).first(conn).optional()
}

/// The round of an envelope that was not moved yet.
pub(super) fn waiting(conn: &mut Conn, id: &Node) -> QueryResult<Option<String>> {
    envelope::table.find(id.as_slice()).select(envelope::round).first(conn).optional()
}

pub(super) fn leaves(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    log_leaf::table.filter(log_leaf::round.eq(id)).select(count_star()).first(conn)
}

pub(super) fn in_box(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    ballot_box::table.filter(ballot_box::round.eq(id)).select(count_star()).first(conn)
}

/// Whether the round is in this state; held against acts on it, not against casts, until the transaction ends.
pub(super) fn hold_round(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    let query = round::table.filter(round::id.eq(id)).select(round::state);
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_share().first(c).optional(),
    }
}

/// Whether at least so many envelopes of the round wait.
pub(super) fn is_waiting(conn: &mut Conn, id: &str, least: usize) -> QueryResult<bool> {
    let most = i64::try_from(least).unwrap_or(i64::MAX);
    let some: Vec<String> =
        envelope::table.filter(envelope::round.eq(id)).limit(most).select(envelope::round).load(conn)?;
    Ok(some.len() >= least)
}

/// Writes SQLite's log back and empties it, unless somebody is reading: writers wait meanwhile, so it is soon given up.
pub(super) fn empty_wal(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => {
            c.batch_execute("PRAGMA busy_timeout = 200")?;
            let done = c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
            c.batch_execute("PRAGMA busy_timeout = 15000")?;
            done
        }
        Conn::Postgres(_) => Ok(()),
    }
}

/// Ids of up to `most` envelopes that were not moved yet, in their order.
pub(super) fn waiting_ids(conn: &mut Conn, id: &str, most: i64) -> QueryResult<Vec<Vec<u8>>> {
    envelope::table.filter(envelope::round.eq(id)).order(envelope::id).limit(most).select(envelope::id).load(conn)
}

/// Moves these envelopes, which come in their order, into the box; their leaves stand from `place` on.
pub(super) fn move_envelopes(conn: &mut Conn, round: &str, ids: &[Vec<u8>], place: i64) -> QueryResult<usize> {
    let chosen = || envelope::table.filter(envelope::id.eq_any(ids));
    let sorted = chosen().order(envelope::id).select((envelope::id, envelope::round, envelope::sealed));
    let columns = (ballot_box::id, ballot_box::round, ballot_box::sealed);
    let places = place..;
    match conn {
        Conn::Sqlite(c) => {
            sorted.insert_into(ballot_box::table).into_columns(columns).execute(c)?;
            for (id, place) in ids.iter().zip(places) {
                diesel::insert_into(log_leaf::table)
                    .values((log_leaf::id.eq(id), log_leaf::round.eq(round), log_leaf::place.eq(place)))
                    .execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            sorted.insert_into(ballot_box::table).into_columns(columns).execute(c)?;
            let leaf =
                "INSERT INTO log_leaf (id, round, place) SELECT id, $2, place FROM unnest($1, $3) AS l (id, place)";
            diesel::sql_query(leaf)
                .bind::<Array<Binary>, _>(ids)
                .bind::<Text, _>(round)
                .bind::<Array<BigInt>, _>(places.take(ids.len()).collect::<Vec<i64>>())
                .execute(c)?;
        }
    }
    diesel::delete(chosen()).execute(conn)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Codes used, by the turnout, less the envelopes that wait: in one statement, so that casts meanwhile count in both.
pub(super) fn redeemed_and_moved(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    const SQL: &str = "SELECT CAST((SELECT coalesce(sum(returned), 0) FROM turnout WHERE round = $1) \
                       - (SELECT count(*) FROM envelope WHERE round = $1) AS BIGINT) AS n";
    let query = diesel::sql_query(SQL).bind::<Text, _>(id);
    let number: Number = match conn {
        Conn::Sqlite(c) => query.get_result(c)?,
        Conn::Postgres(c) => query.get_result(c)?,
    };
    Ok(number.n)
}

/// A code, whether it was used, and how.
pub(crate) struct CodeRow {
    pub(crate) code: Code,
    pub(crate) state: String,
    pub(crate) redeem_signature: Option<Vec<u8>>,
}

type CodeColumns = (Vec<u8>, String, String, String, String, String, Option<Vec<u8>>);

/// The next codes of a round behind `after`, in the order of their public keys.
pub(super) fn codes(conn: &mut Conn, id: &str, after: &[u8], most: i64) -> QueryResult<Vec<CodeRow>> {
    let rows: Vec<CodeColumns> = credential::table
        .filter(credential::round.eq(id).and(credential::public_key.gt(after)))
        .order(credential::public_key)
        .limit(most)
        .select((
            credential::public_key,
            credential::respondent_code,
            credential::source_unit,
            credential::targets,
            credential::channel,
            credential::state,
            credential::redeem_signature,
        ))
        .load(conn)?;
    let row = |(key, respondent_code, source_unit, targets, channel, state, redeem_signature): CodeColumns| {
        let public_key = key.try_into().map_err(|_length| diesel::result::Error::NotFound)?;
        let code = Code { public_key, respondent_code, source_unit, targets, channel };
        Ok(CodeRow { code, state, redeem_signature })
    };
    rows.into_iter().map(row).collect()
}

/// Who is invited: group, unit, head count.
pub(super) fn roster(conn: &mut Conn, id: &str) -> QueryResult<Vec<(String, String, i64)>> {
    roster::table
        .filter(roster::round.eq(id))
        .select((roster::respondent_code, roster::source_unit, roster::people))
        .load(conn)
}

/// Paper ballots that were keyed in part and not cast.
pub(super) fn unsettled(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    capture::table.filter(capture::round.eq(id).and(capture::state.ne("cast"))).select(count_star()).first(conn)
}
