//! Connections: where they go and how each is set up.

use std::path::Path;
use std::time::Duration;

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::r2d2::{ManageConnection, Pool as R2d2Pool, PooledConnection};

use super::{Conn, Create, DbError};

pub(super) type Pool = R2d2Pool<Manager>;
pub(super) type Pooled = PooledConnection<Manager>;

/// WAL with `synchronous=FULL`: NORMAL may lose a ballot whose receipt was shown. The log is carried over every 32 MB:
/// ballots land on random pages, and carrying each page over a few times a second cost more than writing it.
const SQLITE_SETUP: &str = "
    PRAGMA busy_timeout = 15000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -4000;
    PRAGMA wal_autocheckpoint = 8000;
";
const POSTGRES_SETUP: &str = "
    SET TIME ZONE 'UTC';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
";

#[derive(Clone)]
pub(super) enum Address {
    Sqlite(String),
    Postgres(String),
}

impl Address {
    pub(super) fn parse(url: &str, create: Create) -> Result<Self, DbError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(DbError::Address);
            }
            if create == Create::No && !Path::new(path).is_file() {
                return Err(DbError::NoFile(path.to_owned()));
            }
            Ok(Self::Sqlite(path.to_owned()))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(url.to_owned()))
        } else {
            Err(DbError::Address)
        }
    }
}

pub(super) struct Manager(Address);

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = DbError;

    fn connect(&self) -> Result<Conn, DbError> {
        let lost = |e: diesel::ConnectionError| DbError::Connect(e.to_string());
        let mut conn = match &self.0 {
            Address::Sqlite(path) => Conn::Sqlite(diesel::SqliteConnection::establish(path).map_err(lost)?),
            Address::Postgres(url) => Conn::Postgres(diesel::PgConnection::establish(url).map_err(lost)?),
        };
        conn.batch_execute(match &self.0 {
            Address::Sqlite(_) => SQLITE_SETUP,
            Address::Postgres(_) => POSTGRES_SETUP,
        })?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), DbError> {
        match conn {
            // An embedded database cannot be cut off.
            Conn::Sqlite(_) => Ok(()),
            // A look at what has already arrived, without asking: a server that went away has closed the socket, after
            // its last words. The first look takes those in, the second one finds the end.
            Conn::Postgres(c) => {
                for _ in 0..2 {
                    c.notifications_iter().next().transpose()?;
                }
                Ok(())
            }
        }
    }

    fn has_broken(&self, _: &mut Conn) -> bool {
        // A write rolls back whatever it did not commit (`in_transaction`); a cut connection fails its next test.
        false
    }
}

pub(super) fn open(address: Address, connections: u32) -> Result<Pool, DbError> {
    R2d2Pool::builder()
        .max_size(connections.max(2))
        .min_idle(Some(1))
        .test_on_check_out(true)
        .connection_timeout(Duration::from_secs(10))
        .build(Manager(address))
        .map_err(|e| DbError::Connect(e.to_string()))
}

#[cfg(test)]
mod tests {
    use diesel::RunQueryDsl as _;
    use diesel::sql_query;

    use crate::clock::Clock;
    use crate::db::{Conn, DbError};
    use crate::testing::databases_at;

    #[test]
    fn a_server_that_cut_every_connection_is_not_noticed_by_the_next_reader() {
        for test in databases_at(&Clock::Database) {
            if test.backend == "sqlite" {
                continue;
            }
            let backend = || {
                #[derive(diesel::QueryableByName)]
                struct Backend {
                    #[diesel(sql_type = diesel::sql_types::Integer)]
                    pid: i32,
                }
                let ask = |conn: &mut Conn| {
                    sql_query("SELECT pg_backend_pid() AS pid").get_result::<Backend>(conn).map_err(DbError::from)
                };
                test.db.read_here(ask).unwrap().pid
            };
            let first = backend();
            assert_eq!(backend(), first, "a whole connection is used again");
            let admin = test.db.with_clock(Clock::Database).unwrap();
            let cut = format!("SELECT pg_terminate_backend({first}, 5000)");
            admin.read_here(|conn| sql_query(cut).execute(conn).map_err(DbError::from)).unwrap();
            assert_ne!(backend(), first);
        }
    }
}
