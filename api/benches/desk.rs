//! What the paper desk costs at the server while thirty clerks key at once, 8,000 keys an hour each: every key is kept
//! (`POST /keying/unfinished`), and each finished ballot is a command (`POST /keying/entries`). The load does not wait for
//! slow answers (an open loop). On SQLite and, when `PHIEU_TEST_POSTGRES` names a server, PostgreSQL.
//!
//! `cargo bench -p phieu --bench desk [-- SECONDS]`; clients and service share the machine.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
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
use phieu::access::{Actor, NewPassword, Passwords, Role, Secret, SignInName, staff};
use phieu::ballot::Token;
use phieu::ballot::seal::BoxSecret;
use phieu::bundle::{self, By};
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
const GROUP: &str = "HĐ-CT";
/// Eight items about each of 43 bodies.
const PLACES: usize = 43 * 8;
const CLERKS: usize = 30;
const KEYS_PER_HOUR: u32 = 8_000;
/// The last clerk has typed so much of the first ballot when the figures begin: few finish within a minute.
const BEGUN: usize = 220;
/// Requests whose answers are not in the figures: the caches are cold.
const WARM_UP: usize = 100;

/// One clerk with a ballot in hand.
struct Clerk {
    cookie: String,
    codes: Vec<Token>,
    typed: usize,
}

struct Time {
    finished: bool,
    /// From the moment it was due: what a client behind a queue sees.
    due: Duration,
}

fn main() {
    let seconds = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(60_u32);
    println!("{CLERKS} clerks, {KEYS_PER_HOUR} keys an hour each, {seconds} s");
    println!("| database | saved | requests | p50 ms | p99 ms | most ms |");
    println!("| --- | --- | --- | --- | --- | --- |");
    let folder = tempfile::tempdir().unwrap();
    backend("SQLite", &format!("sqlite://{}", folder.path().join("bench.db").display()), seconds);
    if let Ok(server) = std::env::var("PHIEU_TEST_POSTGRES") {
        let schema = format!("bench_{}", Entropy::System.uuid().simple());
        let mut admin = PgConnection::establish(&server).unwrap();
        admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
        backend("PostgreSQL", &format!("{server}?options=-csearch_path%3D{schema}"), seconds);
        admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
    }
}

fn backend(name: &str, url: &str, seconds: u32) {
    let db = Db::open(url, 8, Create::Yes, Clock::set_to("2023-10-20T03:00:00Z".parse().unwrap())).unwrap();
    db.migrate().unwrap();
    let config = Config { database_url: url.to_owned(), workers: Some(2), ..Config::default() };
    let clerks: Vec<Mutex<Clerk>> = clerks(&db).into_iter().map(Mutex::new).collect();
    let address = serve(&config, &db);
    let mut times = load(address, &clerks, seconds);
    times.drain(..WARM_UP.min(times.len() / 2));
    print(name, "a key", times.iter().filter(|time| !time.finished));
    print(name, "a ballot", times.iter().filter(|time| time.finished));
}

