//! What people do with bundles: hand over, receive and count, say where a sheet went, draw the sample, sign. Each act is
//! one transaction with its line in the audit trail.

use chrono::{DateTime, Utc};
use rand::seq::SliceRandom as _;

use super::custody::{Custody, Exit, Move};
use super::error::BundleError;
use super::state::{Bundle, BundleRefusal, Stage};
use super::store::{self, Kept, Sheet, Sums};
use super::{View, office, view_of};
use crate::access::{Actor, Role, Staff, audit};
use crate::clock::Entropy;
use crate::db::{Conn, Db, DbError};

/// Longest text that a person writes about a bundle.
pub const LONGEST_NOTE: usize = 1_000;

/// Who acts.
#[derive(Debug, Clone)]
pub enum By {
    /// A member of staff.
    Staff(Staff),
    /// Whoever runs commands on the server, or the service itself.
    Actor(Actor),
}

impl By {
    fn actor(&self) -> Actor {
        match self {
            Self::Staff(staff) => Actor::from(staff),
            Self::Actor(actor) => actor.clone(),
        }
    }

    /// A member of staff with one of these roles: some acts need a name.
    fn named(&self, roles: &[Role]) -> Result<&Staff, BundleError> {
        match self {
            Self::Staff(staff) if roles.contains(&staff.role) => Ok(staff),
            _ => Err(BundleError::RoleMissing),
        }
    }

    /// Whether this is a supervisor, or a command.
    fn leads(&self) -> Result<(), BundleError> {
        match self {
            Self::Staff(staff) if staff.role != Role::Supervisor => Err(BundleError::RoleMissing),
            _ => Ok(()),
        }
    }
}

/// One act on one bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Somebody signs for it; it may go to a post office.
    HandOver {
        /// Their name.
        holder: String,
        /// Code of the post office where it will be keyed.
        office: Option<String>,
    },
    /// Its sheets were given out.
    Deliver,
    /// It came back and was counted; these sheets are not there.
    Receive {
        /// Sheets that came back; as many as remain when absent.
        counted: Option<u32>,
        /// Number and reason.
        missing: Vec<(u32, Exit)>,
    },
    /// A sheet left.
    Leave {
        /// Its number.
        sheet: u32,
        /// Why.
        exit: Exit,
    },
    /// A sheet that was thought gone is here.
    Find {
        /// Its number.
        sheet: u32,
    },
    /// A supervisor says why the numbers do not add up.
    Note {
        /// What they say.
        note: String,
    },
    /// So many ballots are drawn to be read a third time; as many as the rule says when absent.
    Sample {
        /// How many.
        ballots: Option<u32>,
    },
    /// A supervisor says why no sample is read.
    Waive {
        /// What they say.
        why: String,
    },
    /// One of two signs; the second one locks it.
    Sign,
}

impl Act {
    /// As in the audit trail.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::HandOver { .. } => "bundle.handed_over",
            Self::Deliver => "bundle.delivered",
            Self::Receive { .. } => "bundle.received",
            Self::Leave { .. } => "bundle.sheet_left",
            Self::Find { .. } => "bundle.sheet_found",
            Self::Note { .. } => "bundle.noted",
            Self::Sample { .. } => "bundle.sampled",
            Self::Waive { .. } => "bundle.sample_waived",
            Self::Sign => "bundle.signed",
        }
    }
}

/// How many ballots of a bundle are read a third time: one in ten, two at least.
#[must_use]
pub fn sample_size(ballots: u32) -> u32 {
    ballots.div_ceil(10).max(2).min(ballots)
}

