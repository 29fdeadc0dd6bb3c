//! A ballot that asks the same about many bodies: a body is a row, in the order of the screen, and the head of the table
//! stands on every page. Where a page is too narrow for all questions, a body takes several lines of one row.

use survey_forms::answers::Form;
use survey_forms::questionnaire::{Item, Offered};

use super::flow::{BOX, Composed, FINE, Flow, STRONG, name};
use super::words::{HOW, shared_beginning};
use super::{BallotPrint, Paper};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area};
use crate::text::{Style, times, width, wrap};

const GAP: f32 = 0.4;
/// Room for the item's number before its boxes.
const LEAD: f32 = 4.2;
const NAME_LEAST: f32 = 30.0;
const LINE_H: f32 = 7.4;
const NAME: Style = Style::new(Face::Sans, 8.0).leading(1.15);
const KIND: Style = Style::new(Face::Strong, 8.5);
const HEAD: Style = Style::new(Face::Strong, 6.8).leading(1.1);

/// The questions of a ballot that can be drawn as a table.
pub(super) struct Grid<'f> {
    /// Each with the title of its section.
    items: Vec<(&'f Item, &'f str)>,
    options: Vec<Offered<'f>>,
}

impl<'f> Grid<'f> {
    /// None unless the ballot asks several bodies the same list of options every time, and no question hangs on another.
    pub(super) fn of(form: &Form<'f>) -> Option<Self> {
        let sections = form.questionnaire.sections.iter();
        let items: Vec<_> = sections.flat_map(|s| s.items.iter().map(move |item| (item, s.title.as_str()))).collect();
        let (first, _) = items.first()?;
        let options = first.options(form.scales, form.choices);
        let alike = items.iter().all(|(item, _)| {
            matches!(item.kind.as_str(), "scale" | "single") && item.list() == first.list() && item.only_if.is_empty()
        });
        let fits = (2..=9).contains(&options.len()) && items.len() <= 40;
        (form.targets.len() > 1 && alike && fits).then_some(Self { items, options })
    }
}

/// The measures of the table on this paper.
struct Table<'f> {
    grid: &'f Grid<'f>,
    /// Questions on a line.
    across: usize,
    cell_w: f32,
    name_w: f32,
    beginning: &'f str,
}

pub(super) fn compose(fonts: &'static Fonts, print: &BallotPrint<'_>, form: &Form<'_>, grid: &Grid<'_>) -> Composed {
    let (w, h) = match print.paper {
        Paper::A4 => (210.0, 297.0),
        Paper::A3 => (420.0, 297.0),
    };
    let mut flow = Flow::new(fonts, w, h);
    let (_, room) = flow.room();
    let options = grid.options.len();
    let cell_w = LEAD + times(options) * BOX + times(options.saturating_sub(1)) * GAP;
    let mut across = 1;
    while across < grid.items.len() && times(across + 1) * cell_w + NAME_LEAST <= room {
        across += 1;
    }
    let questions: Vec<&str> = grid.items.iter().map(|(item, _)| item.question.as_str()).collect();
    let beginning = shared_beginning(&questions);
    let table = Table { grid, across, cell_w, name_w: room - times(across) * cell_w, beginning };
    let how = format!(
        "{HOW} Mỗi cơ quan, địa phương là một hàng; xin đi từng hàng, trả lời đủ {} câu của hàng rồi xuống hàng sau.",
        grid.items.len()
    );
    flow.opening(&form.questionnaire.title, &form.questionnaire.intro, &how);
    table.head(&mut flow);
    let mut kind: Option<&str> = None;
    let mut striped = false;
    for (target, position) in form.targets.iter().zip(1_usize..) {
        let own = print.round.target(target).map(|t| t.kind.as_str());
        let title = name(print.round, target);
        let lines = wrap(fonts, NAME, table.name_w - 9.0, title);
        let high = (times(table.lines()) * LINE_H).max(times(lines.len()) * NAME.line() + 2.0);
        let heading = if own == kind { 0.0 } else { 5.4 };
        let turned = flow.left() < high + heading;
        if turned {
            flow.turn();
            table.head(&mut flow);
            striped = false;
        }
        if own != kind || turned {
            let words = own.and_then(|own| print.round.target_kind(own)).map_or("", |known| known.name.as_str());
            let again = if own == kind { " (tiếp)" } else { "" };
            if !words.is_empty() && several_kinds(print, form) {
                let (x, w) = flow.room();
                flow.page.fill(vec![Area::new(x, flow.y, w, 5.4)], 205);
                let room = (x + 2.0, w - 4.0);
                let words = format!("{words}{again}");
                flow.page.squeezed(fonts, room, flow.y + 0.7, KIND, Align::Left, (6.0, 1), &words);
                flow.y += 5.4;
            }
            kind = own;
        }
        if striped {
            let (x, w) = flow.room();
            flow.page.fill(vec![Area::new(x, flow.y, w, high)], 240);
        }
        striped = !striped;
        table.row(&mut flow, target, position, &lines, high);
    }
    flow.ending(form.questionnaire.closing.as_deref());
    flow.finish()
}