fn print<'t>(database: &str, what: &str, times: impl Iterator<Item = &'t Time>) {
    let mut due: Vec<Duration> = times.map(|time| time.due).collect();
    if due.is_empty() {
        return;
    }
    due.sort_unstable();
    let ms = |percent: usize| due[(due.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("| {database} | {what} | {} | {:.1} | {:.1} | {:.1} |", due.len(), ms(50), ms(99), ms(100));
}

/// Each clerk types one key after the other at the rate; the clerks' keys fall between each other.
fn load(address: SocketAddr, clerks: &[Mutex<Clerk>], seconds: u32) -> Vec<Time> {
    let between = Duration::from_secs(3600) / KEYS_PER_HOUR;
    let keys = seconds * KEYS_PER_HOUR / 3600;
    let clock = Stopwatch::start();
    let (clock, all) = (&clock, u32::try_from(clerks.len()).unwrap());
    let key_by_key = |clerk: &Mutex<Clerk>, n: u32| {
        let mut clerk = clerk.lock().unwrap();
        let mut wire = connect(address);
        let mut times = Vec::new();
        for key in 0..keys {
            if clerk.codes.is_empty() {
                break;
            }
            let due = between * key + between * n / all;
            std::thread::sleep(due.saturating_sub(clock.elapsed()));
            let finished = clerk.press(&mut wire);
            times.push(Time { finished, due: clock.elapsed().saturating_sub(due) });
        }
        times
    };
    std::thread::scope(|scope| {
        let typing: Vec<_> =
            clerks.iter().zip(0..).map(|(clerk, n)| scope.spawn(move || key_by_key(clerk, n))).collect();
        typing.into_iter().flat_map(|one| one.join().unwrap()).collect()
    })
}

impl Clerk {
    /// One key: what was typed so far is kept, or the ballot is finished. Whether it was.
    fn press(&mut self, wire: &mut BufReader<TcpStream>) -> bool {
        self.typed += 1;
        let finished = self.typed == PLACES;
        let mut keys = String::new();
        for place in 0..self.typed {
            let comma = if place == 0 { "" } else { "," };
            write!(keys, r#"{comma}"a{}-{}":"{}""#, place / 8 + 1, place % 8 + 1, place % 6 + 1).unwrap();
        }
        let code = self.codes.last().unwrap().expose();
        let body = format!(r#"{{"code":"{}","pass":"first","keys":{{{keys}}}}}"#, *code);
        let (path, expected) = if finished { ("entries", 201) } else { ("unfinished", 204) };
        let id = Entropy::System.uuid();
        let head = format!("Cookie: {}\r\nIdempotency-Key: {id}\r\nContent-Type: application/json", self.cookie);
        let request = format!(
            "POST /api/v1/keying/{path} HTTP/1.1\r\nHost: bench\r\n{head}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        http(wire, &request, expected);
        if finished {
            self.codes.pop();
            self.typed = 0;
        }
        finished
    }
}

/// A desk with an open round; each clerk begins at another place of the first ballot, as if they had keyed for a while.
fn clerks(db: &Db) -> Vec<Clerk> {
    let (entropy, rounds) = (Entropy::System, Rounds::new());
    let (_, public) = BoxSecret::generate(&entropy).unwrap();
    let mut codes: Vec<Token> = db
        .write_here(|conn| {
            round::load(conn, &survey_forms::quang_nam_2023()).unwrap();
            round::set_box_key(conn, ROUND, public.bytes()).unwrap();
            let loaded = rounds.reread(conn).unwrap()[0].clone();
            let some = Selection { respondent_code: Some(GROUP), source_unit: None, count: None };
            let codes = issue(conn, &loaded, some, &entropy).unwrap();
            // Paper is keyed once it has come back.
            bundle::receive_all(db, conn, &entropy, &By::Actor(Actor::Command), ROUND, None).unwrap();
            round::advance(conn, ROUND, RoundState::Loaded, RoundState::Open).unwrap();
            Ok::<_, DbError>(codes.into_iter().map(|code| code.token).collect())
        })
        .unwrap();
    let password = "mật khẩu của bàn nhập";
    let hash = NewPassword::parse(password).unwrap().hash_here(&entropy).unwrap();
    let passwords = Passwords::new(&entropy).unwrap();
    let one = |n: usize| {
        let name = format!("nhap{n}");
        let login = SignInName::parse(&name).unwrap();
        db.write_here(|conn| {
            let at = db.now(conn)?;
            staff::add(conn, at, &entropy, &Actor::Command, &login, Role::Clerk, &hash).map(|_| ()).unwrap();
            Ok::<_, DbError>(())
        })
        .unwrap();
        let given = Secret::new(password.to_owned());
        let sign_in = staff::sign_in(db, &passwords, &entropy, &name, &given, None);
        let (_, session) = actix_web::rt::System::new().block_on(sign_in).unwrap().unwrap();
        let cookie = format!("phieu_staff={}", session.reveal());
        Clerk { cookie, codes: codes.split_off(codes.len() - 1), typed: n * BEGUN / CLERKS }
    };
    (0..CLERKS).map(one).collect()
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
