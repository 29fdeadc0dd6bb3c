//! What the whole way of a ballot costs, as a ratio in one run: over HTTP against the in-process limit (sealing and
//! committing the same rows in the same batches), on SQLite and, when `PHIEU_TEST_POSTGRES` names a server, PostgreSQL.
//!
//! And what sealing costs: the same service with and without it, in turns, as the median of the pairs' ratios.
//!
//! `cargo bench -p phieu --bench journeys [-- [sealing] BALLOTS]`; with `sealing`, only that. Clients and service share the
//! machine.
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
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use phieu::ballot::seal::{self, BoxPublic, BoxSecret, Envelope, SealFault};
use phieu::ballot::{Casting, Sealer, Token, find};
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
/// Pairs of measurements with and without sealing.
const PAIRS: usize = 11;
/// Target of the whole project: with sealing, a cast keeps so much of the throughput without.
const KEPT: f64 = 0.80;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ballots = words.iter().find_map(|word| word.parse().ok()).unwrap_or(6_000_usize);
    let only_sealing = words.iter().any(|word| word == "sealing");
    let folder = tempfile::tempdir().unwrap();
    let each = |what: &dyn Fn(&str, &Bench)| {
        let path = folder.path().join(Entropy::System.uuid().to_string());
        what("SQLite", &Bench::on(&format!("sqlite://{}", path.display())));
        if let Ok(server) = std::env::var("PHIEU_TEST_POSTGRES") {
            let schema = format!("bench_{}", Entropy::System.uuid().simple());
            let mut admin = PgConnection::establish(&server).unwrap();
            admin.batch_execute(&format!("CREATE SCHEMA {schema}")).unwrap();
            what("PostgreSQL", &Bench::on(&format!("{server}?options=-csearch_path%3D{schema}")));
            admin.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).unwrap();
        }
    };
    if !only_sealing {
        println!("| database | clients | what | per second | p50 ms | p99 ms | of the limit |");
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        each(&|name, bench| journeys(name, bench, ballots));
        println!();
    }
    println!(
        "| database | clients | cast | with sealing, per second | without | kept, median of {PAIRS} pairs | from, to |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    each(&|name, bench| sealing(name, bench, ballots));
}

/// An open round on a database, as many codes as are asked for, and services.
struct Bench {
    db: Db,
    rounds: Rounds,
    entropy: Entropy,
    config: Config,
    public: BoxPublic,
}

impl Bench {
    fn on(url: &str) -> Self {
        let clock = Clock::set_to("2023-10-01T03:00:00Z".parse().unwrap());
        let entropy = Entropy::System;
        let db = Db::open(url, 8, Create::Yes, clock).unwrap();
        db.migrate().unwrap();
        let (_, public) = BoxSecret::generate(&entropy).unwrap();
        let rounds = Rounds::new();
        db.write_here(|conn| {
            round::load(conn, &survey_forms::quang_nam_2023()).unwrap();
            round::set_box_key(conn, ROUND, public.bytes()).unwrap();
            round::advance(conn, ROUND, RoundState::Loaded, RoundState::Open).unwrap();
            rounds.reread(conn).unwrap();
            Ok::<_, DbError>(())
        })
        .unwrap();
        let config = Config { database_url: url.to_owned(), workers: Some(2), ..Config::default() };
        Self { db, rounds, entropy, config, public }
    }

    fn codes(&self, count: usize) -> Vec<Token> {
        let some = Selection {
            respondent_code: Some("CC-CT"),
            source_unit: Some(TARGET),
            count: Some(u32::try_from(count).unwrap()),
        };
        self.db
            .write_here(|conn| {
                let loaded = self.rounds.reread(conn).unwrap()[0].clone();
                Ok::<_, DbError>(issue(conn, &loaded, some, &self.entropy).unwrap())
            })
            .unwrap()
            .into_iter()
            .map(|code| code.token)
            .collect()
    }

    fn casting(&self, sealer: Sealer) -> (Casting, JoinHandle<()>) {
        Casting::start_with(&self.db, &self.config, &self.entropy, sealer).unwrap()
    }

    fn serve(&self, sealer: Sealer) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (config, db, entropy, casting) =
            (self.config.clone(), self.db.clone(), self.entropy.clone(), self.casting(sealer));
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async {
                let service = Service::build_with(&config, &db, &entropy, listener, casting).unwrap();
                service.run_until_stopped().await.unwrap();
            });
        });
        address
    }
}

