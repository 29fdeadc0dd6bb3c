//! A release of scores by two persons: one proposes it, another reads what it would say, compares its digest, and
//! releases it. The first one, and every correction after it. An old release is never changed: a correction is a new
//! one that says why, and is refused where it would give away, together with the old ones, what they hide.
//!
//! Decision: the proposal keeps what is to be released (reason, what is left out, digest), not the document. The
//! document is made again from the ballots when it is confirmed, so that what is published is what the box holds now.

mod pages;
mod store;

use chrono::{DateTime, Utc};
use survey_forms::scoring::{self, Correction, LeftOut, Revealed, ScoreDocument};

use super::publishing::{Published, Timing, sha256_hex};
use super::{ActError, Ceremony, store as acts};
use crate::access::{Actor, audit};
use crate::clock::local;
use crate::db::{Conn, DbError, unix_ms};
use crate::http::codes::{self, Code};
use crate::round::{RoundError, RoundState};

pub(super) use pages::pages;

/// Characters of a correction's reason.
const REASON_CHARACTERS: std::ops::RangeInclusive<usize> = 20..=2000;
/// Most ranges that a correction leaves out.
const LEFT_OUT_MAX: usize = 100;

/// Why a release was refused. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// No such proposal.
    #[error("there is no such proposal of a release")]
    Unknown,
    /// Another proposal of this round waits.
    #[error("another proposal of a release waits: confirm or withdraw it first")]
    Waits,
    /// Whoever proposed may not confirm.
    #[error("the proposer cannot confirm")]
    SamePerson,
    /// Confirmed or withdrawn before.
    #[error("the proposal is settled")]
    Settled,
    /// The digest that was confirmed is not that of the document.
    #[error("the digest differs")]
    Changed,
    /// No reason, or one that is too short or too long.
    #[error("a correction says why, in 20 to 2000 characters")]
    Reason,
    /// A first release leaves nothing out; a correction only what the round has.
    #[error("what is left out names a group, a target or an item of the round")]
    LeftOut,
    /// No number would change.
    #[error("the correction changes no number")]
    Empty,
    /// With the earlier releases it would give these away.
    #[error("together with the earlier releases it would give away {} numbers that they hide, first of all {}", .0.len(), first(.0))]
    Reveals(Vec<Revealed>),
}

fn first(revealed: &[Revealed]) -> String {
    let words = |one: &Revealed| {
        let part = |name: &str, code: &Option<String>| code.as_ref().map(|code| format!(", {name} {code}"));
        let item = part("item", &one.item_code).unwrap_or_else(|| ", total or a field".to_owned());
        format!("target {}{item}{}", one.target, part("group", &one.respondent_code).unwrap_or_default())
    };
    revealed.first().map(words).unwrap_or_default()
}

impl ReleaseError {
    /// How it is told.
    pub(super) const fn code(&self) -> &'static Code {
        match self {
            Self::Unknown => &codes::RELEASE_PROPOSAL_UNKNOWN,
            Self::Waits => &codes::RELEASE_WAITS,
            Self::SamePerson => &codes::RELEASE_SAME_PERSON,
            Self::Settled => &codes::RELEASE_SETTLED,
            Self::Changed => &codes::RELEASE_CHANGED,
            Self::Reason => &codes::CORRECTION_REASON,
            Self::LeftOut => &codes::CORRECTION_UNKNOWN,
            Self::Empty => &codes::CORRECTION_EMPTY,
            Self::Reveals(_) => &codes::CORRECTION_REVEALS,
        }
    }
}

/// What somebody proposes to release: nothing for the first release, a reason for a correction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// For everybody to read; empty for the first release.
    pub reason: String,
    /// What does not count, seen from the box.
    pub left_out: Vec<LeftOut>,
}

/// How far a proposal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalState {
    /// For another person to confirm, or for anybody to withdraw.
    Waiting,
    /// Confirmed: it is out.
    Released,
    /// Withdrawn.
    Withdrawn,
}

impl ProposalState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Released, Self::Withdrawn];

    /// As stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Released => "released",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Chờ xác nhận",
            Self::Released => "Đã công bố",
            Self::Withdrawn => "Đã rút lại",
        }
    }
}

