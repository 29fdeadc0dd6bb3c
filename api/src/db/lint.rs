//! The schema holds nothing that could order ballots or tell when they came: every migration of both databases is
//! searched for columns, types and defaults that would (design: anonymous and verifiable, "leaks to close").

use std::fmt;
use std::path::Path;

/// Tables of the ballot's path. Copies made on the way to a new shape (`new_ballot`) count too, and whatever a log's
/// tables are called (`log_…`): those may hold places in the tree, which are public and sorted by hash.
const SECRET: [&str; 10] =
    ["credential", "draft", "envelope", "ballot_box", "ballot", "remark", "capture", "paper", "keying_claim", "scan"];

/// Types that are a time, or count up by themselves.
const TYPES: [&str; 12] = [
    "timestamp",
    "timestamptz",
    "datetime",
    "date",
    "time",
    "timetz",
    "interval",
    "serial",
    "bigserial",
    "smallserial",
    "serial8",
    "serial4",
];

/// Words of a statement that bring in a clock, a counter, or an id that sorts by time.
const WORDS: [&str; 16] = [
    "autoincrement",
    "identity",
    "nextval",
    "now",
    "current_timestamp",
    "current_time",
    "current_date",
    "localtimestamp",
    "clock_timestamp",
    "unixepoch",
    "strftime",
    "julianday",
    "uuidv7",
    "xmin",
    "ctid",
    "rowid",
];

/// Parts of a column's name (between underscores) that say when, where from, or in what order.
const NAMES: [&str; 31] = [
    "at",
    "on",
    "time",
    "times",
    "timestamp",
    "date",
    "day",
    "hour",
    "when",
    "created",
    "updated",
    "modified",
    "opened",
    "cast",
    "seen",
    "elapsed",
    "duration",
    "seconds",
    "ms",
    "seq",
    "sequence",
    "serial",
    "ordinal",
    "position",
    "order",
    "version",
    "ip",
    "address",
    "agent",
    "device",
    "language",
];

/// On ballots a place or number is an order; on the log's tables it is the tree.
const PLACES: [&str; 4] = ["place", "number", "index", "nr"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leak {
    table: String,
    what: String,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.table, self.what)
    }
}

/// Every leak in the statements of a migration.
pub(crate) fn lint(dialect: Dialect, sql: &str) -> Vec<Leak> {
    statements(sql).iter().flat_map(|statement| lint_statement(dialect, statement)).collect()
}

/// Statements in lower case, without comments; quoted text keeps its words, which is on the safe side.
fn statements(sql: &str) -> Vec<String> {
    let mut plain = String::new();
    for line in sql.lines() {
        plain.push_str(line.split("--").next().unwrap_or_default());
        plain.push('\n');
    }
    while let Some((before, rest)) = plain.split_once("/*") {
        let after = rest.split_once("*/").map_or("", |(_, after)| after);
        plain = format!("{before} {after}");
    }
    plain
        .to_lowercase()
        .replace(['"', '`'], "")
        .split(';')
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
}

fn is_secret(table: &str) -> bool {
    table.starts_with("log_")
        || SECRET
            .iter()
            .any(|name| table == *name || table.contains(&format!("_{name}")) || table.contains(&format!("{name}_")))
}

