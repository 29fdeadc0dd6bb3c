//! Text and tables that go on from page to page.

use super::{Drawing, Holds, ReportColumn, ReportRow, ReportTable};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Line, Page};
use crate::text::{Style, fitted, times, wrap};

/// Left edge and width of what is set.
const ROOM: (f32, f32) = (20.0, 175.0);
const TOP: f32 = 18.0;
const BOTTOM: f32 = 278.0;
const FACT: f32 = 52.0;
const HEAD: Style = Style::new(Face::Strong, 8.5);
const CELL: Style = Style::new(Face::Sans, 8.5);
const SMALL: Style = Style::new(Face::Sans, 7.0).grey(70);
/// A row is at least so high.
const ROW: f32 = 6.4;
/// Left and right of the axis in its column.
const MARGIN: f32 = 4.0;
const DOT: f32 = 2.2;

pub(super) struct Flow {
    fonts: &'static Fonts,
    full: Vec<Page>,
    page: Page,
    y: f32,
}

impl Flow {
    pub(super) fn new(fonts: &'static Fonts) -> Self {
        Self { fonts, full: Vec::new(), page: Page::a4(), y: TOP }
    }

    /// Goes to a new page, unless this one is empty.
    pub(super) fn turn(&mut self) {
        if self.y > TOP {
            self.full.push(std::mem::replace(&mut self.page, Page::a4()));
            self.y = TOP;
        }
    }

    pub(super) fn gap(&mut self, high: f32) {
        if self.y > TOP {
            self.y += high;
        }
    }

    /// Turns the page if less than this is left; tells whether it did.
    pub(super) fn room(&mut self, high: f32) -> bool {
        let turns = self.y + high > BOTTOM;
        if turns {
            self.turn();
        }
        turns
    }

    pub(super) fn paragraph(&mut self, style: Style, align: Align, text: &str) {
        for line in wrap(self.fonts, style, ROOM.1, text) {
            self.room(style.line());
            self.y = self.page.row(self.fonts, ROOM, self.y, style, align, &line);
        }
    }

    /// A name, and its text beside it.
    pub(super) fn fact(&mut self, style: Style, name: &str, text: &str) {
        let names = wrap(self.fonts, style.face(Face::Strong), FACT - 3.0, name);
        // A hash is copied whole: it stands in one line if it can.
        let (small, whole) = fitted(self.fonts, style, 7.0, ROOM.1 - FACT, 1, text);
        let hash = !text.contains(' ') && whole.iter().all(|line| line == text);
        let texts = if hash { whole } else { wrap(self.fonts, style, ROOM.1 - FACT, text) };
        let lines = names.len().max(texts.len());
        self.room(times(lines) * style.line());
        let mut end = self.y;
        let of_text = if hash { small.leading(style.leading * style.pt / small.pt) } else { style };
        let columns = [(names, ROOM.0, style.face(Face::Strong)), (texts, ROOM.0 + FACT, of_text)];
        for (lines, left, style) in columns {
            let mut y = self.y;
            for line in lines {
                y = self.page.row(self.fonts, (left, ROOM.1 - FACT), y, style, Align::Left, &line);
            }
            end = end.max(y);
        }
        self.y = end + 0.8;
    }

    pub(super) fn table(&mut self, table: &ReportTable) {
        self.head(&table.columns);
        for row in &table.rows {
            let high = self.height(&table.columns, row);
            if self.room(high) {
                self.head(&table.columns);
            }
            self.row(&table.columns, row, high);
        }
    }

