//! How many a guesser who knows nothing gets right, exactly, and what is too many.

use std::collections::{BTreeSet, HashMap};

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::attacks::{About, Guess};
use crate::copies::Evidence;
use crate::world::Truth;

/// Standard deviations that chance is given over all strata together.
const SIGMAS: f64 = 3.0;
/// And within each stratum, where hits are few and their tail is Poisson's: three would be passed by chance once in 270
/// looks, and there are six looks an attack.
const SIGMAS_ONE: f64 = 5.0;

/// What an attack got right, beside what chance gives; adds up over strata and over seeds.
#[derive(Clone, Copy, Default)]
pub struct Score {
    pub people: f64,
    pub hits: f64,
    pub expected: f64,
    pub variance: f64,
    pub stands_out: bool,
}

impl Score {
    pub fn limit(&self) -> f64 {
        self.expected + SIGMAS * self.variance.sqrt()
    }

    pub fn is_leak(&self) -> bool {
        self.hits > self.limit() || self.stands_out
    }

    pub fn add(&mut self, other: &Self) {
        self.people += other.people;
        self.hits += other.hits;
        self.expected += other.expected;
        self.variance += other.variance;
        self.stands_out |= other.stands_out;
    }
}

/// Hits of a random assignment of ballots to people, of whom some answered alike: mean and variance (Hoeffding 1951,
/// "A combinatorial central limit theorem": Σ dᵢⱼ² / (n − 1) with the matrix centred by rows and columns).
pub fn by_chance(bodies: &[&str]) -> (f64, f64) {
    let n = bodies.len() as f64;
    let alike = |body: &str| bodies.iter().filter(|other| **other == body).count() as f64 / n;
    let shares: Vec<f64> = bodies.iter().map(|body| alike(body)).collect();
    let mean = shares.iter().sum::<f64>();
    let mut squares = 0.0;
    for (one, row) in bodies.iter().zip(&shares) {
        for (other, column) in bodies.iter().zip(&shares) {
            let same = f64::from(u8::from(one == other));
            squares += (same - row - column + mean / n).powi(2);
        }
    }
    (mean, squares / (n - 1.0).max(1.0))
}

/// Something of one place, and what is or was in it.
struct One<'t> {
    at: usize,
    place: String,
    content: &'t str,
}

/// What an attack assigns to what, and the content that would be right: people, ballots or texts on the left.
fn sides<'t>(about: About, held: &'t Evidence, truth: &'t Truth) -> (Vec<One<'t>>, Vec<One<'t>>) {
    let texts = |place: &'t str, content: &'t str, at: usize| One { at, place: place.to_owned(), content };
    let written =
        || truth.remarks.iter().enumerate().flat_map(|(p, all)| all.iter().map(move |(place, text)| (p, place, text)));
    let stored = |right: &mut dyn FnMut(&str) -> bool| -> Vec<One<'t>> {
        let all = held.remarks.iter().enumerate().filter(|(_, remark)| right(&remark.body));
        all.map(|(at, remark)| texts(&remark.place, &remark.body, at)).collect()
    };
    match about {
        About::Ballots => {
            let people = held.people.iter().zip(&truth.bodies).enumerate();
            let ballots = held.ballots.iter().enumerate();
            (
                people.map(|(at, (known, body))| texts(&known.stratum, body, at)).collect(),
                ballots.map(|(at, ballot)| texts(&ballot.stratum, &ballot.body, at)).collect(),
            )
        }
        // It is known who wrote something: more than an insider has.
        About::Remarks => (written().map(|(p, place, text)| texts(place, text, p)).collect(), stored(&mut |_| true)),
        About::RemarksOfBallots => {
            let mut left = Vec::new();
            let mut whose = BTreeSet::new();
            for (p, place, text) in written() {
                let body = &truth.bodies[p];
                let mut own = held.ballots.iter().enumerate().filter(|(_, ballot)| ballot.body == *body);
                if let (Some((at, _)), None) = (own.next(), own.next()) {
                    left.push(texts(place, text, at));
                    whose.insert(text.as_str());
                }
            }
            (left, stored(&mut |body| whose.contains(body)))
        }
        About::SecondRemarks => {
            let place_of: HashMap<&str, usize> =
                held.remarks.iter().enumerate().map(|(at, remark)| (remark.body.as_str(), at)).collect();
            let mut left = Vec::new();
            let mut second = BTreeSet::new();
            for all in &truth.remarks {
                if let [(_, one), (place, other)] = all.iter().collect::<Vec<_>>()[..] {
                    left.push(texts(place, other, place_of[one.as_str()]));
                    second.insert(other.as_str());
                }
            }
            (left, stored(&mut |body| second.contains(body)))
        }
    }
}

