//! The tables of bundles and sheets.

mod sheets;

use std::collections::BTreeMap;

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};

use sheets::public;
pub(super) use sheets::{
    NewSheet, Sheet, copy_place, insert_sheets, key_in, loose, place, set_sampled, sheet_of, sheets, spoil,
    without_first,
};

use super::SheetLabel;
use super::custody::Exit;
use super::state::Bundle;
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{bundle, bundle_sums, paper, paper_referral, round, staff};

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

fn unreadable(what: &'static str) -> Error {
    Error::DeserializationError(what.into())
}

fn count(n: i64) -> u32 {
    u32::try_from(n).unwrap_or_default()
}

/// A bundle as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) round: String,
    pub(super) respondent_code: String,
    pub(super) number: u32,
    pub(super) office: Option<String>,
    pub(super) bundle: Bundle,
    pub(super) waiver: Option<String>,
    pub(super) signed_first: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = bundle)]
struct BundleRow {
    id: String,
    round: String,
    respondent_code: String,
    number: i64,
    office: Option<String>,
    state: String,
    holder: String,
    counted: Option<i64>,
    note: Option<String>,
    noted_by: Option<String>,
    waiver: Option<String>,
    signed_first: Option<String>,
    signed_second: Option<String>,
}

fn parse_bundle(row: BundleRow) -> QueryResult<Kept> {
    let counted = row.counted.map(count);
    let (holder, note) = (row.holder, row.noted_by.zip(row.note));
    let bundle = match (row.state.as_str(), counted) {
        ("planned", _) => Bundle::Planned,
        ("handed_over", _) => Bundle::HandedOver { holder },
        ("received", Some(counted)) => Bundle::Received { holder, counted },
        ("balanced", Some(counted)) => Bundle::Balanced { holder, counted },
        ("discrepancy", Some(counted)) => Bundle::Discrepancy { holder, counted, note },
        ("locked", Some(counted)) => {
            let signed = row.signed_first.clone().zip(row.signed_second);
            let (first, second) = signed.ok_or_else(|| unreadable("bundle.signed_second"))?;
            Bundle::Locked { holder, counted, note, signed: [first, second] }
        }
        _ => return Err(unreadable("bundle.state")),
    };
    Ok(Kept {
        id: row.id,
        round: row.round,
        respondent_code: row.respondent_code,
        number: count(row.number),
        office: row.office,
        bundle,
        waiver: row.waiver,
        signed_first: row.signed_first,
    })
}

/// A bundle, held until the transaction ends.
pub(super) fn hold(conn: &mut Conn, id: &str) -> QueryResult<Option<Kept>> {
    // BEGIN IMMEDIATE holds everything already.
    if let Conn::Postgres(c) = conn {
        bundle::table.find(id).select(bundle::id).for_update().first::<String>(c).optional()?;
    }
    look(conn, id)
}

pub(super) fn id_of(conn: &mut Conn, round: &str, group: &str, number: u32) -> QueryResult<Option<String>> {
    bundle::table
        .filter(bundle::round.eq(round).and(bundle::respondent_code.eq(group)))
        .filter(bundle::number.eq(i64::from(number)))
        .select(bundle::id)
        .first(conn)
        .optional()
}

/// The bundles of a round by group and number.
pub(super) fn all(conn: &mut Conn, round: &str) -> QueryResult<Vec<Kept>> {
    let rows: Vec<BundleRow> = bundle::table
        .filter(bundle::round.eq(round))
        .order((bundle::respondent_code, bundle::number))
        .select(BundleRow::as_select())
        .load(conn)?;
    rows.into_iter().map(parse_bundle).collect()
}

