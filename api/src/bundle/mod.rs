#![doc = include_str!("README.md")]

mod acts;
pub mod claims;
mod custody;
mod error;
mod gate;
mod label;
pub mod office;
pub mod pages;
pub mod rest;
pub mod scans;
mod state;
mod store;

use std::collections::BTreeMap;

use rand::seq::SliceRandom as _;
use survey_forms::round::{Channel, Group};

pub use acts::{Act, By, LONGEST_NOTE, act, receive_all, sample_size};
pub(crate) use acts::{act_for, add_sums};
pub use custody::{Custody, CustodyRefusal, Exit, Move};
pub use error::BundleError;
pub use gate::{GateRefusal, Passage, firsts_complete, gate};
pub use label::SheetLabel;
pub use state::{Ballots, Bundle, BundleRefusal, Sheets, Stage};
pub(crate) use store::Sums;

use crate::access::Staff;
use crate::ballot::PublicKey;
use crate::ballot::log::entry::{PaperBook, PaperCount};
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

/// A bundle as its people see it.
#[derive(Debug, Clone)]
pub struct View {
    /// Random, for references.
    pub id: String,
    /// The round.
    pub round: String,
    /// The group.
    pub respondent_code: String,
    /// Number of the bundle in its group, from 1.
    pub number: u32,
    /// Code of the post office where it is keyed, if it belongs to one.
    pub office: Option<String>,
    /// Where it is as a whole.
    pub bundle: Bundle,
    /// How far it is.
    pub stage: Stage,
    /// Its sheets, counted.
    pub sheets: Sheets,
    /// Its ballots, counted.
    pub ballots: Ballots,
    /// Of its ballots, those on which two clerks differed.
    pub decided: u32,
    /// Why no sample is read, if somebody said so.
    pub waiver: Option<String>,
    /// Id of whoever signed first.
    pub signed_first: Option<String>,
    /// Every sheet.
    pub numbers: Vec<SheetView>,
}

impl View {
    /// As on the label of the bundle.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} · Bó {:02}", self.respondent_code, self.number)
    }
}

/// A sheet as its people see it: where it is, and how far; never whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetView {
    /// Its number.
    pub number: u32,
    /// Where it is.
    pub custody: Custody,
    /// Replaced by another sheet of the same number.
    pub replaced: bool,
    /// Drawn for the sample.
    pub sampled: bool,
    /// How far its ballot is.
    pub capture: Reached,
}

/// How far the ballot of a sheet is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// No finished entry.
    Awaiting,
    /// One entry.
    FirstDone,
    /// Two that agree; it waits for the reading of a sample.
    Matched,
    /// Two that differ.
    Mismatched,
    /// Set aside.
    Referred,
    /// Void.
    Invalid,
    /// Settled, on its way into the box.
    Verified,
    /// In the box.
    Cast,
}

impl Reached {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Awaiting => "Chưa nhập",
            Self::FirstDone => "Xong lượt 1",
            Self::Matched => "Chờ đọc mẫu",
            Self::Mismatched => "Chờ phân xử",
            Self::Referred => "Có sự cố",
            Self::Invalid => "Không hợp lệ",
            Self::Verified => "Chờ vào hòm",
            Self::Cast => "Trong hòm",
        }
    }

    fn of(sheet: &store::Sheet) -> Self {
        match (sheet.credential.as_str(), sheet.capture.as_deref()) {
            ("used", _) | (_, Some("cast")) => Self::Cast,
            (_, None | Some("first_in_progress" | "reopened")) => Self::Awaiting,
            (_, Some("first_done" | "second_in_progress")) => Self::FirstDone,
            (_, Some("matched")) => Self::Matched,
            (_, Some("mismatched" | "adjudicating")) => Self::Mismatched,
            (_, Some("referred")) => Self::Referred,
            (_, Some("invalid")) => Self::Invalid,
            (_, Some(_)) => Self::Verified,
        }
    }
}

fn sheets_of(sheets: &[store::Sheet]) -> Sheets {
    let start = Sheets { printed: u32::try_from(sheets.len()).unwrap_or(u32::MAX), ..Sheets::default() };
    sheets.iter().fold(start, |sum, sheet| match sheet.custody {
        Custody::Gone(exit) => sum.with(exit),
        _ => sum,
    })
}

