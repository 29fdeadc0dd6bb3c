//! Page images of a ballot: attached by whoever has the paper, shown to the third person beside what is disputed. They
//! are sealed under the ballot's code like its entries, and go with the cast; nobody sees them without the paper in hand.

pub(super) mod pages;
pub mod rest;
mod upload;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{KeyingError, PaperDesk, may_decide, store};
use crate::access::Staff;
use crate::ballot::{Bearer, DraftId, Slot};
use crate::bundle::{self, scans};
use crate::db::Conn;

/// Most pages of a ballot.
pub const PAGES_MAX: u8 = 12;
/// Most bytes of a page.
pub const PAGE_BYTES_MAX: usize = 4 << 20;
/// Most bytes sent at once.
pub const SENT_BYTES_MAX: usize = 16 << 20;
/// Sizes are told in steps of this.
const STEP_BYTES: usize = 64 << 10;
const LENGTH_BYTES: usize = 4;

/// What a page is, by its first and last bytes: names and types that come along are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanKind {
    /// JPEG (ISO/IEC 10918-1).
    Jpeg,
    /// PNG (ISO/IEC 15948).
    Png,
    /// PDF (ISO 32000).
    Pdf,
}

impl ScanKind {
    /// Of these bytes.
    ///
    /// # Errors
    /// [`ScanFault::Kind`] for anything else, [`ScanFault::Cut`] for one that does not end as it should.
    pub fn of(bytes: &[u8]) -> Result<Self, ScanFault> {
        let tail = bytes.len().saturating_sub(1024);
        let ends_with =
            |mark: &[u8]| bytes.get(tail..).is_some_and(|end| end.windows(mark.len()).any(|window| window == mark));
        let (kind, whole) = if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            (Self::Jpeg, ends_with(&[0xff, 0xd9]))
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            (Self::Png, ends_with(b"IEND"))
        } else if bytes.starts_with(b"%PDF-") {
            (Self::Pdf, ends_with(b"%%EOF"))
        } else {
            return Err(ScanFault::Kind);
        };
        if whole { Ok(kind) } else { Err(ScanFault::Cut) }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }
}

/// Why pages were not taken; nothing of them was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanFault {
    /// No file, or an empty one.
    #[error("no page")]
    Empty,
    /// Neither JPEG nor PNG nor PDF.
    #[error("neither JPEG nor PNG nor PDF")]
    Kind,
    /// It stops in the middle.
    #[error("the file is not whole")]
    Cut,
    /// Over [`PAGE_BYTES_MAX`], or all over [`SENT_BYTES_MAX`].
    #[error("too large")]
    TooLarge,
    /// Over [`PAGES_MAX`] with those that are there.
    #[error("too many pages")]
    TooMany,
}

/// One page, opened.
pub struct Scan {
    /// What it is.
    pub kind: ScanKind,
    /// The file.
    pub bytes: Vec<u8>,
}

/// What a page is, without what is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLine {
    /// What it is.
    pub kind: ScanKind,
    /// Bytes of the file.
    pub bytes: usize,
}

fn slots(ballot: &Bearer) -> Vec<Slot> {
    (1..=PAGES_MAX).map(|page| ballot.keys.scan_slot(page)).collect()
}

fn ids(ballot: &Bearer) -> Vec<DraftId> {
    slots(ballot).iter().map(|slot| slot.id).collect()
}

/// Its length, the file, and zeros up to the next step.
fn padded(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let length = u32::try_from(bytes.len()).ok()?.to_be_bytes();
    let mut plain = Zeroizing::new([&length, bytes].concat());
    let whole = plain.len().next_multiple_of(STEP_BYTES);
    plain.resize(whole, 0);
    Some(plain)
}

fn unpadded(plain: &[u8]) -> Option<Scan> {
    let (length, rest) = plain.split_at_checked(LENGTH_BYTES)?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?;
    let bytes = rest.get(..length)?.to_vec();
    Some(Scan { kind: ScanKind::of(&bytes).ok()?, bytes })
}

/// The ballot is cast: nobody needs its pages any more.
pub(super) fn forget(conn: &mut Conn, ballot: &Bearer) -> Result<usize, KeyingError> {
    Ok(scans::delete(conn, &ids(ballot))?)
}

