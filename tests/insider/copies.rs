//! What the insider holds: a copy of the database after every request (rows with their places and transaction numbers
//! on PostgreSQL, pages on SQLite, the log of writes of both), the logs, the public log, and at the end the opened ballots
//! and the free texts that left them.
//! Never the box key, never who sent which envelope.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::sql_types::{BigInt, Binary, Text};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use phieu::db::DbError;
use survey_forms::answers::Ballot;
use survey_forms::scoring::ScoreDocument;

use crate::scanner::Scanner;
use crate::world::{ROUND, Truth, World};
use crate::writes::{Frames, Ids, Records, SQLITE_PAGE, Written};

/// What is known of a person: the office was watched, and addressed codes were handed out by name.
#[derive(Clone)]
pub struct Known {
    pub stratum: String,
    pub public: Vec<u8>,
    pub cast_at: i64,
}

/// What a request was for, as the logs say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    Enter,
    Keep,
    Cast,
    Move,
    Close,
}

/// What a copy shows that the one before did not.
#[derive(Clone)]
pub struct Seen {
    pub at: i64,
    pub act: Act,
    pub who: Vec<usize>,
    /// Codes that were used, envelopes that came, drafts that came or changed, by table.
    pub came: BTreeMap<&'static str, Vec<Row>>,
    /// Keys that are no longer there.
    pub gone: BTreeMap<&'static str, Vec<Vec<u8>>>,
    /// Pages in the new frames of SQLite's log, in their order.
    pub pages: Vec<u32>,
}

/// A row as it is stored.
#[derive(QueryableByName, Clone)]
pub struct Row {
    #[diesel(sql_type = Binary)]
    pub key: Vec<u8>,
    /// The transaction that wrote it (PostgreSQL).
    #[diesel(sql_type = BigInt)]
    pub xmin: i64,
    /// Page and line (PostgreSQL).
    #[diesel(sql_type = BigInt)]
    pub ctid: i64,
    #[diesel(sql_type = Binary)]
    pub body: Vec<u8>,
}

/// An opened ballot as it is stored.
#[derive(Clone)]
pub struct Stored {
    pub id: Vec<u8>,
    pub stratum: String,
    pub body: String,
    pub xmin: i64,
    pub ctid: i64,
    /// A column beside those that a ballot must have, or a row id.
    pub extra: Option<i64>,
}

/// A free text as it is stored.
#[derive(Clone)]
pub struct Remark {
    pub id: Vec<u8>,
    /// Group, target and item.
    pub place: String,
    pub body: String,
    pub xmin: i64,
    pub ctid: i64,
    pub extra: Option<i64>,
}

/// Where an id stands: page of a file, or piece of a log of writes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    pub page: i64,
    /// Negative for SQLite, which fills a page from its end.
    pub offset: i64,
}

#[derive(Default, Clone)]
pub struct Evidence {
    pub people: Vec<Known>,
    pub journal: Vec<Seen>,
    pub checkpoints: Vec<(i64, u64)>,
    /// Places of envelopes in the public log.
    pub places: HashMap<Vec<u8>, i64>,
    pub ballot_box: HashMap<Vec<u8>, Row>,
    pub credentials: HashMap<Vec<u8>, Row>,
    pub ballots: Vec<Stored>,
    pub remarks: Vec<Remark>,
    pub salt: Vec<u8>,
    /// First sight of an id in the database's log of writes: frame or record, and offset.
    pub writes: HashMap<Vec<u8>, Spot>,
    /// The transaction that this record belongs to (PostgreSQL).
    pub written_by: HashMap<Vec<u8>, i64>,
    /// In the last database file: in the tables and in the index of ballots.
    pub file: HashMap<Vec<u8>, Spot>,
    pub index: HashMap<Vec<u8>, Spot>,
    pub document: Option<ScoreDocument>,
    /// Codes and answers that were found where none may be.
    pub found: BTreeSet<String>,
}

