//! Names there, codes here: each fits the other side, is unique on it, and finds its way back.

use std::collections::BTreeSet;

use super::table::{Row, Table};
use super::workbook::short;
use crate::fault::Faults;
use crate::round::words;

/// Codes given so far; two that differ in case only are one.
#[derive(Debug, Default)]
pub(super) struct Codes {
    taken: BTreeSet<String>,
}

impl Codes {
    /// The code of a name: the one kept beside it, else the name itself, made to fit where it does not.
    pub(super) fn give(
        &mut self,
        name: &str,
        kept: &str,
        table: &Table,
        row: &Row,
        key: &str,
        faults: &mut Faults,
    ) -> String {
        let wanted = if words::is_code(kept) { kept } else { name };
        if wanted != kept && !kept.is_empty() {
            let message = "This is no code, so that the name is taken for it. Clear the cell.";
            faults.warn(table.sheet, table.place(row, "phieu_code"), "code_charset", message);
        }
        let code = self.unique(&fit(wanted));
        if code != wanted {
            let message = format!(
                "{} becomes the code {code}, because codes are letters, digits, '.', '-' and '_', at most 40, and unique whatever their case.",
                short(wanted)
            );
            faults.warn(table.sheet, table.place(row, key), "code_changed", message);
        }
        code
    }

    /// The code, or the next free one like it.
    pub(super) fn unique(&mut self, code: &str) -> String {
        let numbered = (2_u32..).map(|n| {
            let end = format!("_{n}");
            let start: String = code.chars().take(40 - end.len()).collect();
            format!("{start}{end}")
        });
        let free = |code: &String| !self.taken.contains(&code.to_lowercase());
        let found = std::iter::once(code.to_owned()).chain(numbered).find(free).unwrap_or_default();
        self.taken.insert(found.to_lowercase());
        found
    }
}

/// What of a name may stand in a code.
fn fit(name: &str) -> String {
    if words::is_code(name) {
        return name.to_owned();
    }
    let letter = |c: char| c.is_alphanumeric() && u32::from(c) < 0x1F00;
    let mapped: String =
        name.chars().map(|c| if letter(c) || matches!(c, '-' | '_' | '.') { c } else { '_' }).collect();
    let trimmed = mapped.trim_start_matches('_');
    let start = if trimmed.starts_with(letter) { "" } else { "x" };
    format!("{start}{trimmed}").chars().take(40).collect()
}

/// A name that every tool for XLSForm takes: an ASCII identifier, unique whatever its case.
pub(super) fn safe(code: &str, taken: &mut Codes) -> String {
    let plain = ascii(code);
    let mapped: String = plain.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let start = if mapped.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "n" };
    let name: String = format!("{start}{mapped}").chars().take(40).collect();
    taken.unique(&name)
}

/// Letters without their marks.
pub(super) fn ascii(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let plain = |c: char| match c {
        'đ' => Some('d'),
        'Đ' => Some('D'),
        c if unicode_normalization::char::is_combining_mark(c) => None,
        c => Some(c),
    };
    text.nfd().filter_map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_codes_and_codes_names() {
        for (name, code) in [
            ("q1", "q1"),
            ("Giới-tính", "Giới-tính"),
            ("-99", "x-99"),
            ("_q", "q"),
            ("___", "x"),
            ("a b", "a_b"),
            ("a/b", "a_b"),
            ("#", "x"),
        ] {
            assert_eq!(fit(name), code, "{name}");
            assert!(words::is_code(&fit(name)), "{name}");
        }
        assert!(words::is_code(&fit(&"x".repeat(99))));
        let mut taken = Codes::default();
        let names: Vec<String> =
            ["X1.1", "X1-1", "x1_1", "Đ", "1", "data"].iter().map(|code| safe(code, &mut taken)).collect();
        assert_eq!(names, ["X1_1", "X1_1_2", "x1_1_3", "D", "n1", "data"]);
    }
}
