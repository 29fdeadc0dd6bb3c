//! A target's numbers as a tree of sums, and the exact interval of values that the shown ones leave to each hidden one.
//!
//! Floating point is used for judging intervals only; no published number is made here.

use super::{Earlier, Suppression};

/// Less than any rounding that is published.
pub(super) const EPSILON: f64 = 1e-7;

/// What is published about one target.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// In file order.
    pub fields: Vec<Field>,
    /// What earlier releases told.
    pub earlier: Earlier,
    /// Decided by [`super::suppress`]: why the total is not shown.
    pub hidden: Option<Suppression>,
}

/// A field's score.
#[derive(Debug, Clone, Default)]
pub struct Field {
    /// Its items.
    pub items: Vec<Item>,
    /// What earlier releases told.
    pub earlier: Earlier,
    /// Why it is not shown.
    pub hidden: Option<Suppression>,
}

/// An item's pooled score: the mean of the groups that answered, by weight.
#[derive(Debug, Clone, Default)]
pub struct Item {
    /// What it counts for.
    pub max_points: f64,
    /// By group.
    pub cells: Vec<Cell>,
    /// What earlier releases told.
    pub earlier: Earlier,
    /// Why it is not shown.
    pub hidden: Option<Suppression>,
}

/// One group's mean.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// Place of the group in the round.
    pub group: usize,
    /// Valid answers.
    pub n: u64,
    /// Weight of the group; above zero.
    pub weight: f64,
    /// 0 to 100; of no meaning when nobody answered.
    pub mean: f64,
    /// What every option's percent is a multiple of.
    pub step: f64,
    /// What earlier releases told.
    pub earlier: Earlier,
    /// Valid answers in the latest earlier release, shown or not; none where there was no such release.
    pub earlier_n: Option<u64>,
    /// Why it is not shown.
    pub hidden: Option<Suppression>,
}

/// Closed interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Span {
    const fn point(value: f64) -> Self {
        Self { low: value, high: value }
    }

    /// All that a score can be.
    pub(super) const SCALE: Self = Self { low: 0.0, high: 100.0 };

    pub(super) fn width(self) -> f64 {
        (self.high - self.low).max(0.0)
    }

    fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, high: self.high * factor }
    }

    fn plus(self, other: Self) -> Self {
        Self { low: self.low + other.low, high: self.high + other.high }
    }

    /// What is left of a sum for one of its parts, when the others may be `others`.
    fn without(self, others: Self) -> Self {
        Self { low: self.low - others.high, high: self.high - others.low }
    }

    fn meet(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.min(other.high) }
    }

    fn sum(spans: impl Iterator<Item = Self>) -> Self {
        spans.fold(Self::point(0.0), Self::plus)
    }
}

fn is_protected(hidden: Option<Suppression>) -> bool {
    matches!(hidden, Some(Suppression::NBelowK | Suppression::Difference))
}

fn is_known(hidden: Option<Suppression>, earlier: Earlier) -> bool {
    hidden.is_none() || earlier == Earlier::Same
}

impl Cell {
    /// The attacker has it.
    pub(super) fn is_known(&self) -> bool {
        is_known(self.hidden, self.earlier)
    }

    pub(super) fn is_protected(&self) -> bool {
        is_protected(self.hidden) && self.earlier != Earlier::Same
    }

    /// Hiding it would take something from the attacker.
    pub(super) fn may_hide(&self) -> bool {
        self.hidden.is_none() && self.earlier != Earlier::Same
    }

    pub(super) fn hide(&mut self) {
        if self.may_hide() {
            self.hidden = Some(Suppression::Complementary);
        }
    }

    /// By how many answers it differs from the earlier release.
    pub(super) fn changed_by(&self) -> Option<u64> {
        match self.earlier {
            Earlier::Other(n) => Some(n.abs_diff(self.n)),
            _ => self.earlier_n.map(|n| n.abs_diff(self.n)),
        }
    }

    fn span(&self) -> Span {
        if self.is_known() { Span::point(self.mean) } else { Span::SCALE }
    }
}