/// Transaction, place and a digest of a row's bytes.
type State = (i64, i64, u64);

/// Takes the copies.
pub struct Copier {
    scanner: Scanner,
    known: BTreeMap<&'static str, HashMap<Vec<u8>, State>>,
    frames: Frames,
    records: Option<Records>,
    ids: Ids,
}

impl Copier {
    pub fn new(world: &World, truth: &Truth, held: &mut Evidence) -> Self {
        let mut ids = Ids::default();
        held.people.iter().for_each(|known| ids.add(&known.public));
        let scanner = Scanner::new(&truth.codes);
        let mut copier =
            Self { scanner, known: BTreeMap::new(), frames: Frames::default(), records: Records::from_now(world), ids };
        world.empty_log();
        copier.copy(world, held, 0, Act::Enter, &[]);
        held.journal.clear();
        held.writes.clear();
        copier
    }

    /// The copy after a request.
    pub fn copy(&mut self, world: &World, held: &mut Evidence, at: i64, act: Act, who: &[usize]) {
        let (mut came, mut gone) = (BTreeMap::new(), BTreeMap::new());
        let writes = self.writes(world, held);
        if world.sqlite.is_none() || !writes.is_empty() || act != Act::Enter {
            for table in ["credential", "draft", "envelope", "turnout"] {
                let rows = rows(world, table);
                let old = self.known.remove(table).unwrap_or_default();
                let mut new = HashMap::new();
                for row in rows {
                    let state = (row.xmin, row.ctid, digest(&row.body));
                    new.insert(row.key.clone(), state);
                    if old.get(&row.key) != Some(&state) {
                        self.scanner.scan(&row.body, table, &mut held.found);
                        self.ids.add(&row.key);
                        if table == "credential" {
                            self.ids.add(&row.body);
                        }
                        came.entry(table).or_insert_with(Vec::new).push(row);
                    }
                }
                let left: Vec<Vec<u8>> = old.into_keys().filter(|key| !new.contains_key(key)).collect();
                gone.insert(table, left);
                self.known.insert(table, new);
            }
        }
        // The rows name the ids that the pieces are searched for.
        self.carve(&writes, held);
        let pages = writes.iter().map(|piece| piece.page).collect();
        held.journal.push(Seen { at, act, who: who.to_vec(), came, gone, pages });
    }

    fn writes(&mut self, world: &World, held: &mut Evidence) -> Vec<Written> {
        let pieces = match (&world.sqlite, &mut self.records) {
            (Some(path), _) => self.frames.news(&path.with_extension("db-wal")),
            (None, Some(records)) => records.news(world),
            (None, None) => Vec::new(),
        };
        pieces.iter().for_each(|piece| self.scanner.scan(&piece.bytes, "log of writes", &mut held.found));
        pieces
    }

    fn carve(&mut self, pieces: &[Written], held: &mut Evidence) {
        for (piece, ids) in pieces.iter().zip(self.ids.find(pieces.iter().map(|piece| piece.bytes.as_slice()))) {
            for (id, offset) in ids {
                let offset = if piece.xid == 0 { -offset } else { offset };
                if !held.writes.contains_key(&id) {
                    held.written_by.insert(id.clone(), piece.xid);
                    held.writes.insert(id, Spot { page: piece.number, offset });
                }
            }
        }
    }

    /// Whether the log of writes is read.
    pub fn reads_writes(&self, world: &World) -> bool {
        world.sqlite.is_some() || self.records.is_some()
    }

    /// Every byte at rest: a backup.
    pub fn everything(&mut self, world: &World, held: &mut Evidence, when: &str) {
        for (table, bytes) in tables(world) {
            self.scanner.scan(&bytes, &format!("{table}, {when}"), &mut held.found);
        }
        if let Some(path) = &world.sqlite {
            self.scanner.scan(&std::fs::read(path).unwrap(), &format!("file, {when}"), &mut held.found);
        }
        self.scanner.scan(&crate::logs(), "logs", &mut held.found);
    }

