//! The tables of addressees and ties; at the close also what hangs on them.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::count_star;
use diesel::prelude::*;

use super::{Addressee, Destroyed, mailbox};
use crate::ballot::PublicKey;
use crate::db::Conn;
use crate::db::schema::{addressee, letter, posting, roster_upload, tie};

/// Rows of one statement: PostgreSQL takes 65,535 parameters.
const CHUNK: usize = 5_000;

type Columns = (addressee::id, addressee::respondent_code, addressee::source_unit, addressee::name, addressee::email);
const COLUMNS: Columns =
    (addressee::id, addressee::respondent_code, addressee::source_unit, addressee::name, addressee::email);

pub(super) fn all(conn: &mut Conn, round: &str) -> QueryResult<Vec<Addressee>> {
    addressee::table
        .filter(addressee::round.eq(round))
        .order((addressee::respondent_code, addressee::source_unit, addressee::name, addressee::id))
        .select(COLUMNS)
        .load(conn)
}

pub(super) fn count(conn: &mut Conn, round: &str) -> QueryResult<u64> {
    let count: i64 = addressee::table.filter(addressee::round.eq(round)).select(count_star()).first(conn)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

#[derive(Insertable)]
#[diesel(table_name = addressee)]
struct NewAddressee<'p> {
    id: &'p str,
    round: &'p str,
    respondent_code: &'p str,
    source_unit: &'p str,
    name: &'p str,
    email: &'p str,
    mailbox: String,
}

pub(super) fn insert(conn: &mut Conn, round: &str, people: &[Addressee]) -> QueryResult<()> {
    let rows: Vec<NewAddressee<'_>> = people
        .iter()
        .map(|one| NewAddressee {
            id: &one.id,
            round,
            respondent_code: &one.respondent_code,
            source_unit: &one.source_unit,
            name: &one.name,
            email: &one.email,
            mailbox: mailbox(&one.email),
        })
        .collect();
    match conn {
        Conn::Sqlite(c) => {
            for row in &rows {
                diesel::insert_into(addressee::table).values(row).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            for chunk in rows.chunks(CHUNK) {
                diesel::insert_into(addressee::table).values(chunk).execute(c)?;
            }
        }
    }
    Ok(())
}

pub(super) fn update(conn: &mut Conn, one: &Addressee) -> QueryResult<()> {
    diesel::update(addressee::table.find(&one.id))
        .set((
            addressee::name.eq(&one.name),
            addressee::source_unit.eq(&one.source_unit),
            addressee::email.eq(&one.email),
        ))
        .execute(conn)
        .map(|_| ())
}

pub(super) fn delete(conn: &mut Conn, ids: &[String]) -> QueryResult<()> {
    for id in ids {
        diesel::delete(letter::table.filter(letter::addressee.eq(id))).execute(conn)?;
        diesel::delete(addressee::table.find(id)).execute(conn)?;
    }
    Ok(())
}

pub(super) fn holders(conn: &mut Conn, round: &str) -> QueryResult<BTreeSet<String>> {
    let ids: Vec<String> = tie::table.filter(tie::round.eq(round)).select(tie::addressee).load(conn)?;
    Ok(ids.into_iter().collect())
}

pub(super) fn one(conn: &mut Conn, round: &str, id: &str) -> QueryResult<Option<Addressee>> {
    addressee::table.find(id).filter(addressee::round.eq(round)).select(COLUMNS).first(conn).optional()
}

pub(super) fn tie(conn: &mut Conn, id: &str) -> QueryResult<Option<PublicKey>> {
    let key: Option<Vec<u8>> = tie::table.find(id).select(tie::public_key).first(conn).optional()?;
    Ok(key.and_then(|key| key.try_into().ok()))
}

pub(super) fn put_tie(conn: &mut Conn, round: &str, id: &str, key: &PublicKey) -> QueryResult<()> {
    let changed = diesel::update(tie::table.find(id)).set(tie::public_key.eq(key.as_slice())).execute(conn)?;
    if changed == 0 {
        diesel::insert_into(tie::table)
            .values((tie::addressee.eq(id), tie::round.eq(round), tie::public_key.eq(key.as_slice())))
            .execute(conn)?;
    }
    Ok(())
}

pub(super) fn delete_tie(conn: &mut Conn, id: &str) -> QueryResult<()> {
    diesel::delete(tie::table.find(id)).execute(conn).map(|_| ())
}

pub(super) fn delete_all(conn: &mut Conn, round: &str) -> QueryResult<Destroyed> {
    let wide = |rows: usize| u64::try_from(rows).unwrap_or(u64::MAX);
    let letters = diesel::delete(letter::table.filter(letter::round.eq(round))).execute(conn)?;
    let ties = diesel::delete(tie::table.filter(tie::round.eq(round))).execute(conn)?;
    let addressees = diesel::delete(addressee::table.filter(addressee::round.eq(round))).execute(conn)?;
    diesel::delete(posting::table.filter(posting::round.eq(round))).execute(conn)?;
    diesel::delete(roster_upload::table.filter(roster_upload::round.eq(round))).execute(conn)?;
    Ok(Destroyed { addressees: wide(addressees), ties: wide(ties), letters: wide(letters) })
}

/// Rewrites the tables, so that deleted rows leave their files: `secure_delete` has overwritten them in SQLite, and its
/// log is emptied with the close. Not inside a transaction.
pub(crate) fn shred(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => {
            for table in ["letter", "tie", "addressee", "roster_upload"] {
                c.batch_execute(&format!("VACUUM FULL {table}"))?;
            }
            Ok(())
        }
    }
}
