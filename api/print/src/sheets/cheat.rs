//! The clerk's keys on one page, to lie beside the keyboard.

use crate::font::{Face, Fonts};
use crate::page::{Align, Area, Page};
use crate::pdf::Pdf;
use crate::text::{Style, times, wrap};
use crate::{Imprint, PrintError};

const ROOM: (f32, f32) = (18.0, 174.0);

const KEYS: [(&str, &str); 13] = [
    ("1 … 9", "Ghi ô có số đó và sang câu sau. Dùng hàng số hay bàn phím số đều được, không cần tắt bộ gõ."),
    ("1 3 Enter", "Câu chọn nhiều ô: gõ các số liền nhau rồi Enter. Câu ghi số hay chữ: gõ như trên phiếu rồi Enter."),
    (".", "Câu để trống."),
    ("*", "Câu có nhiều dấu, không rõ chọn ô nào. Ô tô kín là ô đã bỏ: ghi ô được đánh X."),
    ("/", "Dấu không đọc được."),
    ("-", "Lùi một câu; mũi tên lên cũng vậy."),
    ("mũi tên xuống", "Tới câu sau mà không ghi gì."),
    ("+ số Enter", "Tới câu có số đó; ở phiếu nhiều cơ quan: tới cơ quan có số đó."),
    ("Enter", "Xong một phần, sau khi dò lại dòng mã với phiếu; xong phần cuối là xong phiếu."),
    ("F2", "Xem các mức trả lời của câu."),
    ("F8", "Tạm nghỉ; dữ liệu được giữ."),
    ("F9", "Cả phiếu có vấn đề: sai mẫu, thiếu trang, mã rách, phiếu của bó khác, bản sao. Để phiếu riêng ra."),
    ("Esc", "Dừng phiếu này, giữ những gì đã gõ."),
];

const RULES: [&str; 6] = [
    "Phiếu giấy là gốc: chép đúng những gì có trên giấy, không sửa hộ, không đoán.",
    "Mỗi câu kết thúc bằng một mã: số, dấu chấm, dấu sao hoặc gạch chéo. Không có câu nào bỏ qua.",
    "Quét mã vạch hoặc mã QR ở đầu phiếu; nếu không quét được thì gõ mã in cạnh đó.",
    "So nhãn trên màn hình với nhãn trên phiếu (mẫu, bó, số) trước khi gõ câu đầu tiên.",
    "Nhập đủ bó rồi mới sang bó khác; phiếu xếp lại đúng thứ tự trong bó.",
    "Lượt 2 do người khác nhập. Không hỏi và không nói cho nhau biết đã nhập gì.",
];

/// The page. `round` and `organiser` stand at its foot.
///
/// # Errors
/// [`PrintError`].
pub fn cheat_sheet(imprint: &Imprint, organiser: &str, round: &str) -> Result<Vec<u8>, PrintError> {
    let fonts = Fonts::load()?;
    let mut pdf = Pdf::new(imprint, fonts)?;
    let mut page = Page::a4();
    let text = Style::new(Face::Sans, 11.0).leading(1.35);
    let strong = Style::new(Face::Strong, 12.0);
    let mut y = page.row(fonts, ROOM, 16.0, Style::new(Face::Strong, 18.0), Align::Left, "Phím nhập phiếu giấy") + 3.0;
    for ((key, means), number) in KEYS.iter().zip(0_usize..) {
        let lines = wrap(fonts, text, ROOM.1 - 42.0, means);
        let high = (times(lines.len()) * text.line()).max(7.0) + 2.4;
        if number.is_multiple_of(2) {
            page.fill(vec![Area::new(ROOM.0, y, ROOM.1, high)], 240);
        }
        page.row(fonts, (ROOM.0 + 2.0, 36.0), y + (high - strong.line()) / 2.0, strong, Align::Left, key);
        let mut at = y + (high - times(lines.len()) * text.line()) / 2.0;
        for line in lines {
            at = page.row(fonts, (ROOM.0 + 40.0, ROOM.1 - 42.0), at, text, Align::Left, &line);
        }
        y += high;
    }
    y = page.row(fonts, ROOM, y + 5.0, Style::new(Face::Strong, 14.0), Align::Left, "Cách làm") + 1.5;
    for (rule, number) in RULES.iter().zip(1_usize..) {
        page.row(fonts, (ROOM.0, 6.0), y, text.face(Face::Strong), Align::Left, &format!("{number}."));
        y = page.paragraph(fonts, (ROOM.0 + 8.0, ROOM.1 - 8.0), y, text, Align::Left, rule) + 1.2;
    }
    let foot = Style::new(Face::Sans, 8.0).grey(80);
    let y = page.squeezed(fonts, ROOM, 275.0, foot, Align::Left, (6.0, 1), organiser);
    page.squeezed(fonts, ROOM, y, foot, Align::Left, (6.0, 2), round);
    pdf.add(&page)?;
    pdf.finish()
}
