//! The public form: enter a code, answer, keep a draft under the code's own key, go on from another device, review,
//! cast, receipt. What is done here is the same for the pages and for the REST calls.

mod english;
mod given;
mod item_view;
mod kept;
mod pages;
mod place;
mod preview;
mod rest;
mod sent;
mod shown;
mod views;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;
use survey_forms::answers::{AnswerFault, Answers};
use survey_forms::round::Channel;

pub use pages::pages;
pub use rest::rest;

use crate::ballot::check::Committed;
use crate::ballot::draft::{self, Change, DraftError, Kept};
use crate::ballot::{Bearer, Cast, CastError, Casting, CredentialState, FindError, Purpose, Receipt, Token, find};
use crate::db::{Conn, Db, DbError};
use crate::http::{FieldFault, Problem, codes};
use crate::round::{LoadedRound, RoundError, RoundState, Rounds};

/// A code in hand, at one moment. Lives for one request.
struct Visit {
    bearer: Bearer,
    now: DateTime<Utc>,
    /// Whether a draft waits under the code.
    drafted: bool,
}

/// What somebody with this code can do now.
enum Standing<'v> {
    /// Answer and cast.
    Answering,
    /// The ballot is in the box.
    Cast(&'v Receipt),
    /// The code was replaced or withdrawn.
    Revoked,
    /// The code belongs to a paper ballot.
    Paper,
    /// The round opens later.
    NotYet,
    /// The round takes no more ballots.
    Over,
}

impl Visit {
    fn standing(&self) -> Standing<'_> {
        let round = &self.bearer.round;
        match &self.bearer.state {
            CredentialState::Revoked => Standing::Revoked,
            _ if self.bearer.channel == Channel::Paper => Standing::Paper,
            CredentialState::Used(receipt) => Standing::Cast(receipt),
            CredentialState::Issued if round.accepts(Channel::Online, self.now) => Standing::Answering,
            CredentialState::Issued if self.drafted && round.in_grace(self.now) => Standing::Answering,
            CredentialState::Issued
                if round.state == RoundState::Loaded
                    || (round.state == RoundState::Open && self.now < round.opens_at) =>
            {
                Standing::NotYet
            }
            CredentialState::Issued => Standing::Over,
        }
    }
}

/// Why it was not done. Never says what was sent.
#[derive(Debug, thiserror::Error)]
enum RespondError {
    #[error("the code is unknown")]
    CodeUnknown,
    #[error("the code was revoked")]
    Revoked,
    #[error("the code belongs to a paper ballot")]
    Paper,
    #[error("the round takes no ballots now")]
    NotOpen,
    #[error("{} answers at fault", .0.len())]
    Answers(Vec<AnswerFault>),
    #[error(transparent)]
    Find(FindError),
    #[error(transparent)]
    Draft(DraftError),
    #[error(transparent)]
    Cast(CastError),
    #[error(transparent)]
    Round(#[from] RoundError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<FindError> for RespondError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Unknown => Self::CodeUnknown,
            FindError::Db(error) => Self::Db(error),
            other => Self::Find(other),
        }
    }
}

impl From<CastError> for RespondError {
    fn from(error: CastError) -> Self {
        match error {
            CastError::Answers(faults) => Self::Answers(faults),
            CastError::NotOpen => Self::NotOpen,
            CastError::Revoked => Self::Revoked,
            CastError::Unknown => Self::CodeUnknown,
            CastError::Db(error) => Self::Db(error),
            other => Self::Cast(other),
        }
    }
}

impl From<DraftError> for RespondError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Db(error) => Self::Db(error),
            other => Self::Draft(other),
        }
    }
}

impl From<RespondError> for Problem {
    fn from(error: RespondError) -> Self {
        match error {
            RespondError::CodeUnknown => Self::new(&codes::CODE_UNKNOWN),
            RespondError::Revoked => Self::new(&codes::CODE_REVOKED),
            RespondError::Paper => Self::new(&codes::CODE_IS_PAPER),
            RespondError::NotOpen => Self::new(&codes::ROUND_NOT_OPEN),
            RespondError::Answers(faults) => {
                let fault = |f: AnswerFault| FieldFault { pointer: format!("/answers{}", f.pointer), code: f.code };
                Self::new(&codes::ANSWERS_INVALID).with_errors(faults.into_iter().map(fault).collect())
            }
            RespondError::Cast(CastError::Queue(error)) | RespondError::Draft(DraftError::Queue(error)) => error.into(),
            RespondError::Db(error) | RespondError::Round(RoundError::Db(error)) => error.into(),
            other => Self::internal(&other),
        }
    }
}

/// What the room works with; cheap to clone.
#[derive(Clone)]
struct Booth {
    db: Db,
    rounds: Rounds,
    casting: Casting,
}

impl Booth {
    /// Every round, those that accept ballots first, and what time it is for them.
    async fn rounds(&self) -> Result<(Arc<Vec<Arc<LoadedRound>>>, DateTime<Utc>), RespondError> {
        let booth = self.clone();
        self.db.read(move |conn| Ok((booth.rounds.all(conn)?, booth.db.now(conn)?))).await
    }

