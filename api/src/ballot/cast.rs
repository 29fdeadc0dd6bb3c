//! Casting: exactly once. The code's state decides; a second try with the same code gets the first one's receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use survey_forms::answers::{AnswerFault, Answers, Ballot};
use survey_forms::round::Channel;

use super::check::Checks;
use super::draft::{self, Change, DraftError, Keep, Kept, Put};
use super::keys::{DraftId, Purpose};
use super::receipt::Receipt;
use super::seal::{self, BoxPublic, Envelope, SealFault};
use super::store::{self, Redemption, TurnoutKey, Window};
use super::{Bearer, CredentialState};
use crate::clock::{Entropy, local};
use crate::config::Config;
use crate::db::queue::{Queue, QueueError};
use crate::db::{Conn, Db, DbError, unix_ms};

/// A ballot that is in the box.
pub struct Cast {
    /// Proof of it.
    pub receipt: Receipt,
    /// Whether this call put it there; `false` for a repetition.
    pub first: bool,
}

/// Why nothing was cast.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// Answers at fault.
    #[error("{} answers at fault", .0.len())]
    Answers(Vec<AnswerFault>),
    /// Before opening, after closing, or closed by hand.
    #[error("the round is not open")]
    NotOpen,
    /// The code was replaced or withdrawn.
    #[error("the code was revoked")]
    Revoked,
    /// The code is not in the database any more.
    #[error("the code is unknown")]
    Unknown,
    /// The round has no box key: it cannot have been opened by the rules.
    #[error("the round has no usable box key")]
    NoBox,
    /// The receipt under this code does not open.
    #[error("the stored receipt does not open")]
    Receipt,
    /// Too many are casting, or the database is out of reach; the same call may be made again.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What waits to be written. Ballots and drafts wait in one line: they share transactions, and so the disk's flushes.
enum Job {
    Cast(Box<Redemption>),
    Keep(Box<Keep>),
    Put(Box<Put>),
}

enum Written {
    Cast(Outcome),
    Keep(Kept),
}

enum Outcome {
    Done,
    AlreadyUsed(Vec<u8>),
    Revoked,
    Unknown,
    NotOpen,
}

/// How a ballot becomes an envelope: to which key, of which round, the canonical ballot, padded to so many bytes, with
/// which salt.
pub type Sealer = fn(&BoxPublic, &str, &[u8], usize, &[u8; 32]) -> Result<Envelope, SealFault>;

/// The way into the box, and of drafts into the database; cheap to clone.
#[derive(Clone)]
pub struct Casting {
    queue: Queue<Job, Written>,
    seal: Sealer,
    pub(super) entropy: Entropy,
    pub(super) checks: Arc<Checks>,
}

