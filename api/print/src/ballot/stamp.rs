//! What makes a ballot this one ballot: its code, its label, its page numbers; and the marks that a scanner looks for.

use super::flow::{Composed, MARK, MARK_AT, QR, marks, qr_place};
use super::{Ballot, BallotPrint};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Line, Page};
use crate::text::{Style, times};
use crate::{PrintError, code128, qr};

/// The pages of one ballot.
pub(super) fn ballot(
    fonts: &Fonts,
    print: &BallotPrint<'_>,
    composed: &Composed,
    ballot: &Ballot<'_>,
) -> Result<Vec<Page>, PrintError> {
    let of = composed.pages.len();
    let mut pages = Vec::with_capacity(of + 1);
    for ((page, _), number) in composed.pages.iter().zip(1_usize..) {
        let mut page = page.clone();
        frame(fonts, &mut page);
        head(fonts, &mut page, print, ballot, number, of)?;
        if ballot.code.is_empty() {
            specimen(fonts, &mut page);
        }
        pages.push(page);
    }
    if print.two_sided && !of.is_multiple_of(2) {
        let mut page = Page::new(
            composed.pages.first().map_or(210.0, |(p, _)| p.w),
            composed.pages.first().map_or(297.0, |(p, _)| p.h),
        );
        let words = format!("Trang này để trống · {}", ballot.label);
        let y = page.h / 2.0;
        let room = (0.0, page.w);
        page.row(fonts, room, y, Style::new(Face::Sans, 8.0).grey(120), Align::Centre, &words);
        pages.push(page);
    }
    Ok(pages)
}

/// Corner marks, and the line that shows whether a printer has kept the size.
fn frame(fonts: &Fonts, page: &mut Page) {
    let all = marks(page);
    page.fill(all.to_vec(), 0);
    let (left, y) = (MARK_AT + MARK + 6.0, page.h - MARK_AT - 0.5);
    let mut lines = vec![Line { from: (left, y), to: (left + 100.0, y) }];
    lines.extend((0..=10).map(|tick| {
        let x = left + 10.0 * times(tick);
        let high = if tick % 5 == 0 { 2.0 } else { 1.2 };
        Line { from: (x, y - high), to: (x, y) }
    }));
    page.lines(lines, 0, 0.2);
    let fine = Style::new(Face::Sans, 6.0).grey(60);
    page.row(fonts, (left + 102.0, 30.0), y - 2.4, fine, Align::Left, "100 mm khi in đúng cỡ");
}

fn head(
    fonts: &Fonts,
    page: &mut Page,
    print: &BallotPrint<'_>,
    ballot: &Ballot<'_>,
    number: usize,
    of: usize,
) -> Result<(), PrintError> {
    let (x, y) = qr_place(page);
    let strong = Style::new(Face::Strong, 8.5);
    let fine = Style::new(Face::Sans, 7.0).grey(60);
    let side = (x - 58.0, 55.0);
    let place = format!("Trang {number}/{of}");
    let mut at = page.row(fonts, side, y - 0.8, strong, Align::Right, &place);
    at = page.squeezed(fonts, side, at, strong, Align::Right, (6.0, 1), &ballot.label);
    if ballot.code.is_empty() {
        page.row(fonts, side, at, fine, Align::Right, "Bản xem thử không có mã");
        page.frame(vec![Area::new(x, y, QR, QR)], 150, 0.2);
    } else {
        page.ops.push(qr::code(ballot.digits, x, y, QR)?);
        let code = Style::new(Face::Strong, 9.0);
        let groups: Vec<&str> = ballot.code.split('-').collect();
        for half in groups.chunks(groups.len().div_ceil(2).max(1)) {
            at = page.row(fonts, side, at, code, Align::Right, &half.join("-"));
        }
        // Narrow bars of 0.3 mm: what cheap scanners still read.
        let bars = Area::new(page.w - 16.0 - 92.0, page.h - 21.5, 89.7, 6.5);
        page.fill(code128::bars(ballot.digits, bars), 0);
    }
    let own = (MARK_AT + MARK + 4.0, x - 58.0 - MARK_AT - MARK - 6.0);
    let round = print.round;
    let mut at = page.squeezed(fonts, own, y - 0.8, fine, Align::Left, (5.5, 1), &round.organiser.name);
    at = page.squeezed(fonts, own, at, Style::new(Face::Strong, 8.0), Align::Left, (6.0, 2), &round.title);
    let form = &ballot.form.questionnaire.title;
    at = page.squeezed(fonts, own, at, fine, Align::Left, (5.5, 1), form);
    if round.sample {
        page.row(fonts, own, at, fine, Align::Left, "Đợt mẫu, dữ liệu minh họa");
    }
    let foot = (MARK_AT + MARK + 6.0, 70.0);
    let words = format!("{} · {place}", ballot.label);
    page.squeezed(fonts, foot, page.h - 18.0, fine, Align::Left, (5.0, 1), &words);
    Ok(())
}

/// Says across the page that it is no ballot.
fn specimen(fonts: &Fonts, page: &mut Page) {
    let style = Style::new(Face::Strong, 54.0).grey(225);
    let mut over = Page::new(page.w, page.h);
    let mut y = 62.0;
    while y < page.h - 60.0 {
        over.row(fonts, (0.0, page.w), y, style, Align::Centre, "BẢN XEM THỬ");
        y += 70.0;
    }
    // Under everything else.
    over.ops.append(&mut page.ops);
    page.ops = over.ops;
}
