//! Somebody who has the published document and the round's rules, and nothing else: solves them for every hidden cell.

use std::collections::BTreeMap;

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};

use crate::round::Round;
use crate::scoring::{DocumentItem, DocumentTarget};

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn weight(round: &Round, group: &str) -> f64 {
    number(&crate::ratio::to_exact(&round.group(group).unwrap().weight))
}

/// The lowest and highest value that a group's cell, or the pooled score, of an item can have.
pub(super) fn interval(round: &Round, target: &DocumentTarget, item: &str, group: Option<&str>) -> (f64, f64) {
    let asked = target.items.iter().find(|found| found.item_code == item).unwrap();
    let solve = |direction| solve(round, target, asked, group, direction);
    (solve(OptimizationDirection::Minimize), solve(OptimizationDirection::Maximize))
}

/// The least or greatest value of a cell, or of an item's pooled score, over everything that fits what is published.
fn solve(
    round: &Round,
    target: &DocumentTarget,
    asked: &DocumentItem,
    group: Option<&str>,
    direction: OptimizationDirection,
) -> f64 {
    let mut problem = Problem::new(direction);
    let half = 0.5 * 0.1_f64.powi(i32::try_from(round.scoring.decimals).unwrap()) + 1e-9;
    let mut scores: BTreeMap<&str, (Variable, f64)> = BTreeMap::new();
    for item in target.items.iter().filter(|item| item.n > 0) {
        let is_asked = std::ptr::eq(item, asked);
        // Rounding is a bound of the variable: a published number is known to half its last digit.
        let bounds = |shown: Option<&str>| match shown {
            Some(text) => ((number(text) - half).max(0.0), (number(text) + half).min(100.0)),
            None => (0.0, 100.0),
        };
        let wish = if is_asked && group.is_none() { 1.0 } else { 0.0 };
        let pooled = problem.add_var(wish, bounds(item.percent.as_deref()));
        let mut row = LinearExpr::empty();
        let mut weights = 0.0;
        for cell in item.groups.iter().filter(|cell| cell.n > 0) {
            let wish = if is_asked && group == Some(&cell.respondent_code) { 1.0 } else { 0.0 };
            let mean = problem.add_var(wish, bounds(cell.mean.as_deref()));
            row.add(mean, weight(round, &cell.respondent_code));
            weights += weight(round, &cell.respondent_code);
        }
        row.add(pooled, -weights);
        problem.add_constraint(row, ComparisonOp::Eq, 0.0);
        let points = number(&item.max_points);
        if let Some(text) = &item.points {
            within(&mut problem, &[(pooled, points / 100.0)], number(text), half);
        }
        scores.insert(&item.item_code, (pooled, points));
    }
    let mut sums: Vec<(Vec<&DocumentItem>, Option<&String>, Option<&String>)> = Vec::new();
    for field in &target.fields {
        let own = target.items.iter().filter(|item| item.n > 0 && item.field == field.field).collect();
        sums.push((own, field.points.as_ref(), field.percent.as_ref()));
    }
    let all = target.items.iter().filter(|item| item.n > 0).collect();
    sums.push((all, target.survey_points.as_ref(), target.percent.as_ref()));
    for (items, points, percent) in sums {
        let most: f64 = items.iter().map(|item| number(&item.max_points)).sum();
        for (shown, whole) in [(points, 100.0), (percent, most)] {
            if let Some(text) = shown {
                let terms: Vec<(Variable, f64)> = items
                    .iter()
                    .map(|item| scores[item.item_code.as_str()])
                    .map(|(pooled, points)| (pooled, points / whole))
                    .collect();
                within(&mut problem, &terms, number(text), half);
            }
        }
    }
    problem.solve().unwrap().into_solution().unwrap().objective()
}

fn within(problem: &mut Problem, terms: &[(Variable, f64)], value: f64, half: f64) {
    problem.add_constraint(terms, ComparisonOp::Ge, value - half);
    problem.add_constraint(terms, ComparisonOp::Le, value + half);
}

/// The values that a hidden cell can have, when answers are whole numbers of people and the item's row is all there is:
/// every way to fill the hidden cells is tried. For small groups.
pub(super) fn possible(round: &Round, item: &DocumentItem, group: &str) -> Vec<f64> {
    let half = 0.5 * 0.1_f64.powi(i32::try_from(round.scoring.decimals).unwrap()) + 1e-9;
    let answered: Vec<_> = item.groups.iter().filter(|cell| cell.n > 0).collect();
    let weights: f64 = answered.iter().map(|cell| weight(round, &cell.respondent_code)).sum();
    let means = |code: &str, n: u64| -> Vec<f64> {
        let form = round.questionnaire(code).unwrap();
        let scale = round.scale(form.item(&item.item_code).unwrap().scale().unwrap()).unwrap();
        let worth: Vec<f64> = scale
            .options
            .iter()
            .filter_map(|option| option.percent.as_ref())
            .map(|percent| number(&crate::ratio::to_exact(percent)))
            .collect();
        let mut sums: Vec<f64> = vec![0.0];
        for _ in 0..n {
            sums = sums.iter().flat_map(|sum| worth.iter().map(move |more| sum + more)).collect();
            sums.sort_by(f64::total_cmp);
            sums.dedup();
        }
        sums.iter().map(|sum| sum / f64::from(u32::try_from(n).unwrap())).collect()
    };
    let options: Vec<(f64, Vec<f64>)> = answered
        .iter()
        .filter(|cell| cell.respondent_code != group)
        .map(|cell| {
            let values = match &cell.mean {
                // To its last digit: of the possible means the one that rounds so.
                Some(shown) => means(&cell.respondent_code, cell.n)
                    .into_iter()
                    .filter(|mean| (mean - number(shown)).abs() <= half)
                    .collect(),
                None => means(&cell.respondent_code, cell.n),
            };
            (weight(round, &cell.respondent_code), values)
        })
        .collect();
    let pooled = number(item.percent.as_deref().unwrap());
    let own = answered.iter().find(|cell| cell.respondent_code == group).unwrap();
    let mine = weight(round, group);
    means(group, own.n)
        .into_iter()
        .filter(|mean| fits(pooled * weights - mine * mean, &options, half * weights))
        .collect()
}

fn fits(left: f64, options: &[(f64, Vec<f64>)], slack: f64) -> bool {
    match options {
        [] => left.abs() <= slack,
        [(weight, values)] => {
            let wanted = left / weight;
            let at = values.partition_point(|value| *value < wanted - slack / weight);
            values.get(at).is_some_and(|value| *value <= wanted + slack / weight)
        }
        [(weight, values), rest @ ..] => values.iter().any(|value| fits(left - weight * value, rest, slack)),
    }
}
