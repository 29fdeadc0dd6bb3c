//! Undoing Vietnamese input methods. With Telex or VNI switched on, the keys `D D` show as `Đ` and `A S` as `Á`.
//!
//! What is certain from the alphabet alone: no code holds a letter with a mark, and none holds U, so `Ư` was Telex's
//! key W. What is not certain: whether `Đ` was `DD` (Telex) or `D9` (VNI), and after which symbol a tone was typed. So
//! both methods are read, first with each mark's key right behind its letter, then with one of them up to two places
//! later; the caller's check symbol decides, and a text that it confirms in two ways is refused. A reading other than
//! what was typed passes the check with probability 1/32 at most, and is then a code that no round knows.
//! Keys that leave no trace (`A S S` shows as `AS`) cannot be undone; those texts are too short, and refused.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Longest text that is looked at: a code, all its letters marked, with a separator after each.
const SIGNS_MAX: usize = 120;
/// How many places later than its letter a mark's key may have been typed.
const LATER_MAX: usize = 2;

#[derive(Clone, Copy)]
enum Method {
    Telex,
    Vni,
}

/// A key that was pressed; a mark's key may have come later than where it shows.
#[derive(Clone, Copy)]
struct Key {
    sign: char,
    is_mark: bool,
}

/// The one text that `is_code` accepts among what may have been typed to show `text`.
pub(super) fn undo(text: &str, is_code: impl Fn(&str) -> bool) -> Option<Zeroizing<String>> {
    if text.chars().nth(SIGNS_MAX).is_some() {
        return None;
    }
    let typed = [keys(text, Method::Telex), keys(text, Method::Vni)];
    let near: Vec<Vec<Key>> = typed.to_vec();
    let far: Vec<Vec<Key>> = typed.iter().flat_map(|keys| moved(keys)).collect();
    [near, far].into_iter().find_map(|readings| only(readings, &is_code))?
}

/// `None`: no reading is a code. `Some(None)`: more than one is.
fn only(readings: Vec<Vec<Key>>, is_code: impl Fn(&str) -> bool) -> Option<Option<Zeroizing<String>>> {
    let mut found: Option<Zeroizing<String>> = None;
    for keys in readings {
        let reading: Zeroizing<String> = Zeroizing::new(keys.iter().map(|key| key.sign.to_ascii_uppercase()).collect());
        match &found {
            _ if !is_code(&reading) => {}
            Some(other) if *other != reading => return Some(None),
            _ => found = Some(reading),
        }
    }
    found.map(Some)
}

/// The keys under one method, each mark's right behind its letter, a letter's shape before its tone.
fn keys(text: &str, method: Method) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    let mut letter = None;
    let mut tone = None;
    for sign in text.nfd() {
        if let Some(key) = tone_key(sign, method) {
            tone = Some(Key { sign: key, is_mark: true });
            continue;
        }
        let shape = match (sign, method) {
            ('\u{302}', Method::Telex) => letter,
            ('\u{302}', Method::Vni) => Some('6'),
            ('\u{31b}', Method::Vni) => Some('7'),
            ('\u{306}', Method::Vni) => Some('8'),
            ('\u{306}' | '\u{31b}', Method::Telex) => Some('W'),
            _ => None,
        };
        if let Some(shape) = shape {
            // Telex's W by itself shows as Ư.
            let alone = sign == '\u{31b}' && shape == 'W' && matches!(letter, Some('u' | 'U'));
            match keys.last_mut().filter(|_| alone) {
                Some(last) => last.sign = 'W',
                None => keys.push(Key { sign: shape, is_mark: true }),
            }
            continue;
        }
        keys.extend(tone.take());
        letter = Some(sign);
        if matches!(sign, 'đ' | 'Đ') {
            keys.push(Key { sign: 'D', is_mark: false });
            keys.push(Key { sign: if matches!(method, Method::Telex) { 'D' } else { '9' }, is_mark: true });
        } else {
            keys.push(Key { sign, is_mark: false });
        }
    }
    keys.extend(tone);
    keys
}

fn tone_key(sign: char, method: Method) -> Option<char> {
    let (telex, vni) = match sign {
        '\u{301}' => ('S', '1'),
        '\u{300}' => ('F', '2'),
        '\u{309}' => ('R', '3'),
        '\u{303}' => ('X', '4'),
        '\u{323}' => ('J', '5'),
        _ => return None,
    };
    Some(if matches!(method, Method::Telex) { telex } else { vni })
}

