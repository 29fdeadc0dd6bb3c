//! A browser of the desk: the key of what it keeps, and which ballots it holds.

use std::sync::Arc;

use diesel::prelude::*;
use zeroize::Zeroizing;

use super::{KeyingError, PaperDesk};
use crate::access::{Actor, Staff, audit};
use crate::ballot::Bearer;
use crate::bundle::claims::{self, Claim};
use crate::clock::Entropy;
use crate::db::schema::desk_key;
use crate::db::{Conn, DbError};

/// The key of what a person's browsers keep: AES-256. The browser has it while they are signed in, and no longer.
pub type StoreKey = Zeroizing<Vec<u8>>;

/// The number that a browser drew by lot: a UUID.
#[must_use]
pub fn desk_number(text: &str) -> Option<String> {
    uuid::Uuid::try_parse(text).ok().map(|id| id.hyphenated().to_string())
}

fn key(conn: &mut Conn, by: &str, entropy: &Entropy) -> Result<StoreKey, KeyingError> {
    let fresh = Zeroizing::new(entropy.bytes::<32>());
    let row = (desk_key::staff.eq(by), desk_key::secret.eq(fresh.as_slice()));
    match conn {
        Conn::Sqlite(c) => diesel::insert_into(desk_key::table).values(row).on_conflict_do_nothing().execute(c)?,
        Conn::Postgres(c) => diesel::insert_into(desk_key::table).values(row).on_conflict_do_nothing().execute(c)?,
    };
    let kept: Vec<u8> = desk_key::table.find(by).select(desk_key::secret).first(conn)?;
    Ok(Zeroizing::new(kept))
}

impl PaperDesk {
    /// The key under which this person's browsers keep what is not here yet; the same at each sign-in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn store_key(&self, staff: &Staff) -> Result<StoreKey, KeyingError> {
        let (by, entropy) = (staff.id.clone(), self.entropy.clone());
        self.db.write(move |conn| key(conn, &by, &entropy)).await
    }

    /// The browser `number` holds this ballot from now on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, staff: &Staff, ballot: &Arc<Bearer>, number: String) -> Result<(), KeyingError> {
        let (by, key) = (staff.id.clone(), ballot.keys.public);
        Ok(self.db.write(move |conn| claims::take(conn, &number, &key, &by)).await?)
    }

    /// Every browser that holds ballots, for whoever leads the desk.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn devices(&self) -> Result<Vec<Claim>, KeyingError> {
        Ok(self.db.read(claims::all).await?)
    }

    /// A browser that will not come back holds nothing any more. How many ballots it held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up(&self, staff: &Staff, number: String) -> Result<usize, KeyingError> {
        let (db, by) = (self.db.clone(), staff.clone());
        self.db
            .write(move |conn| {
                let held = claims::give_up(conn, &number)?;
                if held > 0 {
                    let at = db.now(conn)?;
                    audit::record(
                        conn,
                        at,
                        &Actor::from(&by),
                        "keying.desk_given_up",
                        &number,
                        &format!("{held} ballots"),
                    )?;
                }
                Ok(held)
            })
            .await
    }

    /// The browser `number` holds nothing of this person's any more: all that was typed there is here.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_desk(&self, staff: &Staff, number: String) -> Result<(), KeyingError> {
        let by = staff.id.clone();
        let done: Result<usize, DbError> = self.db.write(move |conn| claims::release_desk(conn, &number, &by)).await;
        Ok(done.map(|_| ())?)
    }

    /// It holds nothing of this ballot any more: its entry was refused for good, or given up.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release(&self, ballot: &Arc<Bearer>, number: String) -> Result<(), KeyingError> {
        let key = ballot.keys.public;
        let done: Result<(), DbError> = self.db.write(move |conn| claims::release(conn, &number, &key)).await;
        Ok(done?)
    }
}