    /// What the code stands for. Changes nothing.
    async fn bearer(&self, token: Token) -> Result<Bearer, RespondError> {
        let rounds = self.rounds.clone();
        self.db.read(move |conn| Ok(find(conn, &rounds, &token)?)).await
    }

    /// What the code stands for, and its draft. Changes nothing.
    async fn visit(&self, token: Token) -> Result<(Visit, Answers), RespondError> {
        let booth = self.clone();
        self.db.read(move |conn| booth.visit_here(conn, &token)).await
    }

    fn visit_here(&self, conn: &mut Conn, token: &Token) -> Result<(Visit, Answers), RespondError> {
        let mut bearer = find(conn, &self.rounds, token)?;
        let now = self.db.now(conn)?;
        let draft = match bearer.state {
            CredentialState::Issued => draft::read(conn, &bearer, Purpose::Draft)?,
            _ => None,
        };
        if draft.is_none() {
            // No draft, or cast by the other half of a double click between the two reads: the code says which.
            bearer = find(conn, &self.rounds, token)?;
        }
        Ok((Visit { bearer, now, drafted: draft.is_some() }, draft.unwrap_or_default()))
    }

    /// Merges a screen's answers into the draft; what they do not name stays. It is kept when this returns, or the visit
    /// that comes back says why not.
    async fn keep(&self, token: Token, visit: Visit, change: Change) -> Result<Visit, RespondError> {
        if self.casting.keep(&visit.bearer, change).await? == Kept::Done {
            return Ok(visit);
        }
        // Cast from another device, or closed, a moment ago.
        let booth = self.clone();
        let read = move |conn: &mut Conn| {
            booth.rounds.reread(conn)?;
            booth.visit_here(conn, &token)
        };
        let (visit, _): (Visit, Answers) = self.db.read(read).await?;
        if matches!(visit.standing(), Standing::Answering) { Err(RespondError::NotOpen) } else { Ok(visit) }
    }

    /// Casts these answers; the same code again gets the receipt of the first time.
    async fn cast(&self, bearer: &Bearer, answers: &Answers) -> Result<Cast, RespondError> {
        castable(bearer)?;
        Ok(self.casting.cast(bearer, answers).await?)
    }

    /// Reads the wire form of answers and casts them.
    async fn cast_value(&self, bearer: &Bearer, answers: &Value) -> Result<Cast, RespondError> {
        castable(bearer)?;
        let answers = match bearer.state {
            // Its ballot is in the box; whatever came along now is not looked at.
            CredentialState::Used(_) => Answers::new(),
            _ => {
                let told_apart = |faults| tell_targets_apart(bearer, answers, faults);
                bearer.form()?.parse(answers).map_err(|faults| RespondError::Answers(told_apart(faults)))?
            }
        };
        self.cast(bearer, &answers).await
    }
}

impl Booth {
    /// Reads the wire form of answers and commits to their envelope.
    fn commit_to(&self, bearer: &Bearer, answers: &Value) -> Result<Committed, RespondError> {
        let told_apart = |faults| tell_targets_apart(bearer, answers, faults);
        let answers = bearer.form()?.parse(answers).map_err(|faults| RespondError::Answers(told_apart(faults)))?;
        Ok(self.casting.commit_to(bearer, &answers)?)
    }

    /// Casts the envelope that was committed to; `None` when it is not to be had any more.
    async fn cast_committed(&self, bearer: &Bearer, held: &str) -> Result<Option<Cast>, RespondError> {
        castable(bearer)?;
        match &bearer.state {
            CredentialState::Used(receipt) => Ok(Some(Cast { receipt: receipt.clone(), first: false })),
            _ => Ok(self.casting.cast_committed(bearer, held).await?),
        }
    }
}

/// The form knows its own targets only; a program is told whether a target is another code's or nobody's.
fn tell_targets_apart(bearer: &Bearer, answers: &Value, mut faults: Vec<AnswerFault>) -> Vec<AnswerFault> {
    const FOREIGN: &str = "target_not_yours";
    if faults.iter().any(|fault| fault.code == FOREIGN) {
        faults.retain(|fault| fault.code != FOREIGN);
        let named = || answers.as_object().into_iter().flat_map(serde_json::Map::keys);
        let known = |name: &str| bearer.round.definition.target(name).is_some();
        let own = |name: &String| bearer.stratum.targets.contains(name);
        let mut add = |code| faults.push(AnswerFault { pointer: String::new(), code });
        if named().any(|name| !known(name)) {
            add("target_not_in_round");
        }
        if named().any(|name| known(name) && !own(name)) {
            add(FOREIGN);
        }
    }
    faults
}

/// Refuses before anything is sealed; the cast itself asks the database again.
fn castable(bearer: &Bearer) -> Result<(), RespondError> {
    match bearer.state {
        CredentialState::Revoked => Err(RespondError::Revoked),
        _ if bearer.channel == Channel::Paper => Err(RespondError::Paper),
        CredentialState::Issued if bearer.round.state != RoundState::Open => Err(RespondError::NotOpen),
        _ => Ok(()),
    }
}
