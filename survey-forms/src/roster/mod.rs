//! Who is invited: lists of people as offices keep them ([`grid`], [`columns`], [`people`]), and head counts by group
//! and unit (`counts`). A list is taken whole or not at all, and every faulty row is named, in the words of whoever
//! has to mend it. Of a person nothing is kept here but what a letter needs: telephone numbers only tell two people of
//! one name apart.

pub mod columns;
mod counts;
pub mod grid;
mod mailbox;
pub mod people;
#[cfg(test)]
mod tests;
mod units;

pub use columns::{Field, Mapping};
pub use counts::{Roster, RosterRow};
pub use grid::{Grid, NotAList};
pub use people::{Invited, List, RowFault, check};

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Lower case without marks; letters and digits only, single blanks between words.
fn fold(text: &str) -> String {
    let mut folded = String::new();
    for sign in text.nfd().filter(|sign| !is_combining_mark(*sign)) {
        match sign {
            'đ' | 'Đ' => folded.push('d'),
            sign if sign.is_alphanumeric() => folded.extend(sign.to_lowercase()),
            _ if folded.ends_with(' ') || folded.is_empty() => {}
            _ => folded.push(' '),
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// NFC, without blanks around it, single ones inside, and nothing that cannot be seen.
fn clean(text: &str) -> String {
    let seen = text.nfc().filter(|sign| !matches!(sign, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}'));
    let spaced: String = seen.map(|sign| if sign.is_whitespace() { ' ' } else { sign }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