/// Every way in which one mark's key was typed a little later than where it shows.
fn moved(keys: &[Key]) -> Vec<Vec<Key>> {
    let mut all = Vec::new();
    for (at, key) in keys.iter().enumerate().filter(|(_, key)| key.is_mark) {
        for later in 1..=LATER_MAX {
            if at + later < keys.len() {
                let mut moved = keys.to_vec();
                moved.remove(at);
                moved.insert(at + later, *key);
                all.push(moved);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::token::Token;
    use crate::clock::Entropy;

    /// What the input method shows for these keys, each mark's key right behind its letter.
    fn shown(keys: &str, rules: &[(&str, &str)]) -> String {
        let mut shown = String::new();
        let mut rest = keys;
        while let Some(first) = rest.chars().next() {
            let rule = rules.iter().find(|(typed, _)| rest.starts_with(typed));
            let (typed, as_shown) =
                rule.map_or((first.len_utf8(), first.to_string()), |(t, s)| (t.len(), (*s).to_owned()));
            shown.push_str(&as_shown);
            rest = &rest[typed..];
        }
        shown
    }

    const TELEX: &[(&str, &str)] = &[
        ("AAS", "Ấ"),
        ("EEJ", "Ệ"),
        ("AA", "Â"),
        ("EE", "Ê"),
        ("AW", "Ă"),
        ("DD", "Đ"),
        ("AS", "Á"),
        ("AF", "À"),
        ("AR", "Ả"),
        ("AX", "Ã"),
        ("AJ", "Ạ"),
        ("ES", "É"),
        ("EF", "È"),
        ("ER", "Ẻ"),
        ("EX", "Ẽ"),
        ("EJ", "Ẹ"),
        ("YS", "Ý"),
        ("YF", "Ỳ"),
        ("YR", "Ỷ"),
        ("YX", "Ỹ"),
        ("YJ", "Ỵ"),
        ("W", "Ư"),
    ];
    const VNI: &[(&str, &str)] = &[
        ("A61", "Ấ"),
        ("E65", "Ệ"),
        ("A6", "Â"),
        ("E6", "Ê"),
        ("A8", "Ă"),
        ("D9", "Đ"),
        ("A1", "Á"),
        ("A2", "À"),
        ("A3", "Ả"),
        ("A4", "Ã"),
        ("A5", "Ạ"),
        ("E1", "É"),
        ("E2", "È"),
        ("E3", "Ẻ"),
        ("E4", "Ẽ"),
        ("E5", "Ẹ"),
        ("Y1", "Ý"),
        ("Y2", "Ỳ"),
        ("Y3", "Ỷ"),
        ("Y4", "Ỹ"),
        ("Y5", "Ỵ"),
    ];

    #[test]
    fn most_codes_that_an_input_method_rewrote_are_read() {
        for (rules, least) in [(TELEX, 90), (VNI, 90)] {
            let (mut rewritten, mut read) = (0, 0);
            for seed in 0..400 {
                let token = Token::generate(&Entropy::seeded(seed));
                let keys = token.expose().to_string();
                let text = shown(&keys, rules);
                if text != keys {
                    rewritten += 1;
                    read += usize::from(Token::parse(&text.to_lowercase()) == Ok(token));
                }
            }
            assert!(rewritten > 100 && read * 100 >= rewritten * least, "{read} of {rewritten}");
        }
    }

    #[test]
    fn a_tone_that_was_typed_a_little_later_is_read() {
        let mut read = 0;
        let codes: Vec<(Token, String)> = (0..4_000)
            .map(|seed| Token::generate(&Entropy::seeded(seed)))
            .map(|token| (token.clone(), token.expose().replace('-', "")))
            .filter(|(_, keys)| keys.contains("ACS") && !shown(keys, TELEX).chars().any(|c| !c.is_ascii()))
            .collect();
        for (token, keys) in &codes {
            read += usize::from(Token::parse(&keys.replace("ACS", "ÁC")) == Ok(token.clone()));
        }
        assert!(!codes.is_empty() && read * 10 >= codes.len() * 8, "{read} of {}", codes.len());
    }

    proptest! {
        #[test]
        fn never_another_code_than_the_one_typed(seed in any::<u64>(), vni in any::<bool>()) {
            let token = Token::generate(&Entropy::seeded(seed));
            let text = shown(&token.expose(), if vni { VNI } else { TELEX });
            if let Ok(read) = Token::parse(&text) {
                prop_assert!(read == token);
            }
        }
    }
}
