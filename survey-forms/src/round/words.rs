//! What codes, names and ids may look like.

use crate::answers::ROUND_ID_MAX;
use crate::fault::Faults;

const CODE_MAX: usize = 40;
/// Longest name, heading or label, in characters.
pub(crate) const NAME_MAX: usize = 300;
/// Longest question or introduction, in characters.
pub(crate) const TEXT_MAX: usize = 4000;

/// A round's id goes into addresses, file names and key derivation.
pub(super) fn is_slug(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    id.len() <= ROUND_ID_MAX
        && id.bytes().all(plain)
        && id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !id.ends_with('-')
        && !id.contains("--")
}

/// Codes go into addresses, CSV cells, strata and JSON without any escaping: letters (Vietnamese
/// ones too) and digits, then also '-', '_' and '.'.
pub(crate) fn is_code(code: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() && u32::from(c) < 0x1F00;
    code.chars().count() <= CODE_MAX
        && code.starts_with(letter)
        && code.chars().all(|c| letter(c) || matches!(c, '-' | '_' | '.'))
}

pub(super) fn check_code(file: &str, place: String, code: &str, faults: &mut Faults) {
    if !is_code(code) {
        let message = format!(
            "Write a code of at most {CODE_MAX} letters, digits, '-', '_' and '.', starting with a letter or digit."
        );
        faults.error(file, place, "code_charset", message);
    }
}

pub(super) fn check_text(file: &str, place: String, text: &str, max: usize, faults: &mut Faults) {
    if text.trim().is_empty() {
        faults.error(file, place, "text_empty", "Fill in the text.");
    } else if text.trim() != text {
        faults.error(file, place, "text_padded", "Remove the blanks around the text.");
    } else if text.chars().count() > max {
        let message = format!("Shorten the text to at most {max} characters.");
        faults.error(file, place, "text_too_long", message);
    }
}