    /// After the opening.
    pub fn opened(&mut self, world: &World, held: &mut Evidence) {
        held.ballot_box = rows(world, "ballot_box").into_iter().map(|row| (row.key.clone(), row)).collect();
        held.credentials = rows(world, "credential").into_iter().map(|row| (row.key.clone(), row)).collect();
        held.places = rows(world, "log_leaf").into_iter().map(|row| (row.key, row.ctid)).collect();
        held.salt = rows(world, "opening").pop().unwrap().body;
        self.ballots(world, held);
    }

    /// The opened ballots and the texts that left them, with wherever they stand.
    pub fn ballots(&mut self, world: &World, held: &mut Evidence) {
        let beside = extra(world, "ballot", &["id", "round", "body"]);
        held.ballots.clear();
        for row in rows(world, "ballot") {
            let body = String::from_utf8(row.body).unwrap();
            let stratum = Ballot::from_canonical(body.as_bytes()).unwrap().stratum.to_string();
            self.ids.add(&row.key);
            let extra = beside.get(&row.key).copied();
            held.ballots.push(Stored { id: row.key, stratum, body, xmin: row.xmin, ctid: row.ctid, extra });
        }
        let beside = extra(world, "remark", &["id", "round", "respondent_code", "target", "item_code", "body"]);
        held.remarks.clear();
        for row in rows(world, "remark") {
            let text = String::from_utf8(row.body).unwrap();
            let (place, body) = text.split_once('|').unwrap();
            self.ids.add(&row.key);
            held.remarks.push(Remark {
                extra: beside.get(&row.key).copied(),
                id: row.key,
                place: place.to_owned(),
                body: body.to_owned(),
                xmin: row.xmin,
                ctid: row.ctid,
            });
        }
        self.only_codes();
        let writes = self.writes(world, held);
        self.carve(&writes, held);
    }

    /// After the release: the file as it then is, and what was published.
    pub fn released(&mut self, world: &World, held: &mut Evidence) {
        self.everything(world, held, "published");
        let text = String::from_utf8(rows(world, "publication").pop().unwrap().body).unwrap();
        held.document = Some(serde_json::from_str(&text).unwrap());
        self.file(world, held);
    }

    /// A table's rows as a copy would show them.
    pub fn look(&self, world: &World, table: &str, held: &mut Evidence) {
        let table = if table == "draft" { "draft" } else { "envelope" };
        rows(world, table).iter().for_each(|row| self.scanner.scan(&row.body, table, &mut held.found));
    }

    pub fn read_line(&self, line: &[u8], held: &mut Evidence) {
        self.scanner.scan(line, "logs", &mut held.found);
    }

    /// From the opening on answers may be read.
    pub fn only_codes(&mut self) {
        self.scanner.forget_answers();
    }

    /// Looks for answers again, as before the opening, in what is written from now on.
    pub fn again(&mut self, world: &World, codes: &[String]) {
        if let Some(records) = &mut self.records {
            records.news(world);
        }
        self.scanner = Scanner::new(codes);
    }

    pub fn file(&mut self, world: &World, held: &mut Evidence) {
        let Some(path) = &world.sqlite else { return };
        world.empty_log();
        let bytes = std::fs::read(path).unwrap();
        held.file.clear();
        held.index.clear();
        let found = self.ids.find(bytes.chunks(SQLITE_PAGE));
        for (number, (page, ids)) in bytes.chunks(SQLITE_PAGE).zip(found).enumerate() {
            for (id, offset) in ids {
                let spot = Spot { page: i64::try_from(number).unwrap(), offset: -offset };
                let at = usize::try_from(offset).unwrap();
                // The index of ballots has the round before the id, the table behind it.
                let in_index = page[..at].ends_with(ROUND.as_bytes());
                if in_index {
                    held.index.insert(id, spot)
                } else {
                    held.file.insert(id, spot)
                };
            }
        }
    }
}

