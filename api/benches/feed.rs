//! What the feed of published scores costs at the server, on SQLite, at a fixed rate that does not wait for slow answers
//! (an open loop): the whole document, compressed and plain, the answer to who has it already, and one target. Each with
//! no ballots in the database and with many: the cost is that of the document, not of the ballots.
//!
//! `cargo bench -p phieu --bench feed [-- RATE SECONDS BALLOTS]`; clients and service share the machine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark may panic and prints its table"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};
use phieu::access::scopes::Scopes;
use phieu::access::{Actor, client};
use phieu::clock::{Clock, Entropy, Stopwatch, machine_now};
use phieu::config::Config;
use phieu::db::{Conn, Create, Db, DbError};
use phieu::round::{self, RoundState};
use phieu::server::Service;
use survey_forms::answers::{Answer, Answers, Ballot};
use survey_forms::scoring::{Tally, score};

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: &str = "quang-nam-2023";
/// Connections. More than the service ever has in flight at the default rate.
const CLIENTS: usize = 24;

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let rate = numbers.next().unwrap_or(1000_u32);
    let seconds = numbers.next().unwrap_or(10_u32);
    let many = i64::from(numbers.next().unwrap_or(200_000_u32));
    let document = document();
    println!("a document of {} KiB; {rate} requests a second for {seconds} s each", document.len() >> 10);
    println!("| ballots | request | p50 ms | p99 ms | p99 ms since due | most ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for ballots in [0, many] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("bench.db").display());
        let db = Db::open(&url, 8, Create::Yes, Clock::Database).unwrap();
        db.migrate().unwrap();
        let (id, secret) = published(&db, &document, ballots);
        let config = Config { database_url: url, workers: Some(2), ..Config::default() };
        let address = serve(&config, &db);
        let token = token(address, &id, &secret);
        let path = format!("/api/v1/rounds/{ROUND}/scores");
        let ask = |path: &str, more: &str| {
            format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
        };
        let head = http(&mut connect(address), &ask(&path, ""), 200);
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().trim().to_owned();
        for (name, request, status) in [
            ("whole, gzip", ask(&path, "Accept-Encoding: gzip\r\n"), 200),
            ("whole, plain", ask(&path, ""), 200),
            ("known (304)", ask(&path, &format!("If-None-Match: {tag}\r\n")), 304),
            ("one target", ask(&format!("{path}?target=SNV"), "Accept-Encoding: gzip\r\n"), 200),
        ] {
            http(&mut connect(address), &request, status);
            print(ballots, name, load(address, &request, status, rate, seconds));
        }
    }
}

