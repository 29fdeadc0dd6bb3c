//! Three hundred simulated people and a service on one database. They come by a Poisson process, enter a code, keep
//! drafts, cast, and some try again; the batch move runs each minute as in `phieu serve`; then the acts to the release.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use phieu::access::Actor;
use phieu::ballot::draft::{self, Change, DraftError};
use phieu::ballot::{Bearer, Casting, Keys, Purpose, Token, find, log};
use phieu::ceremony::{Ceremony, KeyFile, Timing};
use phieu::clock::{Clock, Entropy};
use phieu::config::Config;
use phieu::credential::{CredentialError, Selection, issue};
use phieu::db::{Create, Db, DbError};
use phieu::round::{self, Rounds};
use rand::RngExt as _;
use rand::rngs::StdRng;
use survey_forms::answers::{Answer, Answers, Ballot, Mark};
use survey_forms::round::{Channel, RoundFiles};

use crate::copies::{Act, Copier, Evidence, Known};
use crate::scanner::WORDS;

pub const ROUND: &str = "quang-nam-2023";
/// Two questions for free text at the end of each questionnaire that is answered online.
pub const TEXTS: [&str; 2] = ["T1", "T2"];
/// Group, unit and people of each stratum; the last is a paper ballot about 43 bodies.
const STRATA: [(&str, Option<&str>, Option<u32>); 6] = [
    ("CC-CT", Some("SNV"), Some(60)),
    ("CC-CT", Some("STC"), Some(50)),
    ("CC-CT", Some("STP"), Some(50)),
    ("CC-ND", Some("BHXH"), Some(50)),
    ("CC-CH", Some("H502"), Some(60)),
    ("HĐ-CT", None, None),
];
/// Between two arrivals, on average.
const GAP_S: f64 = 120.0;
/// Who sends within this time of another is taken into the same batch.
const TOGETHER_MS: i64 = 3_000;
const TICK_MS: i64 = 60_000;

/// What really happened; attacks never see it.
#[derive(Default)]
pub struct Truth {
    /// Of each person, the ballot without its free texts.
    pub bodies: Vec<String>,
    /// Of each person, the free texts by place: group, target and item.
    pub remarks: Vec<BTreeMap<String, String>>,
    pub receipts: Vec<Vec<u8>>,
    pub codes: Vec<String>,
}

pub struct World {
    pub db: Db,
    pub backend: &'static str,
    pub sqlite: Option<PathBuf>,
    rounds: Rounds,
    casting: Casting,
    ceremony: Ceremony,
    clock: Clock,
    entropy: Entropy,
    schema: Option<(String, String)>,
    folder: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((server, schema)) = &self.schema
            && let Ok(mut conn) = PgConnection::establish(server)
        {
            let _ = conn.batch_execute(&format!("DROP SCHEMA {schema} CASCADE"));
        }
    }
}

struct Person {
    token: Token,
    answers: Answers,
    /// The changes that become the draft, in turn.
    changes: Vec<Answers>,
}

/// Databases at hand: SQLite, and PostgreSQL when `PHIEU_TEST_POSTGRES` names a server.
pub fn backends() -> Vec<&'static str> {
    if std::env::var("PHIEU_TEST_POSTGRES").is_ok() { vec!["sqlite", "postgres"] } else { vec!["sqlite"] }
}

/// The whole round, with what the insider holds of it.
pub fn play(backend: &'static str, seed: u64) -> (World, Truth, Evidence, Copier) {
    let world = World::new(backend, seed);
    let mut chance = world.entropy.generator();
    let people = world.open(&mut chance);
    let mut truth = Truth::default();
    let mut held = Evidence::default();
    for person in &people {
        let bearer = world.bearer(&person.token);
        let stratum = bearer.stratum.to_string();
        let (answers, texts) = parted(&person.answers);
        let questionnaire = bearer.form().unwrap().questionnaire.hash.clone();
        let ballot = Ballot { round: ROUND.to_owned(), questionnaire, stratum: bearer.stratum.clone(), answers };
        truth.remarks.push(texts.into_iter().map(|(item, text)| (format!("{stratum} {item}"), text)).collect());
        truth.bodies.push(String::from_utf8(ballot.canonical()).unwrap());
        truth.codes.push(person.token.expose().to_string());
        held.people.push(Known { stratum, public: Keys::derive(&person.token, ROUND).public.to_vec(), cast_at: 0 });
    }
    truth.receipts = vec![Vec::new(); people.len()];
    let mut copier = Copier::new(&world, &truth, &mut held);
    world.field_work(&people, &mut chance, &mut truth, &mut copier, &mut held);
    world.to_the_release(&mut copier, &mut held);
    (world, truth, held, copier)
}

