//! A round's folder, loaded by two persons: one uploads it, where every fault is named at once; another reads what it
//! would do, compares its hash, and confirms. Nothing else of the service knows of a folder before that.

mod store;

use chrono::{DateTime, Utc};
use survey_forms::{Checked, Fault, Round, RoundFiles, Severity};

use super::{RoundError, Standing, put, restored, standing, stored};
use crate::access::{Actor, Staff, audit};
use crate::clock::Entropy;
use crate::db::{Conn, DbError, unix_ms};
use crate::http::{Problem, codes};

/// Most proposals that may wait at a time: each holds a folder.
const WAITING_MAX: i64 = 20;
/// Proposals on the list.
const LISTED_MAX: i64 = 50;

/// How far a proposal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// For another person to confirm, or for anybody to withdraw.
    Waiting,
    /// Confirmed: the round is there.
    Loaded,
    /// Withdrawn.
    Withdrawn,
}

impl ProposalState {
    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Loaded => "loaded",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Chờ xác nhận",
            Self::Loaded => "Đã nạp",
            Self::Withdrawn => "Đã rút lại",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Loaded, Self::Withdrawn].into_iter().find(|state| state.as_str() == text)
    }
}

/// A folder that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Random.
    pub id: String,
    /// Id of the round; empty when the folder has errors.
    pub round: String,
    /// Its title; empty when the folder has errors.
    pub title: String,
    /// Its rules hash; empty when the folder has errors.
    pub hash: String,
    /// Faults that keep it from loading.
    pub errors: i64,
    /// Faults that somebody should look at.
    pub warnings: i64,
    /// How far it has come.
    pub state: ProposalState,
    /// Sign-in name of whoever uploaded it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Who settled it and when.
    pub settled: Option<(String, DateTime<Utc>)>,
}

/// Why something about a proposal cannot be done. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ProposalError {
    /// No such proposal.
    #[error("there is no such proposal")]
    Unknown,
    /// Whoever proposed a folder may not confirm it.
    #[error("the proposer cannot confirm")]
    SamePerson,
    /// Confirmed or withdrawn before.
    #[error("the proposal is settled")]
    Settled,
    /// The folder has errors.
    #[error("the folder has errors")]
    Faulty,
    /// The hash that was confirmed is not that of the folder.
    #[error("the hash differs")]
    Changed,
    /// So many wait already.
    #[error("too many proposals wait")]
    TooMany,
    /// The round cannot take the folder.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ProposalError> for Problem {
    fn from(error: ProposalError) -> Self {
        match error {
            ProposalError::Unknown => Self::new(&codes::PROPOSAL_UNKNOWN),
            ProposalError::SamePerson => Self::new(&codes::PROPOSAL_SAME_PERSON),
            ProposalError::Settled => Self::new(&codes::PROPOSAL_SETTLED),
            ProposalError::Faulty => Self::new(&codes::PROPOSAL_FAULTY),
            ProposalError::Changed => Self::new(&codes::PROPOSAL_CHANGED),
            ProposalError::TooMany => Self::new(&codes::PROPOSALS_MANY),
            ProposalError::Round(error) => error.into(),
            ProposalError::Db(error) => error.into(),
        }
    }
}

/// A folder with what its check found; checking is slow, so it is done before a transaction.
pub struct Upload {
    files: RoundFiles,
    checked: Checked,
}

impl Upload {
    /// Checks a folder.
    #[must_use]
    pub fn of(files: RoundFiles) -> Self {
        let checked = Round::check(&files);
        Self { files, checked }
    }

