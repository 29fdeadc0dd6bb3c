//! The record of a hand-over in two copies, laid out as Decree 30/2020 asks of an administrative paper: margins 20, 20, 30
//! and 15 mm, 13 points, the country's name and motto, place and date, the number of a further page on top.

use super::{ASIDE, BODY, BOLD, CELL, Column, signatures, table_head, table_row};
use crate::font::Fonts;
use crate::page::{Align, Page};
use crate::pdf::Pdf;
use crate::text::width;
use crate::{Imprint, PrintError};

/// What is handed over.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// The body that hands over; its name stands on the left.
    pub organiser: String,
    /// The round.
    pub round: String,
    /// What orders the survey; may be empty.
    pub legal_basis: String,
    /// Group, number of the bundle, ballots in it.
    pub bundles: Vec<(String, u32, u32)>,
}

const ROOM: (f32, f32) = (30.0, 165.0);
const BOTTOM: f32 = 277.0;

/// The record twice: one copy for each side.
///
/// # Errors
/// [`PrintError::Empty`] without a bundle.
pub fn hand_over(imprint: &Imprint, of: &HandOver) -> Result<Vec<u8>, PrintError> {
    if of.bundles.is_empty() {
        return Err(PrintError::Empty);
    }
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(imprint, fonts)?;
    for copy in ["Bản 1/2: bên giao giữ", "Bản 2/2: bên nhận giữ"] {
        for page in record(fonts, of, copy) {
            pdf.add(&page)?;
        }
    }
    pdf.finish()
}

struct Record<'f> {
    fonts: &'f Fonts,
    done: Vec<Page>,
    page: Page,
    y: f32,
}

impl Record<'_> {
    fn needs(&mut self, high: f32) -> bool {
        if self.y + high <= BOTTOM {
            return false;
        }
        let full = std::mem::replace(&mut self.page, Page::a4());
        self.done.push(full);
        let number = (self.done.len() + 1).to_string();
        self.y = self.page.row(self.fonts, ROOM, 12.0, BODY, Align::Centre, &number) + 4.0;
        true
    }

    fn say(&mut self, text: &str) {
        for line in crate::text::wrap(self.fonts, BODY, ROOM.1, text) {
            self.needs(BODY.line());
            self.y = self.page.row(self.fonts, ROOM, self.y, BODY, Align::Left, &line);
        }
        self.y += 1.6;
    }
}

fn record(fonts: &Fonts, of: &HandOver, copy: &str) -> Vec<Page> {
    let mut page = Page::a4();
    let (left, right) = ((30.0, 66.0), (96.0, 99.0));
    let agency = of.organiser.to_uppercase();
    let mut a = page.squeezed(fonts, left, 20.0, BOLD.sized(12.0), Align::Centre, (7.0, 5), &agency);
    page.rule(left.0 + 22.0, a + 0.8, 22.0, 0, 0.25);
    a = page.row(fonts, left, a + 2.2, BODY, Align::Centre, "Số: …… /BB-……");
    let mut b = page.row(fonts, right, 20.0, BOLD.sized(12.0), Align::Centre, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM");
    b = page.row(fonts, right, b, BOLD, Align::Centre, "Độc lập - Tự do - Hạnh phúc");
    let motto = width(fonts, BOLD, "Độc lập - Tự do - Hạnh phúc");
    page.rule(right.0 + (right.1 - motto) / 2.0, b + 0.4, motto, 0, 0.25);
    b = page.row(fonts, right, b + 2.2, ASIDE.sized(13.0), Align::Centre, "……………, ngày …… tháng …… năm ………");
    let mut y = a.max(b) + 5.0;
    y = page.row(fonts, ROOM, y, BOLD.sized(14.0), Align::Centre, "BIÊN BẢN");
    y = page.row(fonts, ROOM, y, BOLD.sized(14.0), Align::Centre, "Bàn giao phiếu điều tra xã hội học");
    page.rule(ROOM.0 + ROOM.1 / 2.0 - 16.0, y + 0.8, 32.0, 0, 0.25);
    y = page.row(fonts, ROOM, y + 2.5, ASIDE, Align::Centre, copy) + 3.0;

    let mut record = Record { fonts, done: Vec::new(), page, y };
    if !of.legal_basis.is_empty() {
        record.say(&format!("Căn cứ {};", of.legal_basis.trim_end_matches('.')));
    }
    record.say(&format!("Thực hiện {}, hôm nay hai bên gồm:", of.round));
    for side in ["Bên giao", "Bên nhận"] {
        record.say(&format!("{side}: ……………………………………… Đơn vị: …………………………………"));
        record.say("Chức vụ: ……………………………………… Điện thoại: ………………………………");
    }
    record.say("đã cùng đếm và bàn giao các bó phiếu sau:");
    bundles(&mut record, of);
    let total: u64 = of.bundles.iter().map(|(_, _, size)| u64::from(*size)).sum();
    record.y += 2.0;
    record.say(&format!("Tổng cộng: {} bó, {total} phiếu (bằng chữ: …………………………………………………).", of.bundles.len()));
    record.say("Tình trạng niêm phong khi bàn giao: …………………………………………………………");
    record.say("Biên bản lập thành hai bản có giá trị như nhau, mỗi bên giữ một bản.");
    record.needs(42.0);
    let y = record.y + 2.0;
    signatures(fonts, &mut record.page, y, ROOM, ["ĐẠI DIỆN BÊN GIAO", "ĐẠI DIỆN BÊN NHẬN"]);
    record.done.push(record.page);
    record.done
}

fn bundles(record: &mut Record<'_>, of: &HandOver) {
    let columns: [Column<'_>; 5] = [
        (13.0, "STT", Align::Centre),
        (52.0, "Mẫu phiếu", Align::Left),
        (25.0, "Bó số", Align::Centre),
        (30.0, "Số phiếu", Align::Centre),
        (45.0, "Ghi chú", Align::Left),
    ];
    record.needs(24.0);
    record.y = table_head(record.fonts, &mut record.page, (ROOM.0, record.y), &columns);
    for ((group, bundle, size), number) in of.bundles.iter().zip(1_usize..) {
        if record.needs(9.0) {
            record.y = table_head(record.fonts, &mut record.page, (ROOM.0, record.y), &columns);
        }
        let cells = [number.to_string(), group.clone(), format!("{bundle:02}"), size.to_string(), String::new()];
        record.y = table_row(record.fonts, &mut record.page, (ROOM.0, record.y), &columns, &cells, 8.0, CELL);
    }
}