impl World {
    fn new(backend: &'static str, seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::set_to("2023-09-22T09:00:00Z".parse().unwrap());
        let (mut sqlite, mut schema) = (None, None);
        let url = if backend == "sqlite" {
            let path = folder.path().join("insider.db");
            let url = format!("sqlite://{}", path.display());
            sqlite = Some(path);
            url
        } else {
            let server = std::env::var("PHIEU_TEST_POSTGRES").unwrap();
            let name = format!("insider_{}", Entropy::System.uuid().simple());
            PgConnection::establish(&server).unwrap().batch_execute(&format!("CREATE SCHEMA {name}")).unwrap();
            let joint = if server.contains('?') { '&' } else { '?' };
            let url = format!("{server}{joint}options=-csearch_path%3D{name}");
            schema = Some((server, name));
            url
        };
        let db = Db::open(&url, 4, Create::Yes, clock.clone()).unwrap();
        db.migrate().unwrap();
        let entropy = Entropy::seeded(seed);
        let rounds = Rounds::new();
        let ceremony = Ceremony::new(&db, &rounds, &entropy);
        let (casting, _thread) = Casting::start(&db, &Config::default(), &entropy).unwrap();
        let world = Self { db, backend, sqlite, rounds, casting, ceremony, clock, entropy, schema, folder };
        if backend == "postgres" {
            // Same places in every run; old versions of rows stay for the insider to see.
            for table in ["credential", "draft", "envelope", "ballot_box", "ballot", "remark", "turnout"] {
                world.run(&format!("ALTER TABLE {table} SET (autovacuum_enabled = false)"));
            }
        }
        world
    }

    /// Runs statements in one transaction, as somebody with the database in hand would.
    pub fn run(&self, statements: &str) {
        self.db.write_here(|conn| conn.batch_execute(statements).map_err(DbError::from)).unwrap();
    }

    fn open(&self, chance: &mut StdRng) -> Vec<Person> {
        self.db.write_here(|conn| round::load(conn, &files()).map(|_| ())).unwrap();
        let key = self.folder.path().join("box.key");
        self.ceremony.keygen(&Actor::Command, ROUND, |file| file.write_new(&key)).unwrap();
        let mut codes = Vec::new();
        for (group, unit, count) in STRATA {
            let some = Selection { respondent_code: Some(group), source_unit: unit, count };
            let issued = self.db.write_here(|conn| {
                let loaded = self.rounds.reread(conn).unwrap().first().cloned().unwrap();
                issue(conn, &loaded, some, &self.entropy)
            });
            codes.extend(issued.map_err(|e: CredentialError| e.to_string()).unwrap());
        }
        self.ceremony.open(&Actor::Command, ROUND).unwrap();
        codes.into_iter().map(|code| self.person(code.token, chance)).collect()
    }

    fn person(&self, token: Token, chance: &mut StdRng) -> Person {
        let bearer = self.bearer(&token);
        let form = bearer.form().unwrap();
        let paper = form.channel == Channel::Paper;
        // Some answer everything alike, and so like each other.
        let alike = !paper && chance.random_ratio(1, 10);
        let stages = if paper { 1 } else { chance.random_range(1..4_usize) };
        let mut changes = vec![Answers::new(); stages];
        let mut answers = Answers::new();
        let mut at = 0;
        for target in form.targets {
            for item in form.questionnaire.items() {
                let options = item.options(form.scales, form.choices);
                let answer = match alike {
                    true if options.is_empty() => continue,
                    false if options.is_empty() => match chance.random_ratio(2, 3) {
                        true => Answer::Text(words(chance)),
                        false => continue,
                    },
                    true => Answer::Choice(options[0].code.to_owned()),
                    false if paper && chance.random_ratio(1, 20) => Answer::Mark(Mark::Blank),
                    false if !paper && chance.random_ratio(1, 6) => continue,
                    false => Answer::Choice(options[chance.random_range(0..options.len())].code.to_owned()),
                };
                answers.insert(target, &item.code, answer.clone());
                changes[at % stages].insert(target, &item.code, answer);
                at += 1;
            }
        }
        Person { token, answers, changes }
    }

