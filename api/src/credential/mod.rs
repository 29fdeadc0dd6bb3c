//! One-time codes: issue, replace, revoke; and the roster that says how many. A code exists here for as long as it
//! takes to write it down; the database gets its public key.

mod export;
mod handed;
pub mod letters;
mod pages;
mod rest;
pub mod roster;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use survey_forms::Fault;
use survey_forms::roster::{Roster, RosterRow, RowFault};
use survey_forms::round::{Assignment, Channel, IssueMode};

pub use export::{plain, write_csv, write_xlsx};
pub use handed::{HandedOver, Standing, hand_over, standing, standings};
pub use rest::rest;

use crate::addressee::{self, Addressee};
use crate::ballot::log::entry::What;
use crate::ballot::log::{self, LogError};
use crate::ballot::{Bearer, CredentialState, FindError, Keys, PublicKey, Token, find};
use crate::bundle::{self, SheetLabel};
use crate::clock::Entropy;
use crate::db::{Conn, DbError};
use crate::round::{LoadedRound, RoundState, Rounds};

/// Most codes that one call makes.
pub const MOST_AT_ONCE: u64 = 1_000_000;

/// Which codes to make.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The group; all of them when absent.
    pub respondent_code: Option<&'a str>,
    /// The unit of its people; all of them when absent.
    pub source_unit: Option<&'a str>,
    /// Codes for each kind of ballot selected; what the quota or the roster leaves open when absent.
    pub count: Option<u32>,
}

/// A code, this once, with what it is for.
pub struct IssuedCode {
    /// The code itself.
    pub token: Token,
    /// The group.
    pub respondent_code: String,
    /// The unit; empty when the group has none.
    pub source_unit: String,
    /// What the ballot rates.
    pub targets: Vec<String>,
    /// Bundle and number of a paper ballot.
    pub sheet: Option<SheetLabel>,
}

/// Why no code was made. Nothing is done by halves.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The round has no such group, or the group no such unit.
    #[error("the round has no such group and unit")]
    NothingSelected,
    /// Counts are fixed: no codes after the close.
    #[error("the round is closed; no more codes")]
    Closed,
    /// More than the plan's quota or the roster says.
    #[error("{respondent_code} {source_unit}: {allowed} allowed, {issued} issued already, {asked} more asked for")]
    OverQuota {
        /// The group.
        respondent_code: String,
        /// The unit.
        source_unit: String,
        /// Quota or head count.
        allowed: u64,
        /// Issued and not revoked.
        issued: u64,
        /// Asked for now.
        asked: u64,
    },
    /// Neither quota nor roster nor a number given.
    #[error("{respondent_code} {source_unit}: no quota and no roster; say how many")]
    HowMany {
        /// The group.
        respondent_code: String,
        /// The unit.
        source_unit: String,
    },
    /// More than [`MOST_AT_ONCE`].
    #[error("too many codes at once")]
    TooMany,
    /// The code has been used: its ballot is in the box and stays there.
    #[error("the code has been used")]
    Used,
    /// The code was revoked before.
    #[error("the code was revoked before")]
    Revoked,
    /// The code leads nowhere.
    #[error(transparent)]
    Find(#[from] FindError),
    /// Faulty rows of a roster; nothing was imported.
    #[error("the roster has {} faulty rows", .0.len())]
    Roster(Vec<Fault>),
    /// Faulty rows of a list of people; nothing was imported.
    #[error("the list has {} faults", .0.len())]
    List(Vec<RowFault>),
    /// The group's codes go by letters to named people, and are made when these are sent.
    #[error("{0}: its codes go by letter; see phieu letters")]
    Addressed(String),
    /// The round's log could not be written.
    #[error(transparent)]
    Log(LogError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<LogError> for CredentialError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Db(error) => Self::Db(error),
            other => Self::Log(other),
        }
    }
}

impl From<diesel::result::Error> for CredentialError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

type Place = (String, String, String);

fn place(a: &Assignment) -> Place {
    (a.respondent_code.clone(), a.source_unit.clone().unwrap_or_default(), a.targets.join("+"))
}

