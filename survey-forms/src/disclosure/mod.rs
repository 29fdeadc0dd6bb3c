//! Which numbers may be shown: small cells never, and none that would give a small one away.
//!
//! What is published about a target is a tree of sums. `P` is an item's pooled score, `w` the groups' weights, `m` the
//! groups' means, `x` the items' `max_points`:
//! ```text
//! item   Σ_g w_g · m_g = P · Σ_g w_g         over the groups that answered
//! field  Σ_i x_i · P_i = field · Σ_i x_i     over the items that were answered
//! total  Σ_f field_f   = survey points       and ranks, which compare exact totals
//! ```
//! Nothing is published that adds up over targets, so targets are judged one by one. Counts (codes given out, ballots
//! returned, valid answers) are public for every cell: they say how many rated, never how.
//!
//! The rules, in this order:
//! 1. A group's cell is shown from `k` valid answers on. A pooled score, field or total that rests on one group alone,
//!    and on fewer than `k` of its answers, *is* that group's cell: it is not shown either.
//! 2. Complementary suppression to a fixpoint. For every cell that rule 1 hides, the interval of values that the
//!    published numbers leave possible must be at least [`PROTECTION`] points wide, or as wide as the pooled scores
//!    alone leave it (they go to the index engine whatever happens). Until then the smallest shown cell of the row is
//!    hidden; behind a hidden item, a neighbour item of its field with its smallest cells; behind a hidden field,
//!    another field. At least two cells of a row are hidden, with `k` answers together.
//! 3. Earlier releases are known: what was shown then and is the same now protects nothing, and what differs from then
//!    by fewer than `k` answers is hidden, because the difference is those answers.
//!
//! Who is defended against knows every published number exactly, before rounding, so neither ranks nor several
//! roundings of one number tell more (rule 2 is judged on exact numbers). Answers being whole numbers of people, a mean
//! over few answers has few possible values; with few other hidden cells in the row only those count. A pooled score
//! that leaves a small cell one single value in this way (7 and 11 people, say) is not shown either.
//!
//! Beside the sums a total carries its interval and the ranks that chance leaves possible. They are made of totals and of
//! the variances of groups whose every cell about the target is shown; a group with a hidden cell is replaced by one of
//! those (`scoring/certainty.rs`). So they are no equation in anything hidden.
//!
//! What no rule here hides: where nearly all agree, the pooled score says so of each group, the small one too; and a
//! shown mean of 100 says that all of the group's `k` or more people gave the same answer. And since counts are public,
//! an item that is asked only after certain answers tells by its `n` how many gave those.
//!
//! It ends: every step hides one more number of a finite table, and hiding one never narrows an interval, so what has
//! been made safe stays safe and one pass over rows, fields and total is the fixpoint (a property test runs it again).
//!
//! After L. Willenborg and T. de Waal, *Elements of Statistical Disclosure Control* (2001), ch. 4 to 6; the width is the
//! p%-rule's with p = 10 of the scale on either side; exact intervals as in an audit by linear programming, which for a
//! tree of sums is one pass up and one pass down.

mod tree;
mod whole;

#[cfg(test)]
mod attacker;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::round::DisclosureRules;
pub use tree::{Cell, Field, Item, Table};
use whole::Spread;

/// Points, of 100, that at least must stay possible for a hidden cell: less than a step of a scale of five options.
pub const PROTECTION: f64 = 20.0;

/// Why a number is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// Nobody answered validly: there is nothing to show.
    NoValidAnswers,
    /// It is, or gives away, fewer valid answers than k of one group.
    NBelowK,
    /// Large enough, but with it a hidden number would fall out of the published sums.
    Complementary,
    /// Differs by fewer than k answers from what an earlier release showed: the difference would be those answers.
    Difference,
}

impl Suppression {
    /// As in the document: `n_below_k`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoValidAnswers => "no_valid_answers",
            Self::NBelowK => "n_below_k",
            Self::Complementary => "complementary",
            Self::Difference => "difference",
        }
    }
}

/// What earlier releases told about a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Earlier {
    /// Nothing.
    #[default]
    Nothing,
    /// The same number: it is known, hidden or not.
    Same,
    /// Another number, over so many answers. Zero where answers are not counted.
    Other(u64),
}

/// Decides every number of a target's table, in place: afterwards each carries why it is hidden, or nothing.
pub fn suppress(rules: &DisclosureRules, decimals: u32, table: &mut Table) {
    small(rules, table);
    changed(rules, table);
    for item in table.fields.iter_mut().flat_map(|field| &mut field.items) {
        settle_row(rules, decimals, item);
    }
    settle_fields(table);
    settle_total(table);
}

