//! Why paper is not moved, and how that is said on the wire.

use super::custody::CustodyRefusal;
use super::state::BundleRefusal;
use crate::access::AccessError;
use crate::db::DbError;
use crate::http::{FieldFault, Problem, codes};
use crate::round::RoundError;

/// Why nothing was moved, counted or signed.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// No such round, or it does not read.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// No such bundle, or it lies at another post office.
    #[error("no such bundle")]
    Unknown,
    /// No such post office.
    #[error("no such post office")]
    OfficeUnknown,
    /// No sheet of this number in the bundle.
    #[error("the bundle has no sheet {0}")]
    NoSheet(u32),
    /// The ballot of this sheet is in the box or on its way there.
    #[error("the ballot of sheet {0} has been keyed to the end")]
    Keyed(u32),
    /// The round is closed: its paper is counted.
    #[error("the round is closed")]
    Closed,
    /// This role does not do this.
    #[error("this role does not do this")]
    RoleMissing,
    /// A device still holds finished entries of the bundle.
    #[error("{0} entries of the bundle are still on a device")]
    OnDevices(u32),
    /// The bundle's state does not allow it.
    #[error(transparent)]
    Refused(#[from] BundleRefusal),
    /// The sheet's place does not allow it.
    #[error("sheet {0}: {1}")]
    Sheet(u32, CustodyRefusal),
    /// Nothing is left to draw a sample from.
    #[error("no ballot of the bundle can be drawn for a sample")]
    NothingToSample,
    /// A field of the request is off.
    #[error("{0}: {1}")]
    Field(&'static str, &'static str),
    /// A member of staff is not who is meant.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for BundleError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<BundleError> for Problem {
    fn from(error: BundleError) -> Self {
        use BundleError as E;
        let field = |pointer: &str, code| {
            Self::new(&codes::FIELDS_INVALID).with_errors(vec![FieldFault { pointer: pointer.to_owned(), code }])
        };
        match error {
            E::Round(RoundError::Unknown) => Self::new(&codes::ROUND_UNKNOWN),
            E::Round(RoundError::Db(error)) | E::Db(error) => error.into(),
            E::Round(error) => Self::internal(&error),
            E::Access(error) => error.into(),
            E::Unknown => Self::new(&codes::BUNDLE_UNKNOWN),
            E::OfficeUnknown => field("/office", "office_unknown"),
            E::NoSheet(_) => field("/sheet", "sheet_unknown"),
            E::Field(pointer, code) => field(pointer, code),
            E::Keyed(_) => Self::new(&codes::SHEET_KEYED),
            E::Closed => Self::new(&codes::ROUND_NOT_OPEN),
            E::RoleMissing => Self::new(&codes::ROLE_MISSING),
            E::OnDevices(_) => Self::new(&codes::BUNDLE_ON_DEVICES),
            E::NothingToSample => Self::new(&codes::BUNDLE_NOTHING_TO_SAMPLE),
            E::Refused(refusal) => Self::new(match refusal {
                BundleRefusal::TooEarly => &codes::BUNDLE_TOO_EARLY,
                BundleRefusal::Past => &codes::BUNDLE_PAST,
                BundleRefusal::Locked => &codes::BUNDLE_LOCKED,
                BundleRefusal::Discrepancy => &codes::BUNDLE_DISCREPANCY,
                BundleRefusal::NothingToNote => &codes::BUNDLE_NOTHING_TO_NOTE,
                BundleRefusal::SamePerson => &codes::BUNDLE_SAME_PERSON,
                BundleRefusal::NotSettled => &codes::BUNDLE_NOT_SETTLED,
            }),
            E::Sheet(_, refusal) => Self::new(match refusal {
                CustodyRefusal::TooEarly => &codes::BUNDLE_TOO_EARLY,
                CustodyRefusal::Past => &codes::BUNDLE_PAST,
                CustodyRefusal::Gone => &codes::SHEET_GONE,
                CustodyRefusal::Here => &codes::SHEET_HERE,
            }),
        }
    }
}
