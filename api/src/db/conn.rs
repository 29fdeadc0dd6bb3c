//! The connection type; the derive writes undocumented items beside it.

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// SQLite, compiled in.
    Sqlite(diesel::SqliteConnection),
    /// PostgreSQL through libpq.
    Postgres(diesel::PgConnection),
}