/// Makes codes. Call inside a write; hand the codes over only after its commit.
///
/// # Errors
/// [`CredentialError`].
pub fn issue(
    conn: &mut Conn,
    round: &LoadedRound,
    selection: Selection<'_>,
    entropy: &Entropy,
) -> Result<Vec<IssuedCode>, CredentialError> {
    takes_codes(conn, round.id())?;
    let chosen: Vec<Assignment> =
        round.definition.assignments().into_iter().filter(|a| is_chosen(a, selection)).collect();
    if chosen.is_empty() {
        return Err(CredentialError::NothingSelected);
    }
    refuse_addressed(round, selection)?;
    let chosen: Vec<Assignment> = chosen.into_iter().filter(|a| !is_by_letter(round, a)).collect();
    let issued = store::issued(conn, round.id())?;
    let people = store::roster(conn, round.id())?;
    let mut wanted = Vec::new();
    let mut total = 0_u64;
    for assignment in chosen {
        let number = how_many(&assignment, selection.count, &issued, &people)?;
        total += number;
        wanted.push((assignment, number));
    }
    if total > MOST_AT_ONCE {
        return Err(CredentialError::TooMany);
    }
    let mut codes = Vec::new();
    let mut rows = Vec::new();
    let mut paper: BTreeMap<String, Vec<PublicKey>> = BTreeMap::new();
    for (assignment, number) in wanted {
        let (respondent_code, source_unit, targets) = place(&assignment);
        let channel = round.definition.group(&respondent_code).ok_or(CredentialError::NothingSelected)?.channel;
        for _ in 0..number {
            let token = Token::generate(entropy);
            let public = Keys::derive(&token, round.id()).public;
            if channel == Channel::Paper {
                paper.entry(respondent_code.clone()).or_default().push(public);
            }
            rows.push(store::NewCredential {
                public_key: public.to_vec(),
                round: round.id().to_owned(),
                respondent_code: respondent_code.clone(),
                source_unit: source_unit.clone(),
                targets: targets.clone(),
                channel: channel.as_str(),
                state: "issued",
            });
            let code = IssuedCode {
                token,
                respondent_code: respondent_code.clone(),
                source_unit: source_unit.clone(),
                targets: assignment.targets.clone(),
                sheet: None,
            };
            codes.push((public, code));
        }
    }
    // Stored in the order of their keys, so that the table's order says nothing about who got which.
    rows.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    store::insert(conn, &rows)?;
    let mut sheets = BTreeMap::new();
    for (group, keys) in paper {
        let group = round.definition.group(&group).ok_or(CredentialError::NothingSelected)?;
        sheets.append(&mut bundle::make(conn, round.id(), group, &keys, entropy)?);
    }
    log::incident(conn, round.id(), What::CodesIssued, codes.len(), 0)?;
    let mut codes: Vec<IssuedCode> =
        codes.into_iter().map(|(public, code)| IssuedCode { sheet: sheets.remove(&public), ..code }).collect();
    // Paper in the order of its bundles, as it is printed; that order was drawn by lot.
    codes.sort_by(|a, b| a.sheet.cmp(&b.sheet));
    Ok(codes)
}

/// Codes of a group whose letters are addressed are made with the letters, and never as a list.
fn is_by_letter(round: &LoadedRound, assignment: &Assignment) -> bool {
    round.definition.group(&assignment.respondent_code).is_some_and(|group| group.issue == IssueMode::Addressed)
}

fn refuse_addressed(round: &LoadedRound, selection: Selection<'_>) -> Result<(), CredentialError> {
    let named = selection.respondent_code.and_then(|code| round.definition.group(code));
    match named.filter(|group| group.issue == IssueMode::Addressed) {
        Some(group) => Err(CredentialError::Addressed(group.code.clone())),
        None => Ok(()),
    }
}

/// Holds the round against a close: what is made now is counted by it.
fn takes_codes(conn: &mut Conn, round: &str) -> Result<(), CredentialError> {
    let state = store::held_state(conn, round)?;
    let takes = [RoundState::Loaded, RoundState::Open].iter().any(|s| state.as_deref() == Some(s.as_str()));
    if takes { Ok(()) } else { Err(CredentialError::Closed) }
}

fn is_chosen(assignment: &Assignment, selection: Selection<'_>) -> bool {
    selection.respondent_code.is_none_or(|code| code == assignment.respondent_code)
        && selection.source_unit.is_none_or(|unit| {
            assignment.source_unit.as_deref() == Some(unit)
                // Groups without units of their own are picked by what they rate.
                || (assignment.source_unit.is_none() && assignment.targets.iter().any(|t| t == unit))
        })
}

