//! The ballot's path: code ↔ keys, draft, seal, cast, box and log, receipt. The only writer of envelopes. It knows
//! codes and answers; it knows nothing of people, mail or staff.

mod cast;
pub mod check;
pub mod draft;
mod input_method;
mod keys;
pub mod log;
mod receipt;
pub mod seal;
mod store;
mod token;

use std::sync::Arc;

use survey_forms::answers::{Form, Stratum};
use survey_forms::round::Channel;

pub use cast::{Cast, CastError, Casting, Sealer};
pub use keys::{DraftId, Keys, PublicKey, Purpose, Slot, is_redeemed, note_slot, page_mark};
pub use receipt::Receipt;
pub use token::{LENGTH as TOKEN_LENGTH, Token, TokenFault};

use crate::db::{Conn, DbError};
use crate::round::{LoadedRound, RoundError, Rounds};

/// A code in hand: its keys, its round, and what the server knows of it. Lives for one request.
pub struct Bearer {
    /// The round that the code belongs to.
    pub round: Arc<LoadedRound>,
    /// What the code unlocks.
    pub keys: Keys,
    /// Group and targets.
    pub stratum: Stratum,
    /// Where the group's people work; empty when the group has no unit.
    pub source_unit: String,
    /// Online or paper.
    pub channel: Channel,
    /// Whether it can still be used.
    pub state: CredentialState,
    bucket_bytes: usize,
}

/// How far a code is.
#[derive(Clone)]
pub enum CredentialState {
    /// Not used yet.
    Issued,
    /// Its ballot is in the box, under this receipt.
    Used(Receipt),
    /// Replaced or withdrawn.
    Revoked,
}

/// Why a code leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No round knows it.
    #[error("the code is unknown")]
    Unknown,
    /// Its row does not fit its round, or its receipt does not open.
    #[error("the credential does not fit its round")]
    Unreadable,
    /// The round could not be read.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Bearer {
    /// What this code may answer.
    ///
    /// # Errors
    /// Never for a bearer that [`find`] gave; [`FindError::Unreadable`] by type.
    pub fn form(&self) -> Result<Form<'_>, FindError> {
        self.round.form(&self.stratum).ok_or(FindError::Unreadable)
    }

    /// Bytes of the one bucket of this questionnaire.
    #[must_use]
    pub(in crate::ballot) fn bucket_bytes(&self) -> usize {
        self.bucket_bytes
    }
}

/// Finds what a code stands for: derives its key in each round and asks for the credential.
///
/// # Errors
/// [`FindError::Unknown`] when no round knows the code.
pub fn find(conn: &mut Conn, rounds: &Rounds, token: &Token) -> Result<Bearer, FindError> {
    for round in rounds.all(conn)?.iter() {
        let keys = Keys::derive(token, round.id());
        let Some(row) = store::credential(conn, &keys.public).map_err(DbError::from)? else { continue };
        if row.round != round.id() {
            continue;
        }
        return bearer(Arc::clone(round), keys, row);
    }
    Err(FindError::Unknown)
}

fn bearer(round: Arc<LoadedRound>, keys: Keys, row: store::CredentialRow) -> Result<Bearer, FindError> {
    let stratum = format!("{}/{}", row.respondent_code, row.targets);
    let stratum: Stratum = stratum.parse().map_err(|_shape| FindError::Unreadable)?;
    let channel = row.channel.parse().map_err(|_channel| FindError::Unreadable)?;
    let bytes = round.canonical_bytes(&row.respondent_code).ok_or(FindError::Unreadable)?;
    let state = match row.state.as_str() {
        "issued" => CredentialState::Issued,
        "used" => {
            let receipt = row.receipt_box.and_then(|locked| Receipt::unlock(&keys, &locked));
            CredentialState::Used(receipt.ok_or(FindError::Unreadable)?)
        }
        _ => CredentialState::Revoked,
    };
    let bucket_bytes = seal::bucket_bytes(bytes);
    Ok(Bearer { round, keys, stratum, source_unit: row.source_unit, channel, state, bucket_bytes })
}

#[cfg(test)]
mod tests;
