//! A ballot about one body, or with questions of many kinds: question by question.

use survey_forms::answers::Form;
use survey_forms::questionnaire::{Item, ItemKind, Offered};
use survey_forms::ratio::to_exact;

use super::BallotPrint;
use super::flow::{BOX, Composed, FINE, Flow, STRONG, TEXT, name};
use super::words::{HOW, condition, wanted};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area};
use crate::text::{Style, times, wrap};

const NUMBER_W: f32 = 9.0;
const LABEL: Style = Style::new(Face::Sans, 6.5);
/// Most columns of boxes beside a question; more stand below it.
const COLUMNS: usize = 8;

pub(super) fn compose(fonts: &'static Fonts, print: &BallotPrint<'_>, form: &Form<'_>) -> Composed {
    let mut flow = Flow::new(fonts, 210.0, 297.0);
    flow.opening(&form.questionnaire.title, &form.questionnaire.intro, HOW);
    let several = form.targets.len() > 1;
    for (target, position) in form.targets.iter().zip(1_usize..) {
        if position > 1 {
            flow.turn();
        }
        let place = if several { format!(" {position}/{}", form.targets.len()) } else { String::new() };
        about(&mut flow, &format!("Cơ quan, địa phương được đánh giá{place}:"), name(print.round, target));
        Questions { form, target, table: None, striped: false }.draw(&mut flow);
    }
    flow.ending(form.questionnaire.closing.as_deref());
    flow.finish()
}

/// What the ballot is about, large and framed.
fn about(flow: &mut Flow, words: &str, name: &str) {
    let (x, w) = flow.room();
    let top = flow.y;
    let inner = (x + 4.0, w - 8.0);
    let mut at = flow.page.row(flow.fonts, inner, top + 1.2, FINE, Align::Left, words);
    let style = Style::new(Face::Strong, 12.5);
    at = flow.page.squeezed(flow.fonts, inner, at, style, Align::Left, (9.0, 4), name) + 1.4;
    flow.page.frame(vec![Area::new(x, top, w, at - top)], 0, 0.5);
    flow.y = at + 3.0;
}

struct Questions<'f> {
    form: &'f Form<'f>,
    target: &'f str,
    /// The list whose options head the columns now.
    table: Option<&'f str>,
    striped: bool,
}

/// What stands above and below a question.
struct Text {
    before: Vec<String>,
    question: Vec<String>,
    after: Vec<String>,
}

impl Text {
    fn of(fonts: &Fonts, form: &Form<'_>, item: &Item, room: f32) -> Self {
        let small = |text: Option<&str>| text.map(|text| wrap(fonts, FINE, room, text)).unwrap_or_default();
        let mut before = small(condition(form, item).as_deref());
        before.extend(small(item.lead.as_deref()));
        let mut after = small(item.help.as_deref());
        after.extend(small(wanted(item).as_deref()));
        Self { before, question: wrap(fonts, TEXT, room, &item.question), after }
    }

    fn height(&self) -> f32 {
        times(self.before.len() + self.after.len()) * FINE.line() + times(self.question.len()) * TEXT.line()
    }

    fn draw(&self, flow: &mut Flow, room: (f32, f32), y: f32) -> f32 {
        let mut at = y;
        for (lines, style) in [(&self.before, FINE), (&self.question, TEXT), (&self.after, FINE)] {
            for line in lines {
                at = flow.page.row(flow.fonts, room, at, style, Align::Left, line);
            }
        }
        at
    }
}

impl<'f> Questions<'f> {
    fn draw(&mut self, flow: &mut Flow) {
        for section in &self.form.questionnaire.sections {
            let intro = section.intro.as_deref().unwrap_or_default();
            let lines = if intro.is_empty() { 0 } else { wrap(flow.fonts, FINE, flow.room().1, intro).len() };
            // A heading never stands alone at the foot of a page.
            if flow.left() < 26.0 + times(lines) * FINE.line() {
                self.turn(flow);
            }
            let (x, w) = flow.room();
            flow.page.fill(vec![Area::new(x, flow.y, w, 5.6)], 222);
            flow.page.squeezed(
                flow.fonts,
                (x + 2.0, w - 4.0),
                flow.y + 0.8,
                STRONG,
                Align::Left,
                (6.5, 1),
                &section.title,
            );
            flow.y += 5.6;
            if lines > 0 {
                flow.y += 0.8;
                flow.paragraph(FINE, intro);
                flow.y += 0.8;
            }
            for item in &section.items {
                self.item(flow, item);
            }
        }
    }

