//! Published results as a report: what was released, ranked tables with their drawing beside the numbers, one table a
//! body, and the method.

mod flow;

use self::flow::Flow;
use crate::font::{Face, Fonts};
use crate::page::Align;
use crate::pdf::Pdf;
use crate::text::Style;
use crate::{Imprint, PrintError};

const TITLE: Style = Style::new(Face::Strong, 17.0);
const HEADING: Style = Style::new(Face::Strong, 12.0);
const BODY: Style = Style::new(Face::Sans, 9.5).leading(1.35);
const NOTE: Style = Style::new(Face::Sans, 8.5).grey(70).leading(1.35);

/// A report.
#[derive(Debug, Clone)]
pub struct Report {
    /// What the document says of itself.
    pub imprint: Imprint,
    /// Over the title.
    pub organiser: String,
    /// What it reports.
    pub title: String,
    /// What it is and where it comes from: name and text.
    pub facts: Vec<(String, String)>,
    /// In their order.
    pub parts: Vec<ReportPart>,
}

/// A part under its heading.
#[derive(Debug, Clone)]
pub struct ReportPart {
    /// Its heading.
    pub heading: String,
    /// Whether it begins a page.
    pub on_new_page: bool,
    /// What is to be seen, before the table.
    pub words: Vec<String>,
    /// Numbers.
    pub table: Option<ReportTable>,
    /// What has to be known to read it, after the table.
    pub note: String,
}

/// A table.
#[derive(Debug, Clone)]
pub struct ReportTable {
    /// Their widths in millimetres fill 175.
    pub columns: Vec<ReportColumn>,
    /// In their order; a heading row stands on every page.
    pub rows: Vec<ReportRow>,
}

/// A column.
#[derive(Debug, Clone)]
pub struct ReportColumn {
    /// Its heading.
    pub heading: String,
    /// In millimetres.
    pub width: f32,
    /// What stands in it.
    pub holds: Holds,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Text.
    Words,
    /// Numbers, at the right edge.
    Numbers,
    /// The row's drawing on an axis from 0 to 100; the cell's text is not shown.
    Drawing,
}

/// A row.
#[derive(Debug, Clone, Default)]
pub struct ReportRow {
    /// One a column.
    pub cells: Vec<String>,
    /// What the drawing column shows.
    pub drawing: Drawing,
}

/// Places on an axis from 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Drawing {
    /// The value.
    pub dot: Option<f32>,
    /// Ends of its interval.
    pub whisker: Option<(f32, f32)>,
    /// What it is compared with: a stroke.
    pub other: Option<f32>,
}

/// The report as PDF; the same report gives the same bytes.
///
/// # Errors
/// [`PrintError`].
pub fn report(report: &Report) -> Result<Vec<u8>, PrintError> {
    let fonts = Fonts::load()?;
    let mut flow = Flow::new(fonts);
    flow.paragraph(BODY, Align::Left, &report.organiser);
    flow.gap(2.0);
    flow.paragraph(TITLE, Align::Left, &report.title);
    flow.gap(3.0);
    for (name, text) in &report.facts {
        flow.fact(BODY, name, text);
    }
    for part in &report.parts {
        if part.on_new_page {
            flow.turn();
        } else {
            flow.gap(6.0);
        }
        // A heading never stands alone at the foot of a page.
        flow.room(34.0);
        flow.paragraph(HEADING, Align::Left, &part.heading);
        flow.gap(1.0);
        for words in &part.words {
            flow.paragraph(BODY, Align::Left, words);
            flow.gap(1.0);
        }
        if let Some(table) = &part.table {
            flow.table(table);
            flow.gap(1.5);
        }
        if !part.note.is_empty() {
            flow.paragraph(NOTE, Align::Left, &part.note);
        }
    }
    let mut pdf = Pdf::new(&report.imprint, fonts)?;
    for page in flow.finish(&report.imprint.title) {
        pdf.add(&page)?;
    }
    pdf.finish()
}
