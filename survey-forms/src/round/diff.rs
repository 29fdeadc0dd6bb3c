//! What differs between two rounds, in words, for those who must agree to a round before it is loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Round;

/// One difference between two rounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where, from the outside in: what it is part of, and its code where such things have one.
    pub place: Vec<Step>,
    /// What happened there.
    pub what: What,
}

/// One step on the way to a difference: `target` `SNV`, or `closes` without a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// A key of the round's files, lists in the singular: `target`, `item`, `question`.
    pub key: String,
    /// The code of the entry.
    pub code: Option<String>,
}

/// What happened at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It is new; its name, question or value, where it has one.
    Added(String),
    /// It is gone.
    Removed(String),
    /// It was the first and is now the second.
    Changed(String, String),
    /// The same entries stand in another order.
    Reordered,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self.place.iter().map(Step::to_string).collect();
        let place = steps.join(", ");
        let quoted = |text: &str| if text.is_empty() { String::new() } else { format!(" (\"{text}\")") };
        match &self.what {
            What::Added(name) => write!(f, "added: {place}{}", quoted(name)),
            What::Removed(name) => write!(f, "removed: {place}{}", quoted(name)),
            What::Changed(before, after) => write!(f, "changed: {place}: \"{before}\" is now \"{after}\""),
            What::Reordered => write!(f, "reordered: {place}"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.replace('_', " ");
        match &self.code {
            Some(code) => write!(f, "{key} {code}"),
            None => f.write_str(&key),
        }
    }
}

/// Everything that differs, in the order of the round's parts. Numbers of items follow from their order and are not
/// named.
#[must_use]
pub fn diff(before: &Round, after: &Round) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&mut Vec::new(), &parts(before), &parts(after), &mut changes);
    changes
}

/// The round as its parts, items beside their sections so that one that moved is not taken for two.
fn parts(round: &Round) -> Value {
    let mut all = serde_json::to_value(round).unwrap_or_default();
    for form in all.get_mut("questionnaires").and_then(Value::as_array_mut).into_iter().flatten() {
        let mut items = Vec::new();
        for section in form.get_mut("sections").and_then(Value::as_array_mut).into_iter().flatten() {
            let code = section.get("code").cloned().unwrap_or_default();
            let Some(section) = section.as_object_mut() else { continue };
            let Some(Value::Array(own)) = section.remove("items") else { continue };
            for mut item in own {
                if let Some(item) = item.as_object_mut() {
                    item.insert("section".to_owned(), code.clone());
                    // From the order, and from the criteria, which are compared by themselves.
                    item.remove("number");
                    item.remove("field");
                }
                items.push(item);
            }
        }
        if let Some(form) = form.as_object_mut() {
            form.insert("items".to_owned(), Value::Array(items));
        }
    }
    let figures = round.summary();
    if let Some(all) = all.as_object_mut() {
        all.insert("paper_ballots".to_owned(), Value::from(figures.paper_ballots));
    }
    all
}

/// What the entries of a list are known by.
fn code_of(entry: &Value) -> Option<String> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    if let (Some(division), Some(target)) = (text("division"), text("target"))
        && entry.as_object().is_some_and(|members| members.len() == 2)
    {
        return Some(format!("{division} → {target}"));
    }
    ["code", "item_code", "respondent_code"].iter().find_map(|key| text(key)).map(str::to_owned)
}

/// What the entries of a list are called.
fn singular(list: &str) -> &str {
    match list {
        "criteria" => "criterion",
        "choices" => "list of choices",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

/// The words by which people know an entry.
fn name_of(entry: &Value) -> String {
    let text = ["name", "title", "question", "label"].iter().find_map(|key| entry.get(*key).and_then(Value::as_str));
    text.unwrap_or_default().to_owned()
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(shown).collect::<Vec<_>>().join(", ")
        }
        Value::Object(members) if members.len() == 1 => {
            members.iter().map(|(key, value)| format!("{}: {}", key.replace('_', " "), shown(value))).collect()
        }
        other => other.to_string(),
    }
}

fn compare(place: &mut Vec<Step>, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Value::Object(old), Value::Object(new)) if !is_choice(old) && !is_choice(new) => {
            members(place, old, new, changes);
        }
        (Value::Array(old), Value::Array(new)) if old.iter().chain(new).all(|entry| code_of(entry).is_some()) => {
            entries(place, old, new, changes);
        }
        _ => changes.push(Change { place: place.clone(), what: What::Changed(shown(before), shown(after)) }),
    }
}

/// One of several shapes (`{"kinds": [..]}`): compared as a whole.
fn is_choice(members: &Map<String, Value>) -> bool {
    members.len() == 1 && !members.values().any(Value::is_object)
}

fn members(place: &mut Vec<Step>, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<Change>) {
    let known: BTreeSet<&String> = old.keys().collect();
    let keys = old.keys().chain(new.keys().filter(|key| !known.contains(key)));
    for key in keys {
        place.push(Step { key: key.clone(), code: None });
        match (old.get(key), new.get(key)) {
            (Some(before), Some(after)) => compare(place, before, after, changes),
            (None, Some(Value::Array(after))) if after.iter().all(|e| code_of(e).is_some()) => {
                entries(place, &[], after, changes);
            }
            (Some(Value::Array(before)), None) if before.iter().all(|e| code_of(e).is_some()) => {
                entries(place, before, &[], changes);
            }
            (None, Some(after)) => changes.push(Change { place: place.clone(), what: What::Added(shown(after)) }),
            (Some(before), None) => changes.push(Change { place: place.clone(), what: What::Removed(shown(before)) }),
            (None, None) => {}
        }
        place.pop();
    }
}

fn entries(place: &mut Vec<Step>, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let by_code = |list: &[Value]| -> BTreeMap<String, Value> {
        list.iter().filter_map(|entry| Some((code_of(entry)?, entry.clone()))).collect()
    };
    let (before, after) = (by_code(old), by_code(new));
    let list = place.pop();
    let key = list.as_ref().map(|step| singular(&step.key).to_owned()).unwrap_or_default();
    let at = |place: &[Step], code: &str| {
        let mut place = place.to_vec();
        place.push(Step { key: key.clone(), code: Some(code.to_owned()) });
        place
    };
    for entry in old {
        let Some(code) = code_of(entry) else { continue };
        match after.get(&code) {
            None => changes.push(Change { place: at(place, &code), what: What::Removed(name_of(entry)) }),
            Some(now) => compare(&mut at(place, &code), entry, now, changes),
        }
    }
    for entry in new {
        if let Some(code) = code_of(entry).filter(|code| !before.contains_key(code)) {
            changes.push(Change { place: at(place, &code), what: What::Added(name_of(entry)) });
        }
    }
    let common = |list: &[Value], other: &BTreeMap<String, Value>| -> Vec<String> {
        list.iter().filter_map(code_of).filter(|code| other.contains_key(code)).collect()
    };
    place.extend(list);
    if common(old, &after) != common(new, &before) {
        changes.push(Change { place: place.clone(), what: What::Reordered });
    }
}