/// Does one act on the bundle of this id. Call inside a write.
///
/// # Errors
/// [`BundleError`]; nothing has changed then, once the write is given up.
pub fn act(
    conn: &mut Conn,
    at: DateTime<Utc>,
    entropy: &Entropy,
    by: &By,
    id: &str,
    act: &Act,
) -> Result<View, BundleError> {
    let kept = store::hold(conn, id)?.ok_or(BundleError::Unknown)?;
    if let By::Staff(staff) = by
        && !office::admits(conn, staff, kept.office.as_deref())?
    {
        return Err(BundleError::Unknown);
    }
    if !super::round_is_open(conn, &kept.round)? {
        return Err(BundleError::Closed);
    }
    if matches!(kept.bundle, Bundle::Locked { .. }) {
        return Err(BundleRefusal::Locked.into());
    }
    let sheets = store::sheets(conn, &kept.round, Some(id))?;
    let detail = done(conn, entropy, by, &kept, &sheets, act)?;
    let subject = format!("{}/{}/{}", kept.round, kept.respondent_code, kept.number);
    audit::record(conn, at, &by.actor(), act.name(), &subject, &detail)?;
    view_of(conn, id)?.ok_or(BundleError::Unknown)
}

fn done(
    conn: &mut Conn,
    entropy: &Entropy,
    by: &By,
    kept: &Kept,
    sheets: &[Sheet],
    act: &Act,
) -> Result<String, BundleError> {
    let id = kept.id.as_str();
    Ok(match act {
        Act::HandOver { holder, office: at } => {
            by.leads()?;
            let holder = words("/holder", holder, 200)?;
            let next = kept.bundle.handed_over(&holder)?;
            if let Some(at) = at {
                if !office::all(conn)?.iter().any(|(code, _)| code == at) {
                    return Err(BundleError::OfficeUnknown);
                }
                store::set_office(conn, id, Some(at))?;
            }
            let moved = move_all(conn, sheets, Move::Issue)?;
            store::save(conn, id, &next)?;
            format!("sheets={moved} holder={holder} office={}", at.as_deref().unwrap_or_default())
        }
        Act::Deliver => {
            if !matches!(kept.bundle, Bundle::HandedOver { .. }) {
                let early = matches!(kept.bundle, Bundle::Planned);
                return Err(if early { BundleRefusal::TooEarly } else { BundleRefusal::Past }.into());
            }
            format!("sheets={}", move_all(conn, sheets, Move::Deliver)?)
        }
        Act::Receive { counted, missing } => receive(conn, kept, sheets, *counted, missing)?,
        Act::Leave { sheet, exit } => {
            if !matches!(exit, Exit::NotReturned | Exit::Undeliverable) {
                by.leads()?;
            }
            move_one(conn, sheets, *sheet, Move::Leave(*exit))?;
            recount(conn, kept, sheets, None)?;
            format!("sheet={sheet} {}", exit.as_str())
        }
        Act::Find { sheet } => {
            by.leads()?;
            move_one(conn, sheets, *sheet, Move::Find)?;
            recount(conn, kept, sheets, None)?;
            format!("sheet={sheet}")
        }
        Act::Note { note } => {
            let staff = by.named(&[Role::Supervisor])?;
            let note = words("/note", note, LONGEST_NOTE)?;
            let next = kept.bundle.noted(&staff.id, &note)?;
            store::save(conn, id, &next)?;
            String::new()
        }
        Act::Sample { ballots } => {
            by.named(&[Role::Supervisor, Role::Auditor])?;
            kept.bundle.may_key()?;
            format!("ballots={}", sample(conn, entropy, sheets, *ballots)?)
        }
        Act::Waive { why } => {
            by.named(&[Role::Supervisor])?;
            kept.bundle.may_key()?;
            store::set_waiver(conn, id, &words("/why", why, LONGEST_NOTE)?)?;
            String::new()
        }
        Act::Sign => sign(conn, by, kept)?,
    })
}

/// A text that a person wrote: something, and not a book.
pub(super) fn words(pointer: &'static str, text: &str, longest: usize) -> Result<String, BundleError> {
    use unicode_normalization::UnicodeNormalization as _;
    let text: String = text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        Err(BundleError::Field(pointer, "text_missing"))
    } else if text.chars().count() > longest {
        Err(BundleError::Field(pointer, "text_too_long"))
    } else {
        Ok(text)
    }
}

