//! A thousand random walks through the plan's form, and a thousand through one with every kind of question, beside a
//! small model of them: two people, three devices, every button. Nothing is lost, nothing is there twice, and a receipt
//! never changes.

mod model;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use diesel::prelude::*;
use serde_json::Value;
use survey_forms::{Round, RoundFiles};

use self::model::pruned;
use super::{Answer, Browser, HOST, Place, ROUND, kinds, places_of};
use crate::ballot::seal::{BoxSecret, open};
use crate::clock::Entropy;
use crate::db::schema::envelope;

/// Steps in one walk.
const STEPS: usize = 12;
/// A code like the others that the check symbol refuses.
const MISTYPED: &str = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYN";

type Filled = BTreeMap<(String, String), String>;
type Fields = Vec<(String, String)>;

/// A generator with a seed: the same walks in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What the model knows of a code.
struct Card {
    code: String,
    group: &'static str,
    targets: Vec<&'static str>,
    draft: Filled,
    /// A draft was kept at some time.
    kept: bool,
    /// The receipt, and what may have been sealed under it: one thing, or two after a race.
    cast: Option<(String, Vec<Filled>)>,
}

impl Card {
    /// Whether these answers would be taken: at least one, and each that is required.
    fn takes(&self, filled: &Filled) -> bool {
        !pruned(filled).is_empty() && model::missing(filled, self.group, &self.targets) == 0
    }
}

/// What the model knows of a device.
struct Device {
    browser: Browser,
    holds: Option<usize>,
    /// Forms that were open in it, whoever sat there.
    old: Vec<Old>,
}

/// A form that was open once.
#[derive(Clone)]
struct Old {
    card: usize,
    path: String,
    mark: String,
    fields: Fields,
}

struct Walk<'p> {
    place: &'p Place,
    round: &'p Round,
    dice: Dice,
    cards: Vec<Card>,
    devices: Vec<Device>,
    trail: Vec<String>,
}

/// Tells the way that led to a failure.
impl Drop for Walk<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: {}", self.place.test.backend, self.trail.join(" > "));
        }
    }
}

impl<'p> Walk<'p> {
    fn new(place: &'p Place, round: &'p Round, seed: u64) -> Self {
        let card = |group, targets: &[&'static str]| Card {
            code: place.code(&format!("{group}/{}", targets.join("+")), "online", "issued"),
            group,
            targets: targets.to_vec(),
            draft: Filled::new(),
            kept: false,
            cast: None,
        };
        let (first, other) = match (round.group("CC").is_some(), seed % 3) {
            (true, 0) => (card("CC", &["STP"]), card("CC", &["SNV", "STP"])),
            (true, _) => (card("CC", &["SNV"]), card("CC", &["STP"])),
            (false, 0) => (card("CC-CT", &["SNV"]), card("LĐ-CP", &["SCT", "SGTVT"])),
            (false, _) => (card("CC-CT", &["SNV"]), card("CC-CT", &["STC"])),
        };
        let device = || Device { browser: place.browser(), holds: None, old: Vec::new() };
        Self {
            place,
            round,
            dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            cards: vec![first, other],
            devices: vec![device(), device(), device()],
            trail: vec![format!("seed {seed}")],
        }
    }

    async fn go(mut self) -> Vec<Card> {
        // Everybody starts by entering the code; a walk without that says little.
        for device in 0..2 {
            self.enter(device, device).await;
        }
        for _ in 0..STEPS {
            let (device, card) = (self.dice.below(3), self.dice.below(2));
            let step = self.dice.below(25);
            self.trail.push(format!("{step} on {device}"));
            match step {
                0..3 => self.enter(device, card).await,
                3..9 => self.answer(device).await,
                9..11 => self.take_back(device).await,
                11..13 => self.post_an_old_form(device).await,
                13..15 => self.look(device).await,
                15 => self.post_nonsense(device).await,
                16 => self.mistype(device).await,
                17 => self.leave(device).await,
                18..20 => self.review(device).await,
                20 => self.cast(device).await,
                21 => self.cast_twice_at_once(device).await,
                22 => self.save_while_casting(device).await,
                23 => self.answer_of_a_cast_is_lost(device, card).await,
                _ => self.cast_over_the_api(card).await,
            }
            self.check_receipts().await;
        }
        for device in 0..3 {
            self.look(device).await;
            self.review(device).await;
        }
        // Half of the walks come to an end.
        if self.cards[0].code.bytes().map(usize::from).sum::<usize>() % 2 == 0 {
            self.finish(0).await;
        }
        std::mem::take(&mut self.cards)
    }
}