/// Writes what a move has made of a bundle.
pub(super) fn save(conn: &mut Conn, id: &str, of: &Bundle) -> QueryResult<()> {
    let (state, holder, counted, note, signed) = match of {
        Bundle::Planned => ("planned", "", None, None, None),
        Bundle::HandedOver { holder } => ("handed_over", holder.as_str(), None, None, None),
        Bundle::Received { holder, counted } => ("received", holder.as_str(), Some(*counted), None, None),
        Bundle::Balanced { holder, counted } => ("balanced", holder.as_str(), Some(*counted), None, None),
        Bundle::Discrepancy { holder, counted, note } => {
            ("discrepancy", holder.as_str(), Some(*counted), note.as_ref(), None)
        }
        Bundle::Locked { holder, counted, note, signed } => {
            ("locked", holder.as_str(), Some(*counted), note.as_ref(), Some(signed))
        }
    };
    let here = bundle::table.find(id);
    // First: the table takes no locked bundle without two names.
    if let Some([first, second]) = signed {
        diesel::update(here).set((bundle::signed_first.eq(first), bundle::signed_second.eq(second))).execute(conn)?;
    }
    diesel::update(here)
        .set((
            bundle::state.eq(state),
            bundle::holder.eq(holder),
            bundle::counted.eq(counted.map(i64::from)),
            bundle::note.eq(note.map(|(_, note)| note)),
            bundle::noted_by.eq(note.map(|(by, _)| by)),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn set_office(conn: &mut Conn, id: &str, office: Option<&str>) -> QueryResult<()> {
    diesel::update(bundle::table.find(id)).set(bundle::office.eq(office)).execute(conn).map(|_| ())
}

pub(super) fn set_first_sign(conn: &mut Conn, id: &str, by: &str) -> QueryResult<()> {
    diesel::update(bundle::table.find(id)).set(bundle::signed_first.eq(by)).execute(conn).map(|_| ())
}

pub(super) fn set_waiver(conn: &mut Conn, id: &str, why: &str) -> QueryResult<()> {
    diesel::update(bundle::table.find(id)).set(bundle::waiver.eq(why)).execute(conn).map(|_| ())
}

/// Sums of a bundle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Sampled items that were read a third time.
    pub(crate) items: u32,
    /// Of these, those that both clerks had wrong.
    pub(crate) wrong: u32,
    /// Seconds of keying, net of pauses.
    pub(crate) seconds: u32,
}

/// Adds to the sums of a bundle.
pub(super) fn add(conn: &mut Conn, id: &str, more: Sums) -> QueryResult<()> {
    const SQL: &str = "INSERT INTO bundle_sums (bundle, audited_items, audited_wrong, keying_seconds) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT (bundle) DO UPDATE SET \
                       audited_items = bundle_sums.audited_items + excluded.audited_items, \
                       audited_wrong = bundle_sums.audited_wrong + excluded.audited_wrong, \
                       keying_seconds = bundle_sums.keying_seconds + excluded.keying_seconds";
    let query = diesel::sql_query(SQL)
        .bind::<Text, _>(id)
        .bind::<BigInt, _>(i64::from(more.items))
        .bind::<BigInt, _>(i64::from(more.wrong))
        .bind::<BigInt, _>(i64::from(more.seconds));
    match conn {
        Conn::Sqlite(c) => query.execute(c),
        Conn::Postgres(c) => query.execute(c),
    }
    .map(|_| ())
}

/// The sums of every bundle of a round, by its id.
pub(super) fn sums(conn: &mut Conn, round: &str) -> QueryResult<BTreeMap<String, Sums>> {
    let rows: Vec<(String, i64, i64, i64)> = bundle_sums::table
        .inner_join(bundle::table.on(bundle::id.eq(bundle_sums::bundle)))
        .filter(bundle::round.eq(round))
        .select((
            bundle_sums::bundle,
            bundle_sums::audited_items,
            bundle_sums::audited_wrong,
            bundle_sums::keying_seconds,
        ))
        .load(conn)?;
    let parse =
        |(id, items, wrong, seconds)| (id, Sums { items: count(items), wrong: count(wrong), seconds: count(seconds) });
    Ok(rows.into_iter().map(parse).collect())
}

/// A bundle without holding it: keying only looks.
pub(super) fn look(conn: &mut Conn, id: &str) -> QueryResult<Option<Kept>> {
    bundle::table.find(id).select(BundleRow::as_select()).first(conn).optional()?.map(parse_bundle).transpose()
}

/// State of a round, held against its close until the transaction ends.
pub(super) fn held_round(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    let query = round::table.filter(round::id.eq(id)).select(round::state);
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_share().first(c).optional(),
    }
}

/// Names by staff id.
pub(super) fn names(conn: &mut Conn) -> QueryResult<BTreeMap<String, String>> {
    Ok(staff::table.select((staff::id, staff::name)).load::<(String, String)>(conn)?.into_iter().collect())
}

/// So many sheets of a group with one fate.
#[derive(QueryableByName)]
pub(super) struct Fate {
    #[diesel(sql_type = Text)]
    pub(super) respondent_code: String,
    #[diesel(sql_type = Text)]
    pub(super) credential: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) custody: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) capture: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) sheets: i64,
}

/// Paper codes of a round by group, state, place and capture.
pub(super) fn fates(conn: &mut Conn, round: &str) -> QueryResult<Vec<Fate>> {
    const SQL: &str = "SELECT c.respondent_code AS respondent_code, c.state AS credential, p.custody AS custody, \
                              k.state AS capture, count(*) AS sheets \
                       FROM credential c LEFT JOIN paper p ON p.public_key = c.public_key \
                       LEFT JOIN capture k ON k.public_key = c.public_key \
                       WHERE c.round = $1 AND c.channel = 'paper' \
                       GROUP BY c.respondent_code, c.state, p.custody, k.state";
    let query = diesel::sql_query(SQL).bind::<Text, _>(round);
    match conn {
        Conn::Sqlite(c) => query.load(c),
        Conn::Postgres(c) => query.load(c),
    }
}

/// Papers set aside because their code had been used.
pub(super) fn duplicates(conn: &mut Conn, round: &str) -> QueryResult<i64> {
    paper_referral::table
        .filter(paper_referral::round.eq(round).and(paper_referral::state.eq("duplicate")))
        .select(diesel::dsl::count_star())
        .first(conn)
}

/// Gone sheets stay where they went; see [`Exit`].
pub(super) const GONE: [&str; 4] =
    [Exit::Spoiled.as_str(), Exit::Undeliverable.as_str(), Exit::Lost.as_str(), Exit::NotReturned.as_str()];

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