impl PaperDesk {
    /// Attaches pages behind those that are there; all or none. How many the ballot has then.
    ///
    /// # Errors
    /// [`KeyingError::Scan`], and why the ballot takes nothing now.
    pub async fn attach(&self, staff: &Staff, ballot: &Arc<Bearer>, pages: Vec<Vec<u8>>) -> Result<usize, KeyingError> {
        if pages.is_empty() || pages.iter().any(Vec::is_empty) {
            return Err(ScanFault::Empty.into());
        }
        if pages.iter().any(|page| page.len() > PAGE_BYTES_MAX) {
            return Err(ScanFault::TooLarge.into());
        }
        pages.iter().try_for_each(|page| ScanKind::of(page).map(|_kind| ()))?;
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        self.db
            .write(move |conn| {
                let capture = store::held(conn, &bearer.keys.public)?;
                desk.still_open(conn, &bearer, &capture)?;
                bundle::gate(conn, &bearer.keys.public, &by)??;
                let there = scans::count(conn, &ids(&bearer))?;
                let free: Vec<Slot> = slots(&bearer).into_iter().skip(there).collect();
                if free.len() < pages.len() {
                    return Err(ScanFault::TooMany.into());
                }
                for (slot, page) in free.iter().zip(&pages) {
                    let plain = padded(page).ok_or(ScanFault::TooLarge)?;
                    if !scans::keep(conn, &slot.id, &bearer.keys.public, &slot.seal(&plain, &desk.entropy))? {
                        return Err(KeyingError::EntryLost);
                    }
                }
                desk.note(conn, &by, "keying.scanned", &bearer, &format!("{} pages", pages.len()))?;
                Ok(there + pages.len())
            })
            .await
    }

    /// Takes every page of a ballot away: wrong ones were attached.
    ///
    /// # Errors
    /// Why the ballot takes nothing now.
    pub async fn detach(&self, staff: &Staff, ballot: &Arc<Bearer>) -> Result<usize, KeyingError> {
        let (desk, bearer, by) = (self.clone(), Arc::clone(ballot), staff.clone());
        self.db
            .write(move |conn| {
                let capture = store::held(conn, &bearer.keys.public)?;
                desk.still_open(conn, &bearer, &capture)?;
                bundle::gate(conn, &bearer.keys.public, &by)??;
                let gone = forget(conn, &bearer)?;
                if gone > 0 {
                    desk.note(conn, &by, "keying.scans_removed", &bearer, &format!("{gone} pages"))?;
                }
                Ok(gone)
            })
            .await
    }

    /// What the pages of a ballot are, in their order, for whoever has the paper: never what is on them.
    ///
    /// # Errors
    /// Why this person has nothing to do with the ballot.
    pub async fn page_lines(&self, staff: &Staff, ballot: &Arc<Bearer>) -> Result<Vec<PageLine>, KeyingError> {
        let (bearer, by) = (Arc::clone(ballot), staff.clone());
        self.db
            .read(move |conn| {
                bundle::gate(conn, &bearer.keys.public, &by)??;
                let line = |scan: Scan| PageLine { kind: scan.kind, bytes: scan.bytes.len() };
                Ok(opened(conn, &bearer)?.into_iter().map(line).collect())
            })
            .await
    }

    /// The pages of a ballot, for whoever decides about it.
    ///
    /// # Errors
    /// [`KeyingError::RoleMissing`], or why this person has nothing to do with the ballot.
    pub async fn scans(&self, staff: &Staff, ballot: &Arc<Bearer>) -> Result<Vec<Scan>, KeyingError> {
        if !may_decide(staff.role) {
            return Err(KeyingError::RoleMissing);
        }
        let (bearer, by) = (Arc::clone(ballot), staff.clone());
        self.db
            .read(move |conn| {
                bundle::gate(conn, &bearer.keys.public, &by)??;
                opened(conn, &bearer)
            })
            .await
    }
}

fn opened(conn: &mut Conn, ballot: &Bearer) -> Result<Vec<Scan>, KeyingError> {
    let mut pages = Vec::new();
    for slot in slots(ballot) {
        let Some(body) = scans::page(conn, &slot.id)? else { break };
        let plain = slot.open(&body).ok_or(KeyingError::EntryLost)?;
        pages.push(unpadded(&plain).ok_or(KeyingError::EntryLost)?);
    }
    Ok(pages)
}