fn lint_statement(dialect: Dialect, statement: &str) -> Vec<Leak> {
    let said = words(statement);
    let leak = |table: &str, what: String| Leak { table: table.to_owned(), what };
    let mut found = Vec::new();
    let creates = |kind: &str| said.iter().take(5).any(|word| *word == kind) && said.first() == Some(&"create");
    if creates("sequence") {
        return vec![leak("sequence", "counts up".to_owned())];
    }
    let named = |after: &str| {
        let rest = said.iter().skip_while(|word| **word != after).skip(1);
        rest.copied().find(|word| !["if", "not", "exists", "only", "main", "public"].contains(word)).unwrap_or_default()
    };
    if creates("trigger") || creates("index") {
        let table = named("on");
        let clock = said.iter().find(|word| WORDS.contains(word));
        if is_secret(table) && (creates("trigger") || clock.is_some()) {
            found.push(leak(table, "a trigger or an index that may write or sort by time".to_owned()));
        }
        return found;
    }
    if !said.iter().take(6).any(|word| *word == "table")
        || !["create", "alter"].contains(&said.first().copied().unwrap_or_default())
    {
        return found;
    }
    let table = named("table");
    if !is_secret(table) {
        // A table that becomes one of the ballot's path must have had a name that was linted.
        if let Some((_, new)) = statement.split_once("rename to")
            && is_secret(words(new).first().copied().unwrap_or_default())
        {
            found.push(leak(table, "becomes a secret table unseen: call it new_… first".to_owned()));
        }
        return found;
    }
    for word in
        said.iter().filter(|word| WORDS.contains(word) && !(**word == "rowid" && statement.ends_with("without rowid")))
    {
        found.push(leak(table, format!("says {word}")));
    }
    if statement.starts_with("create") {
        if dialect == Dialect::Sqlite && !statement.contains("without rowid") {
            found.push(leak(table, "has row ids: WITHOUT ROWID".to_owned()));
        }
        if !statement.contains('(') {
            found.push(leak(table, "takes columns that are not written down".to_owned()));
        }
    }
    for (name, kind) in columns(statement) {
        if TYPES.contains(&kind.as_str()) {
            found.push(leak(table, format!("{name} is a {kind}")));
        }
        let parts: Vec<&str> = name.split('_').collect();
        let is_log = table.starts_with("log_");
        if parts.iter().any(|part| NAMES.contains(part) || (!is_log && PLACES.contains(part))) {
            found.push(leak(table, format!("{name} tells when, whence or in which order")));
        }
        if dialect == Dialect::Sqlite
            && kind == "integer"
            && words(statement).windows(2).any(|w| w == ["primary", "key"])
        {
            found.push(leak(table, format!("{name} may be a row id by another name: use BIGINT")));
        }
    }
    found
}

/// Names and types of the columns that a statement creates or adds.
fn columns(statement: &str) -> Vec<(String, String)> {
    let definitions: Vec<String> = if statement.starts_with("alter") {
        statement
            .split(" add ")
            .skip(1)
            .map(|part| part.trim_start_matches("column ").replace("if not exists", ""))
            .collect()
    } else {
        let inner = statement.split_once('(').map_or("", |(_, inner)| inner);
        let mut depth = 0_i32;
        let mut parts = vec![String::new()];
        for c in inner.chars() {
            match c {
                '(' => depth += 1,
                ')' if depth == 0 => break,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
            if let Some(last) = parts.last_mut() {
                last.push(c);
            }
        }
        parts
    };
    definitions
        .iter()
        .filter_map(|definition| {
            let mut said = words(definition).into_iter();
            let name = said.next()?;
            let is_rule =
                ["primary", "foreign", "check", "unique", "constraint", "references", "exclude"].contains(&name);
            (!is_rule).then(|| (name.to_owned(), said.next().unwrap_or_default().to_owned()))
        })
        .collect()
}

fn migrations(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
    let mut all = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        for file in ["up.sql", "down.sql"] {
            all.push((path.join(file).display().to_string(), std::fs::read_to_string(path.join(file)).unwrap()));
        }
    }
    assert!(!all.is_empty());
    all
}

#[test]
fn no_migration_lets_ballots_be_put_in_order() {
    for (dialect, folder) in [(Dialect::Sqlite, "sqlite"), (Dialect::Postgres, "postgres")] {
        let mut secret = 0;
        for (file, sql) in migrations(folder) {
            let leaks: Vec<String> = lint(dialect, &sql).iter().map(ToString::to_string).collect();
            assert!(leaks.is_empty(), "{file}: {leaks:?}");
            let created = statements(&sql).into_iter().filter(|s| s.starts_with("create table"));
            secret += created.filter(|s| is_secret(words(s)[2])).count();
        }
        assert!(secret >= SECRET.len(), "the lint sees the tables of the ballot's path in {folder}");
    }
}

