//! The one-time code on the slip: 23 random symbols and one that checks them.
//!
//! Crockford base32 (no I, L, O, U). The check symbol makes Σ αⁱ·dᵢ = 0 over GF(32) with α a root of x⁵+x²+1;
//! all 24 weights differ, so every single wrong symbol and every swap of two is noticed before anything is asked.

use std::fmt;

use zeroize::Zeroizing;

use super::input_method;
use crate::clock::Entropy;

/// Symbols in a code.
pub const LENGTH: usize = 24;
const GROUP: usize = 4;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A one-time code. Only the slip and the respondent have it; the server forgets it with the request. It prints as
/// nothing: use [`Token::expose`] where it must be written down.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<[u8; LENGTH]>);

/// Why a text is not a code. Says where, never what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Not 24 symbols; carries how many there were.
    #[error("a code has 24 symbols, not {0}")]
    Length(usize),
    /// A sign that no code contains; carries its place from 1.
    #[error("symbol {0} is not used in codes")]
    Symbol(usize),
    /// The check symbol does not fit: something was mistyped.
    #[error("the code is mistyped")]
    Check,
}

impl Token {
    /// A new code: 115 random bits.
    #[must_use]
    pub fn generate(entropy: &Entropy) -> Self {
        let mut random = Zeroizing::new([0_u8; LENGTH]);
        entropy.fill(&mut *random);
        let mut values = random.map(|b| b & 31);
        if let Some((check, data)) = values.split_last_mut() {
            *check = check_value(data);
        }
        Self(Zeroizing::new(values.map(symbol)))
    }

    /// Reads what a person typed: case, spaces and dashes do not matter; I and L read as 1, O as 0; what a Vietnamese
    /// input method made of it is undone where the check symbol leaves one reading.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn parse(text: &str) -> Result<Self, TokenFault> {
        match Self::parse_plain(text) {
            Err(fault @ TokenFault::Symbol(_)) => {
                let undone = input_method::undo(text, |reading| Self::parse_plain(reading).is_ok());
                undone.map_or(Err(fault), |reading| Self::parse_plain(&reading))
            }
            read => read,
        }
    }

    fn parse_plain(text: &str) -> Result<Self, TokenFault> {
        let mut symbols = Zeroizing::new([0_u8; LENGTH]);
        let mut count = 0_usize;
        for sign in text.chars().filter(|c| !is_separator(*c)) {
            count += 1;
            let folded = fold(sign).ok_or(TokenFault::Symbol(count))?;
            if let Some(place) = symbols.get_mut(count - 1) {
                *place = folded;
            } else if count > 10 * LENGTH {
                break;
            }
        }
        if count != LENGTH {
            return Err(TokenFault::Length(count));
        }
        let values = Zeroizing::new(symbols.map(value));
        let (check, data) = values.split_last().ok_or(TokenFault::Length(0))?;
        if check_value(data) == *check { Ok(Self(symbols)) } else { Err(TokenFault::Check) }
    }

    /// Reads the digits-only form that barcodes on paper carry ([`Token::digits`]).
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn parse_digits(text: &str) -> Result<Self, TokenFault> {
        let digits: Zeroizing<Vec<u8>> =
            Zeroizing::new(text.bytes().filter(u8::is_ascii_digit).map(|d| d - b'0').collect());
        if digits.len() != 2 * LENGTH {
            return Err(TokenFault::Length(digits.len()));
        }
        let mut letters = Zeroizing::new(String::with_capacity(LENGTH));
        for (index, pair) in digits.chunks(2).enumerate() {
            let number = pair.iter().fold(0_usize, |n, d| n * 10 + usize::from(*d));
            let sign = ALPHABET.get(number).ok_or(TokenFault::Symbol(index + 1))?;
            letters.push(char::from(*sign));
        }
        Self::parse(&letters)
    }

    /// Reads either form: letters as printed, or 48 digits from a scanner.
    ///
    /// # Errors
    /// [`TokenFault`].
    pub fn parse_any(text: &str) -> Result<Self, TokenFault> {
        let signs = text.chars().filter(|c| !is_separator(*c));
        if signs.clone().count() == 2 * LENGTH && signs.clone().all(|c| c.is_ascii_digit()) {
            Self::parse_digits(text)
        } else {
            Self::parse(text)
        }
    }

    /// As printed on a slip: `7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG`.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(LENGTH + LENGTH / GROUP));
        for (index, sign) in self.0.iter().enumerate() {
            if index > 0 && index % GROUP == 0 {
                text.push('-');
            }
            text.push(char::from(*sign));
        }
        text
    }

    /// Two digits a symbol, for barcodes: a scanner types, and an input method would rewrite letters.
    #[must_use]
    pub fn digits(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * LENGTH));
        for sign in self.0.iter() {
            let number = value(*sign);
            text.push(char::from(b'0' + number / 10));
            text.push(char::from(b'0' + number % 10));
        }
        text
    }

    /// The 24 symbols: what keys are derived from.
    #[must_use]
    pub(super) fn symbols(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

fn is_separator(sign: char) -> bool {
    sign.is_whitespace() || matches!(sign, '-' | '–' | '—' | '_' | '.' | '\u{200b}' | '\u{feff}' | '\u{ad}')
}

fn fold(sign: char) -> Option<u8> {
    // Input methods may widen letters.
    let sign = match sign {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0)?,
        other => other,
    };
    let upper = match sign.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    u8::try_from(upper).ok().filter(|b| ALPHABET.contains(b))
}

