//! Paper ballots as things: each is one numbered sheet of a bundle of its group, somewhere, in somebody's hands. Bundles
//! are made with the codes; what is on a sheet is not known here.
//!
//! Numbers are drawn by lot within a bundle, so a number says nothing about which code was made first.

pub mod claims;
mod label;
pub mod scans;
mod store;

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use survey_forms::round::{Channel, Group};

pub use label::SheetLabel;

use crate::ballot::PublicKey;
use crate::clock::Entropy;
use crate::db::{Conn, DbError};
use crate::round::{LoadedRound, RoundState, Rounds};

/// Puts fresh paper ballots of one group into bundles of their own, planned for no post office yet. Call inside the
/// write that made their credentials.
///
/// # Errors
/// When the database fails.
pub(crate) fn make(
    conn: &mut Conn,
    round: &str,
    group: &Group,
    keys: &[PublicKey],
    entropy: &Entropy,
) -> Result<BTreeMap<PublicKey, SheetLabel>, DbError> {
    let mut drawn = keys.to_vec();
    drawn.shuffle(&mut entropy.generator());
    let mut number = store::hold_last_number(conn, round, &group.code)?;
    let mut labels = BTreeMap::new();
    let mut sheets = Vec::with_capacity(drawn.len());
    let mut rest = drawn.as_slice();
    for size in group.bundles(keys.len()) {
        number += 1;
        let (those, others) = rest.split_at(size.min(rest.len()));
        rest = others;
        let bundle = entropy.uuid().to_string();
        store::insert_bundle(conn, &bundle, round, &group.code, number, size)?;
        for (key, sheet) in those.iter().zip(1_u32..) {
            let of = u32::try_from(size).unwrap_or(u32::MAX);
            labels.insert(*key, SheetLabel { respondent_code: group.code.clone(), bundle: number, sheet, of });
            sheets.push(store::NewSheet::new(key, round, &bundle, sheet));
        }
    }
    store::insert_sheets(conn, sheets)?;
    Ok(labels)
}

/// Gives a replacement the place of the sheet that it replaces, which counts as spoiled from now on. A sheet without a
/// bundle has none to give.
///
/// # Errors
/// When the database fails.
pub(crate) fn replace(conn: &mut Conn, old: &PublicKey, new: &PublicKey) -> Result<Option<SheetLabel>, DbError> {
    if store::copy_place(conn, old, new)? {
        withdraw(conn, old)?;
    }
    label(conn, new)
}

/// The sheet of a revoked code counts as spoiled, unless it is known to be gone otherwise.
///
/// # Errors
/// When the database fails.
pub(crate) fn withdraw(conn: &mut Conn, key: &PublicKey) -> Result<(), DbError> {
    Ok(store::spoil(conn, key)?)
}

/// Bundles the paper ballots whose codes an older version made, in rounds that still take ballots. Safe to repeat, and
/// for any number of processes at once.
///
/// # Errors
/// When the database fails.
pub fn make_missing(conn: &mut Conn, rounds: &Rounds, entropy: &Entropy) -> Result<usize, DbError> {
    let mut made = 0;
    let all = rounds.all(conn).map_err(|error| match error {
        crate::round::RoundError::Db(error) => error,
        _ => DbError::Conflict,
    })?;
    for round in all.iter().filter(|r| matches!(r.state, RoundState::Loaded | RoundState::Open)) {
        for group in round.definition.groups.iter().filter(|g| g.channel == Channel::Paper) {
            store::hold_last_number(conn, round.id(), &group.code)?;
            let keys = store::loose(conn, round.id(), &group.code)?;
            made += make(conn, round.id(), group, &keys, entropy)?.len();
        }
    }
    Ok(made)
}

/// Bundle and number of one paper ballot; none for an online code.
///
/// # Errors
/// When the database fails.
pub fn label(conn: &mut Conn, key: &PublicKey) -> Result<Option<SheetLabel>, DbError> {
    Ok(store::label(conn, key)?)
}

/// Bundle and number of every paper ballot of a round, by public key.
///
/// # Errors
/// When the database fails.
pub fn labels(conn: &mut Conn, round: &LoadedRound) -> Result<BTreeMap<PublicKey, SheetLabel>, DbError> {
    Ok(store::labels(conn, round.id())?)
}

#[cfg(test)]
mod tests;