    fn turn(&mut self, flow: &mut Flow) {
        flow.turn();
        self.table = None;
        self.striped = false;
    }

    fn item(&mut self, flow: &mut Flow, item: &'f Item) {
        let options = item.options(self.form.scales, self.form.choices);
        let beside = matches!(item.kind, ItemKind::Scale { .. }) && (1..=COLUMNS).contains(&options.len());
        if beside {
            self.in_columns(flow, item, &options);
        } else {
            self.below(flow, item, &options);
        }
    }

    /// Boxes in columns under the labels of the scale.
    fn in_columns(&mut self, flow: &mut Flow, item: &'f Item, options: &[Offered<'_>]) {
        let (x, w) = flow.room();
        let pitch = (w * 0.45 / times(options.len())).min(12.0);
        let split = x + w - pitch * times(options.len());
        let room = (x + NUMBER_W, split - x - NUMBER_W - 3.0);
        let text = Text::of(flow.fonts, self.form, item, room.1);
        let high = text.height().max(BOX) + 1.8;
        let heads: Vec<Vec<String>> =
            options.iter().map(|option| wrap(flow.fonts, LABEL, pitch - 0.6, option.label)).collect();
        let head = times(heads.iter().map(Vec::len).max().unwrap_or(1) + 1) * LABEL.line() + 1.6;
        if flow.left() < high + if self.table == item.list() { 0.0 } else { head } {
            self.turn(flow);
        }
        if self.table != item.list() {
            for ((lines, column), position) in heads.iter().zip(0_usize..).zip(1_usize..) {
                let cell = (split + times(column) * pitch, pitch);
                let strong = LABEL.face(Face::Strong).sized(7.5);
                let mut at =
                    flow.page.row(flow.fonts, cell, flow.y + 0.4, strong, Align::Centre, &position.to_string());
                for line in lines {
                    at = flow.page.row(flow.fonts, cell, at, LABEL, Align::Centre, line);
                }
            }
            flow.y += head;
            flow.page.rule(x, flow.y, w, 90, 0.2);
            self.table = item.list();
            self.striped = false;
        }
        if self.striped {
            flow.page.fill(vec![Area::new(x, flow.y, w, high)], 243);
        }
        self.striped = !self.striped;
        let middle = flow.y + (high - text.height()) / 2.0;
        flow.page.row(flow.fonts, (x, NUMBER_W - 2.0), middle, STRONG, Align::Right, &item.number.to_string());
        text.draw(flow, room, middle);
        let top = flow.y + (high - BOX) / 2.0;
        let placed: Vec<(String, f32, f32)> = options
            .iter()
            .zip(0_usize..)
            .map(|(option, column)| {
                let left = split + times(column) * pitch + (pitch - BOX) / 2.0;
                (option.code.to_owned(), left, top)
            })
            .collect();
        flow.boxes(self.target, item, &placed);
        flow.y += high;
        flow.page.rule(x, flow.y, w, 200, 0.12);
    }

    /// The question, and under it its options, digits or lines.
    fn below(&mut self, flow: &mut Flow, item: &Item, options: &[Offered<'_>]) {
        self.table = None;
        let (x, w) = flow.room();
        let room = (x + NUMBER_W, w - NUMBER_W);
        let text = Text::of(flow.fonts, self.form, item, room.1);
        let label_w = room.1 - BOX - 3.0;
        let rows: Vec<Vec<String>> =
            options.iter().map(|option| wrap(flow.fonts, TEXT, label_w, option.label)).collect();
        let row_h = |lines: &Vec<String>| (times(lines.len()) * TEXT.line()).max(BOX) + 1.2;
        let writing = match &item.kind {
            ItemKind::Number { .. } => BOX + 3.0,
            ItemKind::Text { letters } => times(text_lines(*letters)) * 8.0 + 3.0,
            _ => rows.first().map_or(0.0, row_h),
        };
        if flow.left() < text.height() + writing + 3.0 {
            self.turn(flow);
        }
        flow.page.row(flow.fonts, (x, NUMBER_W - 2.0), flow.y + 1.0, STRONG, Align::Right, &item.number.to_string());
        flow.y = text.draw(flow, room, flow.y + 1.0) + 0.8;
        match &item.kind {
            ItemKind::Number { max, decimals, .. } => {
                let whole = max.as_ref().map_or(6, |max| to_exact(max).split('.').next().map_or(1, str::len));
                let digits = whole + usize::try_from(*decimals).unwrap_or(0);
                for place in 0..digits {
                    let gap = if place >= whole { 3.0 } else { 0.0 };
                    let area = Area::new(room.0 + times(place) * (BOX + 1.0) + gap, flow.y, BOX, BOX);
                    if place == whole {
                        let at = (area.x - 3.0, 2.0);
                        flow.page.row(flow.fonts, at, flow.y + 1.0, STRONG, Align::Centre, ",");
                    }
                    flow.page.frame(vec![area], 0, 0.25);
                    flow.place(self.target, item, "digit", None, place + 1, area);
                }
                flow.y += BOX;
            }
            ItemKind::Text { letters } => {
                let area = Area::new(room.0, flow.y, room.1, times(text_lines(*letters)) * 8.0);
                for line in 0..text_lines(*letters) {
                    flow.page.rule(room.0, flow.y + times(line + 1) * 8.0, room.1, 120, 0.15);
                }
                flow.place(self.target, item, "text", None, 1, area);
                flow.y += area.h;
            }
            _ => self.options(flow, item, options, &rows, room),
        }
        flow.y += 2.0;
        flow.page.rule(x, flow.y, w, 200, 0.12);
    }

    fn options(
        &mut self,
        flow: &mut Flow,
        item: &Item,
        options: &[Offered<'_>],
        rows: &[Vec<String>],
        room: (f32, f32),
    ) {
        let mut placed: Vec<(String, f32, f32)> = Vec::new();
        let mut first = 0;
        for ((option, lines), index) in options.iter().zip(rows).zip(0_usize..) {
            let high = (times(lines.len()) * TEXT.line()).max(BOX) + 1.2;
            if flow.left() < high {
                self.keyed(flow, item, first, &std::mem::take(&mut placed));
                self.turn(flow);
                first = index;
            }
            placed.push((option.code.to_owned(), room.0, flow.y));
            let mut at = flow.y + if lines.len() > 1 { 0.0 } else { (BOX - TEXT.line()) / 2.0 };
            for line in lines {
                let beside = (room.0 + BOX + 3.0, room.1 - BOX - 3.0);
                at = flow.page.row(flow.fonts, beside, at, TEXT, Align::Left, line);
            }
            flow.y += high;
        }
        self.keyed(flow, item, first, &placed);
    }

    /// Boxes whose keys begin after `first` others on the page before.
    fn keyed(&self, flow: &mut Flow, item: &Item, first: usize, placed: &[(String, f32, f32)]) {
        let key = Style::new(Face::Sans, 6.5).grey(150);
        for ((option, x, y), position) in placed.iter().zip(first + 1..) {
            let area = Area::new(*x, *y, BOX, BOX);
            let top = area.y + (BOX - key.line()) / 2.0;
            flow.page.row(flow.fonts, (area.x, BOX), top, key, Align::Centre, &position.to_string());
            flow.page.frame(vec![area], 0, 0.25);
            flow.place(self.target, item, "option", Some(option), position, area);
        }
    }
}

/// Lines for so many letters of handwriting.
fn text_lines(letters: u32) -> usize {
    usize::try_from(letters.div_ceil(70)).unwrap_or(8).clamp(2, 8)
}
