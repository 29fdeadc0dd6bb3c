//! The sheets that go with bundles of paper ballots: a cover, a record of hand-over, the clerk's keys, and the list of
//! ballots to fetch for a decision.

mod bundle;
mod cheat;
mod hand_over;
mod retrieval;

pub use bundle::{BundleSheet, bundle_sheets};
pub use cheat::cheat_sheet;
pub use hand_over::{HandOver, hand_over};
pub use retrieval::{Dispute, retrieval};

use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Page};
use crate::text::{Style, fitted, times};

/// Text of a record, in the sizes of Decree 30/2020.
const BODY: Style = Style::new(Face::Serif, 13.0);
const BOLD: Style = Style::new(Face::SerifStrong, 13.0);
const ASIDE: Style = Style::new(Face::SerifItalic, 12.0);
const CELL: Style = Style::new(Face::Serif, 11.0);
const CELL_BOLD: Style = Style::new(Face::SerifStrong, 11.0);

/// A table column: width in millimetres, heading, where its text stands.
type Column<'a> = (f32, &'a str, Align);

/// A row of cells; each in at most two lines. Gives the row's bottom.
fn table_row(
    fonts: &Fonts,
    page: &mut Page,
    (x, y): (f32, f32),
    columns: &[Column<'_>],
    cells: &[String],
    least: f32,
    style: Style,
) -> f32 {
    let set: Vec<_> =
        columns.iter().zip(cells).map(|((w, ..), text)| fitted(fonts, style, 7.0, w - 3.0, 2, text)).collect();
    let tallest = set.iter().map(|(style, lines)| times(lines.len()) * style.line()).fold(0.0, f32::max);
    let high = (tallest + 1.6).max(least);
    let mut left = x;
    let mut areas = Vec::new();
    for ((w, _, align), (style, lines)) in columns.iter().zip(&set) {
        let mut at = y + (high - times(lines.len()) * style.line()) / 2.0;
        for line in lines {
            at = page.row(fonts, (left + 1.5, w - 3.0), at, *style, *align, line);
        }
        areas.push(Area::new(left, y, *w, high));
        left += w;
    }
    page.frame(areas, 0, 0.2);
    y + high
}

/// The headings of a table.
fn table_head(fonts: &Fonts, page: &mut Page, at: (f32, f32), columns: &[Column<'_>]) -> f32 {
    let heads: Vec<String> = columns.iter().map(|(_, words, _)| (*words).to_owned()).collect();
    let centred: Vec<Column<'_>> = columns.iter().map(|(w, words, _)| (*w, *words, Align::Centre)).collect();
    table_row(fonts, page, at, &centred, &heads, 8.0, CELL_BOLD)
}

/// Two places to sign, side by side; gives where they end.
fn signatures(fonts: &Fonts, page: &mut Page, y: f32, room: (f32, f32), who: [&str; 2]) -> f32 {
    let half = room.1 / 2.0;
    let mut end = y;
    for (words, left) in who.into_iter().zip([room.0, room.0 + half]) {
        let at = page.squeezed(fonts, (left, half), y, BOLD.sized(12.0), Align::Centre, (9.0, 2), words);
        end = page.row(fonts, (left, half), at, ASIDE.sized(11.0), Align::Centre, "(Ký, ghi rõ họ tên)");
    }
    end + 22.0
}
