//! Check or cast: whoever doubts that the server seals what was answered lets it commit to an envelope first, and then
//! decides: cast this very envelope, or have it opened and seal it again elsewhere. A server that alters answers does
//! not know beforehand which it will be.
//!
//! Nothing is stored. What was committed to travels with the page, encrypted under a key that this process forgets, for
//! some minutes. An envelope that was opened is not cast any more: whoever knows its salt can prove what is in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};
use survey_forms::answers::{Answers, Ballot};
use zeroize::Zeroizing;

use super::Bearer;
use super::cast::{Cast, CastError, Casting};
use super::receipt::{Receipt, lock, unlock};
use super::seal::{self, BoxPublic, EnvelopeId, SealFault};
use crate::clock::{Entropy, monotonic};

/// How long an envelope waits for the decision.
pub const DECISION_MINUTES: u64 = 15;
const DECISION: Duration = Duration::from_secs(DECISION_MINUTES * 60);
const FORMAT: &str = "phieu-check/v1";
/// Far more than any questionnaire needs; a file from elsewhere is not believed beyond.
const BUCKET_BYTES_MAX: usize = 1 << 20;

/// An envelope that the server has committed to.
pub struct Committed {
    /// Its number: the receipt, if it is cast.
    pub receipt: Receipt,
    /// What brings it back, for this code only. Unreadable but for this process.
    pub held: String,
}

/// An envelope laid open: everything that it takes to seal it again, bit for bit, anywhere.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// `phieu-check/v1`.
    #[schema(example = "phieu-check/v1")]
    pub format: String,
    /// Id of the round.
    pub round: String,
    /// What ballots of this round are sealed to, 64 hexadecimal digits; the log's first entry has the same.
    pub box_public_key: String,
    /// Bytes to which the ballot is padded.
    pub bucket_bytes: usize,
    /// The salt, 64 hexadecimal digits.
    pub salt: String,
    /// The canonical ballot, byte for byte.
    pub ballot: String,
    /// Hash of the sealed envelope, as it was shown before the decision.
    pub receipt: String,
}

/// What is wrong with an [`Opened`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResealFault {
    /// Of another program, or cut.
    #[error("this is no file of an opened envelope")]
    NotOne,
    /// It cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealFault),
    /// The number is of another envelope: the ballot, the salt or the key is not what the server had committed to.
    #[error("sealed again it gives another number than the one that was shown")]
    AnotherNumber,
}

impl Opened {
    /// Seals the ballot again and compares; gives back the number.
    ///
    /// # Errors
    /// [`ResealFault`].
    pub fn reseal(&self) -> Result<Receipt, ResealFault> {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).map_err(|_hex| ResealFault::NotOne);
        if self.format != FORMAT {
            return Err(ResealFault::NotOne);
        }
        if self.bucket_bytes > BUCKET_BYTES_MAX {
            return Err(ResealFault::NotOne);
        }
        let salt: [u8; 32] = hex(&self.salt)?.try_into().map_err(|_length| ResealFault::NotOne)?;
        let key = BoxPublic::from_bytes(&hex(&self.box_public_key)?)?;
        let envelope = seal::seal(&key, &self.round, self.ballot.as_bytes(), self.bucket_bytes, &salt)?;
        let receipt = Receipt::new(envelope.id);
        if receipt.to_string() == self.receipt { Ok(receipt) } else { Err(ResealFault::AnotherNumber) }
    }
}

/// What this process remembers of checks.
pub(super) struct Checks {
    key: Zeroizing<[u8; 32]>,
    started: Instant,
    /// Numbers of opened envelopes, until nobody can bring them any more.
    opened: Mutex<BTreeMap<EnvelopeId, Instant>>,
}

/// A commitment brought back.
struct Held {
    salt: Zeroizing<[u8; 32]>,
    answers: Answers,
}

impl Checks {
    pub(super) fn new(entropy: &Entropy) -> Arc<Self> {
        let key = Zeroizing::new(entropy.bytes());
        Arc::new(Self { key, started: monotonic(), opened: Mutex::default() })
    }

    fn until(&self) -> u64 {
        monotonic().saturating_duration_since(self.started).as_secs() + DECISION.as_secs()
    }

    /// public key ‖ until ‖ salt ‖ ballot, padded so that its length says nothing.
    fn hold(&self, bearer: &Bearer, salt: &[u8; 32], canonical: &[u8], entropy: &Entropy) -> String {
        let mut plain = Zeroizing::new(bearer.keys.public.to_vec());
        plain.extend_from_slice(&self.until().to_be_bytes());
        plain.extend_from_slice(salt);
        plain.extend_from_slice(canonical);
        let length = plain.len().max(bearer.bucket_bytes());
        // Canonical JSON has no blank at its end.
        plain.resize(length, b' ');
        BASE64URL_NOPAD.encode(&lock(&self.key, &plain, entropy))
    }

