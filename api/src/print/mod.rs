//! What leaves the house on paper: lists of codes as slips or ballots, and the sheets that go with bundles. The crate
//! `phieu-print` draws; here it is found out what is to be drawn.
//!
//! A list of codes exists once, in the file that this room makes while the write that makes the codes is still open:
//! there is no code that counts without its paper.

pub mod handing;
mod job;
mod pages;
mod progress;
mod store;

use std::path::Path;

use chrono::{DateTime, Utc};
use phieu_print::{
    Ballot, BallotPrint, BundleSheet, Dispute, HandOver, Imprint, Paper, PrintError, Slip, SlipPrint, SlipUnit,
};
use survey_forms::Round;
use survey_forms::round::{Channel, Organiser};
use zeroize::Zeroizing;

pub use pages::pages;

use crate::clock::local;
use crate::config::BaseUrl;
use crate::credential::{CredentialError, IssuedCode, write_csv, write_xlsx};
use crate::db::{Conn, DbError};
use crate::round::{LoadedRound, RoundError};

/// What a list of codes is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table in UTF-8.
    Csv,
    /// A workbook.
    Xlsx,
    /// Slips, or the ballots themselves for a group that answers on paper.
    Pdf,
}

impl Format {
    /// The format that a file's name ends with.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "xlsx" => Some(Self::Xlsx),
            "pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// How ballots are printed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout {
    /// Of ballots about many bodies.
    pub paper: Paper,
    /// An empty page where one is needed for printing on both sides.
    pub two_sided: bool,
}

/// A list of codes as it is handed over.
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where the boxes of printed ballots stand, as JSON; holds no code.
    pub boxes: Option<Vec<u8>>,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// A PDF holds slips or ballots, not both.
    #[error("slips and ballots are different papers: name one group")]
    TwoPapers,
    /// Boxes were asked of something that has none.
    #[error("only ballots printed as PDF have boxes")]
    NoBoxes,
    /// The round has no such group.
    #[error("the round has no such group")]
    GroupUnknown,
    /// The document.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// The table.
    #[error("the table could not be written: {0}")]
    Table(String),
    /// The codes.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The round.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Writes codes down. `done` is told how many are drawn.
///
/// # Errors
/// [`PressError::TwoPapers`], [`PressError::Print`], [`PressError::Table`].
pub fn write_codes(
    round: &LoadedRound,
    codes: &[IssuedCode],
    base: &BaseUrl,
    at: DateTime<Utc>,
    (format, layout): (Format, Layout),
    done: &mut dyn FnMut(usize),
) -> Result<Written, PressError> {
    let table = |error: &dyn std::fmt::Display| PressError::Table(error.to_string());
    match format {
        Format::Csv => {
            let mut bytes = Vec::new();
            write_csv(&mut bytes, round, codes, base).map_err(|error| table(&error))?;
            Ok(Written { bytes, boxes: None })
        }
        Format::Xlsx => {
            let bytes = write_xlsx(round, codes, base).map_err(|error| table(&error))?;
            Ok(Written { bytes, boxes: None })
        }
        Format::Pdf => {
            let is_paper = |code: &IssuedCode| {
                let group = round.definition.group(&code.respondent_code);
                group.is_some_and(|group| group.channel == Channel::Paper)
            };
            let paper = codes.iter().filter(|code| is_paper(code)).count();
            if paper == 0 {
                Ok(Written { bytes: slips(round, codes, base, at, done)?, boxes: None })
            } else if paper == codes.len() {
                ballots(round, codes, at, layout, done)
            } else {
                Err(PressError::TwoPapers)
            }
        }
    }
}

fn imprint(round: &Round, what: &str, at: DateTime<Utc>) -> Imprint {
    Imprint { title: format!("{what}: {}", round.title), author: round.organiser.name.clone(), date: local(at) }
}