impl Casting {
    /// Starts the thread that writes ballots and drafts.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(db: &Db, config: &Config, entropy: &Entropy) -> std::io::Result<(Self, JoinHandle<()>)> {
        Self::start_with(db, config, entropy, seal::seal)
    }

    /// [`Casting::start`] with another sealer, to measure what sealing costs. No setting leads here.
    ///
    /// # Errors
    /// When the thread cannot be started.
    #[doc(hidden)]
    pub fn start_with(
        db: &Db,
        config: &Config,
        entropy: &Entropy,
        seal: Sealer,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let own = entropy.clone();
        let work = move |db: &Db, conn: &mut Conn, jobs: &[Job]| commit(db, conn, jobs, &own);
        let (queue, thread) = Queue::start(db, "cast", config.cast_queue_length, config.cast_batch, Arc::new(work))?;
        Ok((Self { queue, seal, entropy: entropy.clone(), checks: Checks::new(entropy) }, thread))
    }

    /// Seals the answers and puts them in the box.
    ///
    /// # Errors
    /// [`CastError`]; nothing was stored then, or, after [`CastError::Queue`], asking again tells.
    pub async fn cast(&self, bearer: &Bearer, answers: &Answers) -> Result<Cast, CastError> {
        self.cast_with(bearer, answers, &self.entropy.bytes()).await
    }

    pub(super) async fn cast_with(
        &self,
        bearer: &Bearer,
        answers: &Answers,
        salt: &[u8; 32],
    ) -> Result<Cast, CastError> {
        match self.prepare(bearer, answers, salt)? {
            Step::Done(cast) => Ok(cast),
            Step::Write(job, receipt) => outcome(self.queue.put(Job::Cast(job))?.wait().await?, bearer, receipt),
        }
    }

    /// [`Casting::cast`] on the calling thread: simulations and the paper desk's own thread.
    ///
    /// # Errors
    /// As [`Casting::cast`].
    pub fn cast_here(&self, bearer: &Bearer, answers: &Answers) -> Result<Cast, CastError> {
        match self.prepare(bearer, answers, &self.entropy.bytes())? {
            Step::Done(cast) => Ok(cast),
            Step::Write(job, receipt) => outcome(self.queue.put(Job::Cast(job))?.wait_here()?, bearer, receipt),
        }
    }

    /// Merges a change into the draft under an online code; it is in the database when this returns.
    ///
    /// # Errors
    /// [`DraftError::Queue`]; then asking again tells.
    pub async fn keep(&self, bearer: &Bearer, change: Change) -> Result<Kept, DraftError> {
        match self.queue.put(Job::Keep(Box::new(Keep::new(bearer, change))))?.wait().await? {
            Written::Keep(Kept::TooLarge) => Err(DraftError::TooLarge),
            Written::Keep(kept) => Ok(kept),
            Written::Cast(_) => Err(DraftError::Db(DbError::Conflict)),
        }
    }

    /// Keeps what somebody has typed of a paper ballot, in place of what was there; it is in the database when this
    /// returns. [`Kept::Settled`] when the code takes no more. What may be kept for whom is the caller's to know.
    ///
    /// # Errors
    /// [`DraftError::TooLarge`] above twice the ballot's bucket; [`DraftError::Queue`]: then asking again tells.
    pub async fn put(&self, bearer: &Bearer, purpose: Purpose, plain: &[u8]) -> Result<Kept, DraftError> {
        let put = Put::new(bearer, purpose, plain, &self.entropy).ok_or(DraftError::TooLarge)?;
        match self.queue.put(Job::Put(Box::new(put)))?.wait().await? {
            Written::Keep(kept) => Ok(kept),
            Written::Cast(_) => Err(DraftError::Db(DbError::Conflict)),
        }
    }

    fn prepare(&self, bearer: &Bearer, answers: &Answers, salt: &[u8; 32]) -> Result<Step, CastError> {
        if let CredentialState::Used(receipt) = &bearer.state {
            return Ok(Step::Done(Cast { receipt: receipt.clone(), first: false }));
        }
        if matches!(bearer.state, CredentialState::Revoked) {
            return Err(CastError::Revoked);
        }
        let (_, envelope) = self.sealed(bearer, answers, salt)?;
        let receipt = Receipt::new(envelope.id);
        let job = Redemption {
            round: bearer.round.id().to_owned(),
            public_key: bearer.keys.public,
            redeem_signature: bearer.keys.redeem(bearer.round.id(), &bearer.stratum.to_string()),
            receipt_box: receipt.lock(&bearer.keys, &self.entropy),
            envelope_id: envelope.id,
            sealed: envelope.sealed,
            drafts: may_wait(bearer.channel).iter().map(|purpose| bearer.keys.slot(*purpose).id).collect(),
            draft: bearer.keys.slot(Purpose::Draft).id,
            grace_ms: bearer.round.grace().num_milliseconds(),
        };
        Ok(Step::Write(Box::new(job), receipt))
    }

    /// The ballot of these answers and its envelope: casting and checking seal the same way.
    pub(super) fn sealed(
        &self,
        bearer: &Bearer,
        answers: &Answers,
        salt: &[u8; 32],
    ) -> Result<(Ballot, Envelope), CastError> {
        let form = bearer.round.form(&bearer.stratum).ok_or(CastError::Unknown)?;
        form.check_cast(answers).map_err(CastError::Answers)?;
        let ballot = Ballot {
            round: bearer.round.id().to_owned(),
            questionnaire: form.questionnaire.hash.clone(),
            stratum: bearer.stratum.clone(),
            answers: answers.clone(),
        };
        let key = bearer.round.box_public.as_deref().map(BoxPublic::from_bytes);
        let key = key.and_then(Result::ok).ok_or(CastError::NoBox)?;
        let sealed = (self.seal)(&key, bearer.round.id(), &ballot.canonical(), bearer.bucket_bytes(), salt);
        let envelope = sealed.map_err(|fault| match fault {
            SealFault::TooLarge => CastError::Answers(Vec::new()),
            _ => CastError::NoBox,
        })?;
        Ok((ballot, envelope))
    }
}

enum Step {
    Done(Cast),
    Write(Box<Redemption>, Receipt),
}

/// What can wait under a code of this channel.
const fn may_wait(channel: Channel) -> &'static [Purpose] {
    match channel {
        Channel::Online => &[Purpose::Draft],
        Channel::Paper => &Purpose::ALL,
    }
}

fn outcome(written: Written, bearer: &Bearer, receipt: Receipt) -> Result<Cast, CastError> {
    let Written::Cast(outcome) = written else { return Err(CastError::Db(DbError::Conflict)) };
    match outcome {
        Outcome::Done => Ok(Cast { receipt, first: true }),
        Outcome::AlreadyUsed(locked) => {
            let receipt = Receipt::unlock(&bearer.keys, &locked).ok_or(CastError::Receipt)?;
            Ok(Cast { receipt, first: false })
        }
        Outcome::Revoked => Err(CastError::Revoked),
        Outcome::Unknown => Err(CastError::Unknown),
        Outcome::NotOpen => Err(CastError::NotOpen),
    }
}

