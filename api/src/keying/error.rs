//! Why the desk refuses, and how that is said on the wire.

use survey_forms::answers::AnswerFault;

use super::scan::ScanFault;
use super::state::Refusal;
use crate::ballot::{CastError, FindError, draft::DraftError};
use crate::bundle::GateRefusal;
use crate::db::DbError;
use crate::http::{FieldFault, Problem, codes};
use crate::round::RoundError;

/// Why nothing was keyed, decided or cast.
#[derive(Debug, thiserror::Error)]
pub enum KeyingError {
    /// The code leads nowhere.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The code is for the online form.
    #[error("the code is not of a paper ballot")]
    NotPaper,
    /// The code was replaced or withdrawn.
    #[error("the code was revoked")]
    Revoked,
    /// The code was used, but not by this desk: the paper is set aside, never keyed over.
    #[error("the code was used past the paper desk")]
    Duplicate,
    /// Before opening, after the end of keying, or closed by hand.
    #[error("the round takes no paper ballots now")]
    NotOpen,
    /// The ballot's state does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The paper is not where it is keyed.
    #[error(transparent)]
    Gate(#[from] GateRefusal),
    /// This person has done this pass with another entry.
    #[error("another entry of this pass by the same person is there")]
    EntryDiffers,
    /// The key of a command came before with another entry, or from somebody else.
    #[error("the command's key belongs to another entry")]
    KeyReused,
    /// Only adjudicators and supervisors decide.
    #[error("this role does not decide")]
    RoleMissing,
    /// No sheet of this bundle and number.
    #[error("no such sheet")]
    SheetUnknown,
    /// No paper of this id was set aside.
    #[error("no such referral")]
    ReferralUnknown,
    /// Somebody has decided about it.
    #[error("the referral is settled")]
    ReferralSettled,
    /// The verdict does not fit the paper.
    #[error("the verdict does not fit the paper")]
    VerdictUnfit,
    /// A remark of more than [`super::aside::LONGEST_WORDS`] letters.
    #[error("the remark is too long")]
    WordsTooLong,
    /// Items without an explicit code, or with one that the form does not hold.
    #[error("{} answers at fault", .0.len())]
    Answers(Vec<AnswerFault>),
    /// Whoever decides reads the disputed places first, without seeing the entries.
    #[error("the disputed places were not read by this person")]
    ReadingMissing,
    /// Page images that are not taken.
    #[error(transparent)]
    Scan(#[from] ScanFault),
    /// A decision that does not settle exactly what is disputed.
    #[error("{} places of the decision at fault", .0.len())]
    Decision(Vec<AnswerFault>),
    /// The state promises an entry that does not open.
    #[error("an entry is missing under its code")]
    EntryLost,
    /// The cast failed; scanning the ballot again finishes it.
    #[error(transparent)]
    Cast(#[from] CastError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for KeyingError {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<RoundError> for KeyingError {
    fn from(error: RoundError) -> Self {
        FindError::from(error).into()
    }
}

impl From<DraftError> for KeyingError {
    fn from(error: DraftError) -> Self {
        match error {
            // Used or revoked since it was looked up.
            DraftError::Settled => Self::Duplicate,
            DraftError::TooLarge => Self::Answers(Vec::new()),
            DraftError::Queue(error) => Self::Cast(error.into()),
            DraftError::Db(error) => error.into(),
        }
    }
}

impl From<KeyingError> for Problem {
    fn from(error: KeyingError) -> Self {
        use KeyingError as E;
        let places = |faults: Vec<AnswerFault>, under: &str| {
            let place = |f: AnswerFault| FieldFault { pointer: format!("{under}{}", f.pointer), code: f.code };
            faults.into_iter().map(place).collect()
        };
        match error {
            E::Find(FindError::Unknown) => Self::new(&codes::CODE_UNKNOWN),
            E::Find(FindError::Db(error) | FindError::Round(RoundError::Db(error))) => error.into(),
            E::Find(FindError::Round(RoundError::Unknown)) => Self::new(&codes::ROUND_UNKNOWN),
            E::NotPaper => Self::new(&codes::KEYING_CODE_IS_ONLINE),
            E::Revoked | E::Cast(CastError::Revoked) => Self::new(&codes::CODE_REVOKED),
            E::Duplicate => Self::new(&codes::KEYING_DUPLICATE),
            E::NotOpen | E::Cast(CastError::NotOpen) => Self::new(&codes::ROUND_NOT_OPEN),
            E::Refused(refusal) => Self::new(match refusal {
                Refusal::SamePerson => &codes::KEYING_SAME_PERSON,
                Refusal::PassTaken => &codes::KEYING_PASS_TAKEN,
                Refusal::FirstMissing => &codes::KEYING_FIRST_MISSING,
                Refusal::AwaitsThird => &codes::KEYING_AWAITS_THIRD,
                Refusal::NotDisputed | Refusal::NotSettled => &codes::KEYING_NOT_DISPUTED,
                Refusal::AlreadyCast => &codes::KEYING_ALREADY_CAST,
                Refusal::AwaitsSample => &codes::KEYING_AWAITS_SAMPLE,
                Refusal::SetAside => &codes::KEYING_SET_ASIDE,
                Refusal::Void => &codes::KEYING_VOID,
                Refusal::NotSetAside => &codes::KEYING_NOT_SET_ASIDE,
                Refusal::NothingToReopen => &codes::KEYING_NOTHING_TO_REOPEN,
            }),
            E::Gate(refusal) => Self::new(match refusal {
                GateRefusal::NoBundle => &codes::KEYING_NO_BUNDLE,
                GateRefusal::OtherOffice => &codes::KEYING_OTHER_OFFICE,
                GateRefusal::NotReceived => &codes::KEYING_NOT_RECEIVED,
                GateRefusal::Discrepancy => &codes::KEYING_DISCREPANCY,
                GateRefusal::Locked => &codes::KEYING_BUNDLE_LOCKED,
                GateRefusal::Gone(_) => &codes::KEYING_SHEET_GONE,
                GateRefusal::FirstsMissing(_) => &codes::KEYING_FIRSTS_MISSING,
            }),
            E::SheetUnknown => Self::new(&codes::FIELDS_INVALID)
                .with_errors(vec![FieldFault { pointer: "/sheet".to_owned(), code: "sheet_unknown" }]),
            E::WordsTooLong => Self::new(&codes::FIELDS_INVALID)
                .with_errors(vec![FieldFault { pointer: "/remark".to_owned(), code: "text_too_long" }]),
            E::ReferralUnknown => Self::new(&codes::REFERRAL_UNKNOWN),
            E::ReferralSettled => Self::new(&codes::REFERRAL_SETTLED),
            E::VerdictUnfit => Self::new(&codes::VERDICT_UNFIT),
            E::EntryDiffers => Self::new(&codes::KEYING_ENTRY_DIFFERS),
            E::ReadingMissing => Self::new(&codes::KEYING_READING_MISSING),
            E::Scan(ScanFault::TooLarge) => Self::new(&codes::BODY_TOO_LARGE),
            E::Scan(_) => Self::new(&codes::SCAN_INVALID),
            E::KeyReused => Self::new(&codes::IDEMPOTENCY_KEY_REUSED),
            E::RoleMissing => Self::new(&codes::ROLE_MISSING),
            E::Answers(faults) => Self::new(&codes::ANSWERS_INVALID).with_errors(places(faults, "/answers")),
            E::Decision(faults) => Self::new(&codes::ANSWERS_INVALID).with_errors(places(faults, "")),
            E::Cast(CastError::Queue(error)) => error.into(),
            E::Db(error) | E::Cast(CastError::Db(error)) => error.into(),
            error @ (E::Find(_) | E::EntryLost | E::Cast(_)) => Self::internal(&error),
        }
    }
}