    fn head(&mut self, columns: &[ReportColumn]) {
        let set: Vec<_> = columns.iter().map(|c| fitted(self.fonts, HEAD, 7.0, c.width - 3.0, 2, &c.heading)).collect();
        let tall = set.iter().map(|(style, lines)| times(lines.len()) * style.line()).fold(0.0, f32::max);
        let scale = if columns.iter().any(|c| c.holds == Holds::Drawing) { SMALL.line() } else { 0.0 };
        let high = tall + scale + 1.6;
        self.page.fill(vec![Area::new(ROOM.0, self.y, columns.iter().map(|c| c.width).sum(), high)], 236);
        let mut left = ROOM.0;
        for (column, (style, lines)) in columns.iter().zip(&set) {
            let align = if column.holds == Holds::Numbers { Align::Right } else { Align::Left };
            let mut y = self.y + 0.8;
            for line in lines {
                y = self.page.row(self.fonts, (left + 1.5, column.width - 3.0), y, *style, align, line);
            }
            if column.holds == Holds::Drawing {
                let at = self.y + high - SMALL.line() - 0.2;
                for (value, words) in [(0.0, "0"), (50.0, "50"), (100.0, "100")] {
                    let x = on_axis(left, column.width, value);
                    self.page.row(self.fonts, (x - 5.0, 10.0), at, SMALL, Align::Centre, words);
                }
            }
            left += column.width;
        }
        self.y += high;
    }

    fn height(&self, columns: &[ReportColumn], row: &ReportRow) -> f32 {
        let cells = columns.iter().zip(&row.cells).filter(|(column, _)| column.holds != Holds::Drawing);
        let high = |(column, text): (&ReportColumn, &String)| {
            let (style, lines) = fitted(self.fonts, CELL, 7.0, column.width - 3.0, 3, text);
            times(lines.len()) * style.line()
        };
        (cells.map(high).fold(0.0, f32::max) + 1.6).max(ROW)
    }

    fn row(&mut self, columns: &[ReportColumn], row: &ReportRow, high: f32) {
        let mut left = ROOM.0;
        for (column, text) in columns.iter().zip(&row.cells) {
            if column.holds == Holds::Drawing {
                self.draw((left, column.width), high, row.drawing);
            } else {
                let align = if column.holds == Holds::Numbers { Align::Right } else { Align::Left };
                let (style, lines) = fitted(self.fonts, CELL, 7.0, column.width - 3.0, 3, text);
                let mut y = self.y + (high - times(lines.len()) * style.line()) / 2.0;
                for line in &lines {
                    y = self.page.row(self.fonts, (left + 1.5, column.width - 3.0), y, style, align, line);
                }
            }
            left += column.width;
        }
        self.y += high;
        self.page.rule(ROOM.0, self.y, left - ROOM.0, 200, 0.15);
    }

    fn draw(&mut self, (left, wide): (f32, f32), high: f32, drawing: Drawing) {
        let (top, middle) = (self.y, self.y + high / 2.0);
        let upright = |value: f32, from: f32, to: f32| {
            let x = on_axis(left, wide, value);
            Line { from: (x, from), to: (x, to) }
        };
        self.page.lines([0.0, 50.0, 100.0].map(|value| upright(value, top, top + high)).to_vec(), 205, 0.15);
        if let Some((low, end)) = drawing.whisker {
            let level = Line { from: (on_axis(left, wide, low), middle), to: (on_axis(left, wide, end), middle) };
            let ends = [low, end].map(|value| upright(value, middle - 0.9, middle + 0.9));
            self.page.lines([&[level][..], &ends].concat(), 90, 0.3);
        }
        if let Some(other) = drawing.other {
            self.page.lines(vec![upright(other, middle - 2.2, middle + 2.2)], 110, 0.5);
        }
        if let Some(dot) = drawing.dot {
            let x = on_axis(left, wide, dot);
            self.page.fill(vec![Area::new(x - DOT / 2.0, middle - DOT / 2.0, DOT, DOT)], 20);
        }
    }

    /// The pages, each with its number.
    pub(super) fn finish(mut self, title: &str) -> Vec<Page> {
        self.turn();
        let mut pages = self.full;
        let all = pages.len();
        for (page, number) in pages.iter_mut().zip(1_usize..) {
            let (x, wide) = ROOM;
            page.rule(x, 283.0, wide, 200, 0.15);
            page.squeezed(self.fonts, (x, wide - 30.0), 284.5, SMALL, Align::Left, (6.0, 1), title);
            page.row(self.fonts, (x, wide), 284.5, SMALL, Align::Right, &format!("Trang {number}/{all}"));
        }
        pages
    }
}

/// Where a value from 0 to 100 stands in a column.
fn on_axis(left: f32, wide: f32, value: f32) -> f32 {
    left + MARGIN + (wide - 2.0 * MARGIN) * value.clamp(0.0, 100.0) / 100.0
}