impl Item {
    /// Valid answers of all groups.
    pub(super) fn n(&self) -> u64 {
        self.cells.iter().map(|cell| cell.n).sum()
    }

    pub(super) fn is_known(&self) -> bool {
        is_known(self.hidden, self.earlier)
    }

    pub(super) fn is_protected(&self) -> bool {
        is_protected(self.hidden) && self.earlier != Earlier::Same
    }

    pub(super) fn hide(&mut self) {
        if self.hidden.is_none() && self.earlier != Earlier::Same {
            self.hidden = Some(Suppression::Complementary);
        }
    }

    pub(super) fn answered(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(|cell| cell.n > 0)
    }

    pub(super) fn weights(&self) -> f64 {
        self.answered().map(|cell| cell.weight).sum()
    }

    pub(super) fn score(&self) -> f64 {
        self.answered().map(|cell| cell.weight * cell.mean).sum::<f64>() / self.weights()
    }

    /// From its own row.
    fn span(&self) -> Span {
        if self.is_known() {
            return Span::point(self.score());
        }
        Span::sum(self.answered().map(|cell| cell.span().times(cell.weight))).times(1.0 / self.weights())
    }

    fn is_answered(&self) -> bool {
        self.answered().next().is_some()
    }
}

impl Field {
    pub(super) fn is_known(&self) -> bool {
        is_known(self.hidden, self.earlier)
    }

    pub(super) fn is_protected(&self) -> bool {
        is_protected(self.hidden) && self.earlier != Earlier::Same
    }

    pub(super) fn hide(&mut self) {
        if self.hidden.is_none() && self.earlier != Earlier::Same {
            self.hidden = Some(Suppression::Complementary);
        }
    }

    pub(super) fn answered(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_answered())
    }

    /// Hundredfold points, from its own items.
    fn span(&self) -> Span {
        if self.is_known() {
            return Span::point(self.answered().map(|item| item.max_points * item.score()).sum());
        }
        Span::sum(self.answered().map(|item| item.span().times(item.max_points)))
    }
}

impl Table {
    pub(super) fn is_known(&self) -> bool {
        is_known(self.hidden, self.earlier)
    }

    /// How wide the exact interval of each protected item of a field is, and of their mean, where there are several: it
    /// may be one small group's opinion as each of them is. A tree of sums needs one pass up (`span`) and
    /// one down: what a parent may be, less what its other children may be.
    pub(super) fn item_widths(&self, place: usize) -> Vec<f64> {
        let Some(field) = self.fields.get(place) else { return Vec::new() };
        let mut own = field.span();
        // Of a known field the total tells nothing more.
        if self.is_known() && !field.is_known() {
            let score = |field: &Field| field.answered().map(|item| item.max_points * item.score()).sum::<f64>();
            let total = Span::point(self.fields.iter().map(score).sum());
            let others = self.fields.iter().enumerate().filter(|(at, _)| *at != place);
            own = own.meet(total.without(Span::sum(others.map(|(_, other)| other.span()))));
        }
        let weighted = |item: &Item| item.span().times(item.max_points);
        let all = Span::sum(field.answered().map(weighted));
        let width = |item: &Item| {
            if item.max_points <= 0.0 {
                return item.span().width();
            }
            let mine = weighted(item);
            let others = Span { low: all.low - mine.low, high: all.high - mine.high };
            own.without(others).times(1.0 / item.max_points).meet(item.span()).width()
        };
        let mut widths: Vec<f64> = field.answered().filter(|item| item.is_protected()).map(width).collect();
        if widths.len() > 1 {
            let small = || field.answered().filter(|item| item.is_protected());
            let points: f64 = small().map(|item| item.max_points).sum();
            let mine = Span::sum(small().map(weighted));
            let others = Span { low: all.low - mine.low, high: all.high - mine.high };
            let together = own.without(others).meet(mine).width();
            widths.push(if points > 0.0 { together / points } else { 100.0 });
        }
        widths
    }
}
