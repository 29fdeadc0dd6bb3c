//! Published scores: the feed for the index engine, the public page of results, exports. Reads what the ceremony
//! has released; works nothing out again. A publication never changes, so it is parsed once a process and serving it
//! does not depend on how many ballots there were.

mod explained;
pub mod export;
mod pages;
mod rest;
mod store;
mod view;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest as _, Sha256};
use survey_forms::scoring::ScoreDocument;

pub use pages::pages;
pub use rest::rest;

use crate::db::{Conn, DbError};
use crate::http::{Problem, codes};
use crate::round::{RoundError, Rounds};

/// Why scores cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// Nothing of this round has been released.
    #[error("the round is not published")]
    NotPublished,
    /// The box of this round has not been opened.
    #[error("the box is not opened")]
    NotOpened,
    /// No such target in the round.
    #[error("there is no such target")]
    TargetUnknown,
    /// No such kind of target in the round.
    #[error("there is no such kind of target")]
    KindUnknown,
    /// No such criterion about the target in the document.
    #[error("there is no such criterion about the target")]
    CriterionUnknown,
    /// The stored document or ballot does not read; it was written by another version.
    #[error("what is stored does not read")]
    Unreadable,
    /// The output could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// No such round, or it does not read.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<std::io::Error> for ScoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Csv(error.into())
    }
}

impl From<ScoreError> for Problem {
    fn from(error: ScoreError) -> Self {
        match error {
            ScoreError::NotPublished => Self::new(&codes::NOT_PUBLISHED),
            ScoreError::NotOpened => Self::new(&codes::STATE_CONFLICT),
            ScoreError::TargetUnknown => Self::new(&codes::TARGET_UNKNOWN),
            ScoreError::KindUnknown => Self::new(&codes::KIND_UNKNOWN),
            ScoreError::CriterionUnknown => Self::new(&codes::CRITERION_UNKNOWN),
            ScoreError::Round(RoundError::Unknown) => Self::new(&codes::ROUND_UNKNOWN),
            ScoreError::Db(error) | ScoreError::Round(RoundError::Db(error)) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// A release, ready to be served.
pub struct Publication {
    /// From 1.
    pub release: i64,
    /// What was released.
    pub document: ScoreDocument,
    /// The document's canonical JSON (RFC 8785): what is hashed, signed and served.
    pub canonical: Vec<u8>,
    /// Lower-case hex.
    pub sha256: String,
}

/// Releases by round and number.
type Known = BTreeMap<(String, i64), Arc<Publication>>;

/// The publications of this process; cheap to clone.
#[derive(Clone, Default)]
pub struct Publications(Arc<RwLock<Known>>);

impl Publications {
    /// None read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The latest release of a round.
    ///
    /// # Errors
    /// [`ScoreError::NotPublished`], and [`RoundError::Unknown`] for a round that is not there.
    pub fn latest(&self, conn: &mut Conn, rounds: &Rounds, round: &str) -> Result<Arc<Publication>, ScoreError> {
        rounds.get(conn, round)?;
        let release = store::latest(conn, round).map_err(DbError::from)?.ok_or(ScoreError::NotPublished)?;
        let key = (round.to_owned(), release);
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let canonical = store::document(conn, round, release).map_err(DbError::from)?.into_bytes();
        let document = serde_json::from_slice(&canonical).map_err(|_json| ScoreError::Unreadable)?;
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&canonical));
        let read = Arc::new(Publication { release, document, canonical, sha256 });
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&read));
        Ok(read)
    }

    /// Every published round's latest release, the newest round first.
    ///
    /// # Errors
    /// As [`Publications::latest`].
    pub fn all(&self, conn: &mut Conn, rounds: &Rounds) -> Result<Vec<Arc<Publication>>, ScoreError> {
        let published = store::published(conn).map_err(DbError::from)?;
        published.iter().map(|round| self.latest(conn, rounds, round)).collect()
    }
}

/// Which targets somebody asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// One target.
    pub target: Option<String>,
    /// One kind of targets.
    pub kind: Option<String>,
}

impl Choice {
    /// Whether all targets are asked for.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.target.is_none() && self.kind.is_none()
    }

    /// The document with the chosen targets only; ranks stay those of the whole kind.
    ///
    /// # Errors
    /// [`ScoreError::TargetUnknown`], [`ScoreError::KindUnknown`].
    pub fn of(&self, document: &ScoreDocument) -> Result<ScoreDocument, ScoreError> {
        let kind_fits = |kind: &str| self.kind.as_deref().is_none_or(|asked| asked == kind);
        let target_fits = |target: &str| self.target.as_deref().is_none_or(|asked| asked == target);
        if !document.targets.iter().any(|t| kind_fits(&t.kind)) {
            return Err(ScoreError::KindUnknown);
        }
        let targets: Vec<_> =
            document.targets.iter().filter(|t| kind_fits(&t.kind) && target_fits(&t.target)).cloned().collect();
        if targets.is_empty() {
            return Err(ScoreError::TargetUnknown);
        }
        Ok(ScoreDocument { targets, ..document.clone() })
    }
}

#[cfg(test)]
mod tests;
