//! The test of the test: every leak that the design closes, made again, in the database itself where that can be done
//! and otherwise in the copies that the insider holds. Each must be caught. Those of free texts are in `leaks/text.rs`.

mod text;

use std::collections::{BTreeSet, HashMap};

use actix_web::test::TestRequest;
use data_encoding::HEXLOWER;
use phieu::clock::Entropy;
use phieu::http::Limits;
use sha2::{Digest as _, Sha256};
use survey_forms::scoring::ScoreDocument;

use crate::attack;
use crate::copies::{Copier, Evidence};
use crate::lint::{Dialect, lint};
use crate::world::{ROUND, Truth, World, backends, play};

/// Everything at hand when a leak is made.
struct Scene<'s> {
    world: &'s World,
    truth: &'s Truth,
    copier: Copier,
    held: Evidence,
}

type Make = fn(&mut Scene<'_>);

/// What the attacks are called that read it.
const LOG_OF_WRITES: &str = "log of writes";

const LEAKS: [(&str, Make); 19] = [
    ("ids of ballots count up", |s| s.restore_by_casting(|n, _| (n as u128).to_be_bytes().to_vec())),
    ("ids of ballots begin with the time", |s| {
        let at: Vec<i64> = s.held.people.iter().map(|p| p.cast_at).collect();
        s.restore_by_casting(|n, who| [at[who].to_be_bytes().to_vec(), (n as u64).to_le_bytes().to_vec()].concat());
    }),
    ("ballots are stored as they were cast", |s| s.restore_by_casting(|_, who| random(who))),
    ("ballots are stored in the order of the box", |s| {
        let mut people: Vec<usize> = (0..s.truth.bodies.len()).collect();
        people.sort_by_key(|who| s.truth.receipts[*who].clone());
        s.restore(&people, |_, who| random(who));
    }),
    ("an id is the hash of the envelope's", |s| {
        let receipts = s.truth.receipts.clone();
        s.restore_by_id(|who| Sha256::digest(&receipts[who])[..16].to_vec());
    }),
    ("an id is part of the envelope's", |s| {
        let receipts = s.truth.receipts.clone();
        s.restore_by_id(|who| receipts[who][8..24].to_vec());
    }),
    ("an id is the hash of the public key", |s| {
        let keys: Vec<Vec<u8>> = s.held.people.iter().map(|p| p.public.clone()).collect();
        s.restore_by_id(|who| Sha256::digest(&keys[who])[..16].to_vec());
    }),
    ("a ballot has a time", |s| {
        let people = s.by_casting();
        s.world.run("ALTER TABLE ballot ADD COLUMN sent_ms BIGINT");
        s.restore_rows(&people, |_, who| random(who));
        let set = |(n, who): (usize, &usize)| {
            format!("UPDATE ballot SET sent_ms = {n} WHERE id = {};", s.bytes(&random(*who)))
        };
        s.world.run(&people.iter().enumerate().map(set).collect::<String>());
        s.read();
        s.world.run("ALTER TABLE ballot DROP COLUMN sent_ms");
    }),
    ("envelopes are not sealed", |s| s.each_envelope(|truth, who| truth.bodies[who].as_bytes().to_vec())),
    ("envelopes are as long as their ballots", |s| {
        s.each_envelope(|truth, who| vec![7; 48 + truth.bodies[who].len()]);
    }),
    ("drafts are as long as their answers", |s| s.each_draft(|truth, who| vec![7; 40 + truth.bodies[who].len()])),
    ("drafts are not sealed", |s| s.each_draft(|truth, who| truth.bodies[who].as_bytes().to_vec())),
    ("an envelope can be read in a page", |s| s.leave("envelope", &s.truth.bodies[7].clone())),
    ("a draft was left behind", |s| s.leave("draft", s.truth.bodies[7].split(",\"q").next().unwrap())),
    ("the log says answers", |s| s.line("DEBUG cast answers=c.X1.1=B&c.X1.2=N")),
    ("the log says what was typed", |s| s.line(&format!("INFO code entered: {}", s.truth.codes[3]))),
    ("the log says a code in base64", |s| {
        s.line(&data_encoding::BASE64.encode(s.truth.codes[3].as_bytes()));
    }),
    ("the mail queue has the code", |s| {
        s.world.run(&format!(
            "CREATE TABLE outbox (recipient TEXT, body TEXT); INSERT INTO outbox VALUES ('an', 'Mã: {}')",
            s.truth.codes[5]
        ));
        s.world.empty_log();
        // Opened ballots are in the file by now.
        s.copier.only_codes();
        s.copier.everything(s.world, &mut s.held, "with a mail queue");
        s.world.run("DROP TABLE outbox");
    }),
    ("ballots have row ids", |s| {
        let people = s.by_casting();
        if s.world.sqlite.is_some() {
            s.world.run("DROP TABLE ballot; CREATE TABLE ballot (id BLOB NOT NULL PRIMARY KEY, round TEXT, body TEXT)");
            s.restore_rows(&people, |_, who| random(who));
        } else {
            s.restore_rows(&people, |_, who| random(who));
            s.world.run("ALTER TABLE ballot ADD COLUMN n BIGSERIAL");
        }
        s.read();
    }),
];

fn random(who: usize) -> Vec<u8> {
    Sha256::digest(format!("not known to anybody {who}"))[..16].to_vec()
}

impl Scene<'_> {
    fn by_casting(&self) -> Vec<usize> {
        let mut people: Vec<usize> = (0..self.truth.bodies.len()).collect();
        people.sort_by_key(|who| self.held.people[*who].cast_at);
        people
    }

    fn restore_by_casting(&mut self, id: impl Fn(usize, usize) -> Vec<u8>) {
        let people = self.by_casting();
        self.restore(&people, id);
    }

    /// Stored in the order of their ids, so that only these tell.
    fn restore_by_id(&mut self, id: impl Fn(usize) -> Vec<u8>) {
        let mut people = self.by_casting();
        people.sort_by_key(|who| id(*who));
        self.restore(&people, |_, who| id(who));
    }

    fn restore(&mut self, people: &[usize], id: impl Fn(usize, usize) -> Vec<u8>) {
        self.restore_rows(people, id);
        self.read();
    }

    /// Stores the ballots anew in this order, each in a transaction of its own.
    fn restore_rows(&mut self, people: &[usize], id: impl Fn(usize, usize) -> Vec<u8>) {
        self.world.empty_log();
        self.world.run(if self.world.sqlite.is_some() { "DELETE FROM ballot" } else { "TRUNCATE ballot" });
        for (n, who) in people.iter().enumerate() {
            let body = self.truth.bodies[*who].replace('\'', "''");
            let id = self.bytes(&id(n, *who));
            self.world.run(&format!("INSERT INTO ballot (id, round, body) VALUES ({id}, '{ROUND}', '{body}')"));
        }
    }

    fn bytes(&self, bytes: &[u8]) -> String {
        let hex = HEXLOWER.encode(bytes);
        if self.world.sqlite.is_some() { format!("x'{hex}'") } else { format!("'\\x{hex}'") }
    }

    fn read(&mut self) {
        self.copier.ballots(self.world, &mut self.held);
        self.copier.file(self.world, &mut self.held);
    }

    fn each_envelope(&mut self, stored: impl Fn(&Truth, usize) -> Vec<u8>) {
        for (who, receipt) in self.truth.receipts.iter().enumerate() {
            self.held.ballot_box.get_mut(receipt).unwrap().body = stored(self.truth, who);
        }
    }

    fn each_draft(&mut self, stored: impl Fn(&Truth, usize) -> Vec<u8>) {
        for seen in &mut self.held.journal {
            for row in seen.came.get_mut("draft").into_iter().flatten() {
                row.body = stored(self.truth, seen.who[0]);
            }
        }
    }

    /// A row whose bytes read, while the round is open.
    fn leave(&mut self, table: &str, body: &str) {
        let hex = self.bytes(body.as_bytes());
        let id = self.bytes(&random(0));
        self.world.run(&format!("INSERT INTO {table} VALUES ({id}, '{ROUND}', {hex})"));
        let held = &mut self.held;
        self.copier.look(self.world, table, held);
        self.world.run(&format!("DELETE FROM {table}"));
    }

    fn line(&mut self, line: &str) {
        self.copier.read_line(line.as_bytes(), &mut self.held);
    }
}

