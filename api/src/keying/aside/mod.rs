//! Papers that cannot be keyed as they are: wrong form, torn code, a page missing, a copy, a code that was used. A clerk
//! sets the paper aside and says why; who leads decides, and two persons make a ballot void.

pub mod pages;
pub mod rest;
mod store;
mod terms;

#[cfg(test)]
mod tests;

pub use terms::{Standing, Trouble, Verdict};

use super::state::Capture;
use super::{KeyingError, PaperDesk, Refusal};
use crate::access::{Actor, Role, Staff, audit};
use crate::ballot::{PublicKey, Token, find};
use crate::bundle;
use crate::db::{Conn, DbError};

/// Longest remark or verdict.
pub const LONGEST_WORDS: usize = 500;

/// A paper that was set aside.
#[derive(Debug, Clone)]
pub struct Referral {
    /// Random, for references.
    pub id: String,
    /// The round.
    pub round: String,
    /// Bundle and number, as far as they are known: `HĐ-CT · Bó 03 · phiếu 12`.
    pub place: String,
    /// Id of its bundle.
    pub bundle: Option<String>,
    /// Number of the sheet there.
    pub sheet: Option<u32>,
    /// What is the matter.
    pub trouble: Trouble,
    /// What whoever set it aside says.
    pub remark: String,
    /// Where it is.
    pub standing: Standing,
    /// What whoever decided says.
    pub verdict: String,
    /// Who set it aside, by sign-in name.
    pub referred_by: String,
    /// Who proposed or decided, by sign-in name.
    pub proposed_by: Option<String>,
    /// Who confirmed, by sign-in name.
    pub confirmed_by: Option<String>,
}

/// Which paper is set aside.
pub enum Paper {
    /// The code in hand.
    Code(Token),
    /// Its bundle and number, as printed on the sheet.
    Sheet {
        /// The round.
        round: String,
        /// The group.
        respondent_code: String,
        /// Number of the bundle.
        bundle: u32,
        /// Number of the sheet.
        sheet: u32,
    },
    /// Neither can be read.
    Nameless {
        /// The round.
        round: String,
    },
}

fn may_judge(role: Role) -> Result<(), KeyingError> {
    if matches!(role, Role::Supervisor | Role::Adjudicator) { Ok(()) } else { Err(KeyingError::RoleMissing) }
}

fn words(text: &str) -> Result<String, KeyingError> {
    use unicode_normalization::UnicodeNormalization as _;
    let text: String = text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > LONGEST_WORDS { Err(KeyingError::WordsTooLong) } else { Ok(text) }
}

/// A step of the capture that may be refused.
type Move = fn(&Capture) -> Result<Capture, Refusal>;

impl PaperDesk {
    /// Sets a paper aside. Its ballot, where there is one, is not keyed on before somebody has decided.
    ///
    /// # Errors
    /// [`KeyingError::Find`] for a code that the round does not have (set it aside without), [`KeyingError::Refused`]
    /// when its ballot is settled, set aside or void, [`KeyingError::SheetUnknown`], and the rest of [`KeyingError`].
    pub async fn refer(
        &self,
        staff: &Staff,
        paper: Paper,
        trouble: Trouble,
        remark: &str,
    ) -> Result<Referral, KeyingError> {
        let (desk, by, remark) = (self.clone(), staff.clone(), words(remark)?);
        self.db.write(move |conn| desk.refer_here(conn, &by, &paper, trouble, &remark)).await
    }