/// Whether a shown cell may carry its distribution and its interval. The interval gives away the spread, and with the
/// mean of a few answers that is nearly the distribution.
#[must_use]
pub fn shows_distribution(rules: &DisclosureRules, n: u64) -> bool {
    n >= u64::from(rules.distribution_n) && n >= u64::from(rules.k)
}

/// Whether it may be told how many of a group's ballots have the same option everywhere: there are enough ballots, and
/// those are at most half of them, so that at least half of the group's answers to each item are free of the others.
#[must_use]
pub fn shows_uniform(rules: &DisclosureRules, uniform: u64, valid: u64) -> bool {
    shows_distribution(rules, valid) && uniform <= valid / 2
}

/// Rule 1.
pub(crate) fn small(rules: &DisclosureRules, table: &mut Table) {
    let k = u64::from(rules.k);
    let reason = |cells: &mut dyn Iterator<Item = (usize, u64)>| {
        let mut answered = cells.filter(|(_, n)| *n > 0);
        let Some((group, first)) = answered.next() else { return Some(Suppression::NoValidAnswers) };
        let (mut alone, mut most) = (true, first);
        for (other, n) in answered {
            alone &= other == group;
            most = most.max(n);
        }
        (alone && most < k).then_some(Suppression::NBelowK)
    };
    let seen = |cell: &Cell| (cell.group, cell.n);
    for field in &mut table.fields {
        for item in &mut field.items {
            for cell in &mut item.cells {
                cell.hidden = reason(&mut std::iter::once(seen(cell)));
            }
            item.hidden = reason(&mut item.cells.iter().map(seen));
        }
        field.hidden = reason(&mut field.items.iter().flat_map(|item| &item.cells).map(seen));
    }
    table.hidden = reason(&mut table.fields.iter().flat_map(|f| &f.items).flat_map(|item| &item.cells).map(seen));
}

/// Rule 3, as far as it hides: cells that changed a little; pooled scores that changed with them, or under other
/// weights, while something small stands behind them; and whatever changed above such a score.
fn changed(rules: &DisclosureRules, table: &mut Table) {
    let k = u64::from(rules.k);
    let is_other = |earlier: Earlier| matches!(earlier, Earlier::Other(_));
    for field in &mut table.fields {
        for item in &mut field.items {
            let mut moved = false;
            for cell in &mut item.cells {
                let Some(by) = cell.changed_by() else { continue };
                moved |= by >= k;
                if cell.hidden.is_none() && is_other(cell.earlier) && by < k {
                    cell.hidden = Some(Suppression::Difference);
                }
            }
            let told_apart = item.cells.iter().any(|cell| cell.hidden == Some(Suppression::Difference))
                || (!moved && item.cells.iter().any(Cell::is_protected));
            if item.hidden.is_none() && is_other(item.earlier) && told_apart {
                item.hidden = Some(Suppression::Difference);
            }
        }
        let below = field.items.iter().any(|item| item.hidden == Some(Suppression::Difference));
        if field.hidden.is_none() && is_other(field.earlier) && below {
            field.hidden = Some(Suppression::Difference);
        }
    }
    let below = table.fields.iter().any(|field| field.hidden == Some(Suppression::Difference));
    if table.hidden.is_none() && is_other(table.earlier) && below {
        table.hidden = Some(Suppression::Difference);
    }
}

/// Rule 2 behind a pooled score that is shown.
fn settle_row(rules: &DisclosureRules, decimals: u32, item: &mut Item) {
    if !item.is_known() || !item.cells.iter().any(Cell::is_protected) {
        return;
    }
    let mut all_hidden = item.clone();
    for cell in &mut all_hidden.cells {
        cell.hide();
    }
    let spreads = |item: &Item| -> Vec<Spread> {
        item.cells.iter().filter(|c| c.is_protected()).map(|c| whole::spread(item, c, decimals)).collect()
    };
    let best = spreads(&all_hidden);
    if item.hidden.is_none() && best.iter().any(|best| best.smooth >= PROTECTION && best.whole <= tree::EPSILON) {
        item.hidden = Some(Suppression::NBelowK);
        return;
    }
    let enough = |has: f64, best: f64| has + tree::EPSILON >= best.min(PROTECTION);
    let safe = |item: &Item| {
        let hidden: Vec<u64> = item.cells.iter().filter(|c| c.n > 0 && !c.is_known()).map(|c| c.n).collect();
        hidden.len() > 1
            && hidden.iter().sum::<u64>() >= u64::from(rules.k)
            && spreads(item)
                .iter()
                .zip(&best)
                .all(|(has, best)| enough(has.smooth, best.smooth) && enough(has.whole, best.whole))
    };
    while !safe(item) {
        let shown = item.cells.iter_mut().rev().filter(|cell| cell.may_hide());
        // The last of equals: `min_by_key` gives the first, and the row is read backwards.
        let Some(smallest) = shown.min_by_key(|cell| cell.n) else { return };
        smallest.hide();
    }
}

