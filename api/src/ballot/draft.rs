//! What waits under a code until the ballot is cast: a respondent's draft, a clerk's entry. One size per
//! questionnaire, no time, an id that cannot be computed from the public key.

use std::collections::BTreeMap;
use std::sync::Arc;

use survey_forms::answers::{Answers, Stratum};
use survey_forms::round::Channel;
use zeroize::Zeroizing;

use super::keys::{DraftId, PublicKey, Purpose, Slot};
use super::receipt::{lock, unlock};
use super::store::{self, NewDraft, Window};
use super::{Bearer, CredentialState};
use crate::clock::Entropy;
use crate::db::queue::QueueError;
use crate::db::{Conn, DbError};
use crate::round::LoadedRound;

/// Why a draft was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The code has been used or revoked; there is nothing left to draft.
    #[error("the code takes no more answers")]
    Settled,
    /// It does not fit; the form engine refuses such answers before.
    #[error("the draft is larger than its bucket")]
    TooLarge,
    /// Too many are writing, or the database is out of reach; the same call may be made again.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Keeps answers under the code, in place of what was there: the paper desk's entries. Call inside a write.
///
/// # Errors
/// [`DraftError`].
pub fn keep(
    conn: &mut Conn,
    bearer: &Bearer,
    purpose: Purpose,
    answers: &Answers,
    entropy: &Entropy,
) -> Result<(), DraftError> {
    // Asked again inside the write: a cast from another device may have been faster.
    let state = store::held_state(conn, &bearer.keys.public).map_err(DbError::from)?;
    if !matches!(bearer.state, CredentialState::Issued) || state.as_deref() != Some("issued") {
        return Err(DraftError::Settled);
    }
    let plain = plain(answers, bearer.bucket_bytes()).ok_or(DraftError::TooLarge)?;
    let slot = bearer.keys.slot(purpose);
    let body = lock(&slot.key, &plain, entropy);
    store::put_drafts(conn, &[NewDraft { id: slot.id, round: bearer.round.id(), body }]).map_err(DbError::from)?;
    Ok(())
}

/// As stored before it is locked: JSON may be followed by white space. `None` when it does not fit.
fn plain(answers: &Answers, bucket_bytes: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut plain = Zeroizing::new(serde_json::to_vec(&answers.to_value()).ok()?);
    if plain.len() > bucket_bytes {
        return None;
    }
    plain.resize(bucket_bytes, b' ');
    Some(plain)
}

/// Reads what waits under the code. Answers that the form no longer holds are left out.
///
/// # Errors
/// When the database fails.
pub fn read(conn: &mut Conn, bearer: &Bearer, purpose: Purpose) -> Result<Option<Answers>, DbError> {
    let slot = bearer.keys.slot(purpose);
    let Some(body) = store::draft(conn, &slot.id)? else { return Ok(None) };
    Ok(unlocked(&slot, &body, &bearer.round, &bearer.stratum))
}

fn unlocked(slot: &Slot, body: &[u8], round: &LoadedRound, stratum: &Stratum) -> Option<Answers> {
    let plain = Zeroizing::new(unlock(&slot.key, body)?);
    let value = serde_json::from_slice(&plain).ok()?;
    round.form(stratum)?.parse(&value).ok()
}

/// A change to a respondent's draft. What it does not name stays.
pub struct Change {
    /// Answers that are given or changed.
    pub answers: Answers,
    /// Target and item of answers that are taken back.
    pub clear: Vec<(String, String)>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is in the draft.
    Done,
    /// The code has been used or revoked, or it is a paper ballot's.
    Settled,
    /// Before opening, after closing, or closed by hand.
    NotOpen,
    /// It does not fit; the form engine refuses such answers before.
    TooLarge,
}

/// A change on its way into the database.
pub(super) struct Keep {
    public: PublicKey,
    pub(super) slot: Slot,
    pub(super) round: Arc<LoadedRound>,
    stratum: Stratum,
    bucket_bytes: usize,
    change: Change,
}

