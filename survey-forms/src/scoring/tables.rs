//! A target's scores as the table that disclosure control judges, with what earlier releases told.

use std::collections::BTreeMap;

use num_integer::Integer;
use num_traits::{ToPrimitive, Zero};

use super::document::{DocumentTarget, ScoreDocument};
use super::sheet::{CellScore, ItemScore, TargetScore};
use crate::disclosure::{Cell, Earlier, Field, Item, Table};
use crate::ratio::{self, Ratio};
use crate::round::Round;

/// What all targets of a round share.
pub(super) struct Tables<'r> {
    round: &'r Round,
    /// By group: its place, and its weight.
    groups: BTreeMap<&'r str, (usize, f64)>,
    /// By group and item: what all percents of the item's scale are multiples of.
    steps: BTreeMap<(&'r str, &'r str), f64>,
    /// By target, the oldest release first.
    earlier: BTreeMap<&'r str, Vec<&'r DocumentTarget>>,
}

impl<'r> Tables<'r> {
    pub(super) fn new(round: &'r Round, releases: &'r [ScoreDocument]) -> Self {
        let groups = round.groups.iter().enumerate();
        let groups = groups.map(|(place, group)| (group.code.as_str(), (place, real(&group.weight)))).collect();
        let mut steps = BTreeMap::new();
        for form in &round.questionnaires {
            for item in form.items() {
                let scale = item.scale().and_then(|scale| round.scale(scale));
                let options = scale.map(|scale| scale.options.as_slice()).unwrap_or_default();
                let percents = options.iter().filter_map(|option| option.percent.as_ref());
                let step = percents.fold(Ratio::zero(), |step, percent| common_step(&step, percent));
                steps.insert((form.respondent_code.as_str(), item.code.as_str()), real(&step));
            }
        }
        let mut earlier: BTreeMap<&str, Vec<&DocumentTarget>> = BTreeMap::new();
        for target in releases.iter().flat_map(|release| &release.targets) {
            earlier.entry(&target.target).or_default().push(target);
        }
        Self { round, groups, steps, earlier }
    }

    /// The target's table; its fields and their items stand as in [`items_by_field`].
    pub(super) fn of(&self, target: &TargetScore) -> Table {
        let releases = self.earlier.get(target.target.as_str()).map(Vec::as_slice).unwrap_or_default();
        let told = |value: &Option<Ratio>, then: &dyn Fn(&DocumentTarget) -> Option<String>| {
            told(releases.iter().filter_map(|release| then(release)).map(|text| (text, 0)), self.text(value), 0)
        };
        let fields = target.fields.iter().zip(items_by_field(target)).map(|(field, items)| Field {
            items: items.into_iter().map(|item| self.item(item, releases)).collect(),
            earlier: told(&field.percent, &|release| {
                release.fields.iter().find(|then| then.field == field.field)?.percent.clone()
            }),
            hidden: None,
        });
        Table {
            fields: fields.collect(),
            earlier: told(&target.percent, &|release| release.percent.clone()),
            hidden: None,
        }
    }

    fn item(&self, item: &ItemScore, releases: &[&'r DocumentTarget]) -> Item {
        let then = |release: &&'r DocumentTarget| release.items.iter().find(|then| then.item_code == item.item_code);
        let releases: Vec<_> = releases.iter().filter_map(then).collect();
        let pooled = releases.iter().filter_map(|then| Some((then.percent.clone()?, 0)));
        let cell = |cell: &CellScore| {
            let of_group = || {
                let cells = releases.iter().flat_map(|then| &then.groups);
                cells.filter(|then| then.respondent_code == cell.respondent_code)
            };
            let shown = of_group().filter_map(|then| Some((then.mean.clone()?, then.n)));
            let (group, weight) = self.groups.get(cell.respondent_code.as_str()).copied().unwrap_or_default();
            let place = (cell.respondent_code.as_str(), item.item_code.as_str());
            Cell {
                group,
                // Under weights by response a cell is worth fewer answers, and its means are dense: no lattice.
                n: cell.effective_n,
                weight,
                mean: cell.mean.as_ref().map(real).unwrap_or_default(),
                step: self.steps.get(&place).copied().filter(|_| !cell.is_weighted).unwrap_or_default(),
                earlier: told(shown, self.text(&cell.mean), cell.n),
                earlier_n: of_group().next_back().map(|then| then.n),
                hidden: None,
            }
        };
        Item {
            max_points: real(&item.max_points),
            cells: item.groups.iter().map(cell).collect(),
            earlier: told(pooled, self.text(&item.score), 0),
            hidden: None,
        }
    }

    fn text(&self, value: &Option<Ratio>) -> Option<String> {
        value.as_ref().map(|value| ratio::to_fixed(value, self.round.scoring.decimals))
    }
}

/// A target's items under each of its fields, in the order of both.
pub(super) fn items_by_field(target: &TargetScore) -> Vec<Vec<&ItemScore>> {
    let own = |field: &str| target.items.iter().filter(|item| item.field == field).collect();
    target.fields.iter().map(|field| own(&field.field)).collect()
}

/// What was shown before, the oldest first, against what there is now.
fn told(before: impl Iterator<Item = (String, u64)>, now: Option<String>, n: u64) -> Earlier {
    let mut latest = Earlier::Nothing;
    for (text, then) in before {
        if then == n && now.as_ref() == Some(&text) {
            return Earlier::Same;
        }
        latest = Earlier::Other(then);
    }
    latest
}

/// The greatest number of which both are multiples.
fn common_step(one: &Ratio, other: &Ratio) -> Ratio {
    let (a, b) = (one.numer() * other.denom(), other.numer() * one.denom());
    Ratio::new(a.gcd(&b), one.denom() * other.denom())
}

fn real(value: &Ratio) -> f64 {
    value.to_f64().unwrap_or_default()
}
