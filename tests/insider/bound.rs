//! How many a guesser who knows nothing gets right, exactly, and what is too many.

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::attacks::Guess;
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

/// Makes the guess an assignment within each stratum, ties by lot, and counts whose content is right.
pub fn score(guess: &Guess, held: &Evidence, truth: &Truth, lot: &mut StdRng) -> Score {
    let mut total = Score::default();
    for stratum in truth.strata() {
        let people: Vec<usize> = (0..held.people.len()).filter(|p| held.people[*p].stratum == stratum).collect();
        let ballots: Vec<usize> = (0..held.ballots.len()).filter(|b| held.ballots[*b].stratum == stratum).collect();
        assert_eq!(people.len(), ballots.len());
        let pairs = match guess {
            Guess::Orders(of_people, of_ballots) => {
                by_rank(&people, of_people, lot).into_iter().zip(by_rank(&ballots, of_ballots, lot)).collect()
            }
            Guess::Pairs(likeness) => best(&people, &ballots, likeness, lot),
        };
        let right = |(p, b): &&(usize, usize)| held.ballots[*b].body == truth.bodies[*p];
        let hits = pairs.iter().filter(right).count() as f64;
        let bodies: Vec<&str> = people.iter().map(|p| truth.bodies[*p].as_str()).collect();
        let (expected, variance) = by_chance(&bodies);
        let stands_out = hits > expected + SIGMAS_ONE * variance.sqrt();
        total.add(&Score { people: people.len() as f64, hits, expected, variance, stands_out });
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

fn best(people: &[usize], ballots: &[usize], likeness: &Likeness, lot: &mut StdRng) -> Vec<(usize, usize)> {
    let mut all: Vec<(i64, usize, usize)> =
        people.iter().flat_map(|p| ballots.iter().map(|b| (likeness(*p, *b), *p, *b))).collect();
    all.shuffle(lot);
    all.sort_by_key(|(alike, _, _)| std::cmp::Reverse(*alike));
    let (mut given, mut taken) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
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
