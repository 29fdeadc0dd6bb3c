//! What is sealed: one ballot as canonical bytes, and nothing about who cast it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::{Answer, Answers};
use crate::canonical;

/// Who rates what, as it travels in a ballot: `GROUP/TARGET+TARGET`. Never the unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stratum {
    /// The group.
    pub respondent_code: String,
    /// What the ballot rates, in the order of the targets' table.
    pub targets: Vec<String>,
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.respondent_code, self.targets.join("+"))
    }
}

impl FromStr for Stratum {
    type Err = BallotFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (group, targets) = text.split_once('/').ok_or(BallotFault::Stratum)?;
        let targets: Vec<String> = targets.split('+').map(str::to_owned).collect();
        let distinct: BTreeSet<&String> = targets.iter().collect();
        let plain = |code: &str| !code.is_empty() && !code.contains(['/', '+']);
        if !plain(group) || !targets.iter().all(|t| plain(t)) || distinct.len() != targets.len() {
            return Err(BallotFault::Stratum);
        }
        Ok(Stratum { respondent_code: group.to_owned(), targets })
    }
}

/// One ballot: what is encrypted, counted, and never linked to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The round's id.
    pub round: String,
    /// Hash of the questionnaire that was shown.
    pub questionnaire: String,
    /// Group and targets.
    pub stratum: Stratum,
    /// The answers.
    pub answers: Answers,
}

/// Why bytes are no ballot. Says nothing of what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BallotFault {
    /// Not JSON.
    #[error("the ballot is not JSON")]
    NotJson,
    /// JSON of another shape.
    #[error("the ballot does not have the four members of a ballot")]
    Shape,
    /// The stratum does not read.
    #[error("the stratum of the ballot cannot be read")]
    Stratum,
    /// An answer is neither an option nor a mark.
    #[error("an answer of the ballot cannot be read")]
    Answer,
    /// A ballot, but not in its canonical bytes.
    #[error("the ballot is not in canonical form")]
    NotCanonical,
}

impl Ballot {
    /// Canonical JSON (RFC 8785): `{"answers":..,"questionnaire":..,"round":..,"stratum":".."}`.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        canonical::to_vec(&json!({
            "answers": self.answers.to_value(),
            "questionnaire": self.questionnaire,
            "round": self.round,
            "stratum": self.stratum.to_string(),
        }))
    }

    /// Reads canonical bytes back.
    ///
    /// # Errors
    /// Bytes that are no ballot, or that would not serialise to the very same bytes.
    pub fn from_canonical(bytes: &[u8]) -> Result<Ballot, BallotFault> {
        let value: Value = serde_json::from_slice(bytes).or(Err(BallotFault::NotJson))?;
        let members = value.as_object().ok_or(BallotFault::Shape)?;
        let text = |name: &str| {
            let text = members.get(name).and_then(Value::as_str);
            text.map(str::to_owned).ok_or(BallotFault::Shape)
        };
        let mut answers = Answers::new();
        let targets = members.get("answers").and_then(Value::as_object).ok_or(BallotFault::Shape)?;
        for (target, items) in targets {
            for (item, answer) in items.as_object().ok_or(BallotFault::Answer)? {
                let answer = Answer::from_value(answer).ok_or(BallotFault::Answer)?;
                answers.insert(target, item, answer);
            }
        }
        let stratum = text("stratum")?.parse()?;
        let (round, questionnaire) = (text("round")?, text("questionnaire")?);
        let ballot = Ballot { round, questionnaire, stratum, answers };
        if ballot.canonical() == bytes { Ok(ballot) } else { Err(BallotFault::NotCanonical) }
    }
}
