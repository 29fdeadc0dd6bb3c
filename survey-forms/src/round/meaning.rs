//! What the files mean together: references, routing, totals.

use std::collections::{BTreeMap, BTreeSet};

use super::check::Places;
use super::files::ROUND;
use super::{Round, Sources, keys, questionnaire_file, quotas};
use crate::fault::Faults;

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
    for (code, line) in codes.zip(lines) {
        if code.is_empty() {
            continue;
        }
        if let Some(first) = seen.get(&code.to_lowercase()) {
            let message = format!("The code already stands on line {first}: give this row another.");
            faults.error(file, format!("line {line}, {column}"), "code_double", message);
        } else {
            seen.insert(code.to_lowercase(), *line);
        }
    }
}

fn targets(round: &Round, places: &Places, faults: &mut Faults) {
    let file = keys::TARGETS.file;
    let codes = round.targets.iter().map(|target| &target.code);
    doubles(file, "target_code", codes, &places.targets, faults);
    let mut names = BTreeSet::new();
    for (target, line) in round.targets.iter().zip(&places.targets) {
        if !round.target_kinds.iter().any(|kind| kind.code == target.kind) {
            let message = "Name a kind of [[target_kinds]] in round.toml, or add this one there.";
            faults.error(file, format!("line {line}, target_kind"), "kind_unknown", message);
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
    let file = keys::UNITS.file;
    let codes = round.units.iter().map(|unit| &unit.code);
    doubles(file, "unit_code", codes, &places.units, faults);
    let targets: BTreeSet<&str> = round.targets.iter().map(|t| t.code.as_str()).collect();
    let divisions: BTreeSet<&str> = round.mappings.iter().map(|m| m.division.as_str()).collect();
    let parents: BTreeMap<&str, Option<&str>> =
        round.units.iter().map(|unit| (unit.code.as_str(), unit.parent.as_deref())).collect();
    let (opens, closes) = (round.dates.opens.date_naive(), round.dates.closes.date_naive());
    for (unit, line) in round.units.iter().zip(&places.units) {
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
        if unit.valid_from.is_some_and(|from| from > opens) || unit.valid_to.is_some_and(|to| to <= closes) {
            let message = "The unit does not exist during the whole fieldwork: check the round's dates.";
            faults.warn(file, format!("line {line}"), "unit_not_in_force", message);
        }
    }
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
    let file = keys::MAPPING.file;
    let targets: BTreeSet<&str> = round.targets.iter().map(|t| t.code.as_str()).collect();
    let used: BTreeSet<&str> = round.units.iter().filter_map(|u| u.division.as_deref()).collect();
    let mut seen = BTreeSet::new();
    for (row, line) in round.mappings.iter().zip(&places.mappings) {
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
    let file = keys::SCALES.file;
    let items = || round.questionnaires.iter().flat_map(|form| form.items());
    let used: BTreeSet<&str> = items().map(|item| item.scale.as_str()).collect();
    for (scale, line) in round.scales.iter().zip(&places.scales) {
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
        if scale.options.len() > 9 {
            let message = "Keep a scale to nine options: paper is keyed by one digit.";
            faults.error(file, place.clone(), "scale_long", message);
        }
        if places.all_questionnaires && !used.contains(scale.code.as_str()) {
            faults.warn(file, place, "scale_unused", "No item uses the scale: remove it.");
        }
    }
    let file = keys::CRITERIA.file;
    let codes = round.criteria.iter().map(|criterion| &criterion.item_code);
    doubles(file, "item_code", codes, &places.criteria, faults);
    let asked: BTreeSet<&str> = items().map(|item| item.code.as_str()).collect();
    for (criterion, line) in round.criteria.iter().zip(&places.criteria) {
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

fn questionnaires(round: &Round, places: &Places, faults: &mut Faults) {
    for (form, file) in round.questionnaires.iter().zip(&places.questionnaires) {
        questionnaire_file::check_items(file, form, &round.scales, &round.criteria, faults);
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
