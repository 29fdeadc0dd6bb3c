//! How fast letters go out: so many a second, and a pause between two to the same domain.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::monotonic;

/// Domains that are remembered; beyond it those that are free again are forgotten.
const DOMAINS: usize = 1_000;

/// Shared by everything in this process that sends.
pub struct Pace {
    between: Duration,
    domain_pause: Duration,
    next: Mutex<Next>,
}

#[derive(Default)]
struct Next {
    any: Option<Instant>,
    domains: BTreeMap<String, Instant>,
}

impl Pace {
    /// At most `per_second` letters a second (no limit when 0), at least `domain_pause` between two to one domain.
    #[must_use]
    pub fn new(per_second: u32, domain_pause: Duration) -> Self {
        let between = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        Self { between, domain_pause, next: Mutex::default() }
    }

    /// Takes the next place for a letter to this domain; how long until then.
    pub fn wait(&self, domain: &str) -> Duration {
        self.wait_at(domain, monotonic())
    }

    fn wait_at(&self, domain: &str, now: Instant) -> Duration {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let free = next.domains.get(domain).copied().unwrap_or(now);
        let at = now.max(free).max(next.any.unwrap_or(now));
        next.any = Some(next.any.unwrap_or(now).max(now) + self.between);
        if next.domains.len() >= DOMAINS {
            next.domains.retain(|_, free| *free > now);
        }
        if !self.domain_pause.is_zero() {
            next.domains.insert(domain.to_owned(), at + self.domain_pause);
        }
        at.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_keep_their_distance_and_a_domain_its_own() {
        let now = monotonic();
        let pace = Pace::new(10, Duration::from_secs(1));
        let waits: Vec<u128> =
            ["a.vn", "b.vn", "a.vn", "c.vn"].iter().map(|domain| pace.wait_at(domain, now).as_millis()).collect();
        assert_eq!(waits, [0, 100, 1000, 300]);
        let free = Pace::new(0, Duration::ZERO);
        assert!((0..100).all(|_| free.wait_at("a.vn", now).is_zero()));
    }
}