fn target_of(path: &str, card: &Card) -> &'static str {
    let named = path.split_once("dt=").map(|(_, rest)| rest.split('&').next().unwrap());
    card.targets.iter().find(|target| named.is_none_or(|name| name == **target)).unwrap()
}

/// The number on the page, whatever groups it is shown in.
fn receipt_on(page: &Answer) -> String {
    assert_eq!(page.status, StatusCode::OK);
    let texts = page.body.split(['<', '>']).map(|text| text.split_whitespace().collect::<String>());
    let mut found = texts.filter(|text| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()));
    found.next().unwrap_or_else(|| panic!("no receipt on the page"))
}

/// An answer on the wire, as the model keeps it.
fn told(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match answer {
        Value::Array(options) => options.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(members) => text(members.values().next().unwrap()),
        option => text(option),
    }
}

/// Every envelope, opened: receipt and answers.
fn opened(place: &Place) -> BTreeMap<String, Filled> {
    let (secret, _) = BoxSecret::generate(&Entropy::seeded(1)).unwrap();
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        place.write(|conn| envelope::table.select((envelope::id, envelope::sealed)).load(conn));
    let read = |(id, sealed): (Vec<u8>, Vec<u8>)| {
        let ballot: Value = serde_json::from_slice(&open(&secret, ROUND, &sealed).unwrap()).unwrap();
        let mut answers = Filled::new();
        for (target, items) in ballot["answers"].as_object().unwrap() {
            for (item, answer) in items.as_object().unwrap() {
                answers.insert((target.clone(), item.clone()), told(answer));
            }
        }
        (data_encoding::HEXLOWER.encode(&id), answers)
    };
    rows.into_iter().map(read).collect()
}

async fn walk(files: &RoundFiles, seeds: std::ops::Range<u64>) {
    let round = Round::from_files(files).unwrap();
    for place in places_of(HOST, files).await {
        let walks = if place.test.backend == "sqlite" { seeds.end - seeds.start } else { 30 };
        let mut cards = Vec::new();
        for seed in seeds.clone().take(usize::try_from(walks).unwrap()) {
            cards.extend(Walk::new(&place, &round, seed).go().await);
        }
        let inside = opened(&place);
        let cast: Vec<_> = cards.iter().filter_map(|card| card.cast.as_ref()).collect();
        for (receipt, may) in &cast {
            assert!(may.contains(&inside[receipt]), "{}: what was sealed is what was shown", place.test.backend);
        }
        let receipts: BTreeSet<&String> = cast.iter().map(|(receipt, _)| receipt).collect();
        assert_eq!((receipts.len(), inside.len()), (cast.len(), cast.len()), "one envelope a ballot");
        assert!(cast.len() * 6 > cards.len() && cast.len() < cards.len(), "walks of both kinds: {}", cast.len());
        let drafts = cards.iter().filter(|card| card.kept && card.cast.is_none()).count();
        assert_eq!(place.drafts(), i64::try_from(drafts).unwrap(), "{}", place.test.backend);
    }
}

fn plan() -> RoundFiles {
    survey_forms::quang_nam_2023()
}

fn every_kind() -> RoundFiles {
    kinds::files("{ targets = [\"SNV\", \"STP\"] }")
}

#[actix_web::test]
async fn five_hundred_random_walks_lose_nothing_and_double_nothing() {
    walk(&plan(), 1..501).await;
}

#[actix_web::test]
async fn five_hundred_more() {
    walk(&plan(), 501..1001).await;
}

#[actix_web::test]
async fn five_hundred_walks_over_every_kind_of_question() {
    walk(&every_kind(), 1..501).await;
}

#[actix_web::test]
async fn five_hundred_more_over_every_kind() {
    walk(&every_kind(), 501..1001).await;
}
