//! Whoever carries letters from the outbox to the mail server: some threads, each with a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use chrono::TimeDelta;

use super::outbox::{Hours, Outbox, Ready};
use super::{store, text};
use crate::clock::Entropy;
use crate::config::{BaseUrl, Config};
use crate::credential::CredentialError;
use crate::db::{Db, DbError, unix_ms};
use crate::mail::{Carrier, Mail, MailError, Outcome, Pace};
use crate::round::Rounds;

/// Letters that one thread takes at a time. Those that it did not come to when the process is killed wait for the lease.
const BATCH: i64 = 8;
/// Between two looks into an empty outbox.
const IDLE: Duration = Duration::from_secs(2);
/// Longest rest after the server could not be reached; the first is a second, each further one twice as long.
const REST_MAX: Duration = Duration::from_secs(300);

/// What a run of sending did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Handed over to the mail server.
    pub sent: u64,
    /// Refused for good.
    pub failed: u64,
    /// To be tried again.
    pub put_back: u64,
}

#[derive(Default)]
struct Count {
    sent: AtomicU64,
    failed: AtomicU64,
    put_back: AtomicU64,
}

/// The way from the outbox to the mail server; cheap to clone.
#[derive(Clone)]
pub struct Post {
    outbox: Arc<Outbox>,
    mail: Mail,
    pace: Arc<Pace>,
    base: BaseUrl,
    threads: usize,
    stop: Arc<AtomicBool>,
    count: Arc<Count>,
}