fn how_many(
    assignment: &Assignment,
    count: Option<u32>,
    issued: &BTreeMap<Place, u64>,
    people: &BTreeMap<(String, String), u64>,
) -> Result<u64, CredentialError> {
    let at = place(assignment);
    let issued = issued.get(&at).copied().unwrap_or(0);
    let (respondent_code, source_unit, _) = at;
    let roster = people.get(&(respondent_code.clone(), source_unit.clone())).copied();
    let allowed = assignment.ballots.map(u64::from).or(roster);
    match (count.map(u64::from), allowed) {
        (Some(asked), Some(allowed)) if issued + asked > allowed => {
            Err(CredentialError::OverQuota { respondent_code, source_unit, allowed, issued, asked })
        }
        (Some(asked), _) => Ok(asked),
        (None, Some(allowed)) => Ok(allowed.saturating_sub(issued)),
        (None, None) => Err(CredentialError::HowMany { respondent_code, source_unit }),
    }
}

/// Withdraws a code that has not been used.
///
/// # Errors
/// [`CredentialError::Used`], [`CredentialError::Revoked`], [`CredentialError::Find`].
pub fn revoke(conn: &mut Conn, rounds: &Rounds, token: &Token) -> Result<Bearer, CredentialError> {
    let bearer = find(conn, rounds, token)?;
    store::held_state(conn, bearer.round.id())?;
    let revoked = withdraw(conn, bearer)?;
    bundle::withdraw(conn, &revoked.keys.public)?;
    log::incident(conn, revoked.round.id(), What::CodesRevoked, 0, 1)?;
    Ok(revoked)
}

/// The round is held by now: casts take it and the code in the same order.
fn withdraw(conn: &mut Conn, bearer: Bearer) -> Result<Bearer, CredentialError> {
    match bearer.state {
        CredentialState::Used(_) => Err(CredentialError::Used),
        CredentialState::Revoked => Err(CredentialError::Revoked),
        CredentialState::Issued if store::revoke(conn, &bearer.keys.public)? => Ok(bearer),
        CredentialState::Issued => Err(CredentialError::Used),
    }
}

/// Withdraws a code and makes another for the same place, in one transaction.
///
/// # Errors
/// As [`revoke`], and [`CredentialError::Closed`].
pub fn replace(
    conn: &mut Conn,
    rounds: &Rounds,
    token: &Token,
    entropy: &Entropy,
) -> Result<IssuedCode, CredentialError> {
    let old = find(conn, rounds, token)?;
    takes_codes(conn, old.round.id())?;
    let old = withdraw(conn, old)?;
    let new = Token::generate(entropy);
    let public = Keys::derive(&new, old.round.id()).public;
    store::insert(
        conn,
        &[store::NewCredential {
            public_key: public.to_vec(),
            round: old.round.id().to_owned(),
            respondent_code: old.stratum.respondent_code.clone(),
            source_unit: old.source_unit.clone(),
            targets: old.stratum.targets.join("+"),
            channel: old.channel.as_str(),
            state: "issued",
        }],
    )?;
    let sheet = bundle::replace(conn, &old.keys.public, &public)?;
    log::incident(conn, old.round.id(), What::CodesReplaced, 1, 1)?;
    Ok(IssuedCode {
        token: new,
        respondent_code: old.stratum.respondent_code,
        source_unit: old.source_unit,
        targets: old.stratum.targets,
        sheet,
    })
}

/// Withdraws the code in a person's last letter; whether there was one that could still be used.
///
/// # Errors
/// [`CredentialError::Used`]: then nothing changes.
pub fn revoke_tied(conn: &mut Conn, round: &str, person: &Addressee) -> Result<bool, CredentialError> {
    takes_codes(conn, round)?;
    let Some(key) = addressee::tied(conn, &person.id)? else { return Ok(false) };
    if store::state(conn, &key)?.as_deref() == Some("used") {
        return Err(CredentialError::Used);
    }
    let revoked = store::revoke(conn, &key)?;
    if !revoked && store::state(conn, &key)?.as_deref() == Some("used") {
        // A cast was faster.
        return Err(CredentialError::Used);
    }
    addressee::untie(conn, &person.id)?;
    if revoked {
        log::incident(conn, round, What::CodesRevoked, 0, 1)?;
    }
    Ok(revoked)
}

