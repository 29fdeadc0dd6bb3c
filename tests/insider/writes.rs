//! The databases' own logs of writes, read as files: SQLite's beside the database, PostgreSQL's in the server's data
//! directory, where `PHIEU_TEST_POSTGRES_DATA` names it and it may be read.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use phieu::clock::Entropy;
use phieu::db::DbError;

use crate::world::World;

pub const DATA: &str = "PHIEU_TEST_POSTGRES_DATA";

/// A piece of a log, in the order of writing: a page of SQLite's, a record of PostgreSQL's.
pub struct Written {
    pub number: i64,
    /// SQLite's page; 0 for PostgreSQL.
    pub page: u32,
    /// PostgreSQL's transaction; 0 for SQLite.
    pub xid: i64,
    pub bytes: Vec<u8>,
}

/// SQLite's write-ahead log (fileformat2, section 4): a header of 32 bytes, then frames of 24 and a page.
#[derive(Default)]
pub struct Frames {
    salts: Vec<u8>,
    read: u64,
    frames: i64,
}

impl Frames {
    pub fn news(&mut self, path: &Path) -> Vec<Written> {
        let Ok(mut file) = std::fs::File::open(path) else { return Vec::new() };
        let mut header = [0_u8; 32];
        if file.read_exact(&mut header).is_err() {
            return Vec::new();
        }
        if self.salts != header[16..24] {
            self.salts = header[16..24].to_vec();
            self.read = 32;
        }
        file.seek(SeekFrom::Start(self.read)).unwrap();
        let mut new = Vec::new();
        file.read_to_end(&mut new).unwrap();
        let mut found = Vec::new();
        for frame in new.chunks_exact(24 + SQLITE_PAGE) {
            if frame[8..16] != self.salts {
                break;
            }
            self.read += 24 + 4096;
            self.frames += 1;
            let page = u32::from_be_bytes(frame[..4].try_into().unwrap());
            found.push(Written { number: self.frames, page, xid: 0, bytes: frame[24..].to_vec() });
        }
        found
    }
}

pub const SQLITE_PAGE: usize = 4096;
/// PostgreSQL's pages of log (`XLOG_BLCKSZ`), their headers, and the header of a record (`xlogrecord.h`).
const PAGE: u64 = 8192;
const PAGE_HEADER: u64 = 24;
const FIRST_PAGE_HEADER: u64 = 40;
const RECORD_HEADER: usize = 24;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    name: String,
}

/// PostgreSQL's write-ahead log from some moment on: the records of this world's tables and indexes.
pub struct Records {
    folder: PathBuf,
    /// Eight hexadecimal digits before those of the segment.
    timeline: String,
    segment: u64,
    /// Read up to here.
    at: u64,
    /// The beginning of a record whose end is not there yet.
    cut: Vec<u8>,
    records: i64,
    database: u32,
    files: BTreeSet<u32>,
    /// As long as it is there, the server throws nothing of its log away, as for a replica.
    _replica: PgConnection,
}

impl Records {
    /// Reads from now on. `None` on SQLite, and where the server's files are not at hand.
    pub fn from_now(world: &World) -> Option<Self> {
        if world.backend == "sqlite" {
            return None;
        }
        let folder = PathBuf::from(std::env::var_os(DATA)?).join("pg_wal");
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{DATA}: {}: {e}", folder.display()));
        let mut replica = PgConnection::establish(&std::env::var("PHIEU_TEST_POSTGRES").unwrap()).unwrap();
        let slot = format!("insider_{}", Entropy::System.uuid().simple());
        let hold = format!("SELECT pg_create_physical_replication_slot('{slot}', true, true)");
        sql_query(hold).execute(&mut replica).unwrap();
        let name = words(world, "SELECT pg_walfile_name(pg_current_wal_insert_lsn()) AS name");
        let number = |sql: &str| number(world, sql);
        Some(Self {
            folder,
            timeline: name[..8].to_owned(),
            segment: number("SELECT pg_size_bytes(current_setting('wal_segment_size')) AS n").cast_unsigned(),
            at: number("SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS BIGINT) AS n").cast_unsigned(),
            cut: Vec::new(),
            records: 0,
            database: u32::try_from(number(
                "SELECT CAST(oid AS BIGINT) AS n FROM pg_database WHERE datname = current_database()",
            ))
            .unwrap(),
            files: BTreeSet::new(),
            _replica: replica,
        })
    }

