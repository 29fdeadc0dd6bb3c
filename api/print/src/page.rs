//! A page as a list of what is drawn on it, in millimetres from the upper left corner.

use crate::font::Fonts;
use crate::text::{Style, fitted, width, wrap};

/// A rectangle in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) w: f32,
    pub(crate) h: f32,
}

impl Area {
    pub(crate) const fn new(x: f32, y: f32, w: f32, h: f32) -> Self {
        Self { x, y, w, h }
    }
}

/// A straight line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) from: (f32, f32),
    pub(crate) to: (f32, f32),
}

#[derive(Debug, Clone)]
pub(crate) enum Op {
    Text {
        x: f32,
        baseline: f32,
        style: Style,
        text: String,
    },
    Fill {
        areas: Vec<Area>,
        grey: u8,
    },
    /// Black runs on a raster whose upper left corner is (`x`, `y`): column, row, length.
    Raster {
        x: f32,
        y: f32,
        field: f32,
        runs: Vec<(u16, u16, u16)>,
    },
    Frame {
        areas: Vec<Area>,
        grey: u8,
        width: f32,
    },
    Lines {
        lines: Vec<Line>,
        grey: u8,
        width: f32,
        dashed: bool,
    },
}

/// A page under work.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) w: f32,
    pub(crate) h: f32,
    pub(crate) ops: Vec<Op>,
}

/// Where text stands in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

impl Page {
    pub(crate) fn new(w: f32, h: f32) -> Self {
        Self { w, h, ops: Vec::new() }
    }

    /// A4, upright.
    pub(crate) fn a4() -> Self {
        Self::new(210.0, 297.0)
    }

    pub(crate) fn fill(&mut self, areas: Vec<Area>, grey: u8) {
        if !areas.is_empty() {
            self.ops.push(Op::Fill { areas, grey });
        }
    }

    pub(crate) fn frame(&mut self, areas: Vec<Area>, grey: u8, width: f32) {
        if !areas.is_empty() {
            self.ops.push(Op::Frame { areas, grey, width });
        }
    }

    pub(crate) fn lines(&mut self, lines: Vec<Line>, grey: u8, width: f32) {
        self.ops.push(Op::Lines { lines, grey, width, dashed: false });
    }

    pub(crate) fn dashes(&mut self, lines: Vec<Line>, grey: u8, width: f32) {
        self.ops.push(Op::Lines { lines, grey, width, dashed: true });
    }

    /// A level line.
    pub(crate) fn rule(&mut self, x: f32, y: f32, w: f32, grey: u8, width: f32) {
        self.lines(vec![Line { from: (x, y), to: (x + w, y) }], grey, width);
    }

    /// One line of text in a row whose top is `y`; gives the row's bottom.
    pub(crate) fn row(
        &mut self,
        fonts: &Fonts,
        room: (f32, f32),
        y: f32,
        style: Style,
        align: Align,
        text: &str,
    ) -> f32 {
        let (x, w) = room;
        let own = width(fonts, style, text);
        let x = match align {
            Align::Left => x,
            Align::Centre => x + (w - own) / 2.0,
            Align::Right => x + w - own,
        };
        let line = style.line();
        // The middle of a capital letter, some 0.7 of the size high, stands in the middle of the row.
        let baseline = y + line / 2.0 + 0.35 * style.pt / crate::text::PT_PER_MM;
        if !text.is_empty() {
            self.ops.push(Op::Text { x, baseline, style, text: text.to_owned() });
        }
        y + line
    }

    /// Text in as many lines as it needs; gives their bottom.
    pub(crate) fn paragraph(
        &mut self,
        fonts: &Fonts,
        room: (f32, f32),
        y: f32,
        style: Style,
        align: Align,
        text: &str,
    ) -> f32 {
        let mut y = y;
        for line in wrap(fonts, style, room.1, text) {
            y = self.row(fonts, room, y, style, align, &line);
        }
        y
    }

    /// Text in at most `most` lines, set smaller down to `least` points and then cut; gives their bottom.
    #[expect(clippy::too_many_arguments, reason = "a place, a look and a bound, all of them plain")]
    pub(crate) fn squeezed(
        &mut self,
        fonts: &Fonts,
        room: (f32, f32),
        y: f32,
        style: Style,
        align: Align,
        (least, most): (f32, usize),
        text: &str,
    ) -> f32 {
        let (style, lines) = fitted(fonts, style, least, room.1, most, text);
        let mut y = y;
        for line in lines {
            y = self.row(fonts, room, y, style, align, &line);
        }
        y
    }
}
