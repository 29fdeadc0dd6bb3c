//! The exact upper bound of a share that was seen in a sample (Clopper and Pearson, 1934), one-sided.

/// Chance that the true share lies above the bound.
const ALPHA: f64 = 0.05;
/// Halvings of the interval: more than a double can tell apart.
const STEPS: u32 = 100;

/// With 95 % confidence the true share of wrong items is at most this, when `wrong` of `items` were seen wrong: the share
/// at which so few or fewer would turn up once in twenty samples. None of no items; 1 when all of them are wrong.
#[must_use]
pub fn upper_bound(wrong: u32, items: u32) -> Option<f64> {
    if items == 0 || wrong > items {
        return None;
    }
    if wrong == items {
        return Some(1.0);
    }
    let (mut low, mut high) = (f64::from(wrong) / f64::from(items), 1.0);
    for _ in 0..STEPS {
        let middle = f64::midpoint(low, high);
        if at_most(wrong, items, middle) > ALPHA {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(high)
}

/// The chance that at most `wrong` of `items` are wrong when each is with chance `share`.
fn at_most(wrong: u32, items: u32, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return 0.0;
    }
    let (yes, no) = (share.ln(), (-share).ln_1p());
    let mut ways = 0.0; // of choosing k among the items, as a logarithm
    let mut sum = 0.0;
    for k in 0..=wrong {
        if k > 0 {
            ways += (f64::from(items - k + 1) / f64::from(k)).ln();
        }
        sum += (ways + f64::from(k) * yes + f64::from(items - k) * no).exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the closed form for none, and values of the beta quantile (R: `qbeta(0.95, k + 1, n - k)`).
    #[test]
    fn the_bound_is_the_beta_quantile() {
        let close = |wrong, items, expected: f64| {
            let bound = upper_bound(wrong, items).unwrap();
            assert!((bound - expected).abs() < 1e-6, "{wrong} of {items}: {bound}, not {expected}");
        };
        for n in [1_u32, 10, 100, 1000, 100_000] {
            close(0, n, 1.0 - 0.05_f64.powf(1.0 / f64::from(n)));
        }
        // For all but one the distribution inverts to a root as well: 1 - P(all wrong) = alpha.
        for n in [2_u32, 5, 20] {
            close(n - 1, n, 0.95_f64.powf(1.0 / f64::from(n)));
        }
        close(1, 100, 0.046_559_811);
        close(5, 1000, 0.010_484_077);
        assert_eq!(upper_bound(3, 3), Some(1.0));
        assert_eq!(upper_bound(0, 0), None);
    }

    /// What the bound promises: if the true share were the bound, so few would be seen once in twenty.
    #[test]
    fn the_bound_holds_its_promise() {
        for (wrong, items) in [(0, 30), (1, 344), (7, 5000), (40, 60)] {
            let bound = upper_bound(wrong, items).unwrap();
            assert!((at_most(wrong, items, bound) - ALPHA).abs() < 1e-9);
            assert!(bound > f64::from(wrong) / f64::from(items));
        }
    }
}