    fn bearer(&self, token: &Token) -> Bearer {
        self.db.read_here(|conn| find(conn, &self.rounds, token)).unwrap()
    }

    fn field_work(
        &self,
        people: &[Person],
        chance: &mut StdRng,
        truth: &mut Truth,
        copier: &mut Copier,
        held: &mut Evidence,
    ) {
        use rand::seq::SliceRandom as _;
        let start = self.clock.fixed().unwrap();
        let mut order: Vec<usize> = (0..people.len()).collect();
        order.shuffle(chance);
        let mut steps: BTreeMap<(i64, usize), Vec<Step>> = BTreeMap::new();
        let mut arrival = 0.0;
        for who in order {
            arrival += -GAP_S * (1.0 - chance.random::<f64>()).ln();
            let mut at = (arrival * 1000.0) as i64;
            let mut then = |after_ms: i64, step: Step| {
                at += after_ms;
                steps.entry((at, who)).or_default().push(step);
            };
            then(0, Step::Enter);
            for stage in 0..people[who].changes.len() {
                then(chance.random_range(20_000..120_000), Step::Keep(stage));
            }
            then(chance.random_range(20_000..120_000), Step::Cast);
            if chance.random_ratio(1, 5) {
                then(chance.random_range(5_000..60_000), Step::Cast);
            }
        }
        let mut queue: Vec<(i64, usize, Step)> =
            steps.into_iter().flat_map(|((at, who), list)| list.into_iter().map(move |s| (at, who, s))).collect();
        queue.reverse();
        let mut next_tick = TICK_MS;
        while let Some((at, who, step)) = queue.pop() {
            while next_tick <= at {
                self.clock.set(start + TimeDelta::milliseconds(next_tick));
                self.tick(copier, held, next_tick);
                next_tick += TICK_MS;
            }
            self.clock.set(start + TimeDelta::milliseconds(at));
            match step {
                Step::Enter => {
                    self.bearer(&people[who].token);
                    copier.copy(self, held, at, Act::Enter, &[who]);
                }
                Step::Keep(stage) => {
                    self.keep(&people[who], stage);
                    copier.copy(self, held, at, Act::Keep, &[who]);
                }
                Step::Cast => {
                    let mut all = vec![who];
                    while let Some((also_at, also, Step::Cast)) = queue.last()
                        && also_at - at < TOGETHER_MS
                        && !all.contains(also)
                    {
                        all.push(*also);
                        queue.pop();
                    }
                    for (who, receipt, first) in self.cast(people, &all) {
                        assert!(first == truth.receipts[who].is_empty());
                        if first {
                            held.people[who].cast_at = at;
                            truth.receipts[who] = receipt;
                        }
                        assert!(receipt_is(&truth.receipts[who]));
                    }
                    copier.copy(self, held, at, Act::Cast, &all);
                }
            }
        }
        assert!(truth.receipts.iter().all(|receipt| receipt_is(receipt)), "all cast");
    }

    fn keep(&self, person: &Person, stage: usize) {
        let bearer = self.bearer(&person.token);
        if bearer.channel == Channel::Paper {
            for pass in [Purpose::FirstKeying, Purpose::SecondKeying] {
                let keep = |conn: &mut _| draft::keep(conn, &bearer, pass, &person.answers, &self.entropy);
                self.db.write_here::<(), DraftError>(keep).unwrap();
            }
            return;
        }
        let change = Change { answers: person.changes[stage].clone(), clear: Vec::new() };
        assert_eq!(runtime().block_on(self.casting.keep(&bearer, change)).unwrap(), draft::Kept::Done);
    }

