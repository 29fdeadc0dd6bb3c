//! A list of codes is handed over once. Whoever asks for a list that was handed over gets a new one, and the codes of the
//! old one that nobody used die with it: a lost list, or one in the wrong hands, is worth nothing.

use std::collections::BTreeMap;

use survey_forms::round::{Assignment, Channel};

use super::store::{self, NewCredential};
use super::{
    CredentialError, IssuedCode, Place, Selection, how_many, is_by_letter, is_chosen, issue, place, refuse_addressed,
    takes_codes,
};
use crate::ballot::log::entry::What;
use crate::ballot::{Keys, PublicKey, Token, log};
use crate::bundle;
use crate::clock::Entropy;
use crate::db::Conn;
use crate::round::LoadedRound;

/// A list of codes, this once.
pub struct HandedOver {
    /// The codes.
    pub codes: Vec<IssuedCode>,
    /// Codes of an earlier list that were not used and are dead now.
    pub revoked: usize,
}

/// What asking for a list would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Codes that quota and roster leave open.
    pub open: u64,
    /// Handed over, not used, and still in somebody's hands: asking again makes others for these.
    pub unused: u64,
    /// Used, or paper that has come back: never touched.
    pub settled: u64,
}

/// Codes for what quota and roster leave open. When nothing is open, the list was handed over before: its unused codes
/// are revoked and as many new ones made for the same places, paper ballots with the same bundle and number. With a
/// number in the selection: so many more, and nothing is revoked. Call inside a write, and write the list down before its
/// commit.
///
/// # Errors
/// As [`issue`]; [`CredentialError::Used`] when nothing is open and every code is used.
pub fn hand_over(
    conn: &mut Conn,
    round: &LoadedRound,
    selection: Selection<'_>,
    entropy: &Entropy,
) -> Result<HandedOver, CredentialError> {
    takes_codes(conn, round.id())?;
    refuse_addressed(round, selection)?;
    if selection.count.is_some() {
        return Ok(HandedOver { codes: issue(conn, round, selection, entropy)?, revoked: 0 });
    }
    let standing = standing(conn, round, selection)?;
    if standing.open > 0 || (standing.unused == 0 && standing.settled == 0) {
        return Ok(HandedOver { codes: issue(conn, round, selection, entropy)?, revoked: 0 });
    }
    if standing.unused == 0 {
        return Err(CredentialError::Used);
    }
    let codes = renew(conn, round, selection, entropy)?;
    Ok(HandedOver { revoked: codes.len(), codes })
}

/// What [`hand_over`] of a selection without a number would do now.
///
/// # Errors
/// [`CredentialError::NothingSelected`]; when the database fails.
pub fn standing(conn: &mut Conn, round: &LoadedRound, selection: Selection<'_>) -> Result<Standing, CredentialError> {
    let mut groups = standings(conn, round, selection)?.into_values();
    let first = groups.next().ok_or(CredentialError::NothingSelected)?;
    Ok(groups.fold(first, |a, b| Standing {
        open: a.open + b.open,
        unused: a.unused + b.unused,
        settled: a.settled + b.settled,
    }))
}

/// [`standing`] of every group that the selection touches.
///
/// # Errors
/// When the database fails.
pub fn standings(
    conn: &mut Conn,
    round: &LoadedRound,
    selection: Selection<'_>,
) -> Result<BTreeMap<String, Standing>, CredentialError> {
    let issued = store::issued(conn, round.id())?;
    let unused = store::unused_counts(conn, round.id())?;
    let people = store::roster(conn, round.id())?;
    let mut groups: BTreeMap<String, Standing> = BTreeMap::new();
    let chosen = |a: &&Assignment| is_chosen(a, selection) && !is_by_letter(round, a);
    for assignment in round.definition.assignments().iter().filter(chosen) {
        let at = place(assignment);
        let group = groups.entry(at.0.clone()).or_default();
        let idle = unused.get(&at).copied().unwrap_or(0);
        group.unused += idle;
        group.settled += issued.get(&at).copied().unwrap_or(0).saturating_sub(idle);
        // Without quota and roster nothing is open until somebody says how many.
        group.open += how_many(assignment, None, &issued, &people).unwrap_or(0);
    }
    Ok(groups)
}

