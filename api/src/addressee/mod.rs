//! People of groups whose letters are addressed, and the tie between each of them and the code in their last letter. While
//! the round is open the tie tells who has answered, never what: ballots are sealed. The close destroys it, and the
//! round's log says how much was destroyed.

mod store;

use survey_forms::Round;
use survey_forms::round::IssueMode;

use crate::ballot::PublicKey;
use crate::ballot::log::entry::Entry;
use crate::db::{Conn, DbError};

pub(crate) use store::shred;

/// Somebody whom a letter is addressed to.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct Addressee {
    /// Random.
    pub id: String,
    /// The group.
    pub respondent_code: String,
    /// The unit.
    pub source_unit: String,
    /// The whole name.
    pub name: String,
    /// Where letters go.
    pub email: String,
}

/// What a close has destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Destroyed {
    /// People.
    pub addressees: u64,
    /// Ties between a person and a code.
    pub ties: u64,
    /// Letters, sent or not.
    pub letters: u64,
}

/// How an address is compared: nobody has two letters because of a capital.
#[must_use]
pub(crate) fn mailbox(email: &str) -> String {
    email.to_lowercase()
}

/// Everybody of a round, by group, unit and name.
///
/// # Errors
/// When the database fails.
pub(crate) fn all(conn: &mut Conn, round: &str) -> Result<Vec<Addressee>, DbError> {
    Ok(store::all(conn, round)?)
}

/// How many there are.
///
/// # Errors
/// When the database fails.
pub(crate) fn count(conn: &mut Conn, round: &str) -> Result<u64, DbError> {
    Ok(store::count(conn, round)?)
}

/// Adds people.
///
/// # Errors
/// When the database fails, or an address is there already.
pub(crate) fn add(conn: &mut Conn, round: &str, people: &[Addressee]) -> Result<(), DbError> {
    Ok(store::insert(conn, round, people)?)
}

/// Writes a person's name and unit anew.
///
/// # Errors
/// When the database fails.
pub(crate) fn rewrite(conn: &mut Conn, person: &Addressee) -> Result<(), DbError> {
    Ok(store::update(conn, person)?)
}

/// Takes people out, with their letters. Not for people who hold a code.
///
/// # Errors
/// When the database fails.
pub(crate) fn remove(conn: &mut Conn, ids: &[String]) -> Result<(), DbError> {
    Ok(store::delete(conn, ids)?)
}

/// One of them.
///
/// # Errors
/// When the database fails.
pub(crate) fn one(conn: &mut Conn, round: &str, id: &str) -> Result<Option<Addressee>, DbError> {
    Ok(store::one(conn, round, id)?)
}

/// The code that a person's last letter held.
///
/// # Errors
/// When the database fails.
pub(crate) fn tied(conn: &mut Conn, id: &str) -> Result<Option<PublicKey>, DbError> {
    Ok(store::tie(conn, id)?)
}

/// Ties a person to the code of the letter that is about to be handed over, in place of an earlier one.
///
/// # Errors
/// When the database fails.
pub(crate) fn tie(conn: &mut Conn, round: &str, id: &str, key: &PublicKey) -> Result<(), DbError> {
    Ok(store::put_tie(conn, round, id, key)?)
}

/// Takes a tie away; the code is nobody's then.
///
/// # Errors
/// When the database fails.
pub(crate) fn untie(conn: &mut Conn, id: &str) -> Result<(), DbError> {
    Ok(store::delete_tie(conn, id)?)
}

/// Ids of everybody of a round who has been sent a code.
///
/// # Errors
/// When the database fails.
pub(crate) fn holders(conn: &mut Conn, round: &str) -> Result<std::collections::BTreeSet<String>, DbError> {
    Ok(store::holders(conn, round)?)
}

/// Deletes all that is known of a round's people, in the transaction of the close; gives back the log's entry about it
/// where the round addresses letters at all.
///
/// # Errors
/// When the database fails.
pub(crate) fn destroy(conn: &mut Conn, round: &Round) -> Result<Option<(Destroyed, Entry)>, DbError> {
    let gone = store::delete_all(conn, &round.id)?;
    let addressed = round.groups.iter().any(|group| group.issue == IssueMode::Addressed);
    if !addressed && gone == Destroyed::default() {
        return Ok(None);
    }
    let Destroyed { addressees, ties, letters } = gone;
    Ok(Some((gone, Entry::TiesDestroyed { addressees, ties, letters })))
}
