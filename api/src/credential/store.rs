//! Writing credentials and the roster.

use std::collections::BTreeMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use survey_forms::roster::RosterRow;

use super::Place;
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{capture, credential, paper, roster, round};

#[derive(Insertable)]
#[diesel(table_name = credential)]
pub(super) struct NewCredential {
    pub(super) public_key: Vec<u8>,
    pub(super) round: String,
    pub(super) respondent_code: String,
    pub(super) source_unit: String,
    pub(super) targets: String,
    pub(super) channel: &'static str,
    pub(super) state: &'static str,
}

/// A round's state, held against acts on it until the transaction ends (SQLite has one writer anyway).
pub(super) fn held_state(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    let query = round::table.filter(round::id.eq(id)).select(round::state);
    match conn {
        Conn::Sqlite(c) => query.first(c).optional(),
        Conn::Postgres(c) => query.for_share().first(c).optional(),
    }
}

pub(super) fn insert(conn: &mut Conn, rows: &[NewCredential]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => {
            for row in rows {
                diesel::insert_into(credential::table).values(row).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            // PostgreSQL takes 65,535 parameters a statement.
            for chunk in rows.chunks(5_000) {
                diesel::insert_into(credential::table).values(chunk).execute(c)?;
            }
        }
    }
    Ok(())
}

pub(super) fn state(conn: &mut Conn, public: &PublicKey) -> QueryResult<Option<String>> {
    credential::table.find(public.as_slice()).select(credential::state).first(conn).optional()
}

pub(super) fn revoke(conn: &mut Conn, public: &PublicKey) -> QueryResult<bool> {
    let revoked = diesel::update(credential::table.find(public.as_slice()).filter(credential::state.eq("issued")))
        .set(credential::state.eq("revoked"))
        .execute(conn)?;
    Ok(revoked == 1)
}

/// Codes issued and not revoked, by group, unit and targets.
pub(super) fn issued(conn: &mut Conn, round: &str) -> QueryResult<BTreeMap<Place, u64>> {
    let rows: Vec<(String, String, String, i64)> = credential::table
        .filter(credential::round.eq(round))
        .filter(credential::state.ne("revoked"))
        .group_by((credential::respondent_code, credential::source_unit, credential::targets))
        .select((credential::respondent_code, credential::source_unit, credential::targets, count_star()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(g, u, t, n)| ((g, u, t), u64::try_from(n).unwrap_or(0))).collect())
}

/// A code that nobody used, and whose paper, if it has one, has neither come back nor been keyed.
macro_rules! unused {
    ($round:expr) => {{
        let keyed = capture::table.filter(capture::round.eq($round)).select(capture::public_key);
        let out = paper::custody.ne_all(["printed", "issued", "delivered"]);
        let back = paper::table.filter(paper::round.eq($round).and(out)).select(paper::public_key);
        credential::table
            .filter(credential::round.eq($round).and(credential::state.eq("issued")))
            .filter(credential::public_key.ne_all(keyed).and(credential::public_key.ne_all(back)))
    }};
}

/// Unused codes with their places, in the order of their keys.
pub(super) fn unused(conn: &mut Conn, round: &str) -> QueryResult<Vec<(PublicKey, Place)>> {
    let rows: Vec<(Vec<u8>, (String, String, String))> = unused!(round)
        .order(credential::public_key)
        .select((credential::public_key, (credential::respondent_code, credential::source_unit, credential::targets)))
        .load(conn)?;
    let parse = |(key, place): (Vec<u8>, Place)| {
        let key: Result<PublicKey, _> = key.as_slice().try_into();
        let key = key.map_err(|_length| diesel::result::Error::DeserializationError("credential.public_key".into()))?;
        Ok((key, place))
    };
    rows.into_iter().map(parse).collect()
}

/// How many codes are unused, by place.
pub(super) fn unused_counts(conn: &mut Conn, round: &str) -> QueryResult<BTreeMap<Place, u64>> {
    let rows: Vec<(String, String, String, i64)> = unused!(round)
        .group_by((credential::respondent_code, credential::source_unit, credential::targets))
        .select((credential::respondent_code, credential::source_unit, credential::targets, count_star()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(g, u, t, n)| ((g, u, t), u64::try_from(n).unwrap_or(0))).collect())
}

/// People to invite, by group and unit.
pub(super) fn roster(conn: &mut Conn, round: &str) -> QueryResult<BTreeMap<(String, String), u64>> {
    let rows: Vec<(String, String, i64)> = roster::table
        .filter(roster::round.eq(round))
        .select((roster::respondent_code, roster::source_unit, roster::people))
        .load(conn)?;
    Ok(rows.into_iter().map(|(g, u, n)| ((g, u), u64::try_from(n).unwrap_or(0))).collect())
}

/// Writes head counts in place of all others but those of `kept` groups.
pub(super) fn replace_roster(conn: &mut Conn, round: &str, kept: &[&str], rows: &[RosterRow]) -> QueryResult<()> {
    let others = roster::round.eq(round).and(roster::respondent_code.ne_all(kept.to_vec()));
    diesel::delete(roster::table.filter(others)).execute(conn)?;
    for row in rows {
        diesel::insert_into(roster::table)
            .values((
                roster::round.eq(round),
                roster::respondent_code.eq(&row.respondent_code),
                roster::source_unit.eq(&row.unit_code),
                roster::people.eq(i64::from(row.people)),
            ))
            .execute(conn)?;
    }
    Ok(())
}
