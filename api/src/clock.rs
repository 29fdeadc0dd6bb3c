//! The time and the randomness that the rest of the service is given; nothing else reads them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use rand::rngs::{StdRng, SysRng};
use rand::{Rng as _, SeedableRng as _, TryRng as _};
use zeroize::Zeroizing;

/// Viet Nam's offset from UTC in seconds; no daylight saving since 1975.
const VIET_NAM_OFFSET_S: i32 = 7 * 3600;

/// The offset in which days of the survey are counted.
#[must_use]
pub fn viet_nam() -> FixedOffset {
    FixedOffset::east_opt(VIET_NAM_OFFSET_S).unwrap_or_else(|| {
        // Unreachable for a constant within ±24 h; UTC keeps the service alive all the same.
        chrono::Offset::fix(&Utc)
    })
}

/// An instant as people in Viet Nam read it.
#[must_use]
pub fn local(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    at.with_timezone(&viet_nam())
}

/// Where the time of day comes from.
#[derive(Clone, Default)]
pub enum Clock {
    /// The database's own clock decides when a round opens and closes.
    #[default]
    Database,
    /// A time set by hand: simulations and tests.
    Set(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A clock that stands at `at` until it is moved.
    #[must_use]
    pub fn set_to(at: DateTime<Utc>) -> Self {
        Self::Set(Arc::new(Mutex::new(at)))
    }

    /// Moves a set clock by `by`; the database's clock cannot be moved.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Set(now) = self {
            *now.lock().unwrap_or_else(PoisonError::into_inner) += by;
        }
    }

    /// Sets the time of a clock that is set by hand; the database's clock stays as it is.
    pub fn set(&self, at: DateTime<Utc>) {
        if let Self::Set(now) = self {
            *now.lock().unwrap_or_else(PoisonError::into_inner) = at;
        }
    }

    /// The set time, if the time was set by hand.
    #[must_use]
    pub fn fixed(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Database => None,
            Self::Set(now) => Some(*now.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

/// The machine's own time: log lines, token lifetimes and the demo's dates, never a round's opening or closing.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
pub fn machine_now() -> DateTime<Utc> {
    Utc::now()
}

/// A point on the monotonic clock, to measure how long something took.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// Measures elapsed time from its making.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[must_use]
    pub fn start() -> Self {
        Self(monotonic())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        monotonic().duration_since(self.0)
    }
}

/// Where secrets and random ids come from.
#[derive(Clone, Default)]
pub enum Entropy {
    /// The operating system's generator.
    #[default]
    System,
    /// A seeded generator. With a seed that somebody chose: reproducible simulations and tests, never for real codes. With
    /// one of [`Entropy::lot`]: work that is done twice.
    Seeded(Arc<Mutex<StdRng>>),
}

/// What is drawn by lot can be drawn again: 32 bytes of the operating system's randomness, spread by `StdRng` (ChaCha).
pub struct Lot(Zeroizing<[u8; 32]>);

impl Lot {
    /// From the start; every time the same.
    #[must_use]
    pub fn draw(&self) -> Entropy {
        Entropy::Seeded(Arc::new(Mutex::new(StdRng::from_seed(*self.0))))
    }
}

impl Entropy {
    /// A reproducible source.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing secret could be made then.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0_u8; N];
        self.fill(&mut out);
        out
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// As [`Entropy::bytes`].
    #[expect(clippy::expect_used, reason = "without randomness no secret can be made")]
    pub fn fill(&self, out: &mut [u8]) {
        match self {
            Self::System => SysRng.try_fill_bytes(out).expect("the operating system gives randomness"),
            Self::Seeded(rng) => rng.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out),
        }
    }

    /// A generator of its own for long work (simulated people, shuffles), seeded from this source.
    #[must_use]
    pub fn generator(&self) -> StdRng {
        StdRng::from_seed(self.bytes())
    }

    /// A lot of this source, to be drawn more than once.
    #[must_use]
    pub fn lot(&self) -> Lot {
        Lot(Zeroizing::new(self.bytes()))
    }

    /// A random (version 4) UUID.
    #[must_use]
    pub fn uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}
