//! Fresh databases for tests: SQLite always, PostgreSQL when `PHIEU_TEST_POSTGRES` names a server.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

use crate::clock::{Clock, Entropy};
use crate::db::{Create, Db};

/// A migrated database that goes away with this value.
pub(crate) struct TestDb {
    /// The database.
    pub(crate) db: Db,
    /// `sqlite` or `postgres`, for messages.
    pub(crate) backend: &'static str,
    schema: Option<(String, String)>,
    _folder: tempfile::TempDir,
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if let Some((url, schema)) = &self.schema
            && let Ok(mut conn) = PgConnection::establish(url)
        {
            let _ = conn.batch_execute(&format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

/// One fresh database per backend at hand, under the database's own clock.
pub(crate) fn databases() -> Vec<TestDb> {
    databases_at(&Clock::Database)
}

/// One fresh database per backend at hand, under `clock`.
pub(crate) fn databases_at(clock: &Clock) -> Vec<TestDb> {
    let mut all = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let db = Db::open(&url, 4, Create::Yes, clock.clone()).unwrap();
    all.push(TestDb { db, backend: "sqlite", schema: None, _folder: folder });
    if let Ok(server) = std::env::var("PHIEU_TEST_POSTGRES") {
        let schema = format!("t_{}", Entropy::System.uuid().simple());
        PgConnection::establish(&server).unwrap().batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        let joint = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{joint}options=-csearch_path%3D{schema}");
        let db = Db::open(&url, 4, Create::No, clock.clone()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        all.push(TestDb { db, backend: "postgres", schema: Some((server, schema)), _folder: folder });
    }
    for one in &all {
        one.db.migrate().unwrap();
    }
    all
}

#[test]
fn migrations_go_up_down_and_up() {
    for test in databases() {
        test.db.revert_all().unwrap();
        assert!(test.db.check_schema().is_err(), "{}", test.backend);
        test.db.migrate().unwrap();
        test.db.check_schema().unwrap();
    }
}