fn journeys(name: &str, bench: &Bench, ballots: usize) {
    let per_size: Vec<usize> = CLIENTS.iter().map(|c| if *c == 1 { ballots / 3 } else { ballots }).collect();
    let mut codes = bench.codes(per_size.iter().sum::<usize>() * 3 + 500);
    let (casting, _thread) = bench.casting(seal::seal);
    let address = bench.serve(seal::seal);
    let answers = answers();
    let json = serde_json::to_string(&answers.to_value()).unwrap();
    for token in codes.split_off(codes.len() - 500) {
        http(&mut connect(address), "/api/v1/ballots", &ballot(&token, &json), 201);
    }
    for (clients, count) in CLIENTS.into_iter().zip(per_size) {
        let mut take = || codes.split_off(codes.len() - count);
        let limit = in_process(bench, &casting, clients, &take(), &answers);
        let cast = over_http(address, clients, &take(), &json);
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
        cast.print(name, clients, "cast over HTTP", &limit);
        journey.print(name, clients, "journey over HTTP: form and cast", &limit);
    }
    // What one core seals by itself.
    let (canonical, bucket) = (answers.canonical(), seal::bucket_bytes(answers.canonical().len() + 200));
    let alone = measure(1, 3_000, |_| {
        |_: usize| drop(seal::seal(&bench.public, ROUND, &canonical, bucket, &bench.entropy.bytes()).unwrap())
    });
    alone.print(name, 1, "sealing alone", &alone);
}

fn in_process(bench: &Bench, casting: &Casting, clients: usize, codes: &[Token], answers: &Answers) -> Figures {
    let found = |token| Mutex::new(Some(bench.db.read_here(|c| find(c, &bench.rounds, token)).unwrap()));
    let found: Vec<_> = codes.iter().map(found).collect();
    measure(clients, codes.len(), |_| {
        |n: usize| {
            let bearer = found[n].lock().unwrap().take().unwrap();
            assert!(casting.cast_here(&bearer, answers).unwrap().first);
        }
    })
}

fn over_http(address: SocketAddr, clients: usize, codes: &[Token], json: &str) -> Figures {
    measure(clients, codes.len(), |_| {
        let mut wire = connect(address);
        move |n: usize| http(&mut wire, "/api/v1/ballots", &ballot(&codes[n], json), 201)
    })
}

/// Something of an envelope's size that costs nothing: the salt is its number.
fn unsealed(_: &BoxPublic, _: &str, _: &[u8], bucket: usize, salt: &[u8; 32]) -> Result<Envelope, SealFault> {
    let mut sealed = vec![0; bucket + 48];
    sealed[..32].copy_from_slice(salt);
    Ok(Envelope { id: *salt, sealed })
}

/// The same cast with and without sealing, in turns on the same database, first the one and then the other.
fn sealing(name: &str, bench: &Bench, ballots: usize) {
    let answers = answers();
    let json = serde_json::to_string(&answers.to_value()).unwrap();
    let ways: [(&str, Sealer); 2] = [("with", seal::seal), ("without", unsealed)];
    let services = ways.map(|(_, sealer)| bench.serve(sealer));
    let queues = ways.map(|(_, sealer)| bench.casting(sealer));
    let one = |over: &str, way: usize, clients: usize, codes: &[Token]| match over {
        "over HTTP" => over_http(services[way], clients, codes, &json),
        _ => in_process(bench, &queues[way].0, clients, codes, &answers),
    };
    for over in ["over HTTP", "in process"] {
        for clients in CLIENTS {
            let count = if clients == 1 { ballots / 12 } else { ballots / 4 }.max(clients);
            let mut pairs: Vec<[f64; 2]> = (0..=PAIRS)
                .map(|pair| {
                    let mut per_second = [0.0; 2];
                    for turn in 0..2 {
                        let way = (pair + turn) % 2;
                        per_second[way] = one(over, way, clients, &bench.codes(count)).per_second;
                    }
                    per_second
                })
                .collect();
            // The first pair warms up.
            pairs.remove(0);
            let median = |of: &dyn Fn(&[f64; 2]) -> f64| {
                let mut all: Vec<f64> = pairs.iter().map(of).collect();
                all.sort_unstable_by(f64::total_cmp);
                (all[all.len() / 2], all[0], all[all.len() - 1])
            };
            let (kept, least, most) = median(&|pair| pair[0] / pair[1]);
            println!(
                "| {name} | {clients} | {over} | {:.0} | {:.0} | {:.0} %{} | {:.0} %, {:.0} % |",
                median(&|pair| pair[0]).0,
                median(&|pair| pair[1]).0,
                100.0 * kept,
                if kept < KEPT { " BELOW THE TARGET" } else { "" },
                100.0 * least,
                100.0 * most
            );
        }
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