fn ballots_of(sheets: &[store::Sheet]) -> Ballots {
    let mut sum = Ballots::default();
    for sheet in sheets.iter().filter(|s| !matches!(s.custody, Custody::Gone(_))) {
        let reached = Reached::of(sheet);
        if !sheet.custody.is_here() && sheet.custody != Custody::Archived && reached != Reached::Cast {
            continue;
        }
        sum.here += 1;
        sum.sampled += u32::from(sheet.sampled);
        let place = match reached {
            Reached::Awaiting => &mut sum.awaiting_first,
            Reached::FirstDone => &mut sum.awaiting_second,
            Reached::Matched => &mut sum.awaiting_sample,
            Reached::Mismatched => &mut sum.mismatched,
            Reached::Referred => &mut sum.referred,
            Reached::Invalid => &mut sum.void,
            Reached::Verified => &mut sum.verified,
            Reached::Cast => &mut sum.cast,
        };
        *place += 1;
    }
    sum
}

fn view(kept: store::Kept, sheets: &[store::Sheet]) -> View {
    let ballots = ballots_of(sheets);
    let stage = Stage::of(&kept.bundle, ballots, kept.waiver.is_some());
    let numbers = sheets.iter().map(|sheet| SheetView {
        number: sheet.number,
        custody: sheet.custody,
        replaced: sheet.credential == "revoked",
        sampled: sheet.sampled,
        capture: Reached::of(sheet),
    });
    View {
        stage,
        sheets: sheets_of(sheets),
        ballots,
        decided: sheets.iter().filter(|s| s.decided).fold(0, |n, _| n + 1),
        numbers: numbers.collect(),
        id: kept.id,
        round: kept.round,
        respondent_code: kept.respondent_code,
        number: kept.number,
        office: kept.office,
        bundle: kept.bundle,
        waiver: kept.waiver,
        signed_first: kept.signed_first,
    }
}

fn view_of(conn: &mut Conn, id: &str) -> Result<Option<View>, DbError> {
    let Some(kept) = store::look(conn, id)? else { return Ok(None) };
    let sheets = store::sheets(conn, &kept.round, Some(id))?;
    Ok(Some(view(kept, &sheets)))
}

/// The bundle of this number in its group, whoever asks.
///
/// # Errors
/// [`BundleError::Unknown`].
pub fn find(conn: &mut Conn, round: &str, group: &str, number: u32) -> Result<View, BundleError> {
    let id = store::id_of(conn, round, group, number)?.ok_or(BundleError::Unknown)?;
    view_of(conn, &id)?.ok_or(BundleError::Unknown)
}

/// [`find`] for a member of staff.
///
/// # Errors
/// [`BundleError::Unknown`], also for a bundle of another post office.
pub fn find_for(conn: &mut Conn, staff: &Staff, round: &str, group: &str, number: u32) -> Result<View, BundleError> {
    let view = find(conn, round, group, number)?;
    if office::admits(conn, staff, view.office.as_deref())? { Ok(view) } else { Err(BundleError::Unknown) }
}

/// The bundles of a round by group and number.
///
/// # Errors
/// When the database fails.
pub fn all(conn: &mut Conn, round: &str) -> Result<Vec<View>, DbError> {
    let mut by_bundle: BTreeMap<String, Vec<store::Sheet>> = BTreeMap::new();
    for sheet in store::sheets(conn, round, None)? {
        by_bundle.entry(sheet.bundle.clone()).or_default().push(sheet);
    }
    let kept = store::all(conn, round)?;
    Ok(kept
        .into_iter()
        .map(|kept| {
            let sheets = by_bundle.remove(&kept.id).unwrap_or_default();
            view(kept, &sheets)
        })
        .collect())
}

/// The bundles of a round that a member of staff works with.
///
/// # Errors
/// When the database fails.
pub fn all_for(conn: &mut Conn, staff: &Staff, round: &str) -> Result<Vec<View>, DbError> {
    let own = office::of_staff(conn, staff)?;
    let mut all = all(conn, round)?;
    all.retain(|view| office::sees(staff.role, own.as_deref(), view.office.as_deref()));
    Ok(all)
}

/// Whether paper of the round may still be moved; holds the round against its close.
fn round_is_open(conn: &mut Conn, round: &str) -> Result<bool, DbError> {
    let state = store::held_round(conn, round)?;
    Ok([RoundState::Loaded, RoundState::Open].iter().any(|s| state.as_deref() == Some(s.as_str())))
}