impl Keep {
    pub(super) fn new(bearer: &Bearer, change: Change) -> Self {
        Self {
            public: bearer.keys.public,
            slot: bearer.keys.slot(Purpose::Draft),
            round: Arc::clone(&bearer.round),
            stratum: bearer.stratum.clone(),
            bucket_bytes: bearer.bucket_bytes(),
            change,
        }
    }
}

/// Merges the changes into their drafts, in order, inside a write that holds the drafts. Several changes of one draft
/// are written once.
pub(super) fn keep_all(
    conn: &mut Conn,
    jobs: &[&Keep],
    windows: &[Window],
    now_ms: i64,
    entropy: &Entropy,
) -> Result<Vec<Kept>, DbError> {
    let keys: Vec<PublicKey> = jobs.iter().map(|job| job.public).collect();
    let standings = store::standings(conn, &keys)?;
    let ids: Vec<DraftId> = jobs.iter().map(|job| job.slot.id).collect();
    let stored = store::drafts(conn, &ids)?;

    let mut drafts: BTreeMap<DraftId, Answers> = BTreeMap::new();
    let mut written: BTreeMap<DraftId, (&Keep, Zeroizing<Vec<u8>>)> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let id = job.slot.id;
        let was = match drafts.remove(&id) {
            Some(answers) => Some(answers),
            None => stored.get(id.as_slice()).and_then(|body| unlocked(&job.slot, body, &job.round, &job.stratum)),
        };
        let outcome = match standings.get(job.public.as_slice()) {
            Some(code) if code.round == job.round.id() && code.state == "issued" => {
                if code.channel != Channel::Online.as_str() {
                    Kept::Settled
                } else if store::takes(windows, &job.round, now_ms, was.is_some()) {
                    Kept::Done
                } else {
                    Kept::NotOpen
                }
            }
            _ => Kept::Settled,
        };
        if outcome != Kept::Done {
            drafts.extend(was.map(|answers| (id, answers)));
            outcomes.push(outcome);
            continue;
        }
        let before = was.clone();
        let mut answers = was.unwrap_or_default();
        for (target, item, answer) in job.change.answers.iter() {
            answers.insert(target, item, answer.clone());
        }
        for (target, item) in &job.change.clear {
            answers.remove(target, item);
        }
        match plain(&answers, job.bucket_bytes) {
            Some(plain) => {
                drafts.insert(id, answers);
                written.insert(id, (job, plain));
                outcomes.push(Kept::Done);
            }
            None => {
                drafts.extend(before.map(|answers| (id, answers)));
                outcomes.push(Kept::TooLarge);
            }
        }
    }
    let rows: Vec<NewDraft<'_>> = written
        .iter()
        .map(|(id, (job, plain))| NewDraft {
            id: *id,
            round: job.round.id(),
            body: lock(&job.slot.key, plain, entropy),
        })
        .collect();
    store::put_drafts(conn, &rows)?;
    Ok(outcomes)
}

/// Anything that waits under the code, as it was given to [`super::Casting::put`]; white space may follow it.
///
/// # Errors
/// When the database fails.
pub fn read_bytes(conn: &mut Conn, bearer: &Bearer, purpose: Purpose) -> Result<Option<Zeroizing<Vec<u8>>>, DbError> {
    let slot = bearer.keys.slot(purpose);
    let body = store::draft(conn, &slot.id)?;
    Ok(body.and_then(|body| unlock(&slot.key, &body)).map(Zeroizing::new))
}

/// Something unfinished on its way into the database, in place of what was there.
pub(super) struct Put {
    public: PublicKey,
    pub(super) id: DraftId,
    round: String,
    body: Vec<u8>,
}

