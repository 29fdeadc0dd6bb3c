//! What a ballot says beside its questions.

use survey_forms::answers::Form;
use survey_forms::questionnaire::{Condition, Holds, Item, ItemKind};
use survey_forms::ratio::to_exact;

/// How marks are made, and unmade.
pub(super) const HOW: &str = "Cách trả lời: đánh dấu X vào một ô ở mỗi câu. Nếu đánh nhầm, tô kín ô đã đánh nhầm rồi đánh \
                              dấu X vào ô đúng. Xin không ghi họ tên, không làm nhàu hay đánh dấu lên mã ở góc trang.";

/// When an item is to be answered; none when always.
pub(super) fn condition(form: &Form<'_>, item: &Item) -> Option<String> {
    let words = |condition: &Condition| {
        let of = form.questionnaire.item(&condition.item);
        let offered = of.map(|of| of.options(form.scales, form.choices)).unwrap_or_default();
        let label = |code: &String| {
            let found = offered.iter().find(|option| option.code == code);
            format!("“{}”", found.map_or(code.as_str(), |option| option.label))
        };
        let any = |codes: &[String]| codes.iter().map(label).collect::<Vec<_>>().join(" hoặc ");
        let number = |bound: &survey_forms::Ratio| to_exact(bound).replacen('.', ",", 1);
        let what = match &condition.holds {
            Holds::Is(codes) => format!("chọn {}", any(codes)),
            Holds::IsNot(codes) => format!("không chọn {}", any(codes)),
            Holds::Between { at_least: Some(least), at_most: Some(most) } => {
                format!("ghi một số từ {} đến {}", number(least), number(most))
            }
            Holds::Between { at_least: Some(least), .. } => format!("ghi một số từ {} trở lên", number(least)),
            Holds::Between { at_most: Some(most), .. } => format!("ghi một số đến {}", number(most)),
            Holds::Between { .. } | Holds::Answered(true) => "có trả lời".to_owned(),
            Holds::Answered(false) => "để trống".to_owned(),
        };
        format!("câu {} {what}", of.map_or(0, |of| of.number))
    };
    let all: Vec<String> = item.only_if.iter().map(words).collect();
    (!all.is_empty()).then(|| format!("Chỉ trả lời nếu {}.", all.join(", và ")))
}

/// What kind of answer is wanted; none for one option.
pub(super) fn wanted(item: &Item) -> Option<String> {
    let number = |bound: &survey_forms::Ratio| to_exact(bound).replacen('.', ",", 1);
    match &item.kind {
        ItemKind::Scale { .. } | ItemKind::Single { .. } => None,
        ItemKind::Multiple { at_most: None, .. } => Some("Có thể chọn nhiều ô.".to_owned()),
        ItemKind::Multiple { at_most: Some(most), .. } => Some(format!("Có thể chọn nhiều ô, nhiều nhất {most} ô.")),
        ItemKind::Number { min, max, .. } => {
            let from = min.as_ref().map(|min| format!(" từ {}", number(min))).unwrap_or_default();
            let to = max.as_ref().map(|max| format!(" đến {}", number(max))).unwrap_or_default();
            Some(format!("Ghi một số{from}{to}, mỗi ô một chữ số."))
        }
        ItemKind::Text { .. } => Some("Viết chữ rõ ràng.".to_owned()),
    }
}

/// What all questions begin with, up to a colon; empty when they do not.
pub(super) fn shared_beginning<'q>(questions: &[&'q str]) -> &'q str {
    let Some((first, others)) = questions.split_first() else { return "" };
    let end = first.find(": ").map_or(0, |at| at + 2);
    let start = first.get(..end).unwrap_or_default();
    let shared = !others.is_empty() && others.iter().all(|other| other.starts_with(start));
    if shared { start } else { "" }
}