/// One transaction for the whole batch. The order inside is the same in every process: drafts by id, rounds,
/// credentials by key, turnout by key.
fn commit(db: &Db, conn: &mut Conn, jobs: &[Job], entropy: &Entropy) -> Result<Vec<Written>, DbError> {
    let (mut casts, mut keeps, mut puts) = (Vec::new(), Vec::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Cast(cast) => casts.push(&**cast),
            Job::Keep(keep) => keeps.push(&**keep),
            Job::Put(put) => puts.push(&**put),
        }
    }
    let kept_ids = keeps.iter().map(|k| k.slot.id).chain(puts.iter().map(|p| p.id));
    let drafts = casts.iter().flat_map(|c| c.drafts.iter().copied()).chain(kept_ids).collect();
    store::hold_drafts(conn, &drafts)?;
    let now = db.now(conn)?;
    let rounds: BTreeSet<&str> =
        casts.iter().map(|c| c.round.as_str()).chain(keeps.iter().map(|k| k.round.id())).collect();
    let windows = store::windows(conn, &rounds.into_iter().collect::<Vec<_>>())?;
    // Ballots first: a change that comes along with its ballot comes too late, and leaves no draft behind.
    let mut cast = if casts.is_empty() { Vec::new() } else { redeem(conn, &casts, &windows, now)? }.into_iter();
    let mut kept =
        if keeps.is_empty() { Vec::new() } else { draft::keep_all(conn, &keeps, &windows, unix_ms(&now), entropy)? }
            .into_iter();
    let mut put = if puts.is_empty() { Vec::new() } else { draft::put_all(conn, &puts)? }.into_iter();
    let written = jobs.iter().map(|job| match job {
        Job::Cast(_) => cast.next().map(Written::Cast),
        Job::Keep(_) => kept.next().map(Written::Keep),
        Job::Put(_) => put.next().map(Written::Keep),
    });
    written.collect::<Option<Vec<_>>>().ok_or(DbError::Conflict)
}

fn redeem(
    conn: &mut Conn,
    jobs: &[&Redemption],
    windows: &[Window],
    now: DateTime<Utc>,
) -> Result<Vec<Outcome>, DbError> {
    let keys: BTreeSet<[u8; 32]> = jobs.iter().map(|j| j.public_key).collect();
    let credentials = store::credentials(conn, &keys.into_iter().collect::<Vec<_>>())?;
    // In the grace after the close a code counts only if its draft was saved in time; nothing makes a draft then.
    let late: Vec<DraftId> = jobs.iter().filter(|j| in_grace(windows, j, unix_ms(&now))).map(|j| j.draft).collect();
    let drafted = store::drafted(conn, &late)?;
    let day = local(now).format("%Y-%m-%d").to_string();

    let mut outcomes = Vec::with_capacity(jobs.len());
    let mut redeemed: BTreeMap<[u8; 32], &Redemption> = BTreeMap::new();
    let mut turnout: BTreeMap<TurnoutKey, i64> = BTreeMap::new();
    for job in jobs {
        outcomes.push(match credentials.get(job.public_key.as_slice()) {
            None => Outcome::Unknown,
            Some(c) if c.round != job.round => Outcome::Unknown,
            Some(c) => match (c.state.as_str(), redeemed.get(&job.public_key)) {
                // The same code twice in one batch: the first one counts.
                (_, Some(first)) => Outcome::AlreadyUsed(first.receipt_box.clone()),
                ("used", None) => Outcome::AlreadyUsed(c.receipt_box.clone().unwrap_or_default()),
                ("issued", None)
                    if !(is_open(windows, &c.round, &c.channel, unix_ms(&now))
                        || c.channel == Channel::Online.as_str() && drafted.contains(job.draft.as_slice())) =>
                {
                    Outcome::NotOpen
                }
                ("issued", None) => {
                    redeemed.insert(job.public_key, job);
                    let key = TurnoutKey {
                        round: c.round.clone(),
                        respondent_code: c.respondent_code.clone(),
                        source_unit: c.source_unit.clone(),
                        targets: c.targets.clone(),
                        channel: c.channel.clone(),
                        day: day.clone(),
                    };
                    *turnout.entry(key).or_default() += 1;
                    Outcome::Done
                }
                _ => Outcome::Revoked,
            },
        });
    }
    if !redeemed.is_empty() {
        let jobs: Vec<&Redemption> = redeemed.into_values().collect();
        let used = store::redeem(conn, &jobs)?;
        if used != jobs.len() {
            // Cannot happen while the rows are held; if it does, nothing of the batch stays.
            return Err(DbError::Conflict);
        }
        store::add_turnout(conn, &turnout)?;
    }
    Ok(outcomes)
}

fn in_grace(windows: &[Window], job: &Redemption, now_ms: i64) -> bool {
    windows
        .iter()
        .filter(|w| w.id == job.round)
        .any(|w| w.state == "open" && w.closes_at <= now_ms && now_ms < w.closes_at.saturating_add(job.grace_ms))
}

fn is_open(windows: &[Window], round: &str, channel: &str, now_ms: i64) -> bool {
    windows.iter().filter(|w| w.id == round).any(|w| {
        let end = if channel == Channel::Online.as_str() { w.closes_at } else { w.keying_closes_at };
        w.state == "open" && w.opens_at <= now_ms && now_ms < end
    })
}
