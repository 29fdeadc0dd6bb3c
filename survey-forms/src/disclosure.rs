//! Which group cells may be shown: small ones never, and none that would give a small one away.

use serde::{Deserialize, Serialize};

use crate::round::DisclosureRules;

/// Why a cell is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// Nobody answered validly: there is nothing to show.
    NoValidAnswers,
    /// Fewer valid answers than k.
    NBelowK,
    /// Large enough, but with it a hidden cell would fall out of the item's pooled score.
    Complementary,
}

/// Decides the cells of one row: the groups that rated one item about one target, by their valid
/// answers.
///
/// The pooled score of the row is published, so the hidden cells' weighted sum can be worked out.
/// Therefore, to a fixpoint: while exactly one answered cell is hidden, or the hidden ones hold
/// fewer than k answers together, the smallest shown one (the later one of equals) is hidden too.
/// A row with a single group cannot be protected this way: its pooled score is that cell.
#[must_use]
pub fn suppress(rules: &DisclosureRules, answers: &[u64]) -> Vec<Option<Suppression>> {
    let k = u64::from(rules.k);
    let mut row: Vec<Option<Suppression>> = answers
        .iter()
        .map(|n| match *n {
            0 => Some(Suppression::NoValidAnswers),
            n if n < k => Some(Suppression::NBelowK),
            _ => None,
        })
        .collect();
    loop {
        let hidden: Vec<u64> =
            row.iter().zip(answers).filter(|(reason, n)| reason.is_some() && **n > 0).map(|(_, n)| *n).collect();
        if hidden.is_empty() || (hidden.len() > 1 && hidden.iter().sum::<u64>() >= k) {
            return row;
        }
        let shown = row.iter_mut().zip(answers).rev().filter(|(reason, _)| reason.is_none());
        let Some((smallest, _)) = shown.min_by_key(|(_, n)| **n) else {
            return row;
        };
        *smallest = Some(Suppression::Complementary);
    }
}

/// Whether a shown cell may carry its distribution.
#[must_use]
pub fn shows_distribution(rules: &DisclosureRules, n: u64) -> bool {
    n >= u64::from(rules.distribution_n) && n >= u64::from(rules.k)
}

#[cfg(test)]
mod tests {
    use super::Suppression::{Complementary, NBelowK, NoValidAnswers};
    use super::*;

    const RULES: DisclosureRules = DisclosureRules { k: 10, distribution_n: 20 };

    #[test]
    fn a_small_cell_never_stands_alone() {
        assert_eq!(suppress(&RULES, &[40, 36, 25]), [None, None, None]);
        assert_eq!(suppress(&RULES, &[40, 2, 25]), [None, Some(NBelowK), Some(Complementary)]);
        assert_eq!(suppress(&RULES, &[10, 9]), [Some(Complementary), Some(NBelowK)]);
        assert_eq!(suppress(&RULES, &[12, 12, 1]), [None, Some(Complementary), Some(NBelowK)]);
    }

    #[test]
    fn hidden_cells_together_hold_at_least_k() {
        assert_eq!(suppress(&RULES, &[40, 2, 3, 25]), [None, Some(NBelowK), Some(NBelowK), Some(Complementary)]);
        assert_eq!(suppress(&RULES, &[40, 5, 5]), [None, Some(NBelowK), Some(NBelowK)]);
    }

    #[test]
    fn an_empty_cell_protects_nothing() {
        assert_eq!(suppress(&RULES, &[40, 0, 4, 25]), [None, Some(NoValidAnswers), Some(NBelowK), Some(Complementary)]);
        assert_eq!(suppress(&RULES, &[0, 40]), [Some(NoValidAnswers), None]);
        assert_eq!(suppress(&RULES, &[7]), [Some(NBelowK)]);
    }

    #[test]
    fn distributions_need_more_answers() {
        assert!(!shows_distribution(&RULES, 19));
        assert!(shows_distribution(&RULES, 20));
    }
}
