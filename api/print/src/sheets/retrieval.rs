//! Which ballots to fetch for a decision: by bundle and number, never by code.

use super::{ASIDE, BOLD, CELL, Column, signatures, table_head, table_row};
use crate::font::Fonts;
use crate::page::{Align, Page};
use crate::pdf::Pdf;
use crate::{Imprint, PrintError};

/// A ballot on which two clerks differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dispute {
    /// The group's code.
    pub respondent_code: String,
    /// Number of the bundle.
    pub bundle: u32,
    /// Number of the sheet in it.
    pub sheet: u32,
    /// Sheets in the bundle.
    pub of: u32,
}

const ROOM: (f32, f32) = (20.0, 170.0);
const ROW: f32 = 8.0;

/// The list, in the order of the shelves. Without a dispute it says so: that is an answer too.
///
/// # Errors
/// [`PrintError`].
pub fn retrieval(imprint: &Imprint, organiser: &str, round: &str, disputes: &[Dispute]) -> Result<Vec<u8>, PrintError> {
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(imprint, fonts)?;
    let mut sorted = disputes.to_vec();
    sorted.sort();
    let columns: [Column<'_>; 6] = [
        (14.0, "STT", Align::Centre),
        (36.0, "Mẫu phiếu", Align::Left),
        (24.0, "Bó", Align::Centre),
        (30.0, "Phiếu số", Align::Centre),
        (33.0, "Đã lấy (ký)", Align::Left),
        (33.0, "Đã trả (ký)", Align::Left),
    ];
    let (mut page, mut y) = heading(fonts, imprint, organiser, round, sorted.len());
    if sorted.is_empty() {
        page.row(fonts, ROOM, y, BOLD, Align::Left, "Không có phiếu nào chờ phân xử.");
        pdf.add(&page)?;
        return pdf.finish();
    }
    y = table_head(fonts, &mut page, (ROOM.0, y), &columns);
    for (dispute, number) in sorted.iter().zip(1_usize..) {
        if y + ROW > 275.0 {
            pdf.add(&page)?;
            page = Page::a4();
            y = table_head(fonts, &mut page, (ROOM.0, 18.0), &columns);
        }
        let cells = [
            number.to_string(),
            dispute.respondent_code.clone(),
            format!("{:02}", dispute.bundle),
            format!("{}/{}", dispute.sheet, dispute.of),
            String::new(),
            String::new(),
        ];
        y = table_row(fonts, &mut page, (ROOM.0, y), &columns, &cells, ROW, CELL);
    }
    if y + 45.0 > 285.0 {
        pdf.add(&page)?;
        page = Page::a4();
        y = 18.0;
    }
    signatures(fonts, &mut page, y + 5.0, ROOM, ["NGƯỜI GIỮ PHIẾU", "NGƯỜI PHÂN XỬ"]);
    pdf.add(&page)?;
    pdf.finish()
}

fn heading(fonts: &Fonts, imprint: &Imprint, organiser: &str, round: &str, count: usize) -> (Page, f32) {
    let mut page = Page::a4();
    let mut y = page.squeezed(fonts, ROOM, 16.0, CELL, Align::Left, (8.0, 2), organiser);
    y = page.squeezed(fonts, ROOM, y, CELL, Align::Left, (8.0, 2), round);
    y = page.row(fonts, ROOM, y + 4.0, BOLD.sized(15.0), Align::Centre, "DANH SÁCH PHIẾU CẦN LẤY ĐỂ PHÂN XỬ");
    let at = imprint.date.format("%H:%M ngày %d/%m/%Y");
    let words = format!("{count} phiếu chờ người thứ ba, lúc {at}. Lấy từng phiếu theo bó và số, trả lại đúng chỗ.");
    y = page.paragraph(fonts, ROOM, y + 1.5, ASIDE, Align::Centre, &words) + 3.0;
    (page, y)
}
