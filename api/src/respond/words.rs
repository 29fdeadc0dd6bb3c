//! What is said about codes and answers that do not fit. What is wrong with a code, the page's script says the same
//! without asking the server; `#` stands where a value goes.

use survey_forms::Ratio;
use survey_forms::questionnaire::{Item, ItemKind};
use survey_forms::ratio::to_exact;

/// Nothing was typed.
pub(super) const EMPTY: &str = "Xin nhập mã phiếu gồm 24 ký tự in trên giấy mời.";
/// How many symbols were typed.
pub(super) const LENGTH: &str = "Mã phiếu có 24 ký tự, ông/bà đã nhập #. Xin đếm lại từng nhóm bốn ký tự.";
/// Place of the symbol, its group, its place within the group.
pub(super) const SIGN: &str = "Ký tự thứ # (nhóm #, ký tự #) không có trong mã phiếu nào. Mã chỉ gồm chữ số và chữ cái không dấu, không có chữ U; nếu đang bật kiểu gõ tiếng Việt, xin tạm tắt.";
/// The check symbol does not fit.
pub(super) const CHECK: &str =
    "Có ký tự gõ nhầm hoặc đổi chỗ: mã không khớp với ký tự kiểm tra. Xin đối chiếu từng nhóm với giấy mời.";
/// Only the script says this: the server tries first.
pub(super) const MARKS: &str = "Bàn phím đang bật kiểu gõ tiếng Việt (Telex, VNI) nên có ký tự đổi thành chữ có dấu. Xin tắt kiểu gõ và gõ lại ký tự đó, hoặc cứ bấm “Tiếp tục” để hệ thống thử đọc.";

/// Words of the page with their values: `#` stands where the next one goes.
pub(super) struct Phrase {
    pub(super) words: &'static str,
    pub(super) values: Vec<String>,
}

impl Phrase {
    pub(super) fn new(words: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        Self { words, values: values.into_iter().collect() }
    }
}

/// A decimal as the page's readers write it.
pub(super) fn decimal(number: &str, vietnamese: bool) -> String {
    if vietnamese { number.replace('.', ",") } else { number.to_owned() }
}

/// What may be answered, where the field itself does not show it.
pub(super) fn rules(item: &Item, vietnamese: bool) -> Vec<Phrase> {
    match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => Vec::new(),
        ItemKind::Multiple { at_most: Some(most), .. } => vec![Phrase::new("Chọn nhiều nhất #.", [most.to_string()])],
        ItemKind::Multiple { .. } => vec![Phrase::new("Có thể chọn nhiều câu trả lời.", [])],
        ItemKind::Number { min, max, decimals } => {
            let help = item.help.as_deref().unwrap_or_default();
            let bounds: Vec<String> =
                [min, max].into_iter().flatten().map(|b| decimal(&to_exact(b), vietnamese)).collect();
            let said = bounds.iter().all(|bound| help.contains(bound.as_str()));
            let words = match (min, max) {
                (Some(_), Some(_)) => "Từ # đến #.",
                (Some(_), None) => "Không nhỏ hơn #.",
                _ => "Không lớn hơn #.",
            };
            let range = (!said).then(|| Phrase::new(words, bounds));
            let digits = match decimals {
                0 => None,
                _ => {
                    Some(Phrase::new("Phần thập phân viết sau dấu phẩy, nhiều nhất # chữ số.", [decimals.to_string()]))
                }
            };
            range.into_iter().chain(digits).collect()
        }
        ItemKind::Text { letters } => vec![Phrase::new("Nhiều nhất # ký tự.", [letters.to_string()])],
    }
}

/// What is wrong with an answer, and how to mend it. Never the answer.
pub(super) fn fault(item: &Item, code: &str, written: usize, vietnamese: bool) -> Phrase {
    let bound = |bound: &Option<Ratio>| bound.as_ref().map(|bound| decimal(&to_exact(bound), vietnamese));
    match (&item.kind, code) {
        (ItemKind::Multiple { at_most: Some(most), .. }, "too_many_choices") => {
            Phrase::new("Chỉ được chọn nhiều nhất #. Xin bỏ bớt.", [most.to_string()])
        }
        (ItemKind::Number { decimals: 0, .. }, "number_decimals") => {
            Phrase::new("Xin viết một số nguyên, không có phần thập phân.", [])
        }
        (ItemKind::Number { decimals, .. }, "number_decimals") => {
            Phrase::new("Sau dấu phẩy chỉ được có nhiều nhất # chữ số.", [decimals.to_string()])
        }
        (ItemKind::Number { min, max, .. }, "number_range") => match (bound(min), bound(max)) {
            (Some(min), Some(max)) => Phrase::new("Số phải từ # đến #.", [min, max]),
            (Some(min), None) => Phrase::new("Số không được nhỏ hơn #.", [min]),
            (_, max) => Phrase::new("Số không được lớn hơn #.", max),
        },
        (ItemKind::Number { decimals: 0, .. }, _) => {
            Phrase::new("Xin viết một số nguyên bằng chữ số, ví dụ 12; nhiều nhất chín chữ số.", [])
        }
        (ItemKind::Number { .. }, _) => Phrase::new(
            "Xin viết một số bằng chữ số, ví dụ 12,5; dấu phẩy đứng trước phần thập phân, và trước nó nhiều nhất chín chữ số.",
            [],
        ),
        (ItemKind::Text { letters }, "text_too_long") => Phrase::new(
            "Nhiều nhất # ký tự, ông/bà đã viết #. Xin viết gọn lại.",
            [letters.to_string(), written.to_string()],
        ),
        (ItemKind::Text { .. }, "text_control") => Phrase::new(
            "Phần vừa dán có ký tự điều khiển không nhìn thấy được. Trang đã bỏ các ký tự đó; xin xem lại rồi lưu lần nữa.",
            [],
        ),
        _ => Phrase::new("Câu trả lời này chưa hợp lệ. Xin xem lại.", []),
    }
}
