//! The tables of post offices.

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::{post_office, staff};

pub(super) fn of_staff(conn: &mut Conn, id: &str) -> QueryResult<Option<String>> {
    staff::table.find(id).select(staff::office).first(conn).optional().map(Option::flatten)
}

pub(super) fn all(conn: &mut Conn) -> QueryResult<Vec<(String, String)>> {
    post_office::table.order(post_office::code).select((post_office::code, post_office::name)).load(conn)
}

pub(super) fn put(conn: &mut Conn, code: &str, name: &str) -> QueryResult<()> {
    let known = diesel::update(post_office::table.find(code)).set(post_office::name.eq(name)).execute(conn)?;
    if known == 0 {
        let row = (post_office::code.eq(code), post_office::name.eq(name));
        diesel::insert_into(post_office::table).values(row).execute(conn)?;
    }
    Ok(())
}