/// Other codes in the place of all unused ones of a selection.
fn renew(
    conn: &mut Conn,
    round: &LoadedRound,
    selection: Selection<'_>,
    entropy: &Entropy,
) -> Result<Vec<IssuedCode>, CredentialError> {
    let chosen = |a: &Assignment| is_chosen(a, selection) && !is_by_letter(round, a);
    let assignments = round.definition.assignments().into_iter().filter(chosen);
    let order: BTreeMap<Place, (usize, Vec<String>)> =
        assignments.zip(0_usize..).map(|(a, index)| (place(&a), (index, a.targets))).collect();
    let mut rows = Vec::new();
    let mut made: Vec<(usize, PublicKey, Option<PublicKey>, IssuedCode)> = Vec::new();
    for (old, at) in store::unused(conn, round.id())? {
        let Some((index, targets)) = order.get(&at) else { continue };
        if !store::revoke(conn, &old)? {
            continue;
        }
        let (respondent_code, source_unit, joined) = at;
        let group = round.definition.group(&respondent_code).ok_or(CredentialError::NothingSelected)?;
        let token = Token::generate(entropy);
        let public = Keys::derive(&token, round.id()).public;
        rows.push(NewCredential {
            public_key: public.to_vec(),
            round: round.id().to_owned(),
            respondent_code: respondent_code.clone(),
            source_unit: source_unit.clone(),
            targets: joined,
            channel: group.channel.as_str(),
            state: "issued",
        });
        let paper = (group.channel == Channel::Paper).then_some(old);
        let code = IssuedCode { token, respondent_code, source_unit, targets: targets.clone(), sheet: None };
        made.push((*index, public, paper, code));
    }
    // As in `issue`: the table's order says nothing.
    rows.sort_by(|a, b| a.public_key.cmp(&b.public_key));
    store::insert(conn, &rows)?;
    for (_, new, old, code) in &mut made {
        if let Some(old) = old {
            code.sheet = bundle::replace(conn, old, new)?;
        }
    }
    log::incident(conn, round.id(), What::CodesReplaced, made.len(), made.len())?;
    made.sort_by(|(a, key_a, _, code_a), (b, key_b, _, code_b)| {
        (&code_a.sheet, a, key_a).cmp(&(&code_b.sheet, b, key_b))
    });
    Ok(made.into_iter().map(|(_, _, _, code)| code).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ballot::{CredentialState, find};
    use crate::ceremony::fixture::{BY, Place, ROUND, places};

    fn count(n: usize) -> u64 {
        u64::try_from(n).unwrap()
    }

    #[test]
    fn asking_again_makes_new_codes_and_kills_the_unused_old_ones() {
        for mut place in places() {
            place.issue("HĐ-CT", None, None);
            place.keygen();
            place.ceremony.open(&BY, ROUND).unwrap();
            for (group, unit) in [("CC-CT", Some("SNV")), ("LĐS-CT", None)] {
                let selection = Selection { respondent_code: Some(group), source_unit: unit, count: None };
                let number = unit.map(|_| 4);
                let round = place.test.db.read_here(|c| place.rounds.get(c, ROUND)).unwrap();
                let hand = |place: &Place, count| {
                    let selection = Selection { count, ..selection };
                    place.test.db.write_here(|conn| hand_over(conn, &round, selection, &place.entropy)).unwrap()
                };
                let first = hand(&place, number);
                assert_eq!(first.revoked, 0);
                let used = unit.is_some();
                if used {
                    place.cast(&first.codes[0]);
                }
                let open = place.test.db.read_here(|conn| standing(conn, &round, selection)).unwrap();
                assert_eq!(
                    (open.unused, open.settled),
                    (count(first.codes.len() - usize::from(used)), u64::from(used))
                );
                assert_eq!(open.open, 0);
                let second = hand(&place, None);
                assert_eq!((count(second.codes.len()), count(second.revoked)), (open.unused, open.unused), "{group}");
                let states = |codes: &[IssuedCode]| -> Vec<&'static str> {
                    let state = |code: &IssuedCode| {
                        let found = place.test.db.read_here(|conn| find(conn, &place.rounds, &code.token)).unwrap();
                        match found.state {
                            CredentialState::Issued => "issued",
                            CredentialState::Used(_) => "used",
                            CredentialState::Revoked => "revoked",
                        }
                    };
                    codes.iter().map(state).collect()
                };
                assert!(states(&second.codes).iter().all(|state| *state == "issued"));
                let old = states(&first.codes);
                assert_eq!(count(old.iter().filter(|state| **state == "revoked").count()), open.unused);
                if group == "LĐS-CT" {
                    let sheets = |codes: &[IssuedCode]| {
                        codes.iter().map(|c| (c.sheet.clone().unwrap(), c.targets.clone())).collect::<BTreeMap<_, _>>()
                    };
                    assert_eq!(sheets(&first.codes), sheets(&second.codes), "same bundle, same number, same target");
                }
            }
        }
    }
}
