//! One writer at a time for one draft. Everything else that is stored here goes through the ballot room.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::ballot::DraftId;
use crate::db::Conn;

/// Waits until no other transaction writes this draft. SQLite has one writer anyway. PostgreSQL holds an advisory
/// lock, which lives in memory only: a row lock would leave the transaction's number on the credential.
pub(super) fn hold(conn: &mut Conn, id: &DraftId) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(c) => {
            let key = id.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte));
            diesel::sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(key).execute(c).map(|_| ())
        }
    }
}