/// Moves every sheet that can make this move.
fn move_all(conn: &mut Conn, sheets: &[Sheet], step: Move) -> Result<usize, BundleError> {
    let mut moved = 0;
    for from in Custody::ALL {
        let Ok(to) = from.after(step) else { continue };
        let keys: Vec<_> = sheets.iter().filter(|s| s.custody == from).map(|s| s.key).collect();
        moved += store::place(conn, &keys, to)?;
    }
    Ok(moved)
}

/// The sheet of this number that counts: a replacement stands before what it replaced.
fn numbered(sheets: &[Sheet], number: u32) -> Result<&Sheet, BundleError> {
    let mut own = sheets.iter().filter(|s| s.number == number);
    let sheet = own.clone().find(|s| s.credential != "revoked").or_else(|| own.next());
    sheet.ok_or(BundleError::NoSheet(number))
}

fn move_one(conn: &mut Conn, sheets: &[Sheet], number: u32, step: Move) -> Result<(), BundleError> {
    let sheet = numbered(sheets, number)?;
    let keyed = sheet.credential == "used" || sheet.capture.as_deref() == Some("verified");
    if keyed && matches!(step, Move::Leave(_)) {
        return Err(BundleError::Keyed(number));
    }
    if sheet.credential == "revoked" {
        return Err(BundleError::Sheet(number, super::CustodyRefusal::Gone));
    }
    let to = sheet.custody.after(step).map_err(|refusal| BundleError::Sheet(number, refusal))?;
    store::place(conn, &[sheet.key], to)?;
    Ok(())
}

fn receive(
    conn: &mut Conn,
    kept: &Kept,
    sheets: &[Sheet],
    counted: Option<u32>,
    missing: &[(u32, Exit)],
) -> Result<String, BundleError> {
    // Refuses before a sheet moves.
    kept.bundle.received(0)?;
    for (number, exit) in missing {
        // Looked at anew: a number that is named twice is a mistake.
        let now = store::sheets(conn, &kept.round, Some(&kept.id))?;
        move_one(conn, &now, *number, Move::Leave(*exit))?;
    }
    // A replacement that was printed after the others were handed over has come back with them.
    for step in [Move::Issue, Move::Receive] {
        let now = store::sheets(conn, &kept.round, Some(&kept.id))?;
        move_all(conn, &now, step)?;
    }
    let remaining = super::sheets_of(&store::sheets(conn, &kept.round, Some(&kept.id))?).remaining();
    let counted = counted.unwrap_or(remaining);
    recount(conn, kept, sheets, Some(counted))?;
    Ok(format!("counted={counted} remaining={remaining}"))
}

/// Compares the numbers again after a count, or after a sheet's place has changed. Sheets of a bundle that adds up are
/// bundled.
fn recount(conn: &mut Conn, kept: &Kept, before: &[Sheet], counted: Option<u32>) -> Result<(), BundleError> {
    let now = store::sheets(conn, &kept.round, Some(&kept.id))?;
    let (was, is) = (super::sheets_of(before), super::sheets_of(&now));
    let counted_now = match (counted, kept.bundle.counted()) {
        (Some(counted), _) => kept.bundle.received(counted)?,
        (None, None) => return Ok(()),
        // One that was counted is gone, or one more is here. Otherwise the sheet is the very one that was missed.
        (None, Some(counted)) if counted == was.remaining() => kept.bundle.clone().with_count(is.remaining()),
        (None, Some(_)) => kept.bundle.clone(),
    };
    let next = counted_now.compared(is)?;
    if matches!(next, Bundle::Balanced { .. }) {
        move_all(conn, &now, Move::Bundle)?;
    }
    Ok(store::save(conn, &kept.id, &next)?)
}