    /// What was written since.
    pub fn news(&mut self, world: &World) -> Vec<Written> {
        // A table that is written anew has another file.
        const FILES: &str = "SELECT CAST(coalesce(pg_relation_filenode(oid), 0) AS BIGINT) AS n FROM pg_class \
                             WHERE relnamespace = current_schema()::regnamespace OR oid IN \
                             (SELECT reltoastrelid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)";
        let files: Vec<Number> = world.db.read_here(|c| sql_query(FILES).load(c).map_err(DbError::from)).unwrap();
        self.files.extend(files.into_iter().map(|file| u32::try_from(file.n).unwrap()).filter(|file| *file > 0));
        let end = number(world, "SELECT CAST(pg_current_wal_lsn() - '0/0' AS BIGINT) AS n").cast_unsigned();
        let mut found = Vec::new();
        while self.at < end {
            let upto = end.min((self.at / self.segment + 1) * self.segment);
            self.read(upto);
            let whole = self.split(&mut found);
            self.cut.drain(..whole);
            // After a switch the rest of a segment is empty.
            if self.at.is_multiple_of(self.segment) && self.cut.iter().all(|byte| *byte == 0) {
                self.cut.clear();
            }
        }
        found
    }

    /// Appends the bytes up to there, within one segment, without the headers of pages.
    fn read(&mut self, upto: u64) {
        let segment = self.at / self.segment;
        let each = 0x1_0000_0000 / self.segment;
        let name = format!("{}{:08X}{:08X}", self.timeline, segment / each, segment % each);
        let file = std::fs::File::open(self.folder.join(&name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut bytes = vec![0; usize::try_from(upto - self.at).unwrap()];
        file.read_exact_at(&mut bytes, self.at % self.segment).unwrap();
        while self.at < upto {
            let into = self.at % PAGE;
            let header = if self.at % self.segment < PAGE { FIRST_PAGE_HEADER } else { PAGE_HEADER };
            let skipped = header.saturating_sub(into).min(upto - self.at);
            let taken = (PAGE - into).min(upto - self.at);
            let page: Vec<u8> = bytes.drain(..usize::try_from(taken).unwrap()).collect();
            self.cut.extend_from_slice(&page[usize::try_from(skipped).unwrap()..]);
            self.at += taken;
        }
    }

    /// Takes whole records; gives back how many bytes they had.
    fn split(&mut self, found: &mut Vec<Written>) -> usize {
        let mut from = 0;
        while let Some(header) = self.cut.get(from..from + RECORD_HEADER) {
            let length = usize::try_from(u32::from_le_bytes(header[..4].try_into().unwrap())).unwrap();
            let padded = length.next_multiple_of(8);
            if length < RECORD_HEADER || self.cut.len() < from + padded {
                break;
            }
            let record = &self.cut[from..from + length];
            self.records += 1;
            if self.is_ours(&record[RECORD_HEADER..]) {
                let xid = u32::from_le_bytes(record[4..8].try_into().unwrap()).into();
                found.push(Written { number: self.records, page: 0, xid, bytes: record.to_vec() });
            }
            from += padded;
        }
        from
    }

    /// Whether a record's first block belongs to a file of ours: its header is id, flags, length, the image's header
    /// when there is one, then tablespace, database and file.
    fn is_ours(&self, body: &[u8]) -> bool {
        let Some(block) = body.get(..4).filter(|block| block[0] <= 32) else { return false };
        let image = if block[1] & 0x10 == 0 { 0 } else { 5 };
        let word = |at: usize| body.get(at..at + 4).map(|word| u32::from_le_bytes(word.try_into().unwrap()));
        word(4 + image + 4) == Some(self.database) && word(4 + image + 8).is_some_and(|file| self.files.contains(&file))
    }
}

fn number(world: &World, sql: &str) -> i64 {
    world.db.read_here(|c| sql_query(sql).get_result::<Number>(c).map_err(DbError::from)).unwrap().n
}

fn words(world: &World, sql: &str) -> String {
    world.db.read_here(|c| sql_query(sql).get_result::<Words>(c).map_err(DbError::from)).unwrap().name
}

/// Ids that bytes are searched for, by their first eight.
#[derive(Default)]
pub struct Ids {
    by_head: HashMap<[u8; 8], Vec<u8>>,
}

impl Ids {
    pub fn add(&mut self, id: &[u8]) {
        if let Some(head) = id.first_chunk::<8>() {
            self.by_head.insert(*head, id.to_vec());
        }
    }

    /// Id and where it stands in the piece, piece by piece.
    pub fn find<'b>(&self, pieces: impl Iterator<Item = &'b [u8]>) -> Vec<Vec<(Vec<u8>, i64)>> {
        let mut firsts = vec![false; 65_536];
        let two = |head: &[u8]| usize::from(head[0]) * 256 + usize::from(head[1]);
        self.by_head.keys().for_each(|head| firsts[two(head)] = true);
        let look = |bytes: &[u8]| {
            let mut found = Vec::new();
            for at in 0..bytes.len().saturating_sub(8) {
                let here = &bytes[at..];
                if firsts[two(here)]
                    && let Some(id) = here.first_chunk::<8>().and_then(|head| self.by_head.get(head))
                    && here.starts_with(id)
                {
                    found.push((id.clone(), i64::try_from(at).unwrap()));
                }
            }
            found
        };
        pieces.map(look).collect()
    }
}