/// [`round_is_open`], for the desk.
///
/// # Errors
/// When the database fails.
pub(crate) fn takes_acts(conn: &mut Conn, round: &str) -> Result<bool, DbError> {
    round_is_open(conn, round)
}

/// The ballot of a sheet by its bundle and number; of a replaced sheet its replacement.
///
/// # Errors
/// When the database fails.
pub(crate) fn key_of(
    conn: &mut Conn,
    round: &str,
    group: &str,
    number: u32,
    sheet: u32,
) -> Result<Option<PublicKey>, DbError> {
    match store::id_of(conn, round, group, number)? {
        Some(id) => key_in(conn, &id, sheet),
        None => Ok(None),
    }
}

/// [`key_of`] by the bundle's id.
///
/// # Errors
/// When the database fails.
pub(crate) fn key_in(conn: &mut Conn, bundle: &str, sheet: u32) -> Result<Option<PublicKey>, DbError> {
    Ok(store::key_in(conn, bundle, sheet)?)
}

/// Id of the bundle and number of a ballot; none when it is in no bundle, or in one of another post office.
///
/// # Errors
/// When the database fails.
pub(crate) fn place_of(conn: &mut Conn, staff: &Staff, key: &PublicKey) -> Result<Option<(String, u32)>, DbError> {
    let Some((bundle, _, sheet, _)) = store::sheet_of(conn, key)? else { return Ok(None) };
    let Some(kept) = store::look(conn, &bundle)? else { return Ok(None) };
    Ok(office::admits(conn, staff, kept.office.as_deref())?.then_some((bundle, sheet)))
}

/// Ballots of the bundle that browsers may still hold keystrokes of.
fn held_on_devices(conn: &mut Conn, bundle: &str) -> Result<u32, DbError> {
    let ballots: usize = claims::held(conn, bundle)?.iter().map(|claim| claim.ballots).sum();
    Ok(u32::try_from(ballots).unwrap_or(u32::MAX))
}

/// Id of the bundle of a ballot.
///
/// # Errors
/// When the database fails.
pub(crate) fn of(conn: &mut Conn, key: &PublicKey) -> Result<Option<String>, DbError> {
    Ok(store::sheet_of(conn, key)?.map(|(bundle, ..)| bundle))
}

/// The sums of every bundle of a round, by its id.
///
/// # Errors
/// When the database fails.
pub(crate) fn sums(conn: &mut Conn, round: &str) -> Result<BTreeMap<String, Sums>, DbError> {
    Ok(store::sums(conn, round)?)
}

/// Names of staff by id, for pages.
///
/// # Errors
/// When the database fails.
pub fn names(conn: &mut Conn) -> Result<BTreeMap<String, String>, DbError> {
    Ok(store::names(conn)?)
}

/// Where every sheet of the round went, for its log: each paper code is one sheet, and in one place.
///
/// # Errors
/// When the database fails.
pub(crate) fn book(conn: &mut Conn, round: &str) -> Result<PaperBook, DbError> {
    let mut groups: BTreeMap<String, PaperCount> = BTreeMap::new();
    for row in store::fates(conn, round)? {
        let count = groups.entry(row.respondent_code.clone()).or_default();
        let n = u64::try_from(row.sheets).unwrap_or_default();
        count.printed += n;
        let custody = row.custody.as_deref().and_then(Custody::parse);
        let place = match (row.credential.as_str(), row.capture.as_deref(), custody) {
            ("used", ..) => &mut count.used,
            // A sheet that an older version made and withdrew is in no bundle.
            ("revoked", _, None) => &mut count.spoiled,
            (_, Some("invalid"), _) => &mut count.void,
            (_, _, Some(Custody::Gone(Exit::Spoiled))) => &mut count.spoiled,
            (_, _, Some(Custody::Gone(Exit::Undeliverable))) => &mut count.undeliverable,
            (_, _, Some(Custody::Gone(Exit::Lost))) => &mut count.lost,
            (_, _, Some(Custody::Received | Custody::Bundled | Custody::Archived)) => &mut count.unkeyed,
            // Out, or never handed out: at the close it has not come back.
            _ => &mut count.not_returned,
        };
        *place += n;
    }
    let total = groups.values().fold(PaperCount::default(), |sum, count| sum.plus(*count));
    let duplicates = u64::try_from(store::duplicates(conn, round)?).unwrap_or_default();
    Ok(PaperBook { total, groups, duplicates })
}

#[cfg(test)]
mod tests;
