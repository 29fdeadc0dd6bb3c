//! The cover of a bundle: it travels with the ballots and is written on at every station.

use super::{ASIDE, BODY, BOLD, CELL, Column, signatures, table_head, table_row};
use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Page};
use crate::pdf::Pdf;
use crate::text::{Style, times};
use crate::{Imprint, PrintError};

/// A bundle of paper ballots of one group.
#[derive(Debug, Clone)]
pub struct BundleSheet {
    /// Who runs the round.
    pub organiser: String,
    /// The round.
    pub round: String,
    /// The group's code.
    pub respondent_code: String,
    /// The group.
    pub group: String,
    /// Number of the bundle in its group.
    pub bundle: u32,
    /// Ballots in it.
    pub size: u32,
}

const ROOM: (f32, f32) = (20.0, 170.0);
const ACROSS: usize = 10;
/// Most numbers on the first page and on each further one.
const FIRST: usize = 100;
const FURTHER: usize = 200;

/// One cover a bundle; a bundle of more than a hundred ballots gets a second page of numbers.
///
/// # Errors
/// [`PrintError::Empty`] without a bundle.
pub fn bundle_sheets(imprint: &Imprint, bundles: &[BundleSheet]) -> Result<Vec<u8>, PrintError> {
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(imprint, fonts)?;
    for bundle in bundles {
        let numbers: Vec<u32> = (1..=bundle.size).collect();
        let (first, further) = numbers.split_at(FIRST.min(numbers.len()));
        pdf.add(&cover(fonts, bundle, first))?;
        for part in further.chunks(FURTHER) {
            let mut page = Page::a4();
            let words = format!("{} · Bó {:02} (tiếp)", bundle.respondent_code, bundle.bundle);
            let at = page.squeezed(fonts, ROOM, 18.0, BOLD, Align::Left, (9.0, 1), &words);
            grid(fonts, &mut page, at + 3.0, part);
            pdf.add(&page)?;
        }
    }
    pdf.finish()
}

fn cover(fonts: &Fonts, bundle: &BundleSheet, numbers: &[u32]) -> Page {
    let mut page = Page::a4();
    let mut at = page.squeezed(fonts, ROOM, 16.0, CELL, Align::Left, (8.0, 2), &bundle.organiser);
    at = page.squeezed(fonts, ROOM, at, CELL, Align::Left, (8.0, 2), &bundle.round);
    at = page.row(fonts, ROOM, at + 4.0, BOLD.sized(15.0), Align::Centre, "PHIẾU THEO DÕI BÓ PHIẾU");
    let label = format!("{} · Bó {:02}", bundle.respondent_code, bundle.bundle);
    let large = Style::new(Face::Strong, 30.0);
    at = page.squeezed(fonts, ROOM, at + 2.0, large, Align::Centre, (14.0, 1), &label);
    at = page.squeezed(fonts, ROOM, at, BODY, Align::Centre, (9.0, 3), &bundle.group);
    let count = format!("{} phiếu, số 1 đến {}", bundle.size, bundle.size);
    at = page.row(fonts, ROOM, at + 1.0, BOLD, Align::Centre, &count);
    let note = "Đánh dấu X vào ô khi phiếu trở về; H: hỏng, K: không phát được, M: thất lạc, T: không trả lại.";
    at = page.paragraph(fonts, ROOM, at + 3.0, ASIDE, Align::Left, note);
    at = grid(fonts, &mut page, at + 1.5, numbers) + 4.0;

    let counts: [Column<'_>; 6] = [
        (28.0, "Dự kiến", Align::Centre),
        (28.0, "Thu về", Align::Centre),
        (28.0, "Hỏng", Align::Centre),
        (29.0, "Không phát được", Align::Centre),
        (28.0, "Thất lạc", Align::Centre),
        (29.0, "Không trả lại", Align::Centre),
    ];
    at = table_head(fonts, &mut page, (ROOM.0, at), &counts);
    let mut cells = vec![String::new(); counts.len()];
    if let Some(expected) = cells.first_mut() {
        *expected = bundle.size.to_string();
    }
    at = table_row(fonts, &mut page, (ROOM.0, at), &counts, &cells, 10.0, BODY);
    let sum = "Năm ô sau cộng lại phải bằng ô dự kiến; nếu lệch, ghi lý do: …………………………………………";
    at = page.paragraph(fonts, ROOM, at + 1.0, ASIDE.sized(11.0), Align::Left, sum) + 3.0;

    let steps: [Column<'_>; 4] = [
        (50.0, "Việc", Align::Left),
        (60.0, "Người làm", Align::Left),
        (30.0, "Ngày, giờ", Align::Left),
        (30.0, "Ký", Align::Left),
    ];
    at = table_head(fonts, &mut page, (ROOM.0, at), &steps);
    for step in ["Đếm, nhận bó", "Nhập lượt 1", "Nhập lượt 2", "Phân xử", "Kiểm tra mẫu"] {
        let cells = [step.to_owned(), String::new(), String::new(), String::new()];
        at = table_row(fonts, &mut page, (ROOM.0, at), &steps, &cells, 7.6, CELL);
    }
    signatures(fonts, &mut page, at + 4.0, ROOM, ["NGƯỜI KHÓA BÓ THỨ NHẤT", "NGƯỜI KHÓA BÓ THỨ HAI"]);
    page
}

/// A box for each number.
fn grid(fonts: &Fonts, page: &mut Page, top: f32, numbers: &[u32]) -> f32 {
    let pitch = ROOM.1 / times(ACROSS);
    let mut boxes = Vec::new();
    for (row, part) in numbers.chunks(ACROSS).enumerate() {
        let y = top + times(row) * 7.0;
        for (number, column) in part.iter().zip(0_usize..) {
            let x = ROOM.0 + times(column) * pitch;
            boxes.push(Area::new(x, y + 1.0, 5.0, 5.0));
            page.row(fonts, (x + 6.0, pitch - 7.0), y + 1.0, CELL, Align::Left, &number.to_string());
        }
    }
    page.frame(boxes, 0, 0.2);
    top + times(numbers.len().div_ceil(ACROSS)) * 7.0
}