/// One number that may be hidden for another's sake, by its place in the table.
#[derive(Debug, Clone, Copy)]
enum Move {
    Field(usize),
    Item(usize, usize),
    Cell(usize, usize, usize),
}

/// Rule 2 behind fields that are shown and have a hidden item.
fn settle_fields(table: &mut Table) {
    for place in 0..table.fields.len() {
        let Some(field) = table.fields.get_mut(place) else { continue };
        if !field.is_known() || !field.items.iter().any(Item::is_protected) {
            continue;
        }
        // A field of one item is that item.
        if field.answered().nth(1).is_none() && field.hidden.is_none() {
            field.hidden = Some(Suppression::NBelowK);
        } else {
            let moves = moves_within(place, field);
            settle(table, &moves, |at, _| at == place);
        }
    }
}

/// Rule 2 behind a total that is shown over a hidden field.
fn settle_total(table: &mut Table) {
    if !table.is_known() || !table.fields.iter().any(Field::is_protected) {
        return;
    }
    if table.fields.iter().filter(|field| field.answered().next().is_some()).nth(1).is_none() && table.hidden.is_none()
    {
        table.hidden = Some(Suppression::NBelowK);
        return;
    }
    let mut order: Vec<(bool, u64, usize)> = Vec::new();
    for (place, field) in table.fields.iter().enumerate() {
        let small = field.items.iter().flat_map(|item| &item.cells).any(Cell::is_protected);
        order.push((!small, field.items.iter().map(Item::n).sum(), place));
    }
    order.sort_unstable();
    let mut moves = Vec::new();
    for (_, _, place) in order {
        moves.push(Move::Field(place));
        moves.extend(table.fields.get(place).into_iter().flat_map(|field| moves_within(place, field)));
    }
    settle(table, &moves, |_, field| field.is_protected());
}

/// Items of a field with their cells, those first that cost least: where something is hidden already, then by answers.
fn moves_within(place: usize, field: &Field) -> Vec<Move> {
    let mut order: Vec<(bool, u64, usize)> = Vec::new();
    for (at, item) in field.items.iter().enumerate() {
        let open = item.cells.iter().any(|cell| cell.n > 0 && !cell.is_known());
        order.push((!open, item.n(), at));
    }
    order.sort_unstable();
    let mut moves = Vec::new();
    for (_, _, at) in order {
        moves.push(Move::Item(place, at));
        let cells = field.items.get(at).into_iter().flat_map(|item| item.cells.iter().enumerate());
        let mut cells: Vec<(u64, usize)> = cells.map(|(c, cell)| (cell.n, c)).collect();
        cells.sort_unstable();
        moves.extend(cells.into_iter().map(|(_, c)| Move::Cell(place, at, c)));
    }
    moves
}

/// Makes one move after the other until every protected item of the fields in question is as safe as all moves
/// together would make it, up to [`PROTECTION`].
fn settle(table: &mut Table, moves: &[Move], concerns: impl Fn(usize, &Field) -> bool) {
    let mut all_made = table.clone();
    moves.iter().for_each(|made| all_made.make(*made));
    let concerned: Vec<usize> =
        table.fields.iter().enumerate().filter(|(at, field)| concerns(*at, field)).map(|(at, _)| at).collect();
    let widths = |table: &Table| -> Vec<f64> { concerned.iter().flat_map(|at| table.item_widths(*at)).collect() };
    let needed: Vec<f64> = widths(&all_made).into_iter().map(|best| best.min(PROTECTION)).collect();
    let safe =
        |table: &Table| widths(table).iter().zip(&needed).all(|(width, needed)| width + tree::EPSILON >= *needed);
    for made in moves {
        if safe(table) {
            return;
        }
        table.make(*made);
    }
}

impl Table {
    fn make(&mut self, made: Move) {
        match made {
            Move::Field(f) => {
                if let Some(field) = self.fields.get_mut(f) {
                    field.hide();
                }
            }
            Move::Item(f, i) => {
                if let Some(item) = self.fields.get_mut(f).and_then(|field| field.items.get_mut(i)) {
                    item.hide();
                }
            }
            Move::Cell(f, i, c) => {
                let item = self.fields.get_mut(f).and_then(|field| field.items.get_mut(i));
                if let Some(cell) = item.and_then(|item| item.cells.get_mut(c)) {
                    cell.hide();
                }
            }
        }
    }
}