/// Both folders have the same migrations: one cannot be mended and the other forgotten.
#[test]
fn both_databases_have_the_same_migrations() {
    let names = |folder: &str| {
        let mut names: Vec<String> = migrations(folder)
            .into_iter()
            .map(|(file, _)| file.split(&format!("/{folder}/")).last().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn the_lint_finds_what_it_is_there_for() {
    use Dialect::{Postgres, Sqlite};
    let bad = [
        (Sqlite, "CREATE TABLE ballot (id BLOB NOT NULL PRIMARY KEY, body TEXT)"),
        (Sqlite, "CREATE TABLE log_batch (root BLOB NOT NULL PRIMARY KEY)"),
        (Sqlite, "CREATE TABLE ballot (id INTEGER PRIMARY KEY, body TEXT) WITHOUT ROWID"),
        (Sqlite, "CREATE TABLE \"draft\" (id BLOB PRIMARY KEY, created_at BIGINT) WITHOUT ROWID"),
        (Sqlite, "CREATE TABLE draft (id BLOB PRIMARY KEY, body BLOB DEFAULT (unixepoch())) WITHOUT ROWID"),
        (Sqlite, "-- harmless\nALTER TABLE envelope ADD COLUMN last_seen_at BIGINT;"),
        (Sqlite, "ALTER TABLE envelope ADD ip TEXT"),
        (Sqlite, "CREATE TABLE envelope_new AS SELECT * FROM envelope"),
        (Sqlite, "CREATE TABLE new_credential (public_key BLOB PRIMARY KEY, issue_order BIGINT) WITHOUT ROWID"),
        (Sqlite, "CREATE TABLE t (id BLOB); ALTER TABLE t RENAME TO ballot"),
        (Sqlite, "CREATE TRIGGER noted AFTER INSERT ON envelope BEGIN SELECT 1"),
        (Sqlite, "CREATE INDEX late ON ballot (rowid)"),
        (Postgres, "CREATE SEQUENCE ballots"),
        (Postgres, "CREATE TABLE ballot (id BIGSERIAL PRIMARY KEY)"),
        (Postgres, "CREATE TABLE ballot (id BIGINT GENERATED ALWAYS AS IDENTITY)"),
        (Postgres, "CREATE TABLE IF NOT EXISTS credential (public_key BYTEA PRIMARY KEY, used TIMESTAMPTZ)"),
        (Postgres, "CREATE TABLE ballot_box (id UUID PRIMARY KEY DEFAULT uuidv7())"),
        (Postgres, "CREATE UNLOGGED TABLE envelope (id BYTEA PRIMARY KEY, place BIGINT)"),
        (Postgres, "ALTER TABLE ballot ADD COLUMN n BIGINT DEFAULT nextval('x')"),
        (Postgres, "ALTER TABLE ballot ADD COLUMN duration_ms BIGINT"),
        (Postgres, "CREATE TABLE draft /* a note */ (id BYTEA PRIMARY KEY, note TEXT DEFAULT now())"),
    ];
    for (dialect, sql) in bad {
        assert!(!lint(dialect, sql).is_empty(), "{sql}");
    }
    let good = [
        (Sqlite, "CREATE TABLE ballot (id BLOB NOT NULL PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID"),
        (Sqlite, "CREATE TABLE staff (id TEXT PRIMARY KEY, created_at BIGINT)"),
        (Sqlite, "CREATE TABLE log_leaf (id BLOB PRIMARY KEY, place BIGINT NOT NULL) WITHOUT ROWID"),
        (Sqlite, "DROP TABLE ballot"),
        (Postgres, "CREATE TABLE draft (id BYTEA PRIMARY KEY, body BYTEA) -- created_at: never"),
        (Postgres, "CREATE INDEX ballot_by_round ON ballot (round)"),
    ];
    for (dialect, sql) in good {
        assert_eq!(lint(dialect, sql), [], "{sql}");
    }
}
