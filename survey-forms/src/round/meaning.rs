//! What the files mean together: references, routing, totals.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::check::Places;
use super::files::ROUND;
use super::{Channel, Round, Sources, conditions, quotas};
use crate::fault::Faults;
use crate::questionnaire::{ItemKind, Questionnaire};

pub(super) fn check(round: &Round, places: &Places, faults: &mut Faults) {
    targets(round, places, faults);
    units(round, places, faults);
    mappings(round, places, faults);
    scales_and_criteria(round, places, faults);
    questionnaires(round, places, faults);
    quotas::check(round, places, faults);
}

/// Codes that stand twice, upper and lower case being the same.
pub(super) fn doubles<'a>(
    file: &str,
    column: &str,
    codes: impl Iterator<Item = &'a String>,
    lines: &[usize],
    faults: &mut Faults,
) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (code, line) in codes.zip(lines.iter().copied()) {
        if code.is_empty() {
            continue;
        }
        if let Some(first) = seen.get(&code.to_lowercase()) {
            let message = format!("The code already stands on line {first}: give this row another.");
            faults.error(file, format!("line {line}, {column}"), "code_double", message);
        } else {
            seen.insert(code.to_lowercase(), line);
        }
    }
}

fn targets(round: &Round, places: &Places, faults: &mut Faults) {
    let file = &places.targets.file;
    let codes = round.targets.iter().map(|target| &target.code);
    doubles(file, "target_code", codes, &places.targets.lines, faults);
    let mut names = BTreeSet::new();
    for (target, line) in places.targets.each(&round.targets) {
        if !round.target_kinds.iter().any(|kind| kind.code == target.kind) {
            let message = "Name a kind of [[target_kinds]] in round.toml, or add this one there.";
            faults.error(file, format!("line {line}, target_kind"), "kind_unknown", message);
        }
        if let (Some(from), Some(to)) = (target.valid_from, target.valid_to)
            && to <= from
        {
            faults.error(file, format!("line {line}, valid_to"), "dates_order", "Let the target end after it begins.");
        }
        if changes(target.valid_from, target.valid_to, round.first_day(), round.dates.closes.date_naive()) {
            let message = "The target begins or ends during the fieldwork: it is rated if it exists on the first day.";
            faults.warn(file, format!("line {line}"), "target_not_in_force", message);
        }
        if !names.insert(&target.name) {
            let message = "Another target has this name: people cannot tell them apart.";
            faults.warn(file, format!("line {line}, name"), "name_double", message);
        }
    }
    for (index, kind) in round.target_kinds.iter().enumerate() {
        if !round.targets.iter().any(|target| target.kind == kind.code) {
            let place = format!("target_kinds[{}]", index + 1);
            faults.warn(ROUND, place, "kind_unused", "No target has this kind: remove it.");
        }
    }
}

fn units(round: &Round, places: &Places, faults: &mut Faults) {
    let file = &places.units.file;
    let codes = round.units.iter().map(|unit| &unit.code);
    doubles(file, "unit_code", codes, &places.units.lines, faults);
    let targets: BTreeSet<&str> = round.targets.iter().map(|t| t.code.as_str()).collect();
    let divisions: BTreeSet<&str> = round.mappings.iter().map(|m| m.division.as_str()).collect();
    let parents: BTreeMap<&str, Option<&str>> =
        round.units.iter().map(|unit| (unit.code.as_str(), unit.parent.as_deref())).collect();
    let (opens, closes) = (round.dates.opens.date_naive(), round.dates.closes.date_naive());
    for (unit, line) in places.units.each(&round.units) {
        let place = |column: &str| format!("line {line}, {column}");
        if !round.unit_kinds.iter().any(|kind| kind.code == unit.kind) {
            let message = "Name a kind of [[unit_kinds]] in round.toml, or add this one there.";
            faults.error(file, place("unit_kind"), "kind_unknown", message);
        }
        if let Some(parent) = &unit.parent {
            if !parents.contains_key(parent.as_str()) {
                let message = "Name a unit of this table, or leave the cell empty.";
                faults.error(file, place("parent_code"), "unit_unknown", message);
            } else if is_circle(&unit.code, &parents) {
                let message = "The unit stands above itself: mend the chain of parents.";
                faults.error(file, place("parent_code"), "parent_circle", message);
            }
        }
        if unit.target.as_ref().is_some_and(|target| !targets.contains(target.as_str())) {
            let message = "Name a target of targets.tsv, or leave the cell empty.";
            faults.error(file, place("target_code"), "target_unknown", message);
        }
        if unit.division.as_ref().is_some_and(|key| !divisions.contains(key.as_str())) {
            let message = "Add a row for this division to mapping.tsv, or mend it.";
            faults.error(file, place("division"), "division_unknown", message);
        }
        if let (Some(from), Some(to)) = (unit.valid_from, unit.valid_to)
            && to <= from
        {
            let message = "Let the unit end after it begins.";
            faults.error(file, place("valid_to"), "dates_order", message);
        }
        if changes(unit.valid_from, unit.valid_to, opens, closes) {
            let message = "The unit begins or ends during the fieldwork: it takes part if it exists on the first day.";
            faults.warn(file, format!("line {line}"), "unit_not_in_force", message);
        }
    }
}

