//! 95 % intervals, for samples without replacement from known populations.

use num_traits::ToPrimitive;

use super::variance::real;
use crate::ratio::{self, Ratio};

/// Standard normal quantile of 97.5 %.
pub(super) const Z: f64 = 1.959_963_984_540_054;

/// Of a variance, for a sample of `n` out of `all`: `(N − n)/(N − 1)`. When everybody answered there is nothing left to
/// estimate. Where `N` is not known (less than `n`) there is no correction.
pub(super) fn correction(n: u64, all: u64) -> f64 {
    if all < n || all < 2 { 1.0 } else { real(all - n) / real(all - 1) }
}

/// Lower and upper bound of a cell's mean, within 0 to 100, as decimal text.
///
/// Half width = z · s/√n · √((N − n)/(N − 1)), with s² the sample variance (divisor n − 1) and N
/// the codes given out; `squares` is (n − 1)/n · s²/n. `None` for fewer than two answers.
pub(super) fn of_mean(mean: &Ratio, squares: &Ratio, n: u64, issued: u64, decimals: u32) -> Option<(String, String)> {
    if n < 2 {
        return None;
    }
    let variance = squares * ratio::whole(n) / ratio::whole(n - 1);
    around(mean, variance.to_f64()? * correction(n, issued), decimals)
}

/// Lower and upper bound of a percent with this variance, within 0 to 100, as decimal text. Floating point is used for
/// the width only: a square root is not a fraction.
pub(super) fn around(percent: &Ratio, variance: f64, decimals: u32) -> Option<(String, String)> {
    let half = Ratio::from_float(Z * variance.max(0.0).sqrt())?;
    let low = (percent - &half).max(ratio::whole(0));
    let high = (percent + half).min(ratio::whole(100));
    Some((ratio::to_fixed(&low, decimals), ratio::to_fixed(&high, decimals)))
}