    fn refer_here(
        &self,
        conn: &mut Conn,
        by: &Staff,
        paper: &Paper,
        trouble: Trouble,
        remark: &str,
    ) -> Result<Referral, KeyingError> {
        let (round, key) = match paper {
            Paper::Code(token) => {
                let bearer = find(conn, &self.rounds, token)?;
                if bearer.channel != survey_forms::round::Channel::Paper {
                    return Err(KeyingError::NotPaper);
                }
                (bearer.round.id().to_owned(), Some(bearer.keys.public))
            }
            Paper::Sheet { round, respondent_code, bundle, sheet } => {
                let key = bundle::key_of(conn, round, respondent_code, *bundle, *sheet)?;
                (round.clone(), Some(key.ok_or(KeyingError::SheetUnknown)?))
            }
            Paper::Nameless { round } => (round.clone(), None),
        };
        self.rounds.get(conn, &round)?;
        if !bundle::takes_acts(conn, &round)? {
            return Err(KeyingError::NotOpen);
        }
        let mut place = None;
        if let Some(key) = &key {
            place = bundle::place_of(conn, by, key)?;
            place.as_ref().ok_or(bundle::GateRefusal::OtherOffice)?;
            let capture = super::store::held(conn, key)?;
            let used = super::store::is_used(conn, key)?;
            match capture.referred(&by.id) {
                // The paper is one too many: its ballot stays where it is.
                _ if used && matches!(trouble, Trouble::Copied | Trouble::Duplicate | Trouble::Other) => {}
                Err(refusal) => return Err(refusal.into()),
                Ok(_) if used => return Err(KeyingError::Duplicate),
                Ok(next) => {
                    if !super::store::save(conn, key, &round, &capture, &next)? {
                        return Err(DbError::Conflict.into());
                    }
                }
            }
        }
        let id = self.entropy.uuid().to_string();
        store::insert(
            conn,
            &id,
            &round,
            place.as_ref().map(|(bundle, sheet)| (bundle.as_str(), *sheet)),
            trouble,
            remark,
            &by.id,
        )?;
        self.trail(conn, by, "keying.referred", &round, trouble.as_str())?;
        self.referral(conn, &id)
    }

    fn trail(&self, conn: &mut Conn, by: &Staff, act: &str, round: &str, detail: &str) -> Result<(), KeyingError> {
        let at = self.db.now(conn)?;
        Ok(audit::record(conn, at, &Actor::from(by), act, round, detail)?)
    }

    fn referral(&self, conn: &mut Conn, id: &str) -> Result<Referral, KeyingError> {
        store::one(conn, id)?.ok_or(KeyingError::ReferralUnknown)
    }