/// Whether something begins or ends between the opening and the close.
fn changes(from: Option<NaiveDate>, to: Option<NaiveDate>, opens: NaiveDate, closes: NaiveDate) -> bool {
    from.is_some_and(|from| opens < from && from <= closes) || to.is_some_and(|to| opens < to && to <= closes)
}

fn is_circle(code: &str, parents: &BTreeMap<&str, Option<&str>>) -> bool {
    let mut at = parents.get(code).copied().flatten();
    for _ in 0..64 {
        match at {
            None => return false,
            Some(parent) if parent == code => return true,
            Some(parent) => at = parents.get(parent).copied().flatten(),
        }
    }
    true
}

fn mappings(round: &Round, places: &Places, faults: &mut Faults) {
    let file = &places.mappings.file;
    let targets: BTreeSet<&str> = round.targets.iter().map(|t| t.code.as_str()).collect();
    let used: BTreeSet<&str> = round.units.iter().filter_map(|u| u.division.as_deref()).collect();
    let mut seen = BTreeSet::new();
    for (row, line) in places.mappings.each(&round.mappings) {
        if !targets.contains(row.target.as_str()) {
            let message = "Name a target of targets.tsv.";
            faults.error(file, format!("line {line}, target_code"), "target_unknown", message);
        }
        if !used.contains(row.division.as_str()) {
            let message = "No unit has this division: remove the row or mend it.";
            faults.warn(file, format!("line {line}, division"), "division_unused", message);
        }
        if !seen.insert((&row.division, &row.target)) {
            let message = "Remove the row: it stands here twice.";
            faults.error(file, format!("line {line}"), "row_double", message);
        }
    }
}

fn scales_and_criteria(round: &Round, places: &Places, faults: &mut Faults) {
    let file = &places.scales.file;
    let items = || round.questionnaires.iter().flat_map(|form| form.items());
    let used: BTreeSet<&str> = items().filter_map(|item| item.list()).collect();
    for (scale, line) in places.scales.each(&round.scales) {
        let place = format!("line {line}, scale");
        let excluded = scale.options.iter().filter(|option| option.percent.is_none()).count();
        if scale.options.len() - excluded < 2 {
            let message = "Give the scale at least two options with a percent.";
            faults.error(file, place.clone(), "scale_short", message);
        }
        if excluded == 0 {
            let message = "People without information must guess: add an option with an empty percent.";
            faults.warn(file, place.clone(), "scale_without_excluded", message);
        }
        if round.choices.iter().any(|list| list.code == scale.code) {
            let message = "A list of choices has this code too: give one of them another.";
            faults.error(file, place.clone(), "code_double", message);
        }
        if scale.options.len() > 9 {
            let message = "Keep a scale to nine options: paper is keyed by one digit.";
            faults.error(file, place.clone(), "scale_long", message);
        }
        if places.all_questionnaires && !used.contains(scale.code.as_str()) {
            faults.warn(file, place, "scale_unused", "No item uses the scale: remove it.");
        }
    }
    let file = &places.choices.file;
    let on_paper: BTreeSet<&str> = round
        .questionnaires
        .iter()
        .filter(|form| round.group(&form.respondent_code).is_some_and(|group| group.channel == Channel::Paper))
        .flat_map(|form| form.items().filter_map(|item| item.list()))
        .collect();
    for (list, line) in places.choices.each(&round.choices) {
        let place = format!("line {line}, list");
        if list.options.len() < 2 {
            faults.error(file, place.clone(), "scale_short", "Give the list at least two choices.");
        }
        if list.options.len() > 9 && on_paper.contains(list.code.as_str()) {
            let message = "Keep a list on paper to nine choices: it is keyed by one digit.";
            faults.error(file, place.clone(), "scale_long", message);
        }
        if places.all_questionnaires && !used.contains(list.code.as_str()) {
            faults.warn(file, place, "scale_unused", "No item uses the list: remove it.");
        }
    }
    let file = &places.criteria.file;
    let codes = round.criteria.iter().map(|criterion| &criterion.item_code);
    doubles(file, "item_code", codes, &places.criteria.lines, faults);
    let asked: BTreeSet<&str> = items().filter(|item| item.scale().is_some()).map(|item| item.code.as_str()).collect();
    for (criterion, line) in places.criteria.each(&round.criteria) {
        if !round.fields.iter().any(|field| field.code == criterion.field) {
            let message = "Name a field of [[fields]] in round.toml, or add this one there.";
            faults.error(file, format!("line {line}, field"), "field_unknown", message);
        }
        if places.all_questionnaires && !asked.contains(criterion.item_code.as_str()) {
            let message =
                "No questionnaire asks this item, so its points can never be earned: remove the row or ask it.";
            faults.error(file, format!("line {line}, item_code"), "criterion_unused", message);
        }
    }
    for (index, field) in round.fields.iter().enumerate() {
        if !round.criteria.iter().any(|criterion| criterion.field == field.code) {
            let place = format!("fields[{}]", index + 1);
            faults.warn(ROUND, place, "field_unused", "No criterion has this field: remove it.");
        }
    }
}