/// Draws ballots of which nothing is cast yet.
fn sample(conn: &mut Conn, entropy: &Entropy, sheets: &[Sheet], ballots: Option<u32>) -> Result<usize, BundleError> {
    let here = sheets.iter().filter(|s| s.custody.is_here() || s.credential == "used").count();
    let settled = |s: &Sheet| {
        matches!(s.capture.as_deref(), Some("verified" | "cast" | "invalid" | "mismatched" | "adjudicating"))
    };
    let free = |s: &&Sheet| s.custody.is_here() && s.credential == "issued" && !s.sampled && !settled(s);
    let mut free: Vec<_> = sheets.iter().filter(free).map(|s| s.key).collect();
    if free.is_empty() {
        return Err(BundleError::NothingToSample);
    }
    free.shuffle(&mut entropy.generator());
    let wanted = ballots.unwrap_or_else(|| sample_size(u32::try_from(here).unwrap_or(u32::MAX)));
    if wanted == 0 {
        return Err(BundleError::Field("/ballots", "number_range"));
    }
    free.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    free.sort_unstable();
    store::set_sampled(conn, &free)?;
    Ok(free.len())
}

fn sign(conn: &mut Conn, by: &By, kept: &Kept) -> Result<String, BundleError> {
    let staff = by.named(&[Role::Supervisor, Role::Adjudicator, Role::Auditor])?;
    let view = view_of(conn, &kept.id)?.ok_or(BundleError::Unknown)?;
    kept.bundle.may_key()?;
    if view.stage != Stage::Audited {
        return Err(BundleRefusal::NotSettled.into());
    }
    let waiting = super::held_on_devices(conn, &kept.id)?;
    if waiting > 0 {
        return Err(BundleError::OnDevices(waiting));
    }
    match &kept.signed_first {
        None => {
            store::set_first_sign(conn, &kept.id, &staff.id)?;
            Ok("first".to_owned())
        }
        Some(first) => {
            let next = kept.bundle.signed(first, &staff.id, view.stage)?;
            let sheets = store::sheets(conn, &kept.round, Some(&kept.id))?;
            move_all(conn, &sheets, Move::Bundle)?;
            let sheets = store::sheets(conn, &kept.round, Some(&kept.id))?;
            move_all(conn, &sheets, Move::Archive)?;
            super::scans::delete_of(conn, &kept.id)?;
            store::save(conn, &kept.id, &next)?;
            Ok("second".to_owned())
        }
    }
}

/// [`act`] by a member of staff, on a bundle by its round, group and number.
///
/// # Errors
/// [`BundleError`].
pub(crate) async fn act_for(
    db: &Db,
    entropy: &Entropy,
    staff: &Staff,
    (round, group, number): (String, String, u32),
    done: Act,
) -> Result<View, BundleError> {
    let (clock, entropy, staff) = (db.clone(), entropy.clone(), staff.clone());
    db.write(move |conn| {
        let at = clock.now(conn)?;
        let id = store::id_of(conn, &round, &group, number)?.ok_or(BundleError::Unknown)?;
        act(conn, at, &entropy, &By::Staff(staff), &id, &done)
    })
    .await
}

/// Everything of a round, or of one group, is handed over and received whole: for a desk that keeps no such books, for
/// demonstrations and tests. Gives back how many bundles were received.
///
/// # Errors
/// [`BundleError`].
pub fn receive_all(
    db: &Db,
    conn: &mut Conn,
    entropy: &Entropy,
    by: &By,
    round: &str,
    group: Option<&str>,
) -> Result<usize, BundleError> {
    let at = db.now(conn).map_err(BundleError::from)?;
    let mut received = 0;
    for kept in store::all(conn, round)? {
        if group.is_some_and(|group| group != kept.respondent_code) {
            continue;
        }
        if matches!(kept.bundle, Bundle::Planned) {
            let over = Act::HandOver { holder: "bàn nhập phiếu".to_owned(), office: None };
            act(conn, at, entropy, by, &kept.id, &over)?;
        }
        if matches!(kept.bundle, Bundle::Planned | Bundle::HandedOver { .. }) {
            act(conn, at, entropy, by, &kept.id, &Act::Receive { counted: None, missing: Vec::new() })?;
            received += 1;
        }
    }
    Ok(received)
}

/// Adds to the sums of a bundle.
///
/// # Errors
/// When the database fails.
pub(crate) fn add_sums(conn: &mut Conn, bundle: &str, more: Sums) -> Result<(), DbError> {
    Ok(store::add(conn, bundle, more)?)
}