    fn bring(&self, bearer: &Bearer, held: &str) -> Option<Held> {
        let locked = BASE64URL_NOPAD.decode(held.as_bytes()).ok()?;
        let plain = Zeroizing::new(unlock(&self.key, &locked)?);
        let (public, rest) = plain.split_first_chunk::<32>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (salt, ballot) = rest.split_first_chunk::<32>()?;
        let now = monotonic().saturating_duration_since(self.started).as_secs();
        if *public != bearer.keys.public || u64::from_be_bytes(*until) < now {
            return None;
        }
        let ballot = Ballot::from_canonical(ballot.trim_ascii_end()).ok()?;
        Some(Held { salt: Zeroizing::new(*salt), answers: ballot.answers })
    }

    fn note_opened(&self, id: EnvelopeId) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let now = monotonic();
        opened.retain(|_, at| now.saturating_duration_since(*at) <= DECISION);
        opened.insert(id, now);
    }

    fn was_opened(&self, id: &EnvelopeId) -> bool {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }
}

impl Casting {
    /// Seals the answers exactly as a cast does, and stores nothing.
    ///
    /// # Errors
    /// As [`Casting::cast`].
    pub fn commit_to(&self, bearer: &Bearer, answers: &Answers) -> Result<Committed, CastError> {
        let salt = self.entropy.bytes();
        let (ballot, envelope) = self.sealed(bearer, answers, &salt)?;
        let held = self.checks.hold(bearer, &salt, &ballot.canonical(), &self.entropy);
        Ok(Committed { receipt: Receipt::new(envelope.id), held })
    }

    /// Opens an envelope that was committed to; it is not cast any more. `None` when it is of another code, too old, or
    /// from before the service was started.
    ///
    /// # Errors
    /// As [`Casting::cast`].
    pub fn open_instead(&self, bearer: &Bearer, held: &str) -> Result<Option<Opened>, CastError> {
        let Some(Held { salt, answers }) = self.checks.bring(bearer, held) else { return Ok(None) };
        let (ballot, envelope) = self.sealed(bearer, &answers, &salt)?;
        self.checks.note_opened(envelope.id);
        Ok(Some(Opened {
            format: FORMAT.to_owned(),
            round: bearer.round.id().to_owned(),
            box_public_key: HEXLOWER.encode(bearer.round.box_public.as_deref().unwrap_or_default()),
            bucket_bytes: bearer.bucket_bytes(),
            salt: HEXLOWER.encode(&*salt),
            ballot: String::from_utf8(ballot.canonical()).map_err(|_utf8| CastError::NoBox)?,
            receipt: Receipt::new(envelope.id).to_string(),
        }))
    }

    /// Casts the very envelope that was committed to. `None` as [`Casting::open_instead`], and when it was opened.
    ///
    /// # Errors
    /// As [`Casting::cast`].
    pub async fn cast_committed(&self, bearer: &Bearer, held: &str) -> Result<Option<Cast>, CastError> {
        let Some(Held { salt, answers }) = self.checks.bring(bearer, held) else { return Ok(None) };
        let (_, envelope) = self.sealed(bearer, &answers, &salt)?;
        if self.checks.was_opened(&envelope.id) {
            return Ok(None);
        }
        self.cast_with(bearer, &answers, &salt).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published test vector; another implementation must get the same (tests/vectors.json).
    #[test]
    fn sealing_again_matches_the_published_vector_and_nothing_else_does() {
        let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors.json")).unwrap();
        let opened = || serde_json::from_value::<Opened>(vectors["seal"].clone()).unwrap();
        assert_eq!(opened().reseal().unwrap().to_string(), vectors["seal"]["receipt"]);
        let swap = |text: &str, from: &str, to: &str| {
            assert!(text.contains(from));
            text.replacen(from, to, 1)
        };
        let altered = |change: &dyn Fn(&mut Opened)| {
            let mut one = opened();
            change(&mut one);
            one.reseal().err()
        };
        let another = Some(ResealFault::AnotherNumber);
        assert_eq!(altered(&|o| o.ballot = swap(&o.ballot, "\"B\"", "\"N\"")), another);
        assert_eq!(altered(&|o| o.salt = swap(&o.salt, "1", "2")), another);
        assert_eq!(altered(&|o| o.box_public_key = swap(&o.box_public_key, "1", "2")), another);
        assert_eq!(altered(&|o| o.round.push('x')), another);
        assert_eq!(altered(&|o| o.bucket_bytes += 256), another);
        assert_eq!(altered(&|o| o.receipt = swap(&o.receipt, "1", "2")), another);
        assert_eq!(altered(&|o| o.format.push('x')), Some(ResealFault::NotOne));
        assert_eq!(altered(&|o| o.salt.push('0')), Some(ResealFault::NotOne));
    }
}