/// Items whose options the round does not have, or that no score uses.
fn items(file: &str, form: &Questionnaire, round: &Round, faults: &mut Faults) {
    for (s, section) in form.sections.iter().enumerate() {
        for (i, item) in section.items.iter().enumerate() {
            let place = |key: &str| format!("sections[{}].items[{}].{key}", s + 1, i + 1);
            match &item.kind {
                ItemKind::Scale { scale } => {
                    if round.scale(scale).is_none() {
                        let message = "Name a scale of the table scales, or add this one there.";
                        faults.error(file, place("scale"), "scale_unknown", message);
                    }
                    if item.field.is_none() {
                        let message =
                            "No score uses this item: add a row for it to the table criteria, or mend its code.";
                        faults.warn(file, place("code"), "item_unscored", message);
                    }
                }
                ItemKind::Single { choices } | ItemKind::Multiple { choices, .. } => {
                    let Some(list) = round.choices.iter().find(|list| list.code == *choices) else {
                        let message = "Name a list of the table choices, or add this one there.";
                        faults.error(file, place("choices"), "choices_unknown", message);
                        continue;
                    };
                    if let ItemKind::Multiple { at_most: Some(most), .. } = &item.kind
                        && usize::try_from(*most).is_ok_and(|most| most > list.options.len())
                    {
                        let message = "The list has fewer choices than that: mend the number or take it out.";
                        faults.error(file, place("at_most"), "number_range", message);
                    }
                }
                ItemKind::Number { .. } | ItemKind::Text { .. } => {}
            }
        }
    }
}

fn questionnaires(round: &Round, places: &Places, faults: &mut Faults) {
    for (form, file) in round.questionnaires.iter().zip(&places.questionnaires) {
        items(file, form, round, faults);
        conditions::check(file, form, round, faults);
        if round.group(&form.respondent_code).is_none() {
            let message = "Name a group of round.toml, or remove the questionnaire.";
            faults.error(file, "respondent_code", "group_unknown", message);
        }
    }
    for (index, group) in round.groups.iter().enumerate() {
        if places.all_questionnaires && round.questionnaire(&group.code).is_none() {
            let place = format!("groups[{}].code", index + 1);
            let message = "Add a questionnaire with this respondent_code under questionnaires/.";
            faults.error(ROUND, place, "questionnaire_missing", message);
        }
        if let Sources::Kinds(kinds) = &group.sources {
            for kind in kinds {
                let place = format!("groups[{}].sources", index + 1);
                if !round.unit_kinds.iter().any(|known| known.code == *kind) {
                    let message = "Name kinds of [[unit_kinds]] only.";
                    faults.error(ROUND, place, "kind_unknown", message);
                } else if !round.units.iter().any(|unit| unit.kind == *kind) {
                    let message = "units.tsv has no unit of one of these kinds: add some or take the kind out.";
                    faults.error(ROUND, place, "kind_empty", message);
                }
            }
        }
    }
}
