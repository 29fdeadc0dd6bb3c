//! What the whole way of a ballot costs, as a ratio in one run: over HTTP against the in-process limit (sealing and
//! committing the same rows in the same batches), on SQLite and, when `PHIEU_TEST_POSTGRES` names a server, PostgreSQL.
//!
//! `cargo bench -p phieu --bench journeys [-- BALLOTS]`; clients and service share the machine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "a benchmark may panic and prints its table"
)]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use phieu::ballot::seal::{self, BoxSecret};
use phieu::ballot::{Casting, Token, find};
use phieu::clock::{Clock, Entropy, Stopwatch};
use phieu::config::Config;
use phieu::credential::{Selection, issue};
use phieu::db::{Create, Db, DbError};
use phieu::round::{self, RoundState, Rounds};
use phieu::server::Service;
use survey_forms::answers::{Answer, Answers};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: &str = "quang-nam-2023";
const CLIENTS: [usize; 3] = [1, 8, 32];
const TARGET: &str = "SNV";

fn main() {
    let ballots = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(6_000_usize);
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    println!("| database | clients | what | per second | p50 ms | p99 ms | of the limit |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    backend("SQLite", &sqlite, ballots);
    if let Ok(server) = std::env::var("PHIEU_TEST_POSTGRES") {
        let schema = format!("bench_{}", Entropy::System.uuid().simple());
        let mut admin = PgConnection::establish(&server).unwrap();
        admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        backend("PostgreSQL", &format!("{server}?options=-csearch_path%3D{schema}"), ballots);
        admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    }
}

fn backend(name: &str, url: &str, ballots: usize) {
    let clock = Clock::set_to("2023-10-01T03:00:00Z".parse().unwrap());
    let entropy = Entropy::System;
    let db = Db::open(url, 8, Create::Yes, clock).unwrap();
    db.migrate().unwrap();
    let rounds = Rounds::new();
    let (_, public) = BoxSecret::generate(&entropy).unwrap();
    let per_size: Vec<usize> = CLIENTS.iter().map(|c| if *c == 1 { ballots / 3 } else { ballots }).collect();
    let all = per_size.iter().sum::<usize>() * 3 + 1000;
    let mut codes: Vec<Token> = db
        .write_here(|conn| {
            round::load(conn, &survey_forms::quang_nam_2023()).unwrap();
            round::set_box_key(conn, ROUND, public.bytes()).unwrap();
            let loaded = rounds.reread(conn).unwrap()[0].clone();
            let some = Selection {
                respondent_code: Some("CC-CT"),
                source_unit: Some(TARGET),
                count: Some(u32::try_from(all).unwrap()),
            };
            let codes = issue(conn, &loaded, some, &entropy).unwrap();
            round::advance(conn, ROUND, RoundState::Loaded, RoundState::Open).unwrap();
            rounds.reread(conn).unwrap();
            Ok::<_, DbError>(codes.into_iter().map(|c| c.token).collect())
        })
        .unwrap();

    let config = Config { database_url: url.to_owned(), workers: Some(2), ..Config::default() };
    let (casting, _thread) = Casting::start(&db, &config, &entropy).unwrap();
    let address = serve(&config, &db, &entropy);
    let answers = answers();
    let json = serde_json::to_string(&answers.to_value()).unwrap();
    for token in codes.split_off(codes.len() - 500) {
        http(&mut connect(address), "/api/v1/ballots", &ballot(&token, &json), 201);
    }
    for (clients, count) in CLIENTS.into_iter().zip(per_size) {
        let mut take = || codes.split_off(codes.len() - count);
        let found: Vec<_> =
            take().iter().map(|t| Mutex::new(Some(db.read_here(|c| find(c, &rounds, t)).unwrap()))).collect();
        let limit = measure(clients, count, |_| {
            |n: usize| {
                let bearer = found[n].lock().unwrap().take().unwrap();
                assert!(casting.cast_here(&bearer, &answers).unwrap().first);
            }
        });
        // What sealing alone would do with the same threads: without it the path would take so much less of the cores.
        let (canonical, bucket) = (answers.canonical(), seal::bucket_bytes(answers.canonical().len() + 200));
        let sealing = measure(clients, count, |_| {
            |_: usize| drop(seal::seal(&public, ROUND, &canonical, bucket, &entropy.bytes()).unwrap())
        });
        let tokens = take();
        let cast = measure(clients, count, |_| {
            let mut wire = connect(address);
            let (tokens, json) = (&tokens, &json);
            move |n: usize| http(&mut wire, "/api/v1/ballots", &ballot(&tokens[n], json), 201)
        });
        let tokens = take();
        let journey = measure(clients, count, |_| {
            let mut wire = connect(address);
            let (tokens, json) = (&tokens, &json);
            move |n: usize| {
                let code = tokens[n].expose();
                http(&mut wire, "/api/v1/ballots/form", &format!(r#"{{"code":"{}"}}"#, *code), 200);
                http(&mut wire, "/api/v1/ballots", &ballot(&tokens[n], json), 201);
            }
        });
        limit.print(name, clients, "in-process limit: seal and commit", &limit);
        sealing.print(name, clients, "sealing alone", &limit);
        let left = 1.0 - limit.per_second / sealing.per_second;
        println!(
            "| {name} | {clients} | the limit as a share of what it would be without sealing | | | | {:.0} % |",
            100.0 * left
        );
        cast.print(name, clients, "cast over HTTP", &limit);
        journey.print(name, clients, "journey over HTTP: form and cast", &limit);
    }
}

struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

impl Figures {
    fn print(&self, database: &str, clients: usize, what: &str, limit: &Self) {
        println!(
            "| {database} | {clients} | {what} | {:.0} | {:.2} | {:.2} | {:.0} % |",
            self.per_second,
            self.p50.as_secs_f64() * 1e3,
            self.p99.as_secs_f64() * 1e3,
            100.0 * self.per_second / limit.per_second
        );
    }
}

/// Runs `count` operations from `clients` threads; each thread makes its own operation with `start`.
fn measure<F: FnMut(usize)>(clients: usize, count: usize, start: impl Fn(usize) -> F + Sync) -> Figures {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let whole = Stopwatch::start();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|client| {
                let (next, start) = (&next, &start);
                scope.spawn(move || {
                    let mut operation = start(client);
                    let mut times = Vec::new();
                    loop {
                        let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        if n >= count {
                            return times;
                        }
                        let one = Stopwatch::start();
                        operation(n);
                        times.push(one.elapsed());
                    }
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let per_second = count as f64 / whole.elapsed().as_secs_f64();
    times.sort_unstable();
    Figures { per_second, p50: times[times.len() / 2], p99: times[times.len() * 99 / 100] }
}

fn serve(config: &Config, db: &Db, entropy: &Entropy) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (config, db, entropy) = (config.clone(), db.clone(), entropy.clone());
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            Service::build(&config, &db, &entropy, listener).unwrap().run_until_stopped().await.unwrap();
        });
    });
    address
}

/// Every item of the questionnaire answered.
fn answers() -> Answers {
    let round = survey_forms::Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
    let mut answers = Answers::new();
    for item in round.questionnaire("CC-CT").unwrap().items() {
        answers.insert(TARGET, &item.code, Answer::Choice("B".to_owned()));
    }
    answers
}

fn ballot(token: &Token, answers: &str) -> String {
    let mut body = String::with_capacity(answers.len() + 64);
    write!(body, r#"{{"code":"{}","answers":{answers}}}"#, *token.expose()).unwrap();
    body
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::with_capacity(32 * 1024, stream)
}

/// A request over a kept connection: as little client as possible, since it shares the cores with the service.
fn http(wire: &mut BufReader<TcpStream>, path: &str, body: &str, expected: u16) {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    wire.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut line, mut status, mut length) = (String::new(), 0_u16, 0_usize);
    loop {
        line.clear();
        wire.read_line(&mut line).unwrap();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some((name, value)) = line.split_once(':') {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        } else if line == "\r\n" {
            break;
        }
    }
    let mut sink = vec![0; length];
    wire.read_exact(&mut sink).unwrap();
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(&sink));
}