impl Post {
    /// The way that the settings name; none where they name none.
    ///
    /// # Errors
    /// [`MailError`].
    pub fn of(
        config: &Config,
        db: &Db,
        rounds: &Rounds,
        entropy: &Entropy,
        base: &BaseUrl,
    ) -> Result<Option<Self>, MailError> {
        let Some(mail) = Mail::of(config)? else { return Ok(None) };
        let times = [config.mail_lease_seconds, config.mail_retry_seconds].map(|seconds| {
            let seconds = i64::try_from(seconds.max(1)).unwrap_or(i64::MAX);
            TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)
        });
        let pause = Duration::from_millis(config.mail_domain_pause_ms);
        Ok(Some(Self {
            outbox: Arc::new(Outbox::new(db, rounds, entropy, times)),
            mail,
            pace: Arc::new(Pace::new(config.mail_per_second, pause)),
            base: base.clone(),
            threads: config.mail_connections.clamp(1, 64),
            stop: Arc::default(),
            count: Arc::default(),
        }))
    }

    /// Sends in the background until it is stopped.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(&self) -> std::io::Result<Postmen> {
        let mut threads = Vec::new();
        for number in 0..self.threads {
            let post = self.clone();
            let run = move || post.carry_on(None, Hours::Declared, false);
            threads.push(std::thread::Builder::new().name(format!("letters-{number}")).spawn(run)?);
        }
        Ok(Postmen { stop: Arc::clone(&self.stop), threads })
    }

    /// Sends what is due of one round, then returns; `told` is called now and then with what was done so far.
    pub fn empty(&self, round: &str, any_hour: bool, told: impl Fn(Done)) -> Done {
        let hours = if any_hour { Hours::Any } else { Hours::Declared };
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..self.threads).map(|_| scope.spawn(move || self.carry_on(Some(round), hours, true))).collect();
            while threads.iter().any(|thread| !thread.is_finished()) {
                told(self.done());
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        self.done()
    }

    fn done(&self) -> Done {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Done { sent: read(&self.count.sent), failed: read(&self.count.failed), put_back: read(&self.count.put_back) }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Sleeps, but not past a stop.
    fn rest(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.stopped() {
            let nap = left.min(Duration::from_millis(100));
            std::thread::sleep(nap);
            left -= nap;
        }
    }

    fn carry_on(&self, only: Option<&str>, hours: Hours, until_empty: bool) {
        let mut carrier = match Carrier::new(&self.mail) {
            Ok(carrier) => carrier,
            Err(error) => return tracing::error!(%error, "letters are not sent"),
        };
        let mut rest = Duration::from_secs(1);
        while !self.stopped() {
            match self.round_trip(&mut carrier, only, hours) {
                Ok(Trip::Carried) => rest = Duration::from_secs(1),
                Ok(Trip::Empty) if until_empty => break,
                Ok(Trip::Empty) => {
                    carrier.leave();
                    self.rest(IDLE);
                }
                Ok(Trip::Stopped) => {
                    if until_empty && rest >= Duration::from_secs(8) {
                        break;
                    }
                    self.rest(rest);
                    rest = (2 * rest).min(REST_MAX);
                }
                Err(error) => {
                    tracing::error!(%error, "the outbox could not be read");
                    if until_empty {
                        break;
                    }
                    self.rest(rest);
                    rest = (2 * rest).min(REST_MAX);
                }
            }
        }
        carrier.leave();
    }

    /// Connects, then takes letters, so that no code is made while the server is down.
    fn round_trip(&self, carrier: &mut Carrier, only: Option<&str>, hours: Hours) -> Result<Trip, CredentialError> {
        if !self.outbox.is_due(only, hours)? {
            return Ok(Trip::Empty);
        }
        if let Err(trouble) = carrier.ready() {
            tracing::warn!(trouble, "the mail server cannot be reached; letters wait");
            self.note_trouble(only, Some(&trouble))?;
            return Ok(Trip::Stopped);
        }
        let letters = self.outbox.take(only, hours, BATCH)?;
        if letters.is_empty() {
            return Ok(Trip::Empty);
        }
        let mut stopped: Option<String> = None;
        for letter in &letters {
            let outcome = match &stopped {
                // Given back untried.
                Some(why) => Outcome::Stopped(why.clone()),
                None if self.stopped() => Outcome::Stopped("stopped".to_owned()),
                None => self.carry(carrier, letter),
            };
            self.note(&outcome);
            self.outbox.settle(letter, &outcome)?;
            if let Outcome::Stopped(why) = outcome {
                stopped.get_or_insert(why);
            }
        }
        let round = letters.first().map(|letter| letter.round.id());
        match stopped {
            Some(why) if why == "stopped" => Ok(Trip::Stopped),
            Some(why) => {
                tracing::warn!(trouble = why, "the mail server stopped; letters wait");
                self.note_trouble(round, Some(&why))?;
                Ok(Trip::Stopped)
            }
            None => {
                self.note_trouble(round, None)?;
                Ok(Trip::Carried)
            }
        }
    }

    fn carry(&self, carrier: &mut Carrier, letter: &Ready) -> Outcome {
        let sealed = text::write(letter, &self.base)
            .and_then(|draft| self.mail.seal(&draft.letter(&self.outbox.entropy, self.outbox.now())));
        match sealed {
            Ok(sealed) => {
                self.rest(self.pace.wait(&sealed.domain()));
                carrier.carry(&sealed)
            }
            Err(error) => Outcome::Refused { for_good: true, fault: error.to_string() },
        }
    }

    fn note(&self, outcome: &Outcome) {
        let (count, what) = match outcome {
            Outcome::HandedOver => (&self.count.sent, "sent"),
            Outcome::Refused { for_good: true, .. } => (&self.count.failed, "failed"),
            Outcome::Refused { .. } | Outcome::Stopped(_) | Outcome::Unknown(_) => (&self.count.put_back, "put_back"),
        };
        count.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("phieu_letters_total", "outcome" => what).increment(1);
    }

    /// For the page: what stops the server, or that it goes again. Written when it changes.
    fn note_trouble(&self, round: Option<&str>, trouble: Option<&str>) -> Result<(), CredentialError> {
        let Some(round) = round else { return Ok(()) };
        self.outbox.db.write_here(|conn| {
            let known = store::posting(conn, round)?.and_then(|posting| posting.trouble);
            if known.as_deref() == trouble || crate::credential::takes_codes(conn, round).is_err() {
                return Ok(());
            }
            let now = self.outbox.db.now(conn)?;
            Ok(store::set_trouble(conn, round, trouble, unix_ms(&now))?)
        })
    }
}

impl Outbox {
    /// The time for a letter's date.
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        let now: Result<_, DbError> = self.db.read_here(|conn| self.db.now(conn));
        now.unwrap_or_else(|_error| crate::clock::machine_now())
    }
}

enum Trip {
    Carried,
    Empty,
    Stopped,
}

/// Letters being sent in the background.
pub struct Postmen {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Postmen {
    /// Finishes the letters that are on the wire, gives the others back, and waits for that.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a sender of letters did not end cleanly");
            }
        }
    }
}
