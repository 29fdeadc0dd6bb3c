//! The insider: whoever holds everything but the box key, and watched the office, must not learn who answered what.
//! See `README.md`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    unreachable_pub,
    reason = "a test of small rooms; it may panic, counts small things and says what it measured"
)]

mod attacks;
mod bound;
mod copies;
mod leaks;
#[path = "../../api/src/db/lint.rs"]
mod lint;
mod scanner;
mod world;
mod writes;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, Once};

use bound::Score;
use copies::Evidence;
use phieu::clock::Entropy;
use world::{Truth, backends, play};

/// Seeds of a soak run, separated by commas; hits add up over them, so the bound gets sharper.
const SEEDS: &str = "PHIEU_INSIDER_SEEDS";
const SEED: u64 = 4;

fn seeds() -> Vec<u64> {
    let said = std::env::var(SEEDS).unwrap_or_else(|_| SEED.to_string());
    said.split(',').map(|seed| seed.trim().parse().unwrap()).collect()
}

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGS.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whatever was logged so far, at the finest level.
fn logs() -> Vec<u8> {
    LOGS.lock().unwrap().clone()
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(|| Lines).init();
        tracing::info!("the insider listens");
    });
}

/// Every attack on what is held.
fn attack(held: &Evidence, truth: &Truth, seed: u64) -> Vec<(attacks::Attack, Score)> {
    let mut lot = Entropy::seeded(seed).generator();
    let scored = |one: attacks::Attack| {
        let score = bound::score(one.about, &(one.guess)(held), held, truth, &mut lot);
        (one, score)
    };
    attacks::all().into_iter().map(scored).collect()
}

/// Attacks that got more than chance allows, over these seeds.
#[expect(clippy::print_stderr, reason = "what was measured")]
fn leaking(backend: &'static str, seeds: &[u64]) -> Vec<&'static str> {
    let mut total: BTreeMap<usize, (attacks::Attack, Score)> = BTreeMap::new();
    for seed in seeds.iter().copied() {
        let (world, truth, held, copier) = play(backend, seed);
        assert_eq!(held.people.len(), 300);
        assert_eq!(held.ballots.len(), 300);
        assert!(held.remarks.len() > 200, "{}", held.remarks.len());
        assert_eq!(held.found, Default::default(), "{backend}");
        assert!(String::from_utf8(logs()).unwrap().contains("the insider listens"));
        assert_eq!(leaks::small_cells(held.document.as_ref().unwrap()), Vec::<String>::new());
        // The copies see what is there: the envelope of nearly everybody is known.
        let rows = linked(&attacks::by_rows(&held), &truth);
        let other = if backend == "sqlite" { attacks::by_pages(&held) } else { attacks::by_transaction(&held) };
        let other = linked(&other, &truth);
        eprintln!("{backend}, seed {seed}: envelopes of {rows} people by rows, {other} by pages or transactions");
        assert!(rows > 270 && other > 270, "{backend}: {rows} {other}");
        if !copier.reads_writes(&world) {
            eprintln!("{backend}: SKIPPED: the server's own log of writes, {} is not set", writes::DATA);
        } else if backend == "postgres" {
            let by_writes = linked(&attacks::by_writes(&held), &truth);
            eprintln!("{backend}, seed {seed}: envelopes of {by_writes} people by the server's log of writes");
            assert!(by_writes > 270, "{by_writes}");
        }
        for (at, (one, score)) in attack(&held, &truth, seed).into_iter().enumerate() {
            total.entry(at).or_insert((one, Score::default())).1.add(&score);
        }
    }
    for (one, score) in total.values() {
        eprintln!(
            "| {backend} | {} | {} | {:.1} % | {:.1} % |{}",
            one.name,
            one.uses,
            100.0 * score.hits / score.people,
            100.0 * score.limit() / score.people,
            if score.is_leak() { " LEAK" } else { "" }
        );
    }
    total.values().filter(|(_, score)| score.is_leak()).map(|(one, _)| one.name).collect()
}

/// Three standard deviations are crossed by chance once in some hundred attacks, and there are some sixty. A leak is there
/// in every world; so what crosses is tried again on other people, and counts when it crosses there too.
#[test]
fn the_insider_learns_nothing() {
    listen();
    for backend in backends() {
        let suspected = leaking(backend, &seeds());
        if suspected.is_empty() {
            continue;
        }
        eprintln!("{backend}: {suspected:?} on other people");
        let others: Vec<u64> = seeds().iter().map(|seed| seed + 1_000_000).collect();
        let confirmed = leaking(backend, &others);
        let leaks: Vec<&str> = suspected.into_iter().filter(|name| confirmed.contains(name)).collect();
        assert!(leaks.is_empty(), "{backend}: {leaks:?}");
    }
}

fn linked(guess: &[Option<Vec<u8>>], truth: &Truth) -> usize {
    guess.iter().zip(&truth.receipts).filter(|(id, receipt)| id.as_ref() == Some(*receipt)).count()
}