/// Makes the guess an assignment within each place, ties by lot, and counts where the content is right.
pub fn score(about: About, guess: &Guess, held: &Evidence, truth: &Truth, lot: &mut StdRng) -> Score {
    let mut total = Score::default();
    let (left, right) = sides(about, held, truth);
    let places: BTreeSet<&str> = left.iter().map(|one| one.place.as_str()).collect();
    for place in places {
        let here =
            |all: &[One<'_>]| -> Vec<usize> { all.iter().filter(|one| one.place == place).map(|one| one.at).collect() };
        let contents = |all: &[One<'_>]| -> HashMap<usize, String> {
            all.iter().filter(|one| one.place == place).map(|one| (one.at, one.content.to_owned())).collect()
        };
        let (of, to) = (here(&left), here(&right));
        assert_eq!(of.len(), to.len(), "{place}");
        let pairs = match guess {
            Guess::Orders(keys_of, keys_to) => {
                by_rank(&of, keys_of, lot).into_iter().zip(by_rank(&to, keys_to, lot)).collect()
            }
            Guess::Pairs(likeness) => best(&of, &to, likeness, lot),
        };
        let (wanted, given) = (contents(&left), contents(&right));
        let hits = pairs.iter().filter(|(one, other)| given[other] == wanted[one]).count() as f64;
        let all: Vec<&str> = wanted.values().map(String::as_str).collect();
        let (expected, variance) = by_chance(&all);
        let stands_out = hits > expected + SIGMAS_ONE * variance.sqrt();
        total.add(&Score { people: of.len() as f64, hits, expected, variance, stands_out });
    }
    total
}

fn by_rank(of: &[usize], keys: &[Option<Vec<u8>>], lot: &mut StdRng) -> Vec<usize> {
    let mut sorted = of.to_vec();
    sorted.shuffle(lot);
    // What has no key comes last, in the lot's order.
    sorted.sort_by_key(|n| (keys[*n].is_none(), keys[*n].clone()));
    sorted
}

type Likeness = dyn Fn(usize, usize) -> i64;

fn best(of: &[usize], to: &[usize], likeness: &Likeness, lot: &mut StdRng) -> Vec<(usize, usize)> {
    let mut all: Vec<(i64, usize, usize)> =
        of.iter().flat_map(|p| to.iter().map(|b| (likeness(*p, *b), *p, *b))).collect();
    all.shuffle(lot);
    all.sort_by_key(|(alike, _, _)| std::cmp::Reverse(*alike));
    let (mut given, mut taken) = (BTreeSet::new(), BTreeSet::new());
    all.retain(|(_, p, b)| {
        let free = !given.contains(p) && !taken.contains(b);
        if free {
            given.insert(*p);
            taken.insert(*b);
        }
        free
    });
    all.into_iter().map(|(_, p, b)| (p, b)).collect()
}

#[test]
fn chance_is_known_exactly() {
    let distinct: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let (mean, variance) = by_chance(&distinct.iter().map(String::as_str).collect::<Vec<_>>());
    assert!((mean - 1.0).abs() < 1e-9 && (variance - 1.0).abs() < 1e-9, "{mean} {variance}");
    // Ten alike among forty, by 20,000 lots.
    let alike: Vec<&str> = distinct.iter().enumerate().map(|(n, d)| if n < 10 { "same" } else { d }).collect();
    let (mean, variance) = by_chance(&alike);
    let mut lot = phieu::clock::Entropy::seeded(5).generator();
    let mut drawn = alike.clone();
    let hits: Vec<f64> = (0..20_000)
        .map(|_| {
            drawn.shuffle(&mut lot);
            drawn.iter().zip(&alike).filter(|(one, other)| one == other).count() as f64
        })
        .collect();
    let seen = hits.iter().sum::<f64>() / 20_000.0;
    let spread = hits.iter().map(|h| (h - seen).powi(2)).sum::<f64>() / 20_000.0;
    assert!((seen - mean).abs() < 0.05 && (spread / variance - 1.0).abs() < 0.05, "{seen} {mean} {spread} {variance}");
}
