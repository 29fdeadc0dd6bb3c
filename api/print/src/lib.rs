#![doc = include_str!("../README.md")]

mod ballot;
mod code128;
mod font;
mod page;
mod pdf;
mod qr;
mod report;
mod sheets;
mod slips;
mod text;

#[cfg(test)]
mod tests;

use chrono::{DateTime, FixedOffset};

pub use ballot::{Ballot, BallotPrint, Layouts, Paper, PlacedBox, PlacedPage, ballots};
pub use report::{Drawing, Holds, Report, ReportColumn, ReportPart, ReportRow, ReportTable, report};
pub use sheets::{BundleSheet, Dispute, HandOver, bundle_sheets, cheat_sheet, hand_over, retrieval};
pub use slips::{Slip, SlipPrint, SlipUnit, slips};

/// What a document says of itself, in its properties.
#[derive(Debug, Clone)]
pub struct Imprint {
    /// Its title.
    pub title: String,
    /// Who issues it.
    pub author: String,
    /// When it was made; PDF/A wants a date.
    pub date: DateTime<FixedOffset>,
}

/// Why nothing was printed.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// An embedded font does not read: a fault of the build.
    #[error("an embedded font does not read")]
    Font,
    /// A text too long for a QR code.
    #[error("the address is too long for a QR code")]
    Qr,
    /// The document could not be written as PDF/A.
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
    /// There is nothing to print.
    #[error("there is nothing to print")]
    Empty,
}