impl Put {
    /// One size a questionnaire, twice the ballot's. `None` when it does not fit.
    pub(super) fn new(bearer: &Bearer, purpose: Purpose, plain: &[u8], entropy: &Entropy) -> Option<Self> {
        let mut padded = Zeroizing::new(plain.to_vec());
        let bytes = 2 * bearer.bucket_bytes();
        if padded.len() > bytes {
            return None;
        }
        padded.resize(bytes, b' ');
        let slot = bearer.keys.slot(purpose);
        let (public, round) = (bearer.keys.public, bearer.round.id().to_owned());
        Some(Self { public, id: slot.id, round, body: lock(&slot.key, &padded, entropy) })
    }
}

/// Writes them inside a write that holds their drafts; of several in one place the last stays.
pub(super) fn put_all(conn: &mut Conn, jobs: &[&Put]) -> Result<Vec<Kept>, DbError> {
    let keys: Vec<PublicKey> = jobs.iter().map(|job| job.public).collect();
    let standings = store::standings(conn, &keys)?;
    let mut last: BTreeMap<DraftId, NewDraft<'_>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let open = standings
            .get(job.public.as_slice())
            .is_some_and(|code| code.state == "issued" && code.channel == Channel::Paper.as_str());
        if open {
            last.insert(job.id, NewDraft { id: job.id, round: &job.round, body: job.body.clone() });
        }
        outcomes.push(if open { Kept::Done } else { Kept::Settled });
    }
    let rows: Vec<NewDraft<'_>> = last.into_values().collect();
    store::put_drafts(conn, &rows)?;
    Ok(outcomes)
}

/// Keeps anything under a paper ballot's code, in place of what was there, in one size a questionnaire. Call inside a
/// write that holds the ballot.
///
/// # Errors
/// [`DraftError::Settled`], [`DraftError::TooLarge`], [`DraftError::Db`].
pub fn keep_bytes(
    conn: &mut Conn,
    bearer: &Bearer,
    purpose: Purpose,
    plain: &[u8],
    entropy: &Entropy,
) -> Result<(), DraftError> {
    let put = Put::new(bearer, purpose, plain, entropy).ok_or(DraftError::TooLarge)?;
    let done = put_all(conn, &[&put])?;
    if done.contains(&Kept::Done) { Ok(()) } else { Err(DraftError::Settled) }
}

/// Bytes of a note.
const NOTE_BYTES: usize = 256;

/// Keeps a short note under a secret that is not the server's ([`super::note_slot`]), until the round's close. Call
/// inside a write. False when it does not fit.
///
/// # Errors
/// When the database fails.
pub fn keep_note(conn: &mut Conn, round: &str, slot: &Slot, note: &[u8], entropy: &Entropy) -> Result<bool, DbError> {
    let mut padded = Zeroizing::new(note.to_vec());
    if padded.len() > NOTE_BYTES {
        return Ok(false);
    }
    padded.resize(NOTE_BYTES, b' ');
    store::put_drafts(conn, &[NewDraft { id: slot.id, round, body: lock(&slot.key, &padded, entropy) }])?;
    Ok(true)
}

/// The note that waits there.
///
/// # Errors
/// When the database fails.
pub fn note(conn: &mut Conn, slot: &Slot) -> Result<Option<Zeroizing<Vec<u8>>>, DbError> {
    let body = store::draft(conn, &slot.id)?;
    Ok(body.and_then(|body| unlock(&slot.key, &body)).map(Zeroizing::new))
}

/// Deletes what waits under the code.
///
/// # Errors
/// When the database fails.
pub fn discard(conn: &mut Conn, bearer: &Bearer, purpose: Purpose) -> Result<(), DbError> {
    Ok(store::delete_draft(conn, &bearer.keys.slot(purpose).id)?)
}

/// Deletes every draft of a round, at its close.
///
/// # Errors
/// When the database fails.
pub fn discard_all(conn: &mut Conn, round: &str) -> Result<usize, DbError> {
    Ok(store::delete_drafts_of(conn, round)?)
}
