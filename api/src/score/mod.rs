//! Published scores: the feed for the index engine, the public page of results, exports. Reads what the ceremony
//! has released; works nothing out again. A publication never changes, so it is parsed once a process and serving it
//! does not depend on how many ballots there were.

mod charts;
pub mod data;
mod explained;
pub mod export;
mod pages;
mod report;
mod rest;
pub mod sheets;
mod store;
mod view;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::str::FromStr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use survey_forms::scoring::ScoreDocument;

pub use pages::pages;
pub use rest::rest;

use crate::clock::viet_nam;
use crate::db::{Conn, DbError, unix_ms};
use crate::http::{Problem, codes};
use crate::round::{RoundError, Rounds};

/// Why scores cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    /// Nothing of this round has been released.
    #[error("the round is not published")]
    NotPublished,
    /// The round has no such release, or had none at that time.
    #[error("the round has no such release")]
    ReleaseUnknown,
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
    /// A sheet of a workbook does not hold them.
    #[error("a workbook holds 1048575 rows, and these are more: take csv, csv-wide, jsonl, parquet or sav")]
    TooManyRows,
    /// The output could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// The Parquet file could not be made.
    #[error(transparent)]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The report could not be made.
    #[error(transparent)]
    Report(#[from] phieu_print::PrintError),
    /// The workbook could not be made.
    #[error(transparent)]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
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
            ScoreError::ReleaseUnknown => Self::new(&codes::RELEASE_UNKNOWN),
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
    pub canonical: Bytes,
    /// Lower-case hex.
    pub sha256: String,
    /// The document without its targets, to be filled with some of them.
    head: ScoreDocument,
    gzip: OnceLock<Option<Bytes>>,
}

impl Publication {
    /// The canonical JSON as gzip (RFC 1952), made once a process.
    pub fn gzip(&self) -> Option<Bytes> {
        let compress = || {
            let mut out = GzEncoder::new(Vec::new(), Compression::best());
            out.write_all(&self.canonical).ok()?;
            out.finish().ok().map(Bytes::from)
        };
        self.gzip.get_or_init(compress).clone()
    }
}

/// Which release somebody asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AsOf {
    /// The latest.
    #[default]
    Latest,
    /// The one of this number.
    Release(i64),
    /// The one that was the latest at this time.
    At(DateTime<Utc>),
}

impl FromStr for AsOf {
    type Err = AsOfMalformed;

    /// A number, a day (its end, in Viet Nam), or a time (RFC 3339).
    fn from_str(text: &str) -> Result<Self, AsOfMalformed> {
        if !text.is_empty() && text.len() < 10 && text.chars().all(|c| c.is_ascii_digit()) {
            return text.parse().map(Self::Release).map_err(|_number| AsOfMalformed);
        }
        if let Ok(at) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(at.to_utc()));
        }
        let day: NaiveDate = text.parse().map_err(|_day| AsOfMalformed)?;
        let end = day.and_hms_milli_opt(23, 59, 59, 999).and_then(|end| end.and_local_timezone(viet_nam()).single());
        end.map(|end| Self::At(end.to_utc())).ok_or(AsOfMalformed)
    }
}

/// Neither a number nor a day nor a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a release is a number, a day such as 2023-11-30, or a time such as 2023-11-30T08:00:00+07:00")]
pub struct AsOfMalformed;

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
        self.of(conn, rounds, round, AsOf::Latest)
    }

    /// A release of a round.
    ///
    /// # Errors
    /// [`ScoreError::NotPublished`] when there is none at all, [`ScoreError::ReleaseUnknown`] when there is not this one,
    /// [`RoundError::Unknown`].
    pub fn of(
        &self,
        conn: &mut Conn,
        rounds: &Rounds,
        round: &str,
        as_of: AsOf,
    ) -> Result<Arc<Publication>, ScoreError> {
        rounds.get(conn, round)?;
        let latest = store::latest(conn, round).map_err(DbError::from)?.ok_or(ScoreError::NotPublished)?;
        let release = match as_of {
            AsOf::Latest => latest,
            AsOf::Release(asked) if (1..=latest).contains(&asked) => asked,
            AsOf::Release(_) => return Err(ScoreError::ReleaseUnknown),
            AsOf::At(at) => {
                let out = store::latest_at(conn, round, unix_ms(&at)).map_err(DbError::from)?;
                out.ok_or(ScoreError::ReleaseUnknown)?
            }
        };
        self.read(conn, round, release)
    }

    /// Every release of a round, the oldest first; none before it is published.
    ///
    /// # Errors
    /// [`RoundError::Unknown`].
    pub fn releases(&self, conn: &mut Conn, rounds: &Rounds, round: &str) -> Result<Vec<Arc<Publication>>, ScoreError> {
        rounds.get(conn, round)?;
        let count = store::count(conn, round).map_err(DbError::from)?;
        (1..=count).map(|release| self.read(conn, round, release)).collect()
    }

    fn read(&self, conn: &mut Conn, round: &str, release: i64) -> Result<Arc<Publication>, ScoreError> {
        let key = (round.to_owned(), release);
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let canonical = store::document(conn, round, release).map_err(DbError::from)?.into_bytes();
        let document: ScoreDocument = serde_json::from_slice(&canonical).map_err(|_json| ScoreError::Unreadable)?;
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&canonical));
        let canonical = Bytes::from(canonical);
        let read = Arc::new(Publication {
            release,
            head: without_targets(&document),
            document,
            canonical,
            sha256,
            gzip: OnceLock::new(),
        });
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

fn without_targets(document: &ScoreDocument) -> ScoreDocument {
    let mut head = document.clone();
    head.targets = Vec::new();
    head
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
    pub fn of(&self, publication: &Publication) -> Result<ScoreDocument, ScoreError> {
        let document = &publication.document;
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
        Ok(ScoreDocument { targets, ..publication.head.clone() })
    }
}

#[cfg(test)]
mod tests;