fn digest(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

/// The rows of a table in the order in which they stand there.
pub fn rows(world: &World, table: &'static str) -> Vec<Row> {
    let (key, number, body) = match table {
        "credential" => ("public_key", "0", "redeem_signature"),
        "draft" => ("id", "0", "body"),
        "envelope" | "ballot_box" => ("id", "0", "sealed"),
        "log_leaf" => ("id", "place", "id"),
        "opening" => ("salt", "0", "salt"),
        "turnout" => ("respondent_code", "0", "targets"),
        "publication" => ("round", "0", "document"),
        "remark" => ("id", "0", "respondent_code || '/' || target || ' ' || item_code || '|' || body"),
        _ => ("id", "0", "body"),
    };
    let text = ["turnout", "publication"].contains(&table);
    let only = if table == "credential" { "WHERE state = 'used'" } else { "" };
    let sql = if world.backend == "sqlite" {
        format!(
            "SELECT CAST({key} AS BLOB) AS key, 0 AS xmin, {number} AS ctid, \
             CAST({body} AS BLOB) AS body FROM {table} {only}"
        )
    } else {
        let binary = |column: &str, is_text: bool| {
            if is_text { format!("convert_to({column}, 'UTF8')") } else { column.to_owned() }
        };
        let place = match number {
            "0" => "((ctid::text::point)[0] * 65536 + (ctid::text::point)[1])::bigint".to_owned(),
            number => number.to_owned(),
        };
        let key = match table {
            // One row of a day and stratum.
            "turnout" => binary("day || respondent_code || source_unit || targets", true),
            _ => binary(key, text),
        };
        format!(
            "SELECT {key} AS key, xmin::text::bigint AS xmin, {place} AS ctid, {} AS body FROM {table} {only}",
            binary(body, text || ["ballot", "remark"].contains(&table))
        )
    };
    world.db.read_here(|conn| sql_query(sql).load(conn).map_err(DbError::from)).unwrap()
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Every table as text.
fn tables(world: &World) -> Vec<(String, Vec<u8>)> {
    let Some(_) = world.sqlite else {
        let names = "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()";
        let names: Vec<Name> = world.db.read_here(|c| sql_query(names).load(c).map_err(DbError::from)).unwrap();
        let dump = |Name { name }| {
            let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') AS name FROM \"{name}\" t");
            let text: Name = world.db.read_here(|c| sql_query(sql).get_result(c).map_err(DbError::from)).unwrap();
            (name, text.name.into_bytes())
        };
        return names.into_iter().map(dump).collect();
    };
    // The file holds them.
    Vec::new()
}

/// A number that stands beside each row, if there is one: a column too many, or a row id.
fn extra(world: &World, table: &str, known: &[&str]) -> HashMap<Vec<u8>, i64> {
    let columns = if world.backend == "sqlite" {
        format!("SELECT name FROM pragma_table_info('{table}')")
    } else {
        format!(
            "SELECT column_name::text AS name FROM information_schema.columns \
             WHERE table_name = '{table}' AND table_schema = current_schema()"
        )
    };
    let ask = |sql: &str| world.db.read_here(|c| sql_query(sql).load::<Name>(c).map_err(DbError::from)).unwrap();
    let names: Vec<String> = ask(&columns).into_iter().map(|n| n.name).collect();
    assert!(known.iter().all(|name| names.iter().any(|n| n == name)), "{names:?}");
    let more = names.into_iter().find(|name| !known.contains(&name.as_str()));
    let column = more.unwrap_or_else(|| "rowid".to_owned());
    let sql = format!(
        "SELECT id AS key, CAST(0 AS BIGINT) AS xmin, CAST({column} AS BIGINT) AS ctid, id AS body FROM {table}"
    );
    // A table without row ids refuses the question, and so does PostgreSQL.
    let found = world.db.read_here(|c| sql_query(sql).load::<Row>(c).map_err(DbError::from));
    found.unwrap_or_default().into_iter().map(|row| (row.key, row.ctid)).collect()
}