    /// Casts for all of them at once: every job waits before the first is answered.
    fn cast(&self, people: &[Person], who: &[usize]) -> Vec<(usize, Vec<u8>, bool)> {
        let bearers: Vec<Bearer> = who.iter().map(|p| self.bearer(&people[*p].token)).collect();
        let mut waiting: Vec<_> = who
            .iter()
            .zip(&bearers)
            .map(|(p, bearer)| (*p, Box::pin(self.casting.cast(bearer, &people[*p].answers))))
            .collect();
        let mut done = Vec::new();
        let all = std::future::poll_fn(|context| {
            waiting.retain_mut(|(p, one)| match one.as_mut().poll(context) {
                std::task::Poll::Ready(cast) => {
                    let cast = cast.unwrap();
                    done.push((*p, cast.receipt.id().to_vec(), cast.first));
                    false
                }
                std::task::Poll::Pending => true,
            });
            if waiting.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        runtime().block_on(all);
        done
    }

    /// The batch move, with a reader in the way on SQLite: so its log is still there to be copied.
    fn tick(&self, copier: &mut Copier, held: &mut Evidence, at: i64) {
        let reader = self.reader();
        if log::batch::move_waiting(&self.db, &self.rounds).unwrap() == 0 {
            return;
        }
        copier.copy(self, held, at, Act::Move, &[]);
        drop(reader);
        self.empty_log();
        let head = self.db.read_here(|conn| log::head(conn, ROUND)).unwrap();
        held.checkpoints.push((at, head.checkpoint.size));
    }

    fn to_the_release(&self, copier: &mut Copier, held: &mut Evidence) {
        let at = |world: &Self| world.clock.fixed().unwrap().timestamp_millis();
        let text = std::fs::read_to_string(self.folder.path().join("box.key")).unwrap();
        self.be_quick(4);
        let reader = self.reader();
        self.ceremony.close(&Actor::Command, ROUND).unwrap();
        copier.copy(self, held, at(self), Act::Close, &[]);
        copier.everything(self, held, "closed");
        drop(reader);
        self.empty_log();
        let reader = self.reader();
        self.ceremony.open_box(&Actor::Command, ROUND, &KeyFile::parse(&text).unwrap(), |_| ()).unwrap();
        copier.opened(self, held);
        drop(reader);
        self.empty_log();
        let published: DateTime<Utc> = "2024-06-01T00:00:00Z".parse().unwrap();
        self.clock.set(published);
        self.ceremony.publish(&Actor::Command, ROUND, Timing::ForceEarly).unwrap();
        copier.released(self, held);
    }

    fn reader(&self) -> Option<SqliteConnection> {
        let mut reader = SqliteConnection::establish(self.sqlite.as_ref()?.to_str().unwrap()).unwrap();
        reader.batch_execute("BEGIN; SELECT count(*) FROM credential").unwrap();
        Some(reader)
    }

    pub fn empty_log(&self) {
        if self.sqlite.is_some() {
            let empty = |conn: &mut phieu::db::Conn| conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
            self.db.read_here(|conn| empty(conn).map_err(DbError::from)).unwrap();
        }
    }

    /// No connection of the pool waits long for our own reader.
    fn be_quick(&self, connections: u32) {
        if self.sqlite.is_some() && connections > 0 {
            let quick = |conn: &mut phieu::db::Conn| {
                conn.batch_execute("PRAGMA busy_timeout = 100")?;
                self.be_quick(connections - 1);
                Ok::<_, DbError>(())
            };
            self.db.read_here(quick).unwrap();
        }
    }
}

/// The plan's round, with questions for free text.
fn files() -> RoundFiles {
    let mut files = survey_forms::quang_nam_2023();
    for name in ["cc-ct", "cc-nd", "cc-ch"] {
        let file = files.get_mut(&format!("questionnaires/{name}.toml")).unwrap();
        for code in TEXTS {
            let item = "kind = \"text\"\nletters = 120\nquestion = \"Ông/bà mong cơ quan cải thiện điều gì?\"\n";
            file.extend(format!("\n[[sections.items]]\ncode = \"{code}\"\n{item}").into_bytes());
        }
    }
    files
}

/// Nobody else's words, of nearly any length that the question takes.
fn words(chance: &mut StdRng) -> String {
    let mut own = String::new();
    while own.len() < 112 {
        own.push_str(&format!("{:016x}", chance.random::<u64>()));
    }
    own.truncate(chance.random_range(16..=112));
    format!("{WORDS} {own}")
}

/// Answers without free texts, and these by item. Nobody with a text rates several targets.
fn parted(all: &Answers) -> (Answers, BTreeMap<String, String>) {
    let (mut answers, mut texts) = (all.clone(), BTreeMap::new());
    for (target, item, answer) in all.iter() {
        if let Answer::Text(text) = answer {
            texts.insert(item.to_owned(), text.clone());
            answers.remove(target, item);
        }
    }
    (answers, texts)
}

#[derive(Clone, Copy)]
enum Step {
    Enter,
    Keep(usize),
    Cast,
}

fn receipt_is(receipt: &[u8]) -> bool {
    receipt.len() == 32
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}
