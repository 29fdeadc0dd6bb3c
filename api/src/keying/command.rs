//! Finished entries as the desk's browsers send them: commands with a key that the browser drew by lot. The same key with
//! the same entry gets the stored answer again; with another entry it is refused.
//!
//! The note of a command waits among the drafts, sealed under its own key: the server alone can neither read it nor tell
//! whose it is, and the browser forgets the key with the answer. It goes at the round's close.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use survey_forms::answers::Answers;
use zeroize::Zeroizing;

use super::{KeyingError, Pass, Reached};
use crate::ballot::{Bearer, draft, note_slot};
use crate::clock::Entropy;
use crate::db::Conn;

/// The key of a command: 22 to 64 characters of `A-Z a-z 0-9 - _`, drawn by lot. It prints as nothing.
#[derive(Clone)]
pub struct CommandKey(Zeroizing<String>);

impl CommandKey {
    /// Reads a key; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        ((22..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(Zeroizing::new(text.to_owned())))
    }
}

impl std::fmt::Debug for CommandKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CommandKey(..)")
    }
}

/// What was answered, and to what.
#[derive(Serialize, Deserialize)]
struct Note {
    by: String,
    of: String,
    /// `first`, `sample`, `cast`, or in how many places the entries differ.
    came: String,
}

/// What identifies an entry: nobody without the key can try entries against it.
fn digest(key: &CommandKey, bearer: &Bearer, pass: Pass, answers: &Answers) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.0.as_bytes()).ok()?;
    mac.update(&bearer.keys.public);
    mac.update(pass.as_str().as_bytes());
    mac.update(&answers.canonical());
    Some(data_encoding::BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()))
}

fn came(reached: Reached) -> String {
    match reached {
        Reached::FirstDone => "first".to_owned(),
        Reached::AwaitsSample => "sample".to_owned(),
        Reached::Cast => "cast".to_owned(),
        Reached::Mismatched(places) => places.to_string(),
    }
}

fn reached(came: &str) -> Option<Reached> {
    match came {
        "first" => Some(Reached::FirstDone),
        "sample" => Some(Reached::AwaitsSample),
        "cast" => Some(Reached::Cast),
        places => places.parse().ok().map(Reached::Mismatched),
    }
}

/// What this command was answered before; none for a new one.
///
/// # Errors
/// [`KeyingError::KeyReused`] when the key belongs to another entry or another person.
pub(super) fn answered(
    conn: &mut Conn,
    key: &CommandKey,
    bearer: &Bearer,
    by: &str,
    pass: Pass,
    answers: &Answers,
) -> Result<Option<Reached>, KeyingError> {
    let Some(note) = draft::note(conn, &note_slot(key.0.as_bytes()))? else { return Ok(None) };
    let note: Note = serde_json::from_slice(&note).map_err(|_shape| KeyingError::EntryLost)?;
    if note.by != by || Some(note.of) != digest(key, bearer, pass, answers) {
        return Err(KeyingError::KeyReused);
    }
    reached(&note.came).map(Some).ok_or(KeyingError::EntryLost)
}

/// Notes the answer, in the transaction of the entry.
pub(super) fn note(
    conn: &mut Conn,
    key: &CommandKey,
    bearer: &Bearer,
    by: &str,
    entry: (Pass, &Answers),
    reached: Reached,
    entropy: &Entropy,
) -> Result<(), KeyingError> {
    let of = digest(key, bearer, entry.0, entry.1).unwrap_or_default();
    let note = Note { by: by.to_owned(), of, came: came(reached) };
    let plain = serde_json::to_vec(&note).unwrap_or_default();
    draft::keep_note(conn, bearer.round.id(), &note_slot(key.0.as_bytes()), &plain, entropy)?;
    Ok(())
}