    /// The papers of a round that were set aside, those that wait first. Clerks see those of their own post office.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn referrals(&self, staff: &Staff, round: &str) -> Result<Vec<Referral>, KeyingError> {
        let (by, rounds, round) = (staff.clone(), self.rounds.clone(), round.to_owned());
        self.db
            .read(move |conn| {
                rounds.get(conn, &round)?;
                let mut all = store::all(conn, &round)?;
                let own: Vec<String> = bundle::all_for(conn, &by, &round)?.into_iter().map(|view| view.id).collect();
                all.retain(|r| match &r.bundle {
                    Some(bundle) => own.contains(bundle),
                    None => by.role != Role::Clerk || r.referred_by == by.name,
                });
                all.sort_by(|a, b| a.standing.cmp(&b.standing).then(a.place.cmp(&b.place)));
                Ok(all)
            })
            .await
    }

    /// Decides about a paper. `Invalid` waits for [`PaperDesk::confirm`] by somebody else.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`], [`KeyingError::ReferralUnknown`], [`KeyingError::ReferralSettled`],
    /// [`KeyingError::VerdictUnfit`] when it does not fit the paper.
    pub async fn judge(&self, staff: &Staff, id: &str, verdict: Verdict, said: &str) -> Result<Referral, KeyingError> {
        may_judge(staff.role)?;
        if verdict == Verdict::Reopen && staff.role != Role::Supervisor {
            return Err(KeyingError::RoleMissing);
        }
        let (desk, by, id, said) = (self.clone(), staff.clone(), id.to_owned(), words(said)?);
        self.db.write(move |conn| desk.judge_here(conn, &by, &id, verdict, &said)).await
    }

    fn judge_here(
        &self,
        conn: &mut Conn,
        by: &Staff,
        id: &str,
        verdict: Verdict,
        said: &str,
    ) -> Result<Referral, KeyingError> {
        let referral = self.waiting(conn, id)?;
        let key = key_of(conn, &referral)?;
        let used = match &key {
            Some(key) => super::store::is_used(conn, key)?,
            None => false,
        };
        let (standing, next): (Standing, Option<Move>) = match (verdict, &key, used) {
            (Verdict::Return, Some(_), false) => (Standing::Returned, Some(Capture::returned)),
            (Verdict::Reopen, Some(_), false) => (Standing::Reopened, Some(Capture::reopened)),
            (Verdict::Invalid, Some(_), false) => (Standing::Proposed, None),
            (Verdict::Duplicate, Some(_), true) => (Standing::Duplicate, None),
            (Verdict::SetAside, None, _) => (Standing::SetAside, None),
            _ => return Err(KeyingError::VerdictUnfit),
        };
        if let (Some(key), Some(next)) = (&key, next) {
            self.move_on(conn, key, &referral.round, next)?;
        }
        store::judge(conn, id, standing, said, &by.id)?;
        self.trail(conn, by, "keying.referral_judged", &referral.round, standing.as_str())?;
        self.referral(conn, id)
    }

    /// The second person: the ballot is void.
    ///
    /// # Errors
    /// [`KeyingError::Refused`] for whoever proposed it, and the rest of [`KeyingError`].
    pub async fn confirm(&self, staff: &Staff, id: &str) -> Result<Referral, KeyingError> {
        if !matches!(staff.role, Role::Supervisor | Role::Adjudicator | Role::Auditor) {
            return Err(KeyingError::RoleMissing);
        }
        let (desk, by, id) = (self.clone(), staff.clone(), id.to_owned());
        self.db
            .write(move |conn| {
                let referral = desk.waiting(conn, &id)?;
                let (Some(key), Some(proposed)) = (key_of(conn, &referral)?, store::proposed_by(conn, &id)?) else {
                    return Err(KeyingError::VerdictUnfit);
                };
                desk.move_on(conn, &key, &referral.round, |capture| capture.voided(&proposed, &by.id))?;
                bundle::claims::release_all(conn, &key)?;
                store::confirm(conn, &id, &by.id)?;
                desk.trail(conn, &by, "keying.voided", &referral.round, referral.trouble.as_str())?;
                desk.referral(conn, &id)
            })
            .await
    }

    /// Has a ballot keyed anew: a clerk has noticed their own slip, or a void ballot is one after all. Entries of before
    /// stay under its code until the cast.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`], [`KeyingError::SheetUnknown`], [`KeyingError::Refused`].
    pub async fn reopen(
        &self,
        staff: &Staff,
        (round, respondent_code, bundle, sheet): (String, String, u32, u32),
        why: &str,
    ) -> Result<(), KeyingError> {
        if staff.role != Role::Supervisor {
            return Err(KeyingError::RoleMissing);
        }
        let (desk, by, why) = (self.clone(), staff.clone(), words(why)?);
        self.db
            .write(move |conn| {
                let key = bundle::key_of(conn, &round, &respondent_code, bundle, sheet)?;
                let key = key.ok_or(KeyingError::SheetUnknown)?;
                if !bundle::takes_acts(conn, &round)? {
                    return Err(KeyingError::NotOpen);
                }
                if super::store::is_used(conn, &key)? {
                    return Err(Refusal::AlreadyCast.into());
                }
                desk.move_on(conn, &key, &round, Capture::reopened)?;
                if let Some((bundle, sheet)) = bundle::place_of(conn, &by, &key)? {
                    store::settle_open(conn, &bundle, sheet, &by.id)?;
                }
                desk.trail(conn, &by, "keying.reopened", &format!("{round}/{respondent_code}"), &why)
            })
            .await
    }

    /// A referral that nobody has settled, and whose round still takes paper.
    fn waiting(&self, conn: &mut Conn, id: &str) -> Result<Referral, KeyingError> {
        let referral = self.referral(conn, id)?;
        if !matches!(referral.standing, Standing::Waiting | Standing::Proposed) {
            return Err(KeyingError::ReferralSettled);
        }
        if bundle::takes_acts(conn, &referral.round)? { Ok(referral) } else { Err(KeyingError::NotOpen) }
    }

    fn move_on(
        &self,
        conn: &mut Conn,
        key: &PublicKey,
        round: &str,
        next: impl Fn(&Capture) -> Result<Capture, Refusal>,
    ) -> Result<(), KeyingError> {
        let capture = super::store::held(conn, key)?;
        let next = next(&capture)?;
        if super::store::save(conn, key, round, &capture, &next)? { Ok(()) } else { Err(DbError::Conflict.into()) }
    }
}

fn key_of(conn: &mut Conn, referral: &Referral) -> Result<Option<PublicKey>, KeyingError> {
    match (&referral.bundle, referral.sheet) {
        (Some(bundle), Some(sheet)) => Ok(bundle::key_in(conn, bundle, sheet)?),
        _ => Ok(None),
    }
}
