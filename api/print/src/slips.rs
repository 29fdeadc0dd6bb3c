//! Slips with a code each, eight a page, and after each unit's slips the list on which their receipt is signed. A unit
//! begins a new page, so that an office gets its own sheets and nobody else's.

use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Line, Page};
use crate::pdf::Pdf;
use crate::qr;
use crate::text::{Style, times};
use crate::{Imprint, PrintError};

const COLUMNS: usize = 2;
const ROWS: usize = 4;
const SLIP_W: f32 = 95.0;
const SLIP_H: f32 = 68.0;
const LEFT: f32 = 10.0;
const TOP: f32 = 14.0;
const QR_SIDE: f32 = 32.0;
/// Rows of a receipt list on a page.
const RECEIPTS: usize = 24;

/// What all slips say.
#[derive(Debug, Clone)]
pub struct SlipPrint {
    /// Of the document.
    pub imprint: Imprint,
    /// Who asks.
    pub organiser: String,
    /// The round.
    pub round: String,
    /// Where a code is typed, for people: `https://cchc.quangnam.gov.vn/khao-sat/`.
    pub address: String,
    /// Until when, for people; empty when not said.
    pub closes: String,
    /// Whom to ask; empty when nobody is named.
    pub contact: String,
    /// The round holds invented data.
    pub sample: bool,
}

/// The slips of one group's people in one unit.
pub struct SlipUnit<'a> {
    /// The group's code.
    pub respondent_code: &'a str,
    /// The group.
    pub group: &'a str,
    /// The unit; empty when the group has none.
    pub unit: &'a str,
    /// What they rate, when it is one body; otherwise empty.
    pub target: &'a str,
    /// Their slips.
    pub slips: Vec<Slip<'a>>,
}

/// One slip. It names nobody.
pub struct Slip<'a> {
    /// The code in groups.
    pub code: &'a str,
    /// What the QR code holds: the address with the code in its fragment.
    pub link: &'a str,
}

/// The slips as PDF. `done` is told after each page how many slips are drawn.
///
/// # Errors
/// [`PrintError::Empty`] without a slip; [`PrintError::Qr`] when an address is too long.
pub fn slips<'a>(
    print: &SlipPrint,
    units: impl IntoIterator<Item = SlipUnit<'a>>,
    done: &mut dyn FnMut(usize),
) -> Result<Vec<u8>, PrintError> {
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(&print.imprint, fonts)?;
    let mut drawn = 0;
    for unit in units {
        let pages = unit.slips.len().div_ceil(COLUMNS * ROWS);
        for (index, part) in unit.slips.chunks(COLUMNS * ROWS).enumerate() {
            pdf.add(&slip_page(fonts, print, &unit, part, index + 1, pages)?)?;
            drawn += part.len();
            done(drawn);
        }
        for page in receipts(fonts, print, &unit) {
            pdf.add(&page)?;
        }
    }
    pdf.finish()
}

fn whose(unit: &SlipUnit<'_>) -> String {
    let place = if unit.unit.is_empty() { unit.target } else { unit.unit };
    if place.is_empty() { unit.respondent_code.to_owned() } else { format!("{} · {place}", unit.respondent_code) }
}