/// A release that was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Random.
    pub id: String,
    /// Id of the round.
    pub round: String,
    /// Which release it would be.
    pub release: i64,
    /// What it would be.
    pub draft: Draft,
    /// SHA-256 of the document as published at `proposed_at`, lower-case hex.
    pub digest: String,
    /// How far it has come.
    pub state: ProposalState,
    /// Who proposed it, as the trail names people.
    pub proposed_by: String,
    /// When.
    pub proposed_at: DateTime<Utc>,
    /// Who settled it and when.
    pub settled: Option<(String, DateTime<Utc>)>,
}

/// A document as it would be released, and what was released before it.
pub struct Prepared {
    /// Its time of publication is that of the proposal.
    pub document: ScoreDocument,
    /// The oldest first.
    pub earlier: Vec<ScoreDocument>,
    state: RoundState,
}

impl Prepared {
    fn digest(&self) -> String {
        sha256_hex(&self.document.canonical())
    }
}

impl Ceremony {
    /// Proposes the round's first release, or a correction of the latest one.
    ///
    /// # Errors
    /// [`ReleaseError`], [`ActError::OutOfOrder`] before the box is open, [`ActError::BoxChanged`].
    pub fn propose_release(&self, by: &Actor, round: &str, draft: &Draft) -> Result<Proposal, ActError> {
        let now = self.db.read_here(|conn| {
            if store::waiting(conn, round).map_err(DbError::from)?.is_some() {
                return Err(ActError::from(ReleaseError::Waits));
            }
            Ok(self.db.now(conn)?)
        })?;
        // To the millisecond, as it is stored.
        let at = crate::db::from_unix_ms(unix_ms(&now));
        let prepared = self.prepare(round, draft, at)?;
        let proposal = Proposal {
            id: self.entropy.uuid().to_string(),
            round: round.to_owned(),
            release: i64::from(prepared.document.release),
            draft: draft.clone(),
            digest: prepared.digest(),
            state: ProposalState::Waiting,
            proposed_by: by.to_string(),
            proposed_at: at,
            settled: None,
        };
        self.act(|conn| {
            super::held(conn, round, prepared.state)?;
            if store::waiting(conn, round)?.is_some() {
                return Err(ReleaseError::Waits.into());
            }
            store::insert(conn, &proposal)?;
            let detail = format!("release={} digest={}", proposal.release, proposal.digest);
            self.note(conn, by, "round.release_proposed", round, &detail)?;
            Ok(())
        })?;
        Ok(proposal)
    }

    /// A proposal, and the document that it would release while it waits.
    ///
    /// # Errors
    /// [`ReleaseError::Unknown`], and whatever keeps the document from being made.
    pub fn read_release(&self, id: &str) -> Result<(Proposal, Option<Prepared>), ActError> {
        let found = self.db.read_here(|conn| store::find(conn, id).map_err(ActError::from))?;
        let proposal = found.ok_or(ReleaseError::Unknown)?;
        let prepared = match proposal.state {
            ProposalState::Waiting => Some(self.prepare(&proposal.round, &proposal.draft, proposal.proposed_at)?),
            ProposalState::Released | ProposalState::Withdrawn => None,
        };
        Ok((proposal, prepared))
    }

    /// Releases what was proposed, in the name of a second person who saw this digest.
    ///
    /// # Errors
    /// [`ReleaseError`], [`ActError::TooEarly`], and as [`Ceremony::read_release`].
    pub fn confirm_release(
        &self,
        by: &Actor,
        id: &str,
        digest_seen: &str,
        timing: Timing,
    ) -> Result<Published, ActError> {
        let (proposal, prepared) = self.read_release(id)?;
        let prepared = prepared.ok_or(ReleaseError::Settled)?;
        if proposal.proposed_by == by.to_string() {
            return Err(ReleaseError::SamePerson.into());
        }
        if prepared.digest() != proposal.digest || proposal.digest != digest_seen {
            return Err(ReleaseError::Changed.into());
        }
        self.act(|conn| {
            let now = self.db.now(conn)?;
            // First, so that two who confirm at once do not both release.
            if !store::settle(conn, id, ProposalState::Released, by, now)? {
                return Err(ReleaseError::Settled.into());
            }
            let detail = format!(" proposed_by={}", proposal.proposed_by);
            self.put_out(conn, by, &prepared, timing, &detail)
        })
    }

