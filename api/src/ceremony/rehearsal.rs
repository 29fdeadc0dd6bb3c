//! The rehearsal: before the round opens, what the custodians bring opens an envelope. So no ballot is ever sealed to a
//! key that was mistyped, cut or lost.

use survey_forms::canonical;

use super::{ActError, Ceremony, KeyFile, held};
use crate::access::audit::Actor;
use crate::ballot::seal::{self, BoxPublic};
use crate::round::{self, RoundState};

/// Whether a round whose key trustees hold may open without a rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// It may not.
    Needed,
    /// It may: a decision that the audit trail keeps.
    Waived,
}

impl Ceremony {
    /// Seals a test envelope to the key that the round holds, as a cast does, and opens it with what was brought.
    ///
    /// # Errors
    /// [`ActError::Key`], [`ActError::NoBoxKey`], [`ActError::RehearsalFailed`], [`ActError::OutOfOrder`] once the round
    /// is open: then the key stays away until the close.
    pub fn rehearse(&self, by: &Actor, round: &str, key: &KeyFile) -> Result<(), ActError> {
        self.act(|conn| {
            let box_public = held(conn, round, RoundState::Loaded)?.ok_or(ActError::NoBoxKey)?;
            key.check(round, &box_public)?;
            let public = BoxPublic::from_bytes(&box_public).map_err(|_key| ActError::RehearsalFailed)?;
            let nonce = data_encoding::HEXLOWER.encode(&self.entropy.bytes::<16>());
            let sent = canonical::to_vec(&serde_json::json!({"rehearsal": nonce}));
            let bytes = seal::bucket_bytes(sent.len());
            let envelope = seal::seal(&public, round, &sent, bytes, &self.entropy.bytes())
                .map_err(|_seal| ActError::RehearsalFailed)?;
            let back = seal::open(&key.secret, round, &envelope.sealed).map_err(|_opaque| ActError::RehearsalFailed)?;
            if back != sent {
                return Err(ActError::RehearsalFailed);
            }
            let mut custody = round::custody(conn, round)?;
            custody.rehearsed = true;
            round::set_custody(conn, round, &custody)?;
            Ok(self.note(conn, by, "round.box_rehearsed", round, "")?)
        })
    }
}
