//! Exact numbers: read from decimal text, kept as fractions, written with one rounding.

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, Zero};
use serde::Serializer;

/// An exact fraction. Scores, percents, points and weights are never floating point.
pub type Ratio = num_rational::BigRational;

/// Reads `12`, `12.5` or `-0.25`: at most nine digits on each side of the point.
///
/// `None` for anything else: exponents, commas, fractions, blanks.
#[must_use]
pub fn parse(text: &str) -> Option<Ratio> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() => (whole, decimals),
        Some(_) => return None,
        None => (digits, ""),
    };
    let plain = |part: &str| part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(decimals) {
        return None;
    }
    let numerator: i64 = format!("{whole}{decimals}").parse().ok()?;
    let denominator = 10_i64.pow(u32::try_from(decimals.len()).ok()?);
    let value = Ratio::new(numerator.into(), denominator.into());
    Some(if negative { -value } else { value })
}

/// A whole number as a fraction.
#[must_use]
pub fn whole(value: u64) -> Ratio {
    Ratio::from_integer(value.into())
}

/// Decimal text with exactly `decimals` digits after the point, half rounded away from zero
/// ("half up" for the scores, which are never negative).
#[must_use]
pub fn to_fixed(value: &Ratio, decimals: u32) -> String {
    let scale = BigInt::from(10_u32).pow(decimals);
    let scaled = value.abs() * Ratio::from_integer(scale);
    let half = Ratio::new(BigInt::one(), BigInt::from(2_u32));
    let units = (scaled + half).floor().to_integer();
    let sign = if value.is_negative() && !units.is_zero() { "-" } else { "" };
    let digits = units.to_string();
    let places = usize::try_from(decimals).unwrap_or(0);
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, rest) = padded.split_at(padded.len() - places);
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// The shortest exact text: a decimal where one exists (`0.5`), else a fraction (`1/3`).
#[must_use]
pub fn to_exact(value: &Ratio) -> String {
    let mut rest = value.denom().clone();
    let (mut twos, mut fives) = (0_u32, 0_u32);
    for (prime, count) in [(2_u32, &mut twos), (5_u32, &mut fives)] {
        let prime = BigInt::from(prime);
        while rest.sign() == Sign::Plus && rest.is_multiple_of(&prime) {
            rest /= &prime;
            *count += 1;
        }
    }
    if rest.is_one() { to_fixed(value, twos.max(fives)) } else { format!("{}/{}", value.numer(), value.denom()) }
}

/// For `#[serde(serialize_with)]`: exact text.
pub(crate) fn as_text<S: Serializer>(value: &Ratio, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&to_exact(value))
}

/// For `#[serde(serialize_with)]`: exact text or null.
pub(crate) fn as_optional_text<S: Serializer>(value: &Option<Ratio>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.serialize_some(&to_exact(value)),
        None => to.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_nothing_else_is() {
        assert_eq!(to_exact(&parse("12.50").unwrap()), "12.5");
        assert_eq!(to_exact(&parse("-0.25").unwrap()), "-0.25");
        assert_eq!(to_exact(&parse("100").unwrap()), "100");
        for text in ["", "-", ".5", "5.", "1e3", "1,5", " 1", "1/2", "+1", "1234567890", "0x1"] {
            assert!(parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn half_goes_up_once() {
        let fixed = |n: i64, d: i64| to_fixed(&Ratio::new(n.into(), d.into()), 2);
        assert_eq!(fixed(1, 200), "0.01");
        assert_eq!(fixed(1, 201), "0.00");
        assert_eq!(fixed(2, 3), "0.67");
        assert_eq!(fixed(99_995, 1000), "100.00");
        assert_eq!(fixed(-1, 200), "-0.01");
        assert_eq!(fixed(-1, 1000), "0.00");
        assert_eq!(to_fixed(&whole(7), 0), "7");
        assert_eq!(to_exact(&Ratio::new(1.into(), 3.into())), "1/3");
    }
}