fn print(ballots: i64, name: &str, times: Vec<(Duration, Duration)>) {
    let (mut service, mut due): (Vec<Duration>, Vec<Duration>) = times.into_iter().unzip();
    service.sort_unstable();
    due.sort_unstable();
    let ms = |all: &[Duration], percent: usize| all[(all.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    let (p50, p99, late, most) = (ms(&service, 50), ms(&service, 99), ms(&due, 99), ms(&service, 100));
    println!("| {ballots} | {name} | {p50:.2} | {p99:.2} | {late:.2} | {most:.2} |");
}

/// How long each took from the moment it was sent, and from the moment it was due.
fn load(address: SocketAddr, request: &str, status: u16, rate: u32, seconds: u32) -> Vec<(Duration, Duration)> {
    let (next, all) = (AtomicUsize::new(0), usize::try_from(rate * seconds).unwrap());
    let clock = Stopwatch::start();
    let client = || {
        let mut wire = connect(address);
        let mut times = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= all {
                return times;
            }
            let due = Duration::from_secs(1) * u32::try_from(n).unwrap() / rate;
            std::thread::sleep(due.saturating_sub(clock.elapsed()));
            let one = Stopwatch::start();
            http(&mut wire, request, status);
            times.push((one.elapsed(), clock.elapsed().saturating_sub(due)));
        }
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

/// The plan's round as it would be published after some thousand ballots.
fn document() -> String {
    let round = survey_forms::Round::from_files(&survey_forms::quang_nam_2023()).unwrap();
    let mut tally = Tally::new(&round);
    let mut place = 0_usize;
    for assignment in round.assignments() {
        let stratum = assignment.stratum();
        let form = round.questionnaire(&stratum.respondent_code).unwrap();
        for _ in 0..12 {
            let mut answers = Answers::new();
            for target in &stratum.targets {
                for item in form.items() {
                    place = place.wrapping_mul(31).wrapping_add(7);
                    let option = ["A", "B", "C", "D", "E"][(place >> 5) % 5];
                    answers.insert(target, &item.code, Answer::Choice(option.to_owned()));
                }
            }
            tally.add(&Ballot {
                round: round.id.clone(),
                questionnaire: form.hash.clone(),
                stratum: stratum.clone(),
                answers,
            });
        }
    }
    let sheet = score(&round, &tally, &BTreeMap::new());
    String::from_utf8(sheet.document(&round, round.dates.publishes, "00").canonical()).unwrap()
}

/// A client of a published round with so many ballots.
fn published(db: &Db, document: &str, ballots: i64) -> (String, String) {
    db.write_here(|conn: &mut Conn| {
        round::load(conn, &survey_forms::quang_nam_2023()).unwrap();
        use RoundState::{Closed, Loaded, Open, Opened, Published};
        for (from, to) in [(Loaded, Open), (Open, Closed), (Closed, Opened), (Opened, Published)] {
            round::advance(conn, ROUND, from, to).unwrap();
        }
        let Conn::Sqlite(sqlite) = conn else { panic!("this bench is on SQLite") };
        diesel::sql_query("INSERT INTO publication (round, release, published_at, document) VALUES (?, 1, 1700000000000, ?)")
            .bind::<Text, _>(ROUND)
            .bind::<Text, _>(document)
            .execute(sqlite)
            .unwrap();
        diesel::sql_query(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) \
             INSERT INTO ballot (id, round, body) SELECT randomblob(16), 'quang-nam-2023', hex(randomblob(600)) FROM n WHERE ? > 0",
        )
        .bind::<BigInt, _>(ballots)
        .bind::<BigInt, _>(ballots)
        .execute(sqlite)
        .unwrap();
        let scopes = Scopes::parse("scores:read").unwrap();
        let (client, secret) =
            client::add(conn, machine_now(), &Entropy::System, &Actor::Command, "bench", scopes).unwrap();
        Ok::<_, DbError>((client.id, secret.reveal().to_owned()))
    })
    .unwrap()
}

fn token(address: SocketAddr, id: &str, secret: &str) -> String {
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let length = body.len();
    let request = format!(
        "POST /api/v1/oauth/token HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let mut wire = connect(address);
    wire.get_mut().write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    wire.read_to_string(&mut answer).unwrap();
    let at = answer.find("\"access_token\":\"").unwrap() + 16;
    answer[at..].split('"').next().unwrap().to_owned()
}

fn serve(config: &Config, db: &Db) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (config, db) = (config.clone(), db.clone());
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let service = Service::build(&config, &db, &Entropy::System, listener).unwrap();
            service.run_until_stopped().await.unwrap();
        });
    });
    address
}

fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::with_capacity(64 * 1024, stream)
}

/// A request over a kept connection; the head of its answer, in lower case.
fn http(wire: &mut BufReader<TcpStream>, request: &str, expected: u16) -> String {
    wire.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(wire.read_line(&mut head).unwrap() > 0, "the connection ended");
    }
    assert_eq!(head.get(9..12), Some(expected.to_string().as_str()), "{request}");
    let lower: String = head
        .lines()
        .map(|line| match line.split_once(':') {
            Some((name, value)) => format!("{}:{value}\n", name.to_ascii_lowercase()),
            None => format!("{line}\n"),
        })
        .collect();
    if lower.contains("transfer-encoding: chunked") {
        loop {
            let mut size = String::new();
            wire.read_line(&mut size).unwrap();
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            wire.read_exact(&mut vec![0; size + 2]).unwrap();
            if size == 0 {
                break;
            }
        }
    } else if let Some((_, rest)) = lower.split_once("content-length:") {
        let length = rest.lines().next().unwrap().trim().parse().unwrap();
        wire.read_exact(&mut vec![0; length]).unwrap();
    }
    lower
}
