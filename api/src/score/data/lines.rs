//! Ballots as lines of JSON, a line a ballot.

use std::io::Write;

use data_encoding::HEXLOWER;
use serde_json::json;
use survey_forms::answers::{Answers, Ballot, canonical};

use crate::score::ScoreError;

/// Writes ballots as lines of canonical JSON (RFC 8785): `answers` by target and item as `POST /api/v1/ballots` takes them,
/// `ballot_id`, `respondent_code`, `targets`.
pub struct Lines<W: Write>(W);

impl<W: Write> Lines<W> {
    /// Nothing yet.
    pub const fn new(out: W) -> Self {
        Self(out)
    }

    /// One more ballot.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&mut self, id: &[u8], ballot: &Ballot) -> Result<(), ScoreError> {
        let line = json!({
            "answers": Answers::to_value(&ballot.answers),
            "ballot_id": HEXLOWER.encode(id),
            "respondent_code": ballot.stratum.respondent_code,
            "targets": ballot.stratum.targets,
        });
        self.0.write_all(&canonical::to_vec(&line))?;
        Ok(self.0.write_all(b"\n")?)
    }

    /// Nothing more follows.
    ///
    /// # Errors
    /// As [`Lines::write`].
    pub fn end(mut self) -> Result<(), ScoreError> {
        Ok(self.0.flush()?)
    }
}
