//! What the fields of a screen say, read as answers. What people can mend is kept apart from what no page sends.

use serde_json::{Value, json};
use survey_forms::answers::{AnswerFault, Answers, Form};
use survey_forms::questionnaire::{Item, ItemKind};

use super::sent::Sent;

/// An answer that does not fit, in a field of the page.
pub(super) struct Faulty {
    /// Its item.
    pub(super) item: String,
    /// What is wrong, as [`AnswerFault::code`].
    pub(super) code: &'static str,
}

/// A screen's answers about one target.
pub(super) struct Given {
    pub(super) answers: Answers,
    /// Items whose fields are empty.
    pub(super) empty: Vec<String>,
    pub(super) faulty: Vec<Faulty>,
}

/// What somebody can get wrong who fills in the page.
const MENDABLE: [&str; 6] =
    ["too_many_choices", "number_malformed", "number_decimals", "number_range", "text_control", "text_too_long"];

impl Given {
    /// Reads what was sent about a target.
    ///
    /// # Errors
    /// What no page of this form sends.
    pub(super) fn read(sent: &Sent, form: &Form<'_>, target: &str) -> Result<Self, Vec<AnswerFault>> {
        let mut given = Self { answers: Answers::new(), empty: Vec::new(), faulty: Vec::new() };
        let mut faults = Vec::new();
        for (code, values) in &sent.given {
            let value = match form.questionnaire.item(code) {
                Some(item) => wire(item, values),
                None => json!(values.first()),
            };
            if value.is_null() {
                given.empty.push(code.clone());
                continue;
            }
            match form.parse(&json!({ target: { code.as_str(): value } })) {
                Ok(read) => read.iter().for_each(|(target, item, answer)| {
                    given.answers.insert(target, item, answer.clone());
                }),
                Err(found) => match found.iter().find(|fault| MENDABLE.contains(&fault.code)) {
                    Some(fault) => given.faulty.push(Faulty { item: code.clone(), code: fault.code }),
                    None => faults.extend(found),
                },
            }
        }
        if faults.is_empty() { Ok(given) } else { Err(faults) }
    }
}

/// The wire form of what fields say; null when they are empty.
fn wire(item: &Item, values: &[String]) -> Value {
    match (&item.kind, values) {
        // A field without a name to itself comes along so that the page says it when nothing is ticked.
        (ItemKind::Multiple { .. }, _) => {
            let ticked: Vec<&String> = values.iter().filter(|value| !value.is_empty()).collect();
            if ticked.is_empty() { Value::Null } else { json!(ticked) }
        }
        (ItemKind::Number { decimals, .. }, [written]) => {
            let bare = written.trim();
            if bare.is_empty() { Value::Null } else { json!({ "number": number(bare, *decimals) }) }
        }
        (ItemKind::Text { .. }, [written]) => {
            let text = plain(written);
            if text.trim().is_empty() { Value::Null } else { json!({ "text": text }) }
        }
        (_, [option]) => json!(option),
        _ => json!([]),
    }
}

/// Line ends and tabs as they are kept.
fn plain(written: &str) -> String {
    written.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ")
}

/// A text as it is shown to be mended: signs that nobody sees and no answer may hold are gone.
pub(super) fn visible(written: &str) -> String {
    plain(written).chars().filter(|sign| !sign.is_control() || *sign == '\n').collect()
}

/// A number as people in Viet Nam write it, as a decimal text: the comma is the decimal sign, points and blanks part
/// groups of three. A single point is the decimal sign when no more digits follow than the item takes. What is not
/// such a number comes back as something that is none.
pub(super) fn number(written: &str, decimals: u32) -> String {
    let none = || "?".to_owned();
    let (sign, digits) = match written.strip_prefix(['-', '−', '–']) {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", written.strip_prefix('+').unwrap_or(written)),
    };
    let (whole, rest) = match digits.split_once(',') {
        Some((whole, rest)) => (whole, Some(rest)),
        None => match digits.split_once('.') {
            Some((whole, rest)) if is_decimal(whole, rest, decimals) => (whole, Some(rest)),
            _ => (digits, None),
        },
    };
    let Some(whole) = ungrouped(whole) else { return none() };
    match rest {
        None => format!("{sign}{whole}"),
        Some(rest) if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()) => format!("{sign}{whole}.{rest}"),
        Some(_) => none(),
    }
}

/// Whether a point between these digits is the decimal sign.
fn is_decimal(whole: &str, rest: &str, decimals: u32) -> bool {
    let fits = u32::try_from(rest.len()).is_ok_and(|count| count <= decimals);
    let group = rest.len() == 3 && (1..=3).contains(&whole.len()) && whole != "0";
    !rest.contains('.') && (fits || !group)
}

/// Digits without what parts their groups; `None` when they are parted otherwise.
fn ungrouped(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(|sign: char| sign == '.' || sign.is_whitespace()).collect();
    let digits = parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    let groups = parts.len() == 1 || (parts.first()?.len() <= 3 && parts.iter().skip(1).all(|part| part.len() == 3));
    (digits && groups).then(|| parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_here() {
        for (written, decimals, read) in [
            ("12", 0, "12"),
            ("12,5", 1, "12.5"),
            ("12.5", 1, "12.5"),
            ("12.5", 0, "12.5"),
            ("1.234,5", 1, "1234.5"),
            ("1.234", 0, "1234"),
            ("1.234", 2, "1234"),
            ("1.234", 3, "1.234"),
            ("0.125", 2, "0.125"),
            ("1.234.567", 4, "1234567"),
            ("1 234", 0, "1234"),
            ("1\u{a0}234,5", 1, "1234.5"),
            ("−3", 0, "-3"),
            ("- 3", 0, "-3"),
            ("+3", 0, "3"),
            ("007", 0, "007"),
            ("mười", 0, "?"),
            ("1,2,3", 1, "?"),
            ("1.23.456", 0, "?"),
            ("12,", 1, "?"),
            (",5", 1, "?"),
            ("1e3", 0, "?"),
            ("٣", 0, "?"),
            ("--3", 0, "?"),
        ] {
            assert_eq!(number(written, decimals), read, "{written:?} with {decimals}");
        }
    }

    #[test]
    fn a_text_to_be_mended_has_no_invisible_signs() {
        assert_eq!(visible("a\r\nb\tc\u{0}\u{1b}[31md\u{202e}"), "a\nb c[31md\u{202e}");
    }
}
