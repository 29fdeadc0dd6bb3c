//! Which browsers of the paper desk may hold keystrokes that the server has not: from the opening of a ballot until its
//! entry is here or given up. The desk takes and releases claims; a bundle with one does not close.

use diesel::prelude::*;

use crate::ballot::PublicKey;
use crate::db::schema::{keying_claim, paper, staff};
use crate::db::{Conn, DbError};

/// So many ballots of a bundle in one browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The number that the browser drew by lot.
    pub desk: String,
    /// Sign-in name of who keys there.
    pub clerk: String,
    /// How many ballots of the bundle it holds.
    pub ballots: usize,
}

/// The browser `desk` holds this ballot. Safe to repeat; whoever opens it last there is the one, and of one person's
/// browsers the one where they go on: another of theirs holds it no longer.
///
/// # Errors
/// When the database fails.
pub(crate) fn take(conn: &mut Conn, desk: &str, key: &PublicKey, staff: &str) -> Result<(), DbError> {
    release_of(conn, key, staff)?;
    let row = (keying_claim::desk.eq(desk), keying_claim::public_key.eq(key.as_slice()), keying_claim::staff.eq(staff));
    let place = (keying_claim::desk, keying_claim::public_key);
    let set = keying_claim::staff.eq(staff);
    match conn {
        Conn::Sqlite(c) => {
            diesel::insert_into(keying_claim::table).values(row).on_conflict(place).do_update().set(set).execute(c)
        }
        Conn::Postgres(c) => {
            diesel::insert_into(keying_claim::table).values(row).on_conflict(place).do_update().set(set).execute(c)
        }
    }
    .map(|_| ())
    .map_err(DbError::from)
}

/// The browser holds nothing of this ballot any more.
///
/// # Errors
/// When the database fails.
pub(crate) fn release(conn: &mut Conn, desk: &str, key: &PublicKey) -> Result<(), DbError> {
    let claim = keying_claim::table.find((desk, key.as_slice()));
    Ok(diesel::delete(claim).execute(conn).map(|_| ())?)
}

/// This person's pass over the ballot is here: none of their browsers holds anything of it that matters.
///
/// # Errors
/// When the database fails.
pub(crate) fn release_of(conn: &mut Conn, key: &PublicKey, staff: &str) -> Result<(), DbError> {
    let of = keying_claim::table.filter(keying_claim::public_key.eq(key.as_slice()).and(keying_claim::staff.eq(staff)));
    Ok(diesel::delete(of).execute(conn).map(|_| ())?)
}

/// The browser holds nothing of this person's any more; how many ballots it held.
///
/// # Errors
/// When the database fails.
pub(crate) fn release_desk(conn: &mut Conn, desk: &str, staff: &str) -> Result<usize, DbError> {
    let of = keying_claim::table.filter(keying_claim::desk.eq(desk).and(keying_claim::staff.eq(staff)));
    Ok(diesel::delete(of).execute(conn)?)
}

/// The ballot is in the box: no browser holds anything that matters.
///
/// # Errors
/// When the database fails.
pub(crate) fn release_all(conn: &mut Conn, key: &PublicKey) -> Result<(), DbError> {
    let of = keying_claim::table.filter(keying_claim::public_key.eq(key.as_slice()));
    Ok(diesel::delete(of).execute(conn).map(|_| ())?)
}

/// A browser that will not come back (a lost tablet): its claims are given up. How many there were.
///
/// # Errors
/// When the database fails.
pub fn give_up(conn: &mut Conn, desk: &str) -> Result<usize, DbError> {
    Ok(diesel::delete(keying_claim::table.filter(keying_claim::desk.eq(desk))).execute(conn)?)
}

/// Every browser that holds ballots.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut Conn) -> Result<Vec<Claim>, DbError> {
    let rows: Vec<(String, String)> = keying_claim::table
        .inner_join(staff::table.on(staff::id.eq(keying_claim::staff)))
        .order((staff::name, keying_claim::desk))
        .select((keying_claim::desk, staff::name))
        .load(conn)?;
    Ok(counted(rows))
}

/// The browsers that hold ballots of a bundle, by its id; a bundle closes when there is none.
///
/// # Errors
/// When the database fails.
pub fn held(conn: &mut Conn, bundle: &str) -> Result<Vec<Claim>, DbError> {
    let rows: Vec<(String, String)> = keying_claim::table
        .inner_join(paper::table.on(paper::public_key.eq(keying_claim::public_key)))
        .inner_join(staff::table.on(staff::id.eq(keying_claim::staff)))
        .filter(paper::bundle.eq(bundle))
        .order((keying_claim::desk, staff::name))
        .select((keying_claim::desk, staff::name))
        .load(conn)?;
    Ok(counted(rows))
}

fn counted(rows: Vec<(String, String)>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    for (desk, clerk) in rows {
        match claims.last_mut() {
            Some(last) if last.desk == desk && last.clerk == clerk => last.ballots += 1,
            _ => claims.push(Claim { desk, clerk, ballots: 1 }),
        }
    }
    claims
}