fn several_kinds(print: &BallotPrint<'_>, form: &Form<'_>) -> bool {
    let mut kinds = form.targets.iter().filter_map(|t| print.round.target(t)).map(|t| t.kind.as_str());
    let first = kinds.next();
    kinds.any(|kind| Some(kind) != first)
}

impl Table<'_> {
    /// Lines of a row.
    fn lines(&self) -> usize {
        self.grid.items.len().div_ceil(self.across)
    }

    /// What the keys mean, the questions in full, and the head of the columns: on every page.
    fn head(&self, flow: &mut Flow) {
        let (x, w) = flow.room();
        let fonts = flow.fonts;
        let meanings: Vec<String> = self
            .grid
            .options
            .iter()
            .zip(1_usize..)
            .map(|(option, position)| format!("{position} = {}", option.label))
            .collect();
        flow.page.fill(vec![Area::new(x, flow.y, w, 6.0)], 225);
        let words = meanings.join("   ·   ");
        let style = STRONG.sized(8.5);
        flow.page.squeezed(fonts, (x + 2.0, w - 4.0), flow.y + 1.0, style, Align::Left, (5.5, 1), &words);
        flow.y += 6.8;
        if !self.beginning.is_empty() {
            flow.paragraph(FINE.face(Face::Strong), self.beginning.trim_end());
        }
        self.questions(flow);
        flow.y += 1.0;
        self.columns(flow);
    }

    /// The questions in two columns on a wide page.
    fn questions(&self, flow: &mut Flow) {
        let (x, w) = flow.room();
        let columns = if w > 250.0 { 2 } else { 1 };
        let column_w = w / times(columns);
        let part = self.grid.items.len().div_ceil(columns);
        let top = flow.y;
        let mut bottom = top;
        for (items, column) in self.grid.items.chunks(part.max(1)).zip(0_usize..) {
            let left = x + times(column) * column_w;
            let mut at = top;
            for (item, _) in items {
                let number = format!("{}.", item.number);
                flow.page.row(flow.fonts, (left, 5.0), at, FINE.face(Face::Strong), Align::Right, &number);
                let words = item.question.strip_prefix(self.beginning).unwrap_or(&item.question);
                let room = (left + 6.2, column_w - 9.0);
                at = flow.page.paragraph(flow.fonts, room, at, FINE.leading(1.12), Align::Left, words);
            }
            bottom = bottom.max(at);
        }
        flow.y = bottom;
    }

    fn columns(&self, flow: &mut Flow) {
        let (x, w) = flow.room();
        let fonts = flow.fonts;
        let mut high = 0.0_f32;
        for (line, items) in self.grid.items.chunks(self.across).enumerate() {
            let tall = items.iter().map(|(item, title)| {
                times(wrap(fonts, HEAD, self.cell_w - 1.5, &format!("{} {title}", item.number)).len().min(2))
            });
            let tall = tall.fold(1.0, f32::max) * HEAD.line() + 0.8;
            for ((item, title), column) in items.iter().zip(0_usize..) {
                let room = (x + self.name_w + times(column) * self.cell_w, self.cell_w - 1.5);
                let words = format!("{} {title}", item.number);
                flow.page.squeezed(fonts, room, flow.y + high, HEAD, Align::Left, (5.0, 2), &words);
            }
            if line == 0 {
                let room = (x, self.name_w - 2.0);
                flow.page.squeezed(fonts, room, flow.y, HEAD, Align::Left, (5.5, 2), "Cơ quan, địa phương");
            }
            high += tall;
        }
        flow.y += high + 0.4;
        flow.page.rule(x, flow.y, w, 0, 0.3);
    }

    fn row(&self, flow: &mut Flow, target: &str, position: usize, lines: &[String], high: f32) {
        let (x, w) = flow.room();
        let fonts = flow.fonts;
        let top = flow.y;
        let mut at = top + (high - times(lines.len()) * NAME.line()) / 2.0;
        let number = position.to_string();
        flow.page.row(fonts, (x, 6.5), at, NAME.face(Face::Strong), Align::Right, &number);
        for line in lines {
            at = flow.page.row(fonts, (x + 8.0, self.name_w - 9.0), at, NAME, Align::Left, line);
        }
        let pitch = high / times(self.lines());
        let small = Style::new(Face::Strong, 6.5).grey(60);
        for (items, line) in self.grid.items.chunks(self.across).zip(0_usize..) {
            let y = top + times(line) * pitch + (pitch - BOX) / 2.0;
            for ((item, _), column) in items.iter().zip(0_usize..) {
                let left = x + self.name_w + times(column) * self.cell_w;
                let number = item.number.to_string();
                let lead = LEAD - 0.8 - width(fonts, small, &number);
                let middle = y + (BOX - small.line()) / 2.0;
                flow.page.row(fonts, (left + lead.max(0.0), LEAD), middle, small, Align::Left, &number);
                let placed: Vec<(String, f32, f32)> = self
                    .grid
                    .options
                    .iter()
                    .zip(0_usize..)
                    .map(|(option, at)| (option.code.to_owned(), left + LEAD + times(at) * (BOX + GAP), y))
                    .collect();
                flow.boxes(target, item, &placed);
            }
        }
        flow.y = top + high;
        flow.page.rule(x, flow.y, w, 170, 0.15);
    }
}
