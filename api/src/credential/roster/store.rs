//! Head counts, and lists that wait for their import.

use std::collections::BTreeMap;

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{roster, roster_upload};

/// Writes the head counts of some groups in place of what was there.
pub(super) fn replace_counts(
    conn: &mut Conn,
    round: &str,
    groups: &[String],
    counts: &BTreeMap<(String, String), i64>,
) -> QueryResult<()> {
    for group in groups {
        diesel::delete(roster::table.filter(roster::round.eq(round).and(roster::respondent_code.eq(group))))
            .execute(conn)?;
    }
    for ((group, unit), people) in counts.iter().filter(|(_, people)| **people > 0) {
        diesel::insert_into(roster::table)
            .values((
                roster::round.eq(round),
                roster::respondent_code.eq(group),
                roster::source_unit.eq(unit),
                roster::people.eq(*people),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// A list that waits.
#[derive(Insertable, Queryable)]
#[diesel(table_name = roster_upload)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) round: String,
    pub(super) respondent_code: Option<String>,
    pub(super) file: String,
    pub(super) mapping: String,
    pub(super) body: Vec<u8>,
    pub(super) uploaded_by: String,
    pub(super) uploaded_at: i64,
}

pub(super) fn insert_upload(conn: &mut Conn, row: &Upload) -> QueryResult<()> {
    diesel::insert_into(roster_upload::table).values(row).execute(conn).map(|_| ())
}

pub(super) fn upload(conn: &mut Conn, id: &str, by: &str) -> QueryResult<Option<Upload>> {
    roster_upload::table.find(id).filter(roster_upload::uploaded_by.eq(by)).first(conn).optional()
}

pub(super) fn set_mapping(conn: &mut Conn, id: &str, mapping: &str, group: Option<&str>) -> QueryResult<()> {
    diesel::update(roster_upload::table.find(id))
        .set((roster_upload::mapping.eq(mapping), roster_upload::respondent_code.eq(group)))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn delete_upload(conn: &mut Conn, id: &str) -> QueryResult<()> {
    diesel::delete(roster_upload::table.find(id)).execute(conn).map(|_| ())
}

/// One list a person; nobody comes back to one of yesterday.
pub(super) fn delete_stale(conn: &mut Conn, by: &str, before: i64) -> QueryResult<()> {
    let own = roster_upload::uploaded_by.eq(by).or(roster_upload::uploaded_at.lt(before));
    diesel::delete(roster_upload::table.filter(own)).execute(conn).map(|_| ())
}
