//! The pages of one kind of ballot, filled from the top.

use survey_forms::Round;
use survey_forms::questionnaire::Item;

use super::{PlacedBox, PlacedPage, micro};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Page};
use crate::text::Style;

/// Side of a box to mark.
pub(super) const BOX: f32 = 5.0;
/// Side of a corner mark, and its distance from the edges.
pub(super) const MARK: f32 = 5.0;
pub(super) const MARK_AT: f32 = 8.0;
/// Side of the QR code.
pub(super) const QR: f32 = 17.0;

pub(super) const TEXT: Style = Style::new(Face::Sans, 9.0).leading(1.2);
pub(super) const FINE: Style = Style::new(Face::Sans, 7.5).grey(60);
pub(super) const STRONG: Style = Style::new(Face::Strong, 9.0);

/// All pages of a kind of ballot, without what differs between two of them.
pub(super) struct Composed {
    pub(super) pages: Vec<(Page, Vec<PlacedBox>)>,
}

impl Composed {
    pub(super) fn placed(&self) -> Vec<PlacedPage> {
        self.pages
            .iter()
            .map(|(page, boxes)| {
                let qr = qr_place(page);
                PlacedPage {
                    width: page.w,
                    height: page.h,
                    marks: marks(page).map(|mark| (mark.x, mark.y)),
                    mark: MARK,
                    qr: (micro(qr.0), micro(qr.1), QR),
                    boxes: boxes.clone(),
                }
            })
            .collect()
    }
}

/// The four corner marks.
pub(super) fn marks(page: &Page) -> [Area; 4] {
    let (right, bottom) = (page.w - MARK_AT - MARK, page.h - MARK_AT - MARK);
    [(MARK_AT, MARK_AT), (right, MARK_AT), (MARK_AT, bottom), (right, bottom)].map(|(x, y)| Area::new(x, y, MARK, MARK))
}

/// Upper left corner of the QR code.
pub(super) fn qr_place(page: &Page) -> (f32, f32) {
    (page.w - MARK_AT - MARK - 4.0 - QR, MARK_AT + 0.5)
}

/// A page being filled, and those before it.
pub(super) struct Flow {
    pub(super) fonts: &'static Fonts,
    done: Vec<(Page, Vec<PlacedBox>)>,
    pub(super) page: Page,
    boxes: Vec<PlacedBox>,
    pub(super) y: f32,
    size: (f32, f32),
}

impl Flow {
    pub(super) fn new(fonts: &'static Fonts, w: f32, h: f32) -> Self {
        Self { fonts, done: Vec::new(), page: Page::new(w, h), boxes: Vec::new(), y: 30.0, size: (w, h) }
    }

    /// Left edge and width of what is filled.
    pub(super) fn room(&self) -> (f32, f32) {
        (16.0, self.size.0 - 32.0)
    }

    /// What is left of the page.
    pub(super) fn left(&self) -> f32 {
        self.size.1 - 24.0 - self.y
    }

    pub(super) fn turn(&mut self) {
        let page = std::mem::replace(&mut self.page, Page::new(self.size.0, self.size.1));
        self.done.push((page, std::mem::take(&mut self.boxes)));
        self.y = 30.0;
    }

    pub(super) fn finish(mut self) -> Composed {
        self.turn();
        Composed { pages: self.done }
    }

    pub(super) fn paragraph(&mut self, style: Style, text: &str) {
        self.y = self.page.paragraph(self.fonts, self.room(), self.y, style, Align::Left, text);
    }

    /// Boxes to mark, with the key of each inside.
    pub(super) fn boxes(&mut self, target: &str, item: &Item, options: &[(String, f32, f32)]) {
        let key = Style::new(Face::Sans, 6.5).grey(150);
        let areas: Vec<Area> = options.iter().map(|(_, x, y)| Area::new(*x, *y, BOX, BOX)).collect();
        for ((area, (option, ..)), position) in areas.iter().zip(options).zip(1_usize..) {
            let top = area.y + (BOX - key.line()) / 2.0;
            self.page.row(self.fonts, (area.x, BOX), top, key, Align::Centre, &position.to_string());
            self.place(target, item, "option", Some(option), position, *area);
        }
        self.page.frame(areas, 0, 0.25);
    }

    /// A place of another kind.
    pub(super) fn place(
        &mut self,
        target: &str,
        item: &Item,
        kind: &'static str,
        option: Option<&String>,
        position: usize,
        area: Area,
    ) {
        let mut placed = PlacedBox {
            target: target.to_owned(),
            item: item.code.clone(),
            number: item.number,
            kind,
            option: option.cloned(),
            position,
            x: 0.0,
            y: 0.0,
            w: 0.0,
            h: 0.0,
        };
        placed.place(area);
        self.boxes.push(placed);
    }

    /// Heading and invitation, on the first page.
    pub(super) fn opening(&mut self, title: &str, intro: &str, how: &str) {
        let heading = Style::new(Face::Strong, 13.0);
        let room = self.room();
        self.y = self.page.squeezed(self.fonts, room, self.y, heading, Align::Centre, (9.0, 3), title) + 1.5;
        self.paragraph(TEXT.sized(8.5), intro);
        self.y += 1.5;
        self.paragraph(STRONG.sized(8.5), how);
        self.y += 2.0;
    }

    /// What is said after the last question.
    pub(super) fn ending(&mut self, closing: Option<&str>) {
        let words = closing.unwrap_or("Xin trân trọng cảm ơn ông/bà.");
        let lines = crate::text::wrap(self.fonts, TEXT, self.room().1, words).len();
        if self.left() < crate::text::times(lines) * TEXT.line() + 3.0 {
            self.turn();
        }
        self.y += 3.0;
        self.paragraph(TEXT, words);
    }
}

/// A target's name.
pub(super) fn name<'r>(round: &'r Round, target: &'r str) -> &'r str {
    round.target(target).map_or(target, |known| known.name.as_str())
}
