//! What a page of the form costs at the server, on SQLite: the entry page, a section with a code, a section saved, in
//! turns, at a fixed rate that does not wait for slow answers (an open loop).
//!
//! `cargo bench -p phieu --bench pages [-- RATE SECONDS]`; clients and service share the machine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark may panic and prints its table"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use phieu::ballot::{Token, seal::BoxSecret};
use phieu::clock::{Clock, Entropy, Stopwatch};
use phieu::config::Config;
use phieu::credential::{Selection, issue};
use phieu::db::{Create, Db, DbError};
use phieu::round::{self, RoundState, Rounds};
use phieu::server::Service;

/// The service's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUND: &str = "quang-nam-2023";
/// Connections. More than the service ever has in flight at the default rate.
const CLIENTS: usize = 24;
/// People who answer at the same time.
const PEOPLE: u32 = 500;

/// One request of the mix.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Entry,
    Section,
    Save,
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Entry, "GET /"), (Kind::Section, "GET /p?phan=1"), (Kind::Save, "POST /p?phan=1, the draft kept")];

/// How long one request took.
struct Time {
    kind: Kind,
    /// From the moment it was sent.
    service: Duration,
    /// From the moment it was due: what a client behind a queue sees.
    due: Duration,
}

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let (rate, seconds) = (numbers.next().unwrap_or(500_u32), numbers.next().unwrap_or(20_u32));
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let db = Db::open(&url, 8, Create::Yes, Clock::set_to("2023-10-01T03:00:00Z".parse().unwrap())).unwrap();
    db.migrate().unwrap();
    let codes = codes(&db);
    let config = Config { database_url: url, workers: Some(2), ..Config::default() };
    let address = serve(&config, &db);

    let mut wire = connect(address);
    let cookies: Vec<String> = codes.iter().map(|code| cookie(&mut wire, code)).collect();
    // Each person's draft exists, and the caches are warm.
    for cookie in &cookies {
        ask(&mut wire, Kind::Save, cookie, 1);
        ask(&mut wire, Kind::Section, cookie, 1);
    }
    let times = load(address, &cookies, rate, seconds);

    println!("{} requests, {rate} a second for {seconds} s", times.len());
    println!("| request | count | p50 ms | p99 ms | p99 ms since due | most ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (kind, name) in KINDS {
        print(name, times.iter().filter(|time| time.kind == kind));
    }
    print("all", times.iter());
}

fn print<'t>(name: &str, times: impl Iterator<Item = &'t Time>) {
    let (mut service, mut due): (Vec<Duration>, Vec<Duration>) = times.map(|time| (time.service, time.due)).unzip();
    service.sort_unstable();
    due.sort_unstable();
    let ms = |all: &[Duration], percent: usize| all[(all.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    let (p50, p99, late, most) = (ms(&service, 50), ms(&service, 99), ms(&due, 99), ms(&service, 100));
    println!("| {name} | {} | {p50:.2} | {p99:.2} | {late:.2} | {most:.2} |", service.len());
}

/// Sends the mix at the rate, whatever the answers take.
fn load(address: SocketAddr, cookies: &[String], rate: u32, seconds: u32) -> Vec<Time> {
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
            let kind = KINDS[n % KINDS.len()].0;
            ask(&mut wire, kind, &cookies[n % cookies.len()], n);
            times.push(Time { kind, service: one.elapsed(), due: clock.elapsed().saturating_sub(due) });
        }
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

fn ask(wire: &mut BufReader<TcpStream>, kind: Kind, cookie: &str, n: usize) {
    let option = ["A", "B", "C", "D", "E"][n % 5];
    let (request, expected) = match kind {
        Kind::Entry => (get("/", None), 200),
        Kind::Section => (get("/p?phan=1", Some(cookie)), 200),
        Kind::Save => (post("/p?phan=1", Some(cookie), &format!("c.X1.1={option}&di=tiep")), 303),
    };
    http(wire, &request, expected);
}

fn codes(db: &Db) -> Vec<Token> {
    let (entropy, rounds) = (Entropy::System, Rounds::new());
    let (_, public) = BoxSecret::generate(&entropy).unwrap();
    db.write_here(|conn| {
        round::load(conn, &survey_forms::quang_nam_2023()).unwrap();
        round::set_box_key(conn, ROUND, public.bytes()).unwrap();
        let loaded = rounds.reread(conn).unwrap()[0].clone();
        let some = Selection { respondent_code: Some("CC-CT"), source_unit: Some("SNV"), count: Some(PEOPLE) };
        let codes = issue(conn, &loaded, some, &entropy).unwrap();
        round::advance(conn, ROUND, RoundState::Loaded, RoundState::Open).unwrap();
        Ok::<_, DbError>(codes.into_iter().map(|code| code.token).collect())
    })
    .unwrap()
}

/// Enters a code; the cookies that came back.
fn cookie(wire: &mut BufReader<TcpStream>, code: &Token) -> String {
    let head = http(wire, &post("/p", None, &format!("ma={}", *code.expose())), 303);
    let cookies = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("set-cookie").then(|| value.split(';').next().unwrap_or_default().trim().to_owned())
    });
    cookies.collect::<Vec<_>>().join("; ")
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
    BufReader::with_capacity(32 * 1024, stream)
}

fn get(path: &str, cookie: Option<&str>) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n{}\r\n", header(cookie))
}

fn post(path: &str, cookie: Option<&str>, body: &str) -> String {
    let form = "Content-Type: application/x-www-form-urlencoded";
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: bench\r\n{form}\r\nContent-Length: {length}\r\n{}\r\n{body}", header(cookie))
}

fn header(cookie: Option<&str>) -> String {
    cookie.map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default()
}

/// A request over a kept connection; the head of its answer.
fn http(wire: &mut BufReader<TcpStream>, request: &str, expected: u16) -> String {
    wire.get_mut().write_all(request.as_bytes()).unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(wire.read_line(&mut head).unwrap() > 0, "the connection ended");
    }
    let lower = head.to_ascii_lowercase();
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
    assert_eq!(head.get(9..12), Some(expected.to_string().as_str()), "{request}");
    head
}
