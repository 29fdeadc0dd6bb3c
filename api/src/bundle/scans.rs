//! Page images of a bundle's ballots, as sealed bytes. The desk keeps and reads them; they go with the cast, and what is
//! left of them when the bundle is archived.

use diesel::prelude::*;

use crate::ballot::DraftId;
use crate::db::schema::{paper, scan};
use crate::db::{Conn, DbError};

/// Keeps one sealed page; the place must be free.
///
/// # Errors
/// When the database fails.
pub(crate) fn keep(conn: &mut Conn, id: &DraftId, key: &[u8], body: &[u8]) -> Result<bool, DbError> {
    let bundle: Option<String> = paper::table.find(key).select(paper::bundle).first(conn).optional()?;
    let Some(bundle) = bundle else { return Ok(false) };
    let row = (scan::id.eq(id.as_slice()), scan::bundle.eq(bundle), scan::body.eq(body));
    diesel::insert_into(scan::table).values(row).execute(conn)?;
    Ok(true)
}

/// The sealed page there.
///
/// # Errors
/// When the database fails.
pub(crate) fn page(conn: &mut Conn, id: &DraftId) -> Result<Option<Vec<u8>>, DbError> {
    Ok(scan::table.find(id.as_slice()).select(scan::body).first(conn).optional()?)
}

/// Which of these places are taken.
///
/// # Errors
/// When the database fails.
pub(crate) fn count(conn: &mut Conn, ids: &[DraftId]) -> Result<usize, DbError> {
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    let taken: i64 = scan::table.filter(scan::id.eq_any(ids)).count().get_result(conn)?;
    Ok(usize::try_from(taken).unwrap_or_default())
}

/// Deletes these pages; how many there were.
///
/// # Errors
/// When the database fails.
pub(crate) fn delete(conn: &mut Conn, ids: &[DraftId]) -> Result<usize, DbError> {
    let ids: Vec<&[u8]> = ids.iter().map(<[u8; 16]>::as_slice).collect();
    Ok(diesel::delete(scan::table.filter(scan::id.eq_any(ids))).execute(conn)?)
}

/// Deletes every page of a bundle, when it is archived; how many there were.
///
/// # Errors
/// When the database fails.
pub fn delete_of(conn: &mut Conn, bundle: &str) -> Result<usize, DbError> {
    Ok(diesel::delete(scan::table.filter(scan::bundle.eq(bundle))).execute(conn)?)
}
