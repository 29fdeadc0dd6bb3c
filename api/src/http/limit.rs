//! Rate limits. Kept in memory, keyed by a keyed hash of the address's prefix, never by a code, never stored.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use actix_web::HttpRequest;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::codes;
use super::problem::Problem;
use crate::clock::Entropy;

/// Where a request comes from, as a number that means nothing outside this process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin(u64);

/// The limits of one process.
pub struct Limits {
    key: [u8; 32],
    trust_forwarded_for: bool,
    unknown_codes: DefaultKeyedRateLimiter<Origin>,
    sign_ins: DefaultKeyedRateLimiter<(Origin, u64)>,
    tokens: DefaultKeyedRateLimiter<(Origin, u64)>,
}

const fn per_minute(burst: u32) -> Quota {
    match NonZeroU32::new(burst) {
        Some(n) => Quota::per_minute(n),
        None => Quota::per_minute(NonZeroU32::MIN),
    }
}

impl Limits {
    /// Fresh limits with a random key.
    #[must_use]
    pub fn new(entropy: &Entropy, trust_forwarded_for: bool) -> Self {
        Self {
            key: entropy.bytes(),
            trust_forwarded_for,
            unknown_codes: RateLimiter::keyed(per_minute(60)),
            sign_ins: RateLimiter::keyed(per_minute(10)),
            tokens: RateLimiter::keyed(per_minute(120)),
        }
    }

    /// The request's origin: the /24 or /56 of its address under this process's key.
    #[must_use]
    pub fn origin(&self, req: &HttpRequest) -> Origin {
        let forwarded = || {
            // The last entry is the one that our own proxy wrote.
            let list = req.headers().get("x-forwarded-for")?.to_str().ok()?;
            list.rsplit(',').next()?.trim().parse::<IpAddr>().ok()
        };
        let peer = req.peer_addr().map(|a| a.ip());
        let ip = if self.trust_forwarded_for { forwarded().or(peer) } else { peer };
        Origin(self.hash(&prefix(ip)))
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return 0 };
        mac.update(bytes);
        let digest = mac.finalize().into_bytes();
        digest.iter().take(8).fold(0_u64, |acc, b| (acc << 8) | u64::from(*b))
    }

    /// Counts an unknown code. Codes that exist never count: an honest office behind one address is not locked out.
    ///
    /// # Errors
    /// 429 once the origin has spent its allowance.
    pub fn unknown_code(&self, origin: Origin) -> Result<(), Problem> {
        self.unknown_codes.check_key(&origin).map_err(|_not_until| too_many())
    }

    /// Counts a failed or pending sign-in for this name from this origin.
    ///
    /// # Errors
    /// 429.
    pub fn sign_in(&self, origin: Origin, name: &str) -> Result<(), Problem> {
        let key = (origin, self.hash(name.as_bytes()));
        self.sign_ins.check_key(&key).map_err(|_not_until| too_many())
    }

    /// Counts a request for an access token by this client from this origin.
    ///
    /// # Errors
    /// 429.
    pub fn token(&self, origin: Origin, client: &str) -> Result<(), Problem> {
        let key = (origin, self.hash(client.as_bytes()));
        self.tokens.check_key(&key).map_err(|_not_until| too_many())
    }

    /// Forgets origins that have been quiet; call now and then.
    pub fn forget_quiet(&self) {
        self.unknown_codes.retain_recent();
        self.sign_ins.retain_recent();
        self.tokens.retain_recent();
    }
}

fn too_many() -> Problem {
    Problem::new(&codes::TOO_MANY_REQUESTS).retry_after(60)
}

fn prefix(ip: Option<IpAddr>) -> Vec<u8> {
    match ip {
        Some(IpAddr::V4(v4)) => v4.octets().iter().take(3).copied().collect(),
        Some(IpAddr::V6(v6)) => v6.octets().iter().take(7).copied().collect(),
        None => Ipv6Addr::UNSPECIFIED.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_runs_out_and_another_does_not() {
        let limits = Limits::new(&Entropy::seeded(1), false);
        let (a, b) = (Origin(1), Origin(2));
        let refused = (0..200).filter(|_| limits.unknown_code(a).is_err()).count();
        assert!(refused > 100, "{refused}");
        assert!(limits.unknown_code(b).is_ok());
    }
}
