//! A list of codes is handed over without holding the database while it is drawn, which takes long. The codes are made in a
//! write that is taken back, drawn, and made again, the very same ones, in the write that counts. If something has changed
//! in between, so that they would be others, all of it is done anew.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::clock::{Entropy, Lot};
use crate::credential::IssuedCode;
use crate::db::{Conn, Db, DbError};
use crate::round::LoadedRound;

/// Times that codes are drawn with the database free; the next time it is held, and nothing can change.
const TRIES: usize = 3;

/// Codes that a write has made.
pub struct Made {
    /// The round.
    pub round: Arc<LoadedRound>,
    /// The codes, in the order of their paper.
    pub codes: Vec<IssuedCode>,
    /// Codes that died with it.
    pub revoked: usize,
    /// When.
    pub at: DateTime<Utc>,
}

/// Codes that can be looked at and do not count.
pub struct Begun {
    lot: Lot,
    made: Made,
}

impl Begun {
    /// The codes as they will be, if nothing changes meanwhile.
    #[must_use]
    pub fn made(&self) -> &Made {
        &self.made
    }
}

/// Why a write was taken back.
enum Undone<E> {
    Looked(Made),
    Changed,
    Failed(E),
}

impl<E: From<DbError>> From<DbError> for Undone<E> {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

/// Makes codes and takes them back. `make` must draw all that is random from what it is given.
///
/// # Errors
/// What `make` returns.
pub fn begin<E: From<DbError>>(
    db: &Db,
    entropy: &Entropy,
    make: &impl Fn(&mut Conn, &Entropy) -> Result<Made, E>,
) -> Result<Begun, E> {
    let lot = entropy.lot();
    let looked = db.write_here(|conn| match make(conn, &lot.draw()) {
        Ok(made) => Err::<Begun, _>(Undone::Looked(made)),
        Err(error) => Err(Undone::Failed(error)),
    });
    match looked {
        Ok(begun) => Ok(begun),
        Err(Undone::Looked(made)) => Ok(Begun { lot, made }),
        Err(Undone::Changed) => Err(DbError::Conflict.into()),
        Err(Undone::Failed(error)) => Err(error),
    }
}

/// Draws codes, then lets them count; `keep` writes whatever belongs to them, in the same write.
///
/// # Errors
/// What `make`, `draw` and `keep` return; then no code counts.
pub fn finish<T, E: From<DbError>>(
    db: &Db,
    entropy: &Entropy,
    begun: Begun,
    make: &impl Fn(&mut Conn, &Entropy) -> Result<Made, E>,
    mut draw: impl FnMut(&Made) -> Result<T, E>,
    mut keep: impl FnMut(&mut Conn, &Made, &T) -> Result<(), E>,
) -> Result<(Made, T), E> {
    let mut begun = begun;
    for _ in 0..TRIES {
        let drawn = draw(&begun.made)?;
        let counted = db.write_here(|conn| {
            let again = make(conn, &begun.lot.draw()).map_err(Undone::Failed)?;
            if !are_same(&begun.made.codes, &again.codes) {
                return Err(Undone::Changed);
            }
            keep(conn, &again, &drawn).map_err(Undone::Failed)?;
            Ok(again)
        });
        match counted {
            Ok(made) => return Ok((made, drawn)),
            Err(Undone::Failed(error)) => return Err(error),
            Err(Undone::Changed | Undone::Looked(_)) => begun = begin(db, entropy, make)?,
        }
    }
    db.write_here(|conn| {
        let made = make(conn, entropy)?;
        let drawn = draw(&made)?;
        keep(conn, &made, &drawn)?;
        Ok((made, drawn))
    })
}

fn are_same(drawn: &[IssuedCode], made: &[IssuedCode]) -> bool {
    let same = |(a, b): (&IssuedCode, &IssuedCode)| {
        *a.token.expose() == *b.token.expose()
            && (&a.respondent_code, &a.source_unit, &a.targets, &a.sheet)
                == (&b.respondent_code, &b.source_unit, &b.targets, &b.sheet)
    };
    drawn.len() == made.len() && drawn.iter().zip(made).all(same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::fixture::{Place, ROUND, places};
    use crate::credential::{CredentialError, Selection, hand_over, standing};
    use crate::print::PressError;

    const GROUP: Selection<'_> = Selection { respondent_code: Some("HĐ-CT"), source_unit: None, count: None };

    fn make(place: &Place) -> impl Fn(&mut Conn, &Entropy) -> Result<Made, PressError> + '_ {
        |conn, entropy| {
            let round = place.rounds.get(conn, ROUND)?;
            let handed = hand_over(conn, &round, GROUP, entropy)?;
            Ok(Made { round, codes: handed.codes, revoked: handed.revoked, at: place.test.db.now(conn)? })
        }
    }

    /// Codes that count.
    fn count(place: &Place) -> u64 {
        let standing = place.test.db.read_here(|conn| {
            let round = place.rounds.get(conn, ROUND).unwrap();
            standing(conn, &round, GROUP)
        });
        standing.unwrap().unused
    }

    fn shown(made: &Made) -> Vec<String> {
        made.codes.iter().map(|code| code.token.expose().to_string()).collect()
    }

    #[test]
    fn what_is_drawn_is_what_counts_and_nothing_counts_before() {
        for place in places() {
            let (db, make) = (&place.test.db, make(&place));
            let begun = begin(db, &place.entropy, &make).unwrap();
            assert_eq!((begun.made().codes.len(), count(&place)), (30, 0), "{}", place.test.backend);
            let mut drawn = Vec::new();
            let draw = |made: &Made| {
                // Nothing counts yet, and others can write meanwhile.
                assert_eq!(count(&place), 0);
                place.issue("CC-CT", Some("SNV"), Some(1));
                drawn = shown(made);
                Ok(())
            };
            let (made, ()) = finish(db, &place.entropy, begun, &make, draw, |_, _, ()| Ok(())).unwrap();
            assert_eq!((shown(&made), count(&place)), (drawn, 30));
            // Asked again, and the drawing fails: the old codes live on.
            let begun = begin(db, &place.entropy, &make).unwrap();
            assert_eq!(begun.made().revoked, 30);
            let broken = |_: &Made| Err::<(), _>(PressError::Credential(CredentialError::TooMany));
            assert!(finish(db, &place.entropy, begun, &make, broken, |_, _, ()| Ok(())).is_err());
            let found = db.read_here(|conn| crate::ballot::find(conn, &place.rounds, &made.codes[0].token)).unwrap();
            assert!(matches!(found.state, crate::ballot::CredentialState::Issued));
        }
    }

    #[test]
    fn what_changes_meanwhile_is_drawn_anew_and_at_last_with_the_database_held() {
        for (disturbed, drawings) in [(0, 1), (1, 2), (TRIES, TRIES + 1)] {
            for place in places() {
                let make = make(&place);
                let begun = begin(&place.test.db, &place.entropy, &make).unwrap();
                let mut times = 0;
                let draw = |made: &Made| {
                    times += 1;
                    if times <= disturbed {
                        place.issue("HĐ-CT", None, Some(1));
                    }
                    Ok(shown(made))
                };
                let done = finish(&place.test.db, &place.entropy, begun, &make, draw, |_, _, _| Ok(()));
                let (made, drawn) = done.unwrap();
                assert_eq!((shown(&made), times), (drawn, drawings), "{}", place.test.backend);
                assert_eq!((made.codes.len(), count(&place)), (30 - disturbed, 30), "no more than the plan has");
            }
        }
    }
}