#[test]
fn each_leak_that_is_made_again_is_caught() {
    std::thread::scope(|scope| {
        for backend in backends() {
            scope.spawn(move || assert_eq!(missed(backend), Vec::<&str>::new(), "{backend}"));
        }
    });
}

/// Leaks that nothing catches.
#[expect(clippy::print_stderr, reason = "what was measured")]
fn missed(backend: &'static str) -> Vec<&'static str> {
    let (world, truth, base, copier) = play(backend, crate::SEED);
    let mut scene = Scene { world: &world, truth: &truth, copier, held: base.clone() };
    let mut missed = Vec::new();
    let any = LEAKS.map(|(leak, make)| (leak, make, ""));
    for (leak, make, what) in text::LEAKS.into_iter().chain(any) {
        if what == LOG_OF_WRITES && !scene.copier.reads_writes(&world) {
            eprintln!("| {backend} | {leak} | SKIPPED: the server's own log of writes is not at hand |");
            continue;
        }
        scene.held = base.clone();
        scene.copier.again(&world, &truth.codes);
        make(&mut scene);
        let caught = attack(&scene.held, &truth, crate::SEED).into_iter().filter(|(_, score)| score.is_leak());
        let mut by: Vec<String> =
            caught.map(|(one, score)| format!("{} ({:.0} %)", one.name, 100.0 * score.hits / score.people)).collect();
        by.extend(scene.held.found.iter().cloned());
        eprintln!("| {backend} | {leak} | {} |", by.join("; "));
        if !by.iter().any(|name| name.contains(what)) {
            missed.push(leak);
        }
    }
    missed
}

/// Group's cells in a published document that rest on too few answers.
pub fn small_cells(document: &ScoreDocument) -> Vec<String> {
    let items = document.targets.iter().flat_map(|t| t.items.iter().map(move |i| (t, i)));
    let cells = items.flat_map(|(t, i)| i.groups.iter().map(move |g| (t, i, g)));
    let small = cells.filter(|(_, _, cell)| {
        let (mean, rest) = (cell.mean.is_some(), cell.distribution.is_some() || cell.interval.is_some());
        (mean && cell.n < 10) || (rest && cell.n < 20)
    });
    small.map(|(t, i, cell)| format!("{} {} {}", t.target, i.item_code, cell.respondent_code)).collect()
}

#[test]
fn a_small_cell_that_is_shown_is_caught() {
    let (_world, _truth, held, _copier) = play("sqlite", crate::SEED);
    let mut document = held.document.unwrap();
    assert_eq!(small_cells(&document), Vec::<String>::new());
    let cells = document.targets.iter_mut().flat_map(|t| &mut t.items).flat_map(|i| &mut i.groups);
    let shown = cells.into_iter().find(|cell| cell.mean.is_some()).unwrap();
    shown.n = 9;
    assert!(!small_cells(&document).is_empty());
}

/// Columns and tables that would keep an order, on either database.
#[test]
fn a_schema_that_keeps_an_order_is_caught() {
    let columns =
        ["created_at BIGINT", "day TEXT", "seq BIGINT", "ip TEXT", "elapsed BIGINT", "n BIGINT DEFAULT nextval('s')"];
    for table in ["credential", "draft", "envelope", "ballot_box", "ballot"] {
        for dialect in [Dialect::Sqlite, Dialect::Postgres] {
            for column in columns {
                let sql = format!("ALTER TABLE {table} ADD COLUMN {column}");
                assert!(!lint(dialect, &sql).is_empty(), "{sql}");
            }
        }
        for sql in [
            format!("CREATE TABLE {table} (id BLOB PRIMARY KEY)"),
            format!("CREATE TABLE {table} (id INTEGER PRIMARY KEY, body TEXT) WITHOUT ROWID"),
        ] {
            assert!(!lint(Dialect::Sqlite, &sql).is_empty(), "{sql}");
        }
        for kind in ["BIGSERIAL", "UUID DEFAULT uuidv7()", "BIGINT GENERATED ALWAYS AS IDENTITY"] {
            let sql = format!("CREATE TABLE {table} (id {kind} PRIMARY KEY)");
            assert!(!lint(Dialect::Postgres, &sql).is_empty(), "{sql}");
        }
    }
}

/// Whether a limiter tells codes apart: after one code has spent the allowance, another still has its own.
fn knows_codes(mut allows: impl FnMut(&str) -> bool) -> bool {
    let spent = (0..1000).any(|_| !allows("one"));
    assert!(spent, "it limits");
    allows("another")
}

#[test]
fn a_limiter_that_knows_codes_is_caught() {
    let limits = Limits::new(&Entropy::seeded(1), false);
    let request = TestRequest::default().peer_addr("203.0.113.9:999".parse().unwrap()).to_http_request();
    let origin = limits.origin(&request);
    assert!(!knows_codes(|_code| limits.unknown_code(origin).is_ok()));
    let mut asked: HashMap<String, u32> = HashMap::new();
    let by_code = |code: &str| {
        let count = asked.entry(code.to_owned()).or_default();
        *count += 1;
        *count <= 60
    };
    assert!(knows_codes(by_code));
}

/// What the scanner knows, once more: nothing is found in what holds nothing.
#[test]
fn the_scanner_is_quiet_about_ciphertext() {
    let scanner = crate::scanner::Scanner::new(&["7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG".to_owned()]);
    let mut found = BTreeSet::new();
    let mut noise = vec![0_u8; 1 << 20];
    Entropy::seeded(9).fill(&mut noise);
    scanner.scan(&noise, "noise", &mut found);
    assert!(found.is_empty(), "{found:?}");
    scanner.scan(b"... 7k3qdm2x9p4htvb0zrwc5nyg ...", "a line", &mut found);
    assert_eq!(found.len(), 1);
}