fn contact(organiser: &Organiser) -> String {
    let known = [&organiser.contact_name, &organiser.phone, &organiser.email];
    known.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn slips(
    round: &LoadedRound,
    codes: &[IssuedCode],
    base: &BaseUrl,
    at: DateTime<Utc>,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<u8>, PressError> {
    let definition = &round.definition;
    let print = SlipPrint {
        imprint: imprint(definition, "Phiếu mã", at),
        organiser: definition.organiser.name.clone(),
        round: definition.title.clone(),
        address: base.url("/"),
        closes: local(round.closes_at).format("%H:%M ngày %d/%m/%Y").to_string(),
        contact: contact(&definition.organiser),
        sample: definition.sample,
    };
    let written: Vec<(Zeroizing<String>, Zeroizing<String>)> = codes
        .iter()
        .map(|code| {
            let shown = code.token.expose();
            let link = Zeroizing::new(format!("{}#{}", base.url("/p"), shown.as_str()));
            (shown, link)
        })
        .collect();
    let pairs: Vec<_> = codes.iter().zip(&written).collect();
    // Those of one unit stand together; of a group without units, those about one body.
    let units = pairs.chunk_by(|(a, _), (b, _)| {
        (&a.respondent_code, &a.source_unit) == (&b.respondent_code, &b.source_unit)
            && (!a.source_unit.is_empty() || a.targets == b.targets)
    });
    let units = units.filter_map(|part| {
        let (first, _) = part.first()?;
        let target = match first.targets.as_slice() {
            [one] => definition.target(one).map_or("", |target| target.name.as_str()),
            _ => "",
        };
        Some(SlipUnit {
            respondent_code: &first.respondent_code,
            group: definition.group(&first.respondent_code).map_or("", |group| group.name.as_str()),
            unit: definition.unit(&first.source_unit).map_or("", |unit| unit.name.as_str()),
            target,
            slips: part.iter().map(|(_, (code, link))| Slip { code, link }).collect(),
        })
    });
    Ok(phieu_print::slips(&print, units, done)?)
}

fn ballots(
    round: &LoadedRound,
    codes: &[IssuedCode],
    at: DateTime<Utc>,
    layout: Layout,
    done: &mut dyn FnMut(usize),
) -> Result<Written, PressError> {
    let definition = &round.definition;
    let written: Vec<(Zeroizing<String>, Zeroizing<String>)> =
        codes.iter().map(|code| (code.token.expose(), code.token.digits())).collect();
    let mut all = Vec::with_capacity(codes.len());
    for (code, (shown, digits)) in codes.iter().zip(&written) {
        let form = definition.form(&code.respondent_code, &code.targets).ok_or(PressError::GroupUnknown)?;
        let label = code.sheet.as_ref().map_or_else(|| code.respondent_code.clone(), ToString::to_string);
        all.push(Ballot { form, code: shown, digits, label });
    }
    let print = BallotPrint {
        imprint: imprint(definition, "Phiếu điều tra", at),
        round: definition,
        paper: layout.paper,
        two_sided: layout.two_sided,
    };
    let (bytes, placed) = phieu_print::ballots(&print, all, done)?;
    Ok(Written { bytes, boxes: Some(boxes_json(&placed)?) })
}

fn boxes_json(placed: &phieu_print::Layouts) -> Result<Vec<u8>, PressError> {
    let mut json = serde_json::to_vec_pretty(placed).map_err(|error| PressError::Table(error.to_string()))?;
    json.push(b'\n');
    Ok(json)
}

/// A questionnaire as a ballot without a code, which says that it is none. For any round that reads, loaded or not.
///
/// # Errors
/// [`PressError::GroupUnknown`].
pub fn specimen(round: &Round, group: &str, at: DateTime<Utc>, paper: Paper) -> Result<Written, PressError> {
    let kind = round.assignments().into_iter().find(|kind| kind.respondent_code == group);
    let targets = kind.ok_or(PressError::GroupUnknown)?.targets;
    let form = round.form(group, &targets).ok_or(PressError::GroupUnknown)?;
    let label = format!("{group} · bản xem thử");
    let imprint = imprint(round, "Bản xem thử", at);
    let print = BallotPrint { imprint, round, paper, two_sided: false };
    let (bytes, placed) = phieu_print::ballots(&print, [Ballot { form, code: "", digits: "", label }], &mut |_| ())?;
    Ok(Written { bytes, boxes: Some(boxes_json(&placed)?) })
}

/// A sheet of the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sheet {
    /// A cover for each bundle.
    Bundles,
    /// The record of hand-over of all bundles, in two copies.
    HandOver,
    /// The clerk's keys.
    Keys,
    /// Ballots to fetch for a decision.
    Retrieval,
}

impl Sheet {
    /// Every sheet.
    pub const ALL: [Self; 4] = [Self::Bundles, Self::HandOver, Self::Keys, Self::Retrieval];

    /// Its name in commands, files and the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bundles => "bundles",
            Self::HandOver => "hand-over",
            Self::Keys => "keys",
            Self::Retrieval => "retrieval",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn vietnamese(self) -> &'static str {
        match self {
            Self::Bundles => "Phiếu theo dõi bó",
            Self::HandOver => "Biên bản bàn giao (hai bản)",
            Self::Keys => "Bảng phím của người nhập",
            Self::Retrieval => "Danh sách phiếu cần lấy để phân xử",
        }
    }

    /// The sheet of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sheet| sheet.as_str() == name)
    }
}

/// A sheet of a round, of one group's bundles or of all.
///
/// # Errors
/// [`PrintError::Empty`] when there is no bundle to cover or hand over.
pub fn sheet(
    conn: &mut Conn,
    round: &LoadedRound,
    which: Sheet,
    group: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Vec<u8>, PressError> {
    let definition = &round.definition;
    if group.is_some_and(|group| definition.group(group).is_none()) {
        return Err(PressError::GroupUnknown);
    }
    let of_group = |code: &str| group.is_none_or(|group| group == code);
    let imprint = imprint(definition, which.vietnamese(), at);
    let organiser = &definition.organiser.name;
    let bundles = |conn: &mut Conn| -> Result<Vec<(String, u32, u32)>, PressError> {
        let all = store::bundles(conn, round.id()).map_err(DbError::from)?;
        Ok(all.into_iter().filter(|(code, ..)| of_group(code)).collect())
    };
    Ok(match which {
        Sheet::Bundles => {
            let cover = |(code, bundle, size): (String, u32, u32)| BundleSheet {
                organiser: organiser.clone(),
                round: definition.title.clone(),
                group: definition.group(&code).map_or_else(String::new, |group| group.name.clone()),
                respondent_code: code,
                bundle,
                size,
            };
            let covers: Vec<BundleSheet> = bundles(conn)?.into_iter().map(cover).collect();
            phieu_print::bundle_sheets(&imprint, &covers)?
        }
        Sheet::HandOver => {
            let record = HandOver {
                organiser: organiser.clone(),
                round: definition.title.clone(),
                legal_basis: definition.legal_basis.clone(),
                bundles: bundles(conn)?,
            };
            phieu_print::hand_over(&imprint, &record)?
        }
        Sheet::Keys => phieu_print::cheat_sheet(&imprint, organiser, &definition.title)?,
        Sheet::Retrieval => {
            let mut disputes: Vec<Dispute> = store::disputes(conn, round.id()).map_err(DbError::from)?;
            disputes.retain(|dispute| of_group(&dispute.respondent_code));
            phieu_print::retrieval(&imprint, organiser, &definition.title, &disputes)?
        }
    })
}

#[cfg(test)]
mod tests;