fn symbol(value: u8) -> u8 {
    ALPHABET.get(usize::from(value & 31)).copied().unwrap_or(b'0')
}

fn value(symbol: u8) -> u8 {
    ALPHABET.iter().position(|s| *s == symbol).and_then(|p| u8::try_from(p).ok()).unwrap_or(0)
}

/// Multiplies by α in GF(32) = GF(2)[x]/(x⁵+x²+1).
const fn times_alpha(a: u8) -> u8 {
    let shifted = a << 1;
    if shifted & 0b10_0000 == 0 { shifted } else { (shifted ^ 0b10_0101) & 31 }
}

/// Σ αⁱ·dᵢ for i from 1: the check symbol itself has weight α⁰.
fn check_value(data: &[u8]) -> u8 {
    // Horner from the last symbol; one more step gives the first the weight α¹.
    data.iter().rev().fold(0, |sum, d| times_alpha(sum) ^ times_alpha(*d))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(seed: u64) -> Token {
        Token::generate(&Entropy::seeded(seed))
    }

    #[test]
    fn reads_what_people_type() {
        let token = sample(7);
        let printed = token.expose().to_string();
        for typed in [
            printed.clone(),
            printed.to_lowercase(),
            printed.replace('-', " "),
            printed.replace('-', ""),
            format!("  {} \n", printed.replace('-', " – ")),
            printed.replace('0', "o").replace('1', "l"),
        ] {
            assert!(Token::parse(&typed) == Ok(token.clone()));
        }
        assert!(Token::parse_any(&token.digits()) == Ok(token.clone()));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn says_where_it_is_wrong() {
        assert_eq!(Token::parse("7K3Q"), Err(TokenFault::Length(4)));
        assert_eq!(Token::parse("7K3U"), Err(TokenFault::Symbol(4)));
        assert_eq!(Token::parse("Đ"), Err(TokenFault::Symbol(1)));
        assert_eq!(Token::parse(""), Err(TokenFault::Length(0)));
        assert!(Token::parse(&"0".repeat(1_000_000)).is_err());
    }

    #[test]
    fn every_single_error_and_every_swap_is_noticed() {
        for seed in 0..8 {
            let token = sample(seed);
            for at in 0..LENGTH {
                for other in ALPHABET {
                    let mut wrong = *token.symbols();
                    wrong[at] = *other;
                    let same = wrong == *token.symbols();
                    assert_eq!(Token::parse(std::str::from_utf8(&wrong).unwrap()).is_ok(), same);
                }
                for with in 0..LENGTH {
                    let mut wrong = *token.symbols();
                    wrong.swap(at, with);
                    let same = wrong == *token.symbols();
                    assert_eq!(Token::parse(std::str::from_utf8(&wrong).unwrap()).is_ok(), same);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Token::parse_any(&text);
        }
    }
}
