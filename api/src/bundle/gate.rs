//! What the keying screen asks of custody: may this ballot be keyed, by this person, now.

use super::custody::Exit;
use super::state::BundleRefusal;
use super::{office, store};
use crate::access::Staff;
use crate::ballot::PublicKey;
use crate::db::{Conn, DbError};

/// Why paper is not keyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GateRefusal {
    /// The ballot is in no bundle: nobody has printed it.
    #[error("the ballot is in no bundle")]
    NoBundle,
    /// Its bundle belongs to another post office.
    #[error("the bundle belongs to another post office")]
    OtherOffice,
    /// Its bundle has not been counted back in.
    #[error("the bundle has not been received")]
    NotReceived,
    /// The bundle's numbers do not add up and no supervisor has said why.
    #[error("the bundle's numbers do not add up")]
    Discrepancy,
    /// Two have signed for the bundle.
    #[error("the bundle is locked")]
    Locked,
    /// The sheet counts as gone, but here it is.
    #[error("the sheet counts as {}", .0.as_str())]
    Gone(Exit),
    /// Ballots of the bundle have no first entry yet: so many.
    #[error("{0} ballots of the bundle have no first entry")]
    FirstsMissing(u32),
}

/// Where a ballot that may be keyed belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Id of its bundle.
    pub bundle: String,
    /// Whether it was drawn for the sample: two equal entries wait for a third reading.
    pub sampled: bool,
}

/// Whether `staff` may key the ballot of this code now; before a second pass ask [`firsts_complete`] too.
///
/// # Errors
/// When the database fails; the inner error is the refusal.
pub fn gate(conn: &mut Conn, key: &PublicKey, staff: &Staff) -> Result<Result<Passage, GateRefusal>, DbError> {
    let Some((bundle, custody, _, sampled)) = store::sheet_of(conn, key)? else {
        return Ok(Err(GateRefusal::NoBundle));
    };
    let Some(kept) = store::look(conn, &bundle)? else { return Ok(Err(GateRefusal::NoBundle)) };
    if !office::admits(conn, staff, kept.office.as_deref())? {
        return Ok(Err(GateRefusal::OtherOffice));
    }
    Ok(match (kept.bundle.may_key(), custody) {
        (Err(BundleRefusal::Discrepancy), _) => Err(GateRefusal::Discrepancy),
        (Err(BundleRefusal::Locked), _) => Err(GateRefusal::Locked),
        (Err(_), _) => Err(GateRefusal::NotReceived),
        (Ok(()), super::Custody::Gone(exit)) => Err(GateRefusal::Gone(exit)),
        (Ok(()), custody) if custody.is_here() => Ok(Passage { bundle, sampled }),
        (Ok(()), _) => Err(GateRefusal::NotReceived),
    })
}

/// Whether every ballot of the bundle that lies at the desk has a first entry.
///
/// # Errors
/// When the database fails; the inner error is the refusal.
pub fn firsts_complete(conn: &mut Conn, passage: &Passage) -> Result<Result<(), GateRefusal>, DbError> {
    let missing = store::without_first(conn, &passage.bundle)?;
    Ok(match u32::try_from(missing) {
        Ok(0) => Ok(()),
        missing => Err(GateRefusal::FirstsMissing(missing.unwrap_or(u32::MAX))),
    })
}