/// Withdraws a person's code for good: no letter that still waits brings another one. Whether there was one that could be
/// used.
///
/// # Errors
/// As [`revoke_tied`].
pub fn withdraw_tied(conn: &mut Conn, round: &str, person: &Addressee) -> Result<bool, CredentialError> {
    let revoked = revoke_tied(conn, round, person)?;
    letters::forget_all(conn, person)?;
    Ok(revoked)
}

/// Makes another code for a person, in place of the one in their last letter, to be shown once. A letter that still waits
/// is dropped: it would bring yet another code, and kill this one.
///
/// # Errors
/// [`CredentialError::Used`], [`CredentialError::Closed`].
pub fn replace_tied(
    conn: &mut Conn,
    round: &LoadedRound,
    person: &Addressee,
    entropy: &Entropy,
) -> Result<IssuedCode, CredentialError> {
    revoke_tied(conn, round.id(), person)?;
    letters::forget_waiting(conn, person)?;
    hand_out(conn, round, std::slice::from_ref(person), entropy)?.pop().ok_or(CredentialError::NothingSelected)
}

/// Makes codes for people who hold none that lives.
///
/// # Errors
/// [`CredentialError::Closed`], [`CredentialError::NothingSelected`] for a unit that rates nothing.
pub(crate) fn hand_out(
    conn: &mut Conn,
    round: &LoadedRound,
    people: &[Addressee],
    entropy: &Entropy,
) -> Result<Vec<IssuedCode>, CredentialError> {
    takes_codes(conn, round.id())?;
    let assignments = round.definition.assignments();
    let routes: BTreeMap<(&str, &str), &Assignment> = assignments
        .iter()
        .map(|a| ((a.respondent_code.as_str(), a.source_unit.as_deref().unwrap_or_default()), a))
        .collect();
    let (mut codes, mut rows, mut ties) = (Vec::new(), Vec::new(), Vec::new());
    for person in people {
        let (group, unit) = (person.respondent_code.as_str(), person.source_unit.as_str());
        let assignment = routes.get(&(group, unit)).ok_or(CredentialError::NothingSelected)?;
        let channel = round.definition.group(group).ok_or(CredentialError::NothingSelected)?.channel;
        let token = Token::generate(entropy);
        let key = Keys::derive(&token, round.id()).public;
        rows.push(store::NewCredential {
            public_key: key.to_vec(),
            round: round.id().to_owned(),
            respondent_code: group.to_owned(),
            source_unit: unit.to_owned(),
            targets: assignment.targets.join("+"),
            channel: channel.as_str(),
            state: "issued",
        });
        ties.push((person.id.as_str(), key));
        codes.push(IssuedCode {
            token,
            respondent_code: group.to_owned(),
            source_unit: unit.to_owned(),
            targets: assignment.targets.clone(),
            sheet: None,
        });
    }
    rows.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    store::insert(conn, &rows)?;
    for (person, key) in ties {
        addressee::tie(conn, round.id(), person, &key)?;
    }
    log::incident(conn, round.id(), What::CodesIssued, codes.len(), 0)?;
    Ok(codes)
}

/// The room's pages.
pub fn pages(cfg: &mut actix_web::web::ServiceConfig) {
    pages::pages(cfg);
    letters::pages::pages(cfg);
    roster::pages::pages(cfg);
}

/// Imports head counts in place of the old ones: every row or none. Groups whose letters are addressed have people
/// instead, and keep them.
///
/// # Errors
/// [`CredentialError::Roster`] with every faulty row, [`CredentialError::Closed`].
pub fn import_roster(conn: &mut Conn, round: &LoadedRound, csv: &[u8]) -> Result<Vec<RosterRow>, CredentialError> {
    takes_codes(conn, round.id())?;
    let rows = Roster::parse(csv, &round.definition).map_err(CredentialError::Roster)?;
    let addressed = round.definition.groups.iter().filter(|group| group.issue == IssueMode::Addressed);
    let addressed: Vec<&str> = addressed.map(|group| group.code.as_str()).collect();
    store::replace_roster(conn, round.id(), &addressed, &rows)?;
    log::incident(conn, round.id(), What::RosterReplaced, 0, 0)?;
    Ok(rows)
}
