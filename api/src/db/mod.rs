//! The database: one story on SQLite (embedded) and PostgreSQL. Differences between the two stay here
//! and in `match` arms of the rooms' `store.rs`.

#[cfg(debug_assertions)]
mod abort;
mod conn;
#[cfg(test)]
mod lint;
mod pool;
pub mod queue;
pub mod schema;

use std::sync::Arc;

use chrono::{DateTime, TimeZone as _, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::{QueryableByName, RunQueryDsl as _};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::clock::Clock;

pub use conn::Conn;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Why the database could not do what was asked. Causes are logged by whoever answers 5xx, never shown.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The address is neither `sqlite://PATH` nor `postgres://…`.
    #[error("database: the address must be sqlite://PATH or postgres://…")]
    Address,
    /// There is no database file there, and only `phieu migrate` and `phieu demo` make one.
    #[error("database: no file {0}; `phieu migrate` makes one")]
    NoFile(String),
    /// No connection could be had.
    #[error("database: no connection: {0}")]
    Connect(String),
    /// A statement failed.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// A migration failed.
    #[error("database: migration failed: {0}")]
    Migration(String),
    /// The schema is older or newer than this program.
    #[error("database: schema is not up to date; run `phieu migrate`")]
    Schema,
    /// Rows changed under a transaction that held them; it was rolled back.
    #[error("database: rows changed under a lock")]
    Conflict,
    /// The work was given up: its thread ended.
    #[error("database: the work was interrupted")]
    Interrupted,
}

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    pool: pool::Pool,
    address: pool::Address,
    clock: Clock,
}

/// Whether a missing SQLite file may be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Create {
    /// Make it.
    Yes,
    /// A typing error in the address must never create an empty database.
    No,
}

impl Db {
    /// Opens the database at `url` with at most `connections` connections.
    ///
    /// # Errors
    /// [`DbError`] when the address is wrong or nothing answers there.
    pub fn open(url: &str, connections: u32, create: Create, clock: Clock) -> Result<Self, DbError> {
        #[cfg(debug_assertions)]
        abort::arm()?;
        let address = pool::Address::parse(url, create)?;
        let pool = pool::open(address.clone(), connections)?;
        Ok(Self(Arc::new(Inner { pool, address, clock })))
    }

    /// The same database under another clock, for simulations.
    ///
    /// # Errors
    /// [`DbError`] when no connection can be had.
    pub fn with_clock(&self, clock: Clock) -> Result<Self, DbError> {
        let pool = pool::open(self.0.address.clone(), 2)?;
        Ok(Self(Arc::new(Inner { pool, address: self.0.address.clone(), clock })))
    }

