//! 95 % interval of a cell's mean, for a sample without replacement from a known population.

use num_traits::ToPrimitive;

use crate::ratio::{self, Ratio};

/// Standard normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

/// Lower and upper bound, within 0 to 100, as decimal text.
///
/// Half width = z · s/√n · √((N − n)/(N − 1)), with s² the sample variance (divisor n − 1) and N
/// the codes given out: when everybody answered there is nothing left to estimate. Where N is not
/// known (less than n), there is no correction. Floating point is used here only: a square root is
/// not a fraction. `None` for fewer than two answers.
pub(super) fn of_mean(
    mean: &Ratio,
    mean_of_squares: &Ratio,
    n: u64,
    issued: u64,
    decimals: u32,
) -> Option<(String, String)> {
    if n < 2 {
        return None;
    }
    let (size, all, one) = (ratio::whole(n), ratio::whole(issued), ratio::whole(1));
    let variance = (mean_of_squares - mean * mean) * &size / (&size - &one);
    let correction = if issued < n { one } else { (&all - &size) / (&all - &one) };
    let squared = (variance * correction / size).to_f64()?;
    let half = Ratio::from_float(Z * squared.max(0.0).sqrt())?;
    let (zero, hundred) = (ratio::whole(0), ratio::whole(100));
    let low = (mean - &half).max(zero);
    let high = (mean + half).min(hundred);
    Some((ratio::to_fixed(&low, decimals), ratio::to_fixed(&high, decimals)))
}
