//! What waits under a code until the ballot is cast: a respondent's draft, a clerk's entry. One size per
//! questionnaire, no time, an id that cannot be computed from the public key.

use survey_forms::answers::Answers;
use zeroize::Zeroizing;

use super::keys::Purpose;
use super::receipt::{lock, unlock};
use super::{Bearer, CredentialState, store};
use crate::clock::Entropy;
use crate::db::{Conn, DbError};

/// Why a draft was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The code has been used or revoked; there is nothing left to draft.
    #[error("the code takes no more answers")]
    Settled,
    /// It does not fit; the form engine refuses such answers before.
    #[error("the draft is larger than its bucket")]
    TooLarge,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Keeps answers under the code, in place of what was there. Call inside a write.
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
    let mut plain = Zeroizing::new(serde_json::to_vec(&answers.to_value()).map_err(|_json| DraftError::TooLarge)?);
    if plain.len() > bearer.bucket_bytes() {
        return Err(DraftError::TooLarge);
    }
    // JSON may be followed by white space.
    plain.resize(bearer.bucket_bytes(), b' ');
    let slot = bearer.keys.slot(purpose);
    store::put_draft(conn, &slot.id, bearer.round.id(), &lock(&slot.key, &plain, entropy)).map_err(DbError::from)?;
    Ok(())
}

/// Reads what waits under the code. Answers that the form no longer holds are left out.
///
/// # Errors
/// When the database fails.
pub fn read(conn: &mut Conn, bearer: &Bearer, purpose: Purpose) -> Result<Option<Answers>, DbError> {
    let slot = bearer.keys.slot(purpose);
    let Some(body) = store::draft(conn, &slot.id)? else { return Ok(None) };
    let Some(plain) = unlock(&slot.key, &body).map(Zeroizing::new) else { return Ok(None) };
    let Ok(value) = serde_json::from_slice(&plain) else { return Ok(None) };
    let form = bearer.round.form(&bearer.stratum);
    Ok(form.and_then(|form| form.parse(&value).ok()))
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