    /// Runs `work` on a connection, on a thread that may block. Reading only: it opens no transaction.
    ///
    /// # Errors
    /// What `work` returns, or [`DbError`] when no connection can be had.
    pub async fn read<T, E>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        blocking(move || db.read_here(work)).await
    }

    /// Runs `work` in one writing transaction, on a thread that may block; an error rolls everything back.
    ///
    /// # Errors
    /// What `work` returns, or [`DbError`] when no connection can be had or the commit fails.
    pub async fn write<T, E>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let db = self.clone();
        blocking(move || db.write_here(work)).await
    }

    /// [`Db::read`] on the calling thread.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_here<T, E: From<DbError>>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        let mut conn = self.connection()?;
        work(&mut conn)
    }

    /// [`Db::write`] on the calling thread.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_here<T, E: From<DbError>>(&self, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
        let mut conn = self.connection()?;
        in_transaction(&mut conn, work)
    }

    /// The time by which rounds open and close: the database's own, or the one that was set.
    ///
    /// # Errors
    /// When the database does not answer.
    pub fn now(&self, conn: &mut Conn) -> Result<DateTime<Utc>, DbError> {
        match self.0.clock.fixed() {
            Some(at) => Ok(at),
            None => database_now(conn),
        }
    }

    /// Brings the schema up to this program's; returns the names of the migrations that ran.
    ///
    /// # Errors
    /// [`DbError::Migration`] naming the one that failed; it is rolled back.
    pub fn migrate(&self) -> Result<Vec<String>, DbError> {
        let mut conn = self.connection()?;
        let ran = match &mut *conn {
            Conn::Sqlite(c) => c.run_pending_migrations(SQLITE_MIGRATIONS).map(|v| names(&v)),
            Conn::Postgres(c) => c.run_pending_migrations(POSTGRES_MIGRATIONS).map(|v| names(&v)),
        };
        ran.map_err(|e| DbError::Migration(e.to_string()))
    }

    /// Refuses a database whose schema is not this program's.
    ///
    /// # Errors
    /// [`DbError::Schema`].
    pub fn check_schema(&self) -> Result<(), DbError> {
        let mut conn = self.connection()?;
        let pending = match &mut *conn {
            Conn::Sqlite(c) => c.has_pending_migration(SQLITE_MIGRATIONS),
            Conn::Postgres(c) => c.has_pending_migration(POSTGRES_MIGRATIONS),
        };
        match pending {
            Ok(false) => Ok(()),
            Ok(true) => Err(DbError::Schema),
            Err(e) => Err(DbError::Migration(e.to_string())),
        }
    }

    /// Takes every migration back, for the test that each goes up, down and up.
    ///
    /// # Errors
    /// [`DbError::Migration`].
    #[cfg(test)]
    pub fn revert_all(&self) -> Result<(), DbError> {
        let mut conn = self.connection()?;
        match &mut *conn {
            Conn::Sqlite(c) => c.revert_all_migrations(SQLITE_MIGRATIONS).map(|v| names(&v)),
            Conn::Postgres(c) => c.revert_all_migrations(POSTGRES_MIGRATIONS).map(|v| names(&v)),
        }
        .map(|_| ())
        .map_err(|e| DbError::Migration(e.to_string()))
    }

    /// Every table with its columns, sorted, as the database has them.
    ///
    /// # Errors
    /// When the database does not answer.
    #[cfg(test)]
    pub(crate) fn columns(&self) -> Result<std::collections::BTreeMap<String, Vec<String>>, DbError> {
        #[derive(QueryableByName)]
        struct Column {
            #[diesel(sql_type = diesel::sql_types::Text)]
            of: String,
            #[diesel(sql_type = diesel::sql_types::Text)]
            name: String,
        }
        let mut conn = self.connection()?;
        let query = match &*conn {
            Conn::Sqlite(_) => {
                "SELECT t.name AS \"of\", c.name AS name FROM sqlite_master t, pragma_table_info(t.name) c \
                 WHERE t.type = 'table' ORDER BY 1, 2"
            }
            Conn::Postgres(_) => {
                "SELECT CAST(table_name AS TEXT) AS \"of\", CAST(column_name AS TEXT) AS name \
                 FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2"
            }
        };
        let columns: Vec<Column> = diesel::sql_query(query).load(&mut *conn)?;
        let mut all = std::collections::BTreeMap::new();
        for column in columns {
            all.entry(column.of).or_insert_with(Vec::new).push(column.name);
        }
        all.values_mut().for_each(|names| names.sort());
        Ok(all)
    }

    fn connection(&self) -> Result<pool::Pooled, DbError> {
        self.0.pool.get().map_err(|e| DbError::Connect(e.to_string()))
    }
}

fn names(versions: &[diesel::migration::MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}

async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(lost) => {
            tracing::error!(error = %lost, "database work ended without an answer");
            Err(DbError::Interrupted.into())
        }
    }
}

/// SQLite must take its write lock first: a reader that turns writer fails when another one was faster.
fn in_transaction<T, E: From<DbError>>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    /// Rolls back whatever was not committed, also when `work` panics.
    struct Open<'c>(&'c mut Conn, bool);
    impl Drop for Open<'_> {
        fn drop(&mut self) {
            if self.1
                && let Err(error) = self.0.batch_execute("ROLLBACK")
            {
                tracing::warn!(%error, "rollback failed; the connection is given up");
            }
        }
    }

    let begin = match conn {
        Conn::Sqlite(_) => "BEGIN IMMEDIATE",
        Conn::Postgres(_) => "BEGIN",
    };
    conn.batch_execute(begin).map_err(DbError::from)?;
    let mut open = Open(conn, true);
    let done = work(open.0)?;
    open.0.batch_execute("COMMIT").map_err(DbError::from)?;
    open.1 = false;
    Ok(done)
}

#[derive(QueryableByName)]
struct Now {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    unix_ms: i64,
}

fn database_now(conn: &mut Conn) -> Result<DateTime<Utc>, DbError> {
    let query = match conn {
        Conn::Sqlite(_) => "SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS unix_ms",
        Conn::Postgres(_) => "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS unix_ms",
    };
    let now: Now = diesel::sql_query(query).get_result(conn).map_err(DbError::from)?;
    Ok(from_unix_ms(now.unix_ms))
}

/// An instant as the database keeps it.
#[must_use]
pub fn unix_ms<Tz: chrono::TimeZone>(at: &DateTime<Tz>) -> i64 {
    at.timestamp_millis()
}

/// An instant from the database; one out of range reads as the epoch.
#[must_use]
pub fn from_unix_ms(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}