    /// What was found.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.checked.faults
    }

    /// The round, unless there are errors.
    #[must_use]
    pub fn round(&self) -> Option<&Round> {
        self.checked.round.as_ref()
    }

    fn count(&self, severity: Severity) -> i64 {
        let count = self.checked.faults.iter().filter(|fault| fault.severity == severity).count();
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proposed {
    /// It waits under this id.
    Waiting(String),
    /// The round is loaded with exactly these rules: nothing to do.
    Same(String),
}

/// Keeps an upload for another person to confirm.
///
/// # Errors
/// [`RoundError::FolderFrozen`] when the round can no longer change; [`ProposalError::TooMany`].
pub fn propose(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &Staff,
    upload: &Upload,
) -> Result<Proposed, ProposalError> {
    if let Some(round) = upload.round() {
        match standing(conn, round)? {
            Standing::Same(_) => return Ok(Proposed::Same(round.id.clone())),
            Standing::Frozen(state) => return Err(RoundError::FolderFrozen(state).into()),
            Standing::New | Standing::Replaces => {}
        }
    }
    if store::waiting(conn).map_err(DbError::from)? >= WAITING_MAX {
        return Err(ProposalError::TooMany);
    }
    let id = entropy.uuid().to_string();
    let (errors, warnings) = (upload.count(Severity::Error), upload.count(Severity::Warning));
    let told = |text: fn(&Round) -> &str| upload.round().map(text).unwrap_or_default();
    let row = store::NewProposal {
        id: &id,
        round: told(|round| &round.id),
        title: told(|round| &round.title),
        hash: told(|round| &round.hash),
        files: &stored(&upload.files)?,
        errors,
        warnings,
        state: ProposalState::Waiting.as_str(),
        proposed_by: &by.name,
        proposed_at: unix_ms(&at),
    };
    store::insert(conn, &row).map_err(DbError::from)?;
    let detail = format!("round={} hash={} errors={errors} warnings={warnings}", row.round, row.hash);
    audit::record(conn, at, &Actor::from(by), "round.proposed", &id, &detail)?;
    Ok(Proposed::Waiting(id))
}

/// The latest proposals, the newest first.
///
/// # Errors
/// When the database does not answer.
pub fn list(conn: &mut Conn) -> Result<Vec<Proposal>, DbError> {
    Ok(store::list(conn, LISTED_MAX)?)
}

/// A proposal, with its folder checked again while it waits.
///
/// # Errors
/// [`ProposalError::Unknown`].
pub fn read(conn: &mut Conn, id: &str) -> Result<(Proposal, Option<Upload>), ProposalError> {
    let proposal = store::find(conn, id).map_err(DbError::from)?.ok_or(ProposalError::Unknown)?;
    let upload = match proposal.state {
        ProposalState::Waiting => {
            let files = store::files(conn, id).map_err(DbError::from)?.ok_or(ProposalError::Unknown)?;
            Some(Upload::of(restored(&files)?))
        }
        ProposalState::Loaded | ProposalState::Withdrawn => None,
    };
    Ok((proposal, upload))
}

/// Loads a proposal that [`read`] gave, in the name of a second person who saw this hash.
///
/// # Errors
/// [`ProposalError`], with the reason.
pub fn confirm(
    conn: &mut Conn,
    at: DateTime<Utc>,
    by: &Staff,
    (proposal, upload): &(Proposal, Option<Upload>),
    hash_seen: &str,
) -> Result<(), ProposalError> {
    if proposal.proposed_by == by.name {
        return Err(ProposalError::SamePerson);
    }
    let upload = upload.as_ref().ok_or(ProposalError::Settled)?;
    let round = upload.round().ok_or(ProposalError::Faulty)?;
    if round.hash != hash_seen || round.hash != proposal.hash {
        return Err(ProposalError::Changed);
    }
    // First, so that two who confirm at once do not both load.
    settle(conn, proposal, ProposalState::Loaded, by, at)?;
    put(conn, &upload.files, round)?;
    let detail = format!("proposal={} proposed_by={} hash={}", proposal.id, proposal.proposed_by, round.hash);
    Ok(audit::record(conn, at, &Actor::from(by), "round.loaded", &round.id, &detail)?)
}

/// Withdraws a proposal: its proposer, or whoever could confirm it.
///
/// # Errors
/// [`ProposalError::Unknown`], [`ProposalError::Settled`].
pub fn withdraw(conn: &mut Conn, at: DateTime<Utc>, by: &Staff, id: &str) -> Result<(), ProposalError> {
    let proposal = store::find(conn, id).map_err(DbError::from)?.ok_or(ProposalError::Unknown)?;
    settle(conn, &proposal, ProposalState::Withdrawn, by, at)?;
    let detail = format!("round={} hash={} proposed_by={}", proposal.round, proposal.hash, proposal.proposed_by);
    Ok(audit::record(conn, at, &Actor::from(by), "round.proposal_withdrawn", id, &detail)?)
}

fn settle(
    conn: &mut Conn,
    proposal: &Proposal,
    state: ProposalState,
    by: &Staff,
    at: DateTime<Utc>,
) -> Result<(), ProposalError> {
    let settled = store::settle(conn, &proposal.id, state, &by.name, unix_ms(&at)).map_err(DbError::from)?;
    if settled { Ok(()) } else { Err(ProposalError::Settled) }
}