    /// Withdraws a proposal: its proposer, or whoever could confirm it.
    ///
    /// # Errors
    /// [`ReleaseError::Unknown`], [`ReleaseError::Settled`].
    pub fn withdraw_release(&self, by: &Actor, id: &str) -> Result<Proposal, ActError> {
        self.act(|conn| {
            let proposal = store::find(conn, id)?.ok_or(ReleaseError::Unknown)?;
            let now = self.db.now(conn)?;
            if !store::settle(conn, id, ProposalState::Withdrawn, by, now)? {
                return Err(ReleaseError::Settled.into());
            }
            let detail = format!("release={} proposed_by={}", proposal.release, proposal.proposed_by);
            audit::record(conn, now, by, "round.release_withdrawn", &proposal.round, &detail)?;
            Ok(proposal)
        })
    }

    /// Counts the ballots again and makes the next document, as published at `at`.
    pub(super) fn prepare(&self, round: &str, draft: &Draft, at: DateTime<Utc>) -> Result<Prepared, ActError> {
        let (loaded, opening, turnout, earlier) = self.db.read_here(|conn| {
            self.rounds.reread(conn)?;
            let loaded = self.rounds.get(conn, round)?;
            if loaded.state < RoundState::Opened {
                return Err(ActError::OutOfOrder { is: loaded.state, needs: RoundState::Opened });
            }
            let opening = acts::opening(conn, round)?.ok_or(RoundError::Unreadable)?;
            Ok((loaded, opening, acts::turnout(conn, round)?, acts::releases(conn, round)?))
        })?;
        let read = |text: &String| serde_json::from_str(text).map_err(|_json| ActError::from(RoundError::Unreadable));
        let earlier = earlier.iter().map(read).collect::<Result<Vec<ScoreDocument>, _>>()?;
        let rules = &loaded.definition;
        let length = draft.reason.trim().chars().count();
        let is_first = earlier.is_empty();
        if is_first && length > 0 || !is_first && !REASON_CHARACTERS.contains(&length) {
            return Err(ReleaseError::Reason.into());
        }
        let known = draft.left_out.iter().all(|out| out.is_of(rules));
        if is_first && !draft.left_out.is_empty() || draft.left_out.len() > LEFT_OUT_MAX || !known {
            return Err(ReleaseError::LeftOut.into());
        }
        let (mut tally, counted) = self.tally(rules)?;
        if counted != opening.opened {
            return Err(ActError::BoxChanged { expected: opening.opened, found: counted });
        }
        draft.left_out.iter().for_each(|out| tally.leave_out(out));
        let sheet = scoring::score(rules, &tally, &turnout);
        let mut document = sheet.document_after(rules, local(at), &opening.log_root, &earlier);
        if let Some(latest) = earlier.last() {
            let left_out = draft.left_out.clone();
            document.correction = Some(Correction { reason: draft.reason.trim().to_owned(), left_out });
            if (&document.targets, &document.ballots) == (&latest.targets, &latest.ballots) {
                return Err(ReleaseError::Empty.into());
            }
            let revealed = scoring::reveals(&earlier, &document);
            if !revealed.is_empty() {
                return Err(ReleaseError::Reveals(revealed).into());
            }
        }
        Ok(Prepared { document, earlier, state: loaded.state })
    }

    /// The proposal of a round that waits, if there is one.
    pub(super) fn waiting_release(conn: &mut Conn, round: &str) -> Result<Option<Proposal>, DbError> {
        Ok(store::waiting(conn, round)?)
    }
}

impl Prepared {
    /// Where the round is while this is prepared.
    pub(super) const fn state(&self) -> RoundState {
        self.state
    }
}

#[cfg(test)]
mod tests;
