//! Requests to be let in, and the members of staff who have a day's access.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::Temporary;
use crate::access::role::Role;
use crate::access::staff::Staff;
use crate::db::schema::{desk_pass, staff};
use crate::db::{Conn, from_unix_ms, unix_ms};

/// Requests that nobody confirmed since `waits`, and all of yesterday's.
pub(super) fn forget(conn: &mut Conn, waits: DateTime<Utc>, all: DateTime<Utc>) -> QueryResult<()> {
    let unconfirmed = desk_pass::staff.is_null().and(desk_pass::created_at.lt(unix_ms(&waits)));
    diesel::delete(desk_pass::table.filter(unconfirmed.or(desk_pass::created_at.lt(unix_ms(&all))))).execute(conn)?;
    Ok(())
}

/// False when somebody waits with these digits.
pub(super) fn insert(conn: &mut Conn, id: &[u8], short: &str, at: DateTime<Utc>) -> QueryResult<bool> {
    let row = (desk_pass::id.eq(id), desk_pass::short.eq(short), desk_pass::created_at.eq(unix_ms(&at)));
    let inserted = match conn {
        Conn::Sqlite(c) => diesel::insert_into(desk_pass::table).values(row).on_conflict_do_nothing().execute(c)?,
        Conn::Postgres(c) => diesel::insert_into(desk_pass::table).values(row).on_conflict_do_nothing().execute(c)?,
    };
    Ok(inserted == 1)
}

type Found = (String, DateTime<Utc>, Option<String>);

pub(super) fn find(conn: &mut Conn, id: &[u8]) -> QueryResult<Option<Found>> {
    let row: Option<(String, i64, Option<String>)> = desk_pass::table
        .find(id)
        .select((desk_pass::short, desk_pass::created_at, desk_pass::staff))
        .first(conn)
        .optional()?;
    Ok(row.map(|(short, at, staff)| (short, from_unix_ms(at), staff)))
}

pub(super) fn delete(conn: &mut Conn, id: &[u8]) -> QueryResult<()> {
    diesel::delete(desk_pass::table.find(id)).execute(conn).map(|_| ())
}

/// The request with these digits, made since `waits` and not confirmed.
pub(super) fn waiting(conn: &mut Conn, short: &str, waits: DateTime<Utc>) -> QueryResult<Option<Vec<u8>>> {
    desk_pass::table
        .filter(desk_pass::short.eq(short).and(desk_pass::staff.is_null()))
        .filter(desk_pass::created_at.ge(unix_ms(&waits)))
        .select(desk_pass::id)
        .first(conn)
        .optional()
}

pub(super) fn confirm(conn: &mut Conn, id: &[u8], of: &str, ends_at: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(staff::table.find(of)).set(staff::ends_at.eq(unix_ms(&ends_at))).execute(conn)?;
    diesel::update(desk_pass::table.find(id)).set(desk_pass::staff.eq(of)).execute(conn).map(|_| ())
}

/// A member of staff who may work at this moment.
pub(super) fn in_force(conn: &mut Conn, id: &str, at: DateTime<Utc>) -> QueryResult<Option<Staff>> {
    let row: Option<(String, String)> = staff::table
        .filter(staff::id.eq(id).and(staff::disabled.eq(false)).and(staff::ends_at.gt(unix_ms(&at))))
        .filter(staff::role.eq(Role::Clerk.as_str()))
        .select((staff::id, staff::name))
        .first(conn)
        .optional()?;
    Ok(row.map(|(id, name)| Staff { id, name, role: Role::Clerk }))
}

/// The temporary clerk of this name whose day is not over.
pub(super) fn of_today(conn: &mut Conn, name: &str, at: DateTime<Utc>) -> QueryResult<Option<Staff>> {
    let id: Option<String> = staff::table.filter(staff::name.eq(name)).select(staff::id).first(conn).optional()?;
    match id {
        Some(id) => in_force(conn, &id, at),
        None => Ok(None),
    }
}

pub(super) fn list(conn: &mut Conn, at: DateTime<Utc>) -> QueryResult<Vec<Temporary>> {
    let rows: Vec<(String, Option<String>, Option<i64>, bool)> = staff::table
        .filter(staff::ends_at.gt(unix_ms(&at)))
        .order(staff::name)
        .select((staff::name, staff::office, staff::ends_at, staff::disabled))
        .load(conn)?;
    let temporary = |(name, office, ends_at, disabled): (String, Option<String>, Option<i64>, bool)| Temporary {
        name,
        office,
        ends_at: from_unix_ms(ends_at.unwrap_or_default()),
        disabled,
    };
    Ok(rows.into_iter().map(temporary).collect())
}
