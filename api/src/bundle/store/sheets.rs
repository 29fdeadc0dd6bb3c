//! The sheets: where each is, and how far its ballot.

use diesel::prelude::*;
use diesel::result::Error;

use super::{GONE, count, unreadable};
use crate::ballot::PublicKey;
use crate::bundle::custody::Custody;
use crate::db::Conn;
use crate::db::schema::{capture, credential, paper};

#[derive(Insertable)]
#[diesel(table_name = paper)]
pub(in crate::bundle) struct NewSheet {
    public_key: Vec<u8>,
    round: String,
    bundle: String,
    sheet: i64,
    custody: &'static str,
}

impl NewSheet {
    pub(in crate::bundle) fn new(key: &PublicKey, round: &str, bundle: &str, sheet: u32) -> Self {
        let (round, bundle) = (round.to_owned(), bundle.to_owned());
        Self { public_key: key.to_vec(), round, bundle, sheet: i64::from(sheet), custody: "printed" }
    }
}

/// Stored in the order of their keys, so that the table's order says nothing.
pub(in crate::bundle) fn insert_sheets(conn: &mut Conn, mut sheets: Vec<NewSheet>) -> QueryResult<()> {
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
pub(in crate::bundle) fn loose(conn: &mut Conn, round: &str, group: &str) -> QueryResult<Vec<PublicKey>> {
    let bundled = paper::table.select(paper::public_key);
    let keys: Vec<Vec<u8>> = credential::table
        .filter(credential::round.eq(round).and(credential::respondent_code.eq(group)))
        .filter(credential::channel.eq("paper").and(credential::state.ne("revoked")))
        .filter(credential::public_key.ne_all(bundled))
        .select(credential::public_key)
        .load(conn)?;
    keys.iter().map(|key| public(key)).collect()
}

/// A key as the tables have it.
pub(super) fn public(key: &[u8]) -> QueryResult<PublicKey> {
    key.try_into().map_err(|_length| Error::DeserializationError("paper.public_key".into()))
}

/// Gives `new` the bundle and number of `old`; false when that has none.
pub(in crate::bundle) fn copy_place(conn: &mut Conn, old: &PublicKey, new: &PublicKey) -> QueryResult<bool> {
    let place: Option<(String, String, i64)> =
        paper::table.find(old.as_slice()).select((paper::round, paper::bundle, paper::sheet)).first(conn).optional()?;
    let Some((round, bundle, sheet)) = place else { return Ok(false) };
    let row = NewSheet { public_key: new.to_vec(), round, bundle, sheet, custody: "printed" };
    diesel::insert_into(paper::table).values(row).execute(conn)?;
    Ok(true)
}

pub(in crate::bundle) fn spoil(conn: &mut Conn, key: &PublicKey) -> QueryResult<()> {
    let here = paper::table.find(key.as_slice()).filter(paper::custody.ne_all(GONE));
    diesel::update(here).set(paper::custody.eq("spoiled")).execute(conn).map(|_| ())
}

/// A sheet with what the desk knows of it.
#[derive(Debug, Clone)]
pub(in crate::bundle) struct Sheet {
    pub(in crate::bundle) key: PublicKey,
    pub(in crate::bundle) bundle: String,
    pub(in crate::bundle) number: u32,
    pub(in crate::bundle) custody: Custody,
    pub(in crate::bundle) sampled: bool,
    /// State of its code.
    pub(in crate::bundle) credential: String,
    /// State of its capture; none while nobody has touched it.
    pub(in crate::bundle) capture: Option<String>,
    /// Whether somebody had to decide.
    pub(in crate::bundle) decided: bool,
}

type SheetRow = (Vec<u8>, String, i64, String, bool, String, Option<String>, Option<String>);

fn parse_sheet(row: SheetRow) -> QueryResult<Sheet> {
    let (key, bundle, number, custody, sampled, credential, capture, settled) = row;
    Ok(Sheet {
        key: public(&key)?,
        bundle,
        number: count(number),
        custody: Custody::parse(&custody).ok_or_else(|| unreadable("paper.custody"))?,
        sampled,
        credential,
        capture,
        decided: settled.is_some(),
    })
}

/// The sheets of a round, or of one of its bundles, by their numbers; a replaced one comes before its replacement.
pub(in crate::bundle) fn sheets(conn: &mut Conn, round: &str, of: Option<&str>) -> QueryResult<Vec<Sheet>> {
    let mut query = paper::table
        .inner_join(credential::table.on(credential::public_key.eq(paper::public_key)))
        .left_join(capture::table.on(capture::public_key.eq(paper::public_key)))
        .filter(paper::round.eq(round))
        .order((paper::sheet, credential::state.desc(), paper::public_key))
        .select((
            paper::public_key,
            paper::bundle,
            paper::sheet,
            paper::custody,
            paper::sampled,
            credential::state,
            capture::state.nullable(),
            capture::settled_by.nullable(),
        ))
        .into_boxed();
    if let Some(of) = of {
        query = query.filter(paper::bundle.eq(of.to_owned()));
    }
    query.load::<SheetRow>(conn)?.into_iter().map(parse_sheet).collect()
}

/// Puts these sheets where they are now.
pub(in crate::bundle) fn place(conn: &mut Conn, keys: &[PublicKey], custody: Custody) -> QueryResult<usize> {
    let mut moved = 0;
    for chunk in keys.chunks(500) {
        let chunk: Vec<&[u8]> = chunk.iter().map(<[u8; 32]>::as_slice).collect();
        let these = paper::table.filter(paper::public_key.eq_any(chunk));
        moved += diesel::update(these).set(paper::custody.eq(custody.as_str())).execute(conn)?;
    }
    Ok(moved)
}

pub(in crate::bundle) fn set_sampled(conn: &mut Conn, keys: &[PublicKey]) -> QueryResult<()> {
    for key in keys {
        diesel::update(paper::table.find(key.as_slice())).set(paper::sampled.eq(true)).execute(conn)?;
    }
    Ok(())
}

/// Bundle, place and number of a sheet; none for an online code.
pub(in crate::bundle) fn sheet_of(
    conn: &mut Conn,
    key: &PublicKey,
) -> QueryResult<Option<(String, Custody, u32, bool)>> {
    let row: Option<(String, String, i64, bool)> = paper::table
        .find(key.as_slice())
        .select((paper::bundle, paper::custody, paper::sheet, paper::sampled))
        .first(conn)
        .optional()?;
    let parse = |(bundle, custody, number, sampled): (String, String, i64, bool)| {
        let custody = Custody::parse(&custody).ok_or_else(|| unreadable("paper.custody"))?;
        Ok((bundle, custody, count(number), sampled))
    };
    row.map(parse).transpose()
}

/// The ballot of a number; a replacement stands before what it replaced.
pub(in crate::bundle) fn key_in(conn: &mut Conn, bundle: &str, sheet: u32) -> QueryResult<Option<PublicKey>> {
    let key: Option<Vec<u8>> = paper::table
        .inner_join(credential::table.on(credential::public_key.eq(paper::public_key)))
        .filter(paper::bundle.eq(bundle).and(paper::sheet.eq(i64::from(sheet))))
        .filter(credential::state.ne("revoked"))
        .select(paper::public_key)
        .first(conn)
        .optional()?;
    key.map(|key| public(&key)).transpose()
}

/// Ballots of a bundle that lie at the desk and have no finished first entry.
pub(in crate::bundle) fn without_first(conn: &mut Conn, id: &str) -> QueryResult<i64> {
    paper::table
        .inner_join(credential::table.on(credential::public_key.eq(paper::public_key)))
        .left_join(capture::table.on(capture::public_key.eq(paper::public_key)))
        .filter(paper::bundle.eq(id).and(credential::state.eq("issued")))
        .filter(paper::custody.eq_any([Custody::Received.as_str(), Custody::Bundled.as_str()]))
        .filter(
            capture::state
                .is_null()
                .or(capture::state.nullable().eq_any([Some("first_in_progress"), Some("reopened")])),
        )
        .select(diesel::dsl::count_star())
        .first(conn)
}
