//! The tables of bundles and sheets.

use std::collections::BTreeMap;

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::Text;

use super::SheetLabel;
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{bundle, credential, paper};

/// The last number of a group's bundles. PostgreSQL lets one writer at a time give numbers of a group; SQLite has one
/// writer anyway.
pub(super) fn hold_last_number(conn: &mut Conn, round: &str, group: &str) -> QueryResult<u32> {
    if let Conn::Postgres(c) = conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))")
            .bind::<Text, _>(format!("bundle/{round}"))
            .bind::<Text, _>(group)
            .execute(c)?;
    }
    let own = bundle::table.filter(bundle::round.eq(round).and(bundle::respondent_code.eq(group)));
    let last: Option<i64> = own.select(max(bundle::number)).first(conn)?;
    Ok(last.and_then(|n| u32::try_from(n).ok()).unwrap_or(0))
}

pub(super) fn insert_bundle(
    conn: &mut Conn,
    id: &str,
    round: &str,
    group: &str,
    number: u32,
    size: usize,
) -> QueryResult<()> {
    let row = (
        bundle::id.eq(id),
        bundle::round.eq(round),
        bundle::respondent_code.eq(group),
        bundle::number.eq(i64::from(number)),
        bundle::size.eq(i64::try_from(size).unwrap_or(i64::MAX)),
        bundle::state.eq("planned"),
    );
    diesel::insert_into(bundle::table).values(row).execute(conn).map(|_| ())
}

#[derive(Insertable)]
#[diesel(table_name = paper)]
pub(super) struct NewSheet {
    public_key: Vec<u8>,
    round: String,
    bundle: String,
    sheet: i64,
    custody: &'static str,
}

impl NewSheet {
    pub(super) fn new(key: &PublicKey, round: &str, bundle: &str, sheet: u32) -> Self {
        let (round, bundle) = (round.to_owned(), bundle.to_owned());
        Self { public_key: key.to_vec(), round, bundle, sheet: i64::from(sheet), custody: "printed" }
    }
}

/// Stored in the order of their keys, so that the table's order says nothing.
pub(super) fn insert_sheets(conn: &mut Conn, mut sheets: Vec<NewSheet>) -> QueryResult<()> {
    sheets.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    match conn {
        Conn::Sqlite(c) => {
            for sheet in &sheets {
                diesel::insert_into(paper::table).values(sheet).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            for chunk in sheets.chunks(5_000) {
                diesel::insert_into(paper::table).values(chunk).execute(c)?;
            }
        }
    }
    Ok(())
}

/// Paper ballots of a group that can still be keyed and are in no bundle.
pub(super) fn loose(conn: &mut Conn, round: &str, group: &str) -> QueryResult<Vec<PublicKey>> {
    let bundled = paper::table.select(paper::public_key);
    let keys: Vec<Vec<u8>> = credential::table
        .filter(credential::round.eq(round).and(credential::respondent_code.eq(group)))
        .filter(credential::channel.eq("paper").and(credential::state.ne("revoked")))
        .filter(credential::public_key.ne_all(bundled))
        .select(credential::public_key)
        .load(conn)?;
    keys.iter().map(|key| public(key)).collect()
}

fn public(key: &[u8]) -> QueryResult<PublicKey> {
    key.try_into().map_err(|_length| Error::DeserializationError("paper.public_key".into()))
}

/// Gives `new` the bundle and number of `old`; false when that has none.
pub(super) fn copy_place(conn: &mut Conn, old: &PublicKey, new: &PublicKey) -> QueryResult<bool> {
    let place: Option<(String, String, i64)> =
        paper::table.find(old.as_slice()).select((paper::round, paper::bundle, paper::sheet)).first(conn).optional()?;
    let Some((round, bundle, sheet)) = place else { return Ok(false) };
    let row = NewSheet { public_key: new.to_vec(), round, bundle, sheet, custody: "printed" };
    diesel::insert_into(paper::table).values(row).execute(conn)?;
    Ok(true)
}

pub(super) fn spoil(conn: &mut Conn, key: &PublicKey) -> QueryResult<()> {
    let here = paper::table.find(key.as_slice()).filter(paper::custody.ne_all([
        "spoiled",
        "undeliverable",
        "lost",
        "not_returned",
    ]));
    diesel::update(here).set(paper::custody.eq("spoiled")).execute(conn).map(|_| ())
}

type LabelRow = (Vec<u8>, String, i64, i64, i64);
const LABEL: (paper::public_key, bundle::respondent_code, bundle::number, paper::sheet, bundle::size) =
    (paper::public_key, bundle::respondent_code, bundle::number, paper::sheet, bundle::size);

fn parse_label((key, respondent_code, bundle, sheet, of): LabelRow) -> QueryResult<(PublicKey, SheetLabel)> {
    let number = |n: i64| u32::try_from(n).map_err(|_range| Error::DeserializationError("bundle.number".into()));
    let label = SheetLabel { respondent_code, bundle: number(bundle)?, sheet: number(sheet)?, of: number(of)? };
    Ok((public(&key)?, label))
}

pub(super) fn label(conn: &mut Conn, key: &PublicKey) -> QueryResult<Option<SheetLabel>> {
    let row: Option<LabelRow> = paper::table
        .inner_join(bundle::table.on(bundle::id.eq(paper::bundle)))
        .filter(paper::public_key.eq(key.as_slice()))
        .select(LABEL)
        .first(conn)
        .optional()?;
    row.map(|row| parse_label(row).map(|(_, label)| label)).transpose()
}

pub(super) fn labels(conn: &mut Conn, round: &str) -> QueryResult<BTreeMap<PublicKey, SheetLabel>> {
    let rows: Vec<LabelRow> = paper::table
        .inner_join(bundle::table.on(bundle::id.eq(paper::bundle)))
        .filter(paper::round.eq(round))
        .select(LABEL)
        .load(conn)?;
    rows.into_iter().map(parse_label).collect()
}

#[cfg(test)]
pub(super) mod testing {
    use diesel::dsl::count_star;

    use super::*;

    /// As an older version left it.
    pub(in crate::bundle) fn forget(conn: &mut Conn) -> QueryResult<()> {
        diesel::delete(paper::table).execute(conn)?;
        diesel::delete(bundle::table).execute(conn).map(|_| ())
    }

    /// Sheets by where they are.
    pub(in crate::bundle) fn custodies(conn: &mut Conn) -> QueryResult<Vec<(String, i64)>> {
        paper::table.group_by(paper::custody).select((paper::custody, count_star())).order(paper::custody).load(conn)
    }
}
