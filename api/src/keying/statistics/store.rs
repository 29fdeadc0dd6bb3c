//! Sums of the desk's work.

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Text};

use super::{Pass, Work};
use crate::db::Conn;
use crate::db::schema::{desk_item, desk_work, staff};

pub(super) fn add_work(conn: &mut Conn, round: &str, by: &str, pass: Pass, day: &str, more: Work) -> QueryResult<()> {
    const SQL: &str = "INSERT INTO desk_work (round, staff, pass, day, ballots, items, wrong) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (round, staff, pass, day) DO UPDATE SET \
                       ballots = desk_work.ballots + excluded.ballots, items = desk_work.items + excluded.items, \
                       wrong = desk_work.wrong + excluded.wrong";
    let query = diesel::sql_query(SQL)
        .bind::<Text, _>(round)
        .bind::<Text, _>(by)
        .bind::<Text, _>(pass.as_str())
        .bind::<Text, _>(day)
        .bind::<BigInt, _>(more.ballots)
        .bind::<BigInt, _>(more.items)
        .bind::<BigInt, _>(more.wrong);
    match conn {
        Conn::Sqlite(c) => query.execute(c),
        Conn::Postgres(c) => query.execute(c),
    }
    .map(|_| ())
}

pub(super) fn add_item(
    conn: &mut Conn,
    round: &str,
    group: &str,
    item: &str,
    compared: i64,
    differed: i64,
) -> QueryResult<()> {
    const SQL: &str = "INSERT INTO desk_item (round, respondent_code, item_code, compared, differed) \
                       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (round, respondent_code, item_code) DO UPDATE SET \
                       compared = desk_item.compared + excluded.compared, \
                       differed = desk_item.differed + excluded.differed";
    let query = diesel::sql_query(SQL)
        .bind::<Text, _>(round)
        .bind::<Text, _>(group)
        .bind::<Text, _>(item)
        .bind::<BigInt, _>(compared)
        .bind::<BigInt, _>(differed);
    match conn {
        Conn::Sqlite(c) => query.execute(c),
        Conn::Postgres(c) => query.execute(c),
    }
    .map(|_| ())
}

/// One person's work of one pass on one day.
pub(super) struct Line {
    pub(super) clerk: String,
    pub(super) pass: Pass,
    pub(super) day: String,
    pub(super) ballots: i64,
    pub(super) items: i64,
    pub(super) wrong: i64,
}

pub(super) fn work(conn: &mut Conn, round: &str) -> QueryResult<Vec<Line>> {
    let rows: Vec<(String, String, String, i64, i64, i64)> = desk_work::table
        .inner_join(staff::table.on(staff::id.eq(desk_work::staff)))
        .filter(desk_work::round.eq(round))
        .order((staff::name, desk_work::day, desk_work::pass))
        .select((staff::name, desk_work::pass, desk_work::day, desk_work::ballots, desk_work::items, desk_work::wrong))
        .load(conn)?;
    let parse = |(clerk, pass, day, ballots, items, wrong): (String, String, String, i64, i64, i64)| {
        let pass = Pass::parse(&pass).ok_or_else(|| Error::DeserializationError("desk_work.pass".into()))?;
        Ok(Line { clerk, pass, day, ballots, items, wrong })
    };
    rows.into_iter().map(parse).collect()
}

/// Group, item, pairs compared, pairs that differ.
pub(super) fn items(conn: &mut Conn, round: &str) -> QueryResult<Vec<(String, String, i64, i64)>> {
    desk_item::table
        .filter(desk_item::round.eq(round))
        .select((desk_item::respondent_code, desk_item::item_code, desk_item::compared, desk_item::differed))
        .load(conn)
}