fn slip_page(
    fonts: &Fonts,
    print: &SlipPrint,
    unit: &SlipUnit<'_>,
    slips: &[Slip<'_>],
    number: usize,
    of: usize,
) -> Result<Page, PrintError> {
    let mut page = Page::a4();
    let small = Style::new(Face::Sans, 7.0).grey(90);
    let place = format!("Trang {number}/{of}");
    page.squeezed(fonts, (LEFT, 150.0), 6.0, small, Align::Left, (5.5, 1), &whose(unit));
    page.row(fonts, (LEFT, 190.0), 6.0, small, Align::Right, &place);
    cut_marks(&mut page);
    for (index, slip) in slips.iter().enumerate() {
        let (row, column) = (index / COLUMNS, index % COLUMNS);
        let (x, y) = (LEFT + times(column) * SLIP_W, TOP + times(row) * SLIP_H);
        draw_slip(fonts, &mut page, print, unit, slip, x, y)?;
    }
    Ok(page)
}

/// Dashes where scissors go, and marks in the margin for a guillotine.
fn cut_marks(page: &mut Page) {
    let (right, bottom) = (LEFT + times(COLUMNS) * SLIP_W, TOP + times(ROWS) * SLIP_H);
    let mut marks = Vec::new();
    let mut dashes = Vec::new();
    for row in 0..=ROWS {
        let y = TOP + times(row) * SLIP_H;
        marks.push(Line { from: (LEFT - 6.0, y), to: (LEFT - 2.0, y) });
        marks.push(Line { from: (right + 2.0, y), to: (right + 6.0, y) });
        dashes.push(Line { from: (LEFT, y), to: (right, y) });
    }
    for column in 0..=COLUMNS {
        let x = LEFT + times(column) * SLIP_W;
        if column == 1 {
            marks.push(Line { from: (x, TOP - 4.0), to: (x, TOP - 1.5) });
        }
        marks.push(Line { from: (x, bottom + 2.0), to: (x, bottom + 6.0) });
        dashes.push(Line { from: (x, TOP), to: (x, bottom) });
    }
    page.dashes(dashes, 170, 0.15);
    page.lines(marks, 0, 0.2);
}

fn draw_slip(
    fonts: &Fonts,
    page: &mut Page,
    print: &SlipPrint,
    unit: &SlipUnit<'_>,
    slip: &Slip<'_>,
    x: f32,
    y: f32,
) -> Result<(), PrintError> {
    const PAD: f32 = 5.0;
    let text = Style::new(Face::Sans, 8.0);
    let fine = Style::new(Face::Sans, 7.0).grey(60);
    let strong = Style::new(Face::Strong, 8.5);
    let whole = (x + PAD, SLIP_W - 2.0 * PAD);
    let mut at = y + PAD - 1.0;
    at = page.squeezed(fonts, whole, at, fine, Align::Left, (5.5, 1), &print.organiser);
    at = page.squeezed(fonts, whole, at, strong, Align::Left, (6.5, 2), &print.round);
    at = page.squeezed(fonts, whole, at + 0.4, text, Align::Left, (6.0, 2), &whose(unit));
    let top = (at + 1.5).max(y + 19.0);
    page.ops.push(qr::code(slip.link, x + PAD + 1.0, top, QR_SIDE)?);

    let beside = (x + PAD + QR_SIDE + 6.0, SLIP_W - 2.0 * PAD - QR_SIDE - 6.0);
    let mut at = page.row(fonts, beside, top - 0.8, fine, Align::Left, "Mã phiếu dùng một lần");
    let code = Style::new(Face::Strong, 12.5).leading(1.3);
    for line in halves(slip.code) {
        at = page.row(fonts, beside, at, code, Align::Left, &line);
    }
    at = page.row(fonts, beside, at + 0.8, text, Align::Left, "Quét mã QR, hoặc gõ mã tại");
    at = page.squeezed(fonts, beside, at, text.face(Face::Strong), Align::Left, (5.0, 2), &print.address);
    if !print.closes.is_empty() {
        let until = format!("Trả lời trước {}", print.closes);
        page.squeezed(fonts, beside, at + 0.6, text.face(Face::Strong), Align::Left, (6.0, 2), &until);
    }
    let promise = if print.sample { "ĐỢT MẪU, dữ liệu minh họa. " } else { "" };
    let promise =
        format!("{promise}Phiếu không ghi họ tên. Mỗi mã trả lời được một lần, xin không đưa mã cho người khác.");
    let asked = if print.contact.is_empty() { promise } else { format!("{promise} Hỏi: {}.", print.contact) };
    page.squeezed(fonts, whole, y + SLIP_H - 12.5, fine.leading(1.15), Align::Left, (5.0, 3), &asked);
    Ok(())
}

/// `7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG` on two lines.
fn halves(code: &str) -> Vec<String> {
    let groups: Vec<&str> = code.split('-').collect();
    let half = groups.len().div_ceil(2).max(1);
    groups.chunks(half).map(|part| part.join("-")).collect()
}

/// Who received a slip signs here. The list has no code: who drew which is not known.
fn receipts(fonts: &Fonts, print: &SlipPrint, unit: &SlipUnit<'_>) -> Vec<Page> {
    let of = unit.slips.len().div_ceil(RECEIPTS);
    let mut pages = Vec::new();
    for index in 0..of {
        let mut page = Page::a4();
        let serif = Style::new(Face::Serif, 12.0);
        let bold = Style::new(Face::SerifStrong, 13.0);
        let room = (20.0, 170.0);
        let mut at = page.squeezed(fonts, room, 15.0, serif, Align::Centre, (9.0, 2), &print.organiser.to_uppercase());
        at = page.row(fonts, room, at + 3.0, bold, Align::Centre, "DANH SÁCH KÝ NHẬN MÃ PHIẾU");
        at = page.squeezed(fonts, room, at + 1.0, serif, Align::Centre, (9.0, 2), &print.round);
        at = page.squeezed(fonts, room, at + 2.0, serif, Align::Left, (9.0, 2), &format!("Đơn vị: {}", whose(unit)));
        at = page.squeezed(fonts, room, at, serif, Align::Left, (9.0, 3), &format!("Đối tượng: {}", unit.group));
        let count = format!("Số phiếu mã: {}.", unit.slips.len());
        at = page.row(fonts, room, at, serif, Align::Left, &count);
        let note = "Mỗi người tự rút một phiếu mã bất kỳ, không ai được biết người khác rút mã nào. \
                    Xin không ghi mã vào danh sách này.";
        let aside = Style::new(Face::SerifItalic, 11.0);
        at = page.paragraph(fonts, room, at + 1.0, aside, Align::Left, note) + 3.0;

        let head = Style::new(Face::SerifStrong, 11.0);
        let columns =
            [(20.0, 12.0, "STT"), (32.0, 68.0, "Họ và tên"), (100.0, 45.0, "Phòng, bộ phận"), (145.0, 45.0, "Ký nhận")];
        let first = index * RECEIPTS;
        let rows = unit.slips.len().saturating_sub(first).min(RECEIPTS);
        let high = 7.2;
        for (x, w, words) in columns {
            page.row(fonts, (x, w), at + 0.9, head, Align::Centre, words);
        }
        for row in 0..rows {
            let number = (first + row + 1).to_string();
            page.row(fonts, (20.0, 12.0), at + times(row + 1) * high + 1.0, serif.sized(11.0), Align::Centre, &number);
        }
        let cells = (0..=rows).flat_map(|row| columns.map(|(x, w, _)| Area::new(x, at + times(row) * high, w, high)));
        page.frame(cells.collect(), 0, 0.2);
        let end = at + times(rows + 1) * high + 4.0;
        page.row(fonts, (20.0, 85.0), end, head, Align::Centre, "NGƯỜI PHÁT");
        page.row(fonts, (105.0, 85.0), end, head, Align::Centre, "ĐẠI DIỆN ĐƠN VỊ");
        let sign = Style::new(Face::SerifItalic, 10.0);
        page.row(fonts, (20.0, 85.0), end + 5.5, sign, Align::Centre, "(Ký, ghi rõ họ tên)");
        page.row(fonts, (105.0, 85.0), end + 5.5, sign, Align::Centre, "(Ký, ghi rõ họ tên)");
        let foot = Style::new(Face::Serif, 9.0).grey(70);
        page.row(fonts, room, 285.0, foot, Align::Right, &format!("Ký nhận, trang {}/{of}", index + 1));
        pages.push(page);
    }
    pages
}
