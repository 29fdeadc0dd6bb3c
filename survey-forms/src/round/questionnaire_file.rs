//! Reading the questionnaires, one file a group, TOML or JSON.

use std::collections::BTreeMap;

use super::toml_reader::{self, Reader};
use super::words::{NAME_MAX, TEXT_MAX};
use super::{RoundFiles, conditions, files, keys};
use crate::fault::Faults;
use crate::questionnaire::{Condition, Criterion, Item, ItemKind, Questionnaire, Section};

/// Most items of a questionnaire: a ballot of many targets has that many for each.
const ITEMS_MAX: u32 = 300;
/// Most characters of a free text.
const LETTERS_MAX: u32 = 5_000;
/// Most digits behind the point of a number.
const DECIMALS_MAX: u32 = 4;
/// Of a free text that sets no limit.
const LETTERS: u32 = 500;

/// Questionnaires with the files they stand in, and whether every file could be read.
pub(super) struct Found {
    pub(super) forms: Vec<(String, Questionnaire)>,
    pub(super) complete: bool,
}

pub(super) fn read(files: &RoundFiles, criteria: &[Criterion], faults: &mut Faults) -> Found {
    let fields: BTreeMap<&str, &str> = criteria.iter().map(|c| (c.item_code.as_str(), c.field.as_str())).collect();
    let mut found = Found { forms: Vec::new(), complete: true };
    for file in files::questionnaires(files) {
        let parse = if file.ends_with(".json") { toml_reader::parse_json } else { toml_reader::parse };
        let text = files::text(files, file, faults);
        let Some(table) = text.and_then(|text| parse(file, &text, faults)) else {
            found.complete = false;
            continue;
        };
        let root = Reader::open(file, String::new(), &table, keys::QUESTIONNAIRE, faults);
        let form = questionnaire(&root, &fields, faults);
        if found.forms.iter().any(|(_, other)| other.respondent_code == form.respondent_code) {
            let message = "Keep one questionnaire a group.";
            root.wrong("respondent_code", "questionnaire_double", message, faults);
        }
        found.forms.push((file.to_owned(), form));
    }
    found
}

fn questionnaire(root: &Reader, fields: &BTreeMap<&str, &str>, faults: &mut Faults) -> Questionnaire {
    let mut sections: Vec<Section> = Vec::new();
    let mut number = 0;
    for table in root.tables("sections", keys::SECTION, faults) {
        let code = table.code("code", faults);
        if sections.iter().any(|section| section.code == code) {
            table.wrong("code", "code_double", "Give each section a code of its own.", faults);
        }
        let shared = conditions::read(&table, faults);
        let mut items: Vec<Item> = Vec::new();
        for row in table.tables("items", &keys::item_keys(), faults) {
            number += 1;
            if number > ITEMS_MAX {
                let message = format!("Keep a questionnaire to {ITEMS_MAX} items.");
                row.wrong("code", "too_many_entries", &message, faults);
                break;
            }
            let item = item(&row, number, &shared, fields, faults);
            let before = sections.iter().flat_map(|section| &section.items).chain(&items);
            if before.into_iter().any(|other| other.code == item.code) {
                row.wrong("code", "code_double", "Ask each item once.", faults);
            }
            items.push(item);
        }
        let title = table.text("title", NAME_MAX, faults);
        sections.push(Section { code, title, intro: table.optional_text("intro", TEXT_MAX, faults), items });
    }
    Questionnaire {
        respondent_code: root.code("respondent_code", faults),
        title: root.text("title", NAME_MAX, faults),
        intro: root.text("intro", TEXT_MAX, faults),
        closing: root.optional_text("closing", TEXT_MAX, faults),
        sections,
        hash: String::new(),
    }
}

fn item(row: &Reader, number: u32, shared: &[Condition], fields: &BTreeMap<&str, &str>, faults: &mut Faults) -> Item {
    let code = row.code("code", faults);
    let kind = kind(row, faults);
    let field = match kind {
        ItemKind::Scale { .. } => fields.get(code.as_str()).map(|field| (*field).to_owned()),
        _ => None,
    };
    let mut only_if = shared.to_vec();
    only_if.extend(conditions::read(row, faults));
    Item {
        code,
        number,
        question: row.text("question", TEXT_MAX, faults),
        lead: row.optional_text("lead", TEXT_MAX, faults),
        help: row.optional_text("help", TEXT_MAX, faults),
        kind,
        required: row.has("required") && row.truth("required", faults),
        only_if,
        field,
    }
}

fn kind(row: &Reader, faults: &mut Faults) -> ItemKind {
    let word = if row.has("kind") { row.word("kind", faults) } else { "scale".to_owned() };
    let own: &[&str] = keys::ITEM_KINDS.iter().find(|(kind, _)| *kind == word).map(|(_, own)| *own).unwrap_or_default();
    let why = format!("Take the key out: an item of kind \"{word}\" has no use for it.");
    let count = |key: &str, low: u32, high: u32, faults: &mut Faults| {
        if row.has(key) { row.count(key, low, high, faults) } else { None }
    };
    let kind = match word.as_str() {
        "scale" => ItemKind::Scale { scale: row.code("scale", faults) },
        "single" => ItemKind::Single { choices: row.code("choices", faults) },
        "multiple" => {
            let choices = row.code("choices", faults);
            ItemKind::Multiple { choices, at_most: count("at_most", 1, 1_000, faults) }
        }
        "number" => {
            let (min, max) = (row.optional_ratio("min", faults), row.optional_ratio("max", faults));
            if min.as_ref().zip(max.as_ref()).is_some_and(|(min, max)| min > max) {
                row.wrong("max", "number_range", "Let the greatest number not be below the least.", faults);
            }
            ItemKind::Number { min, max, decimals: count("decimals", 0, DECIMALS_MAX, faults).unwrap_or(0) }
        }
        "text" => ItemKind::Text { letters: count("letters", 1, LETTERS_MAX, faults).unwrap_or(LETTERS) },
        _ => {
            let known: Vec<String> = keys::ITEM_KINDS.iter().map(|(kind, _)| format!("\"{kind}\"")).collect();
            row.wrong("kind", "word_unknown", &format!("Write one of {}.", known.join(", ")), faults);
            return ItemKind::Text { letters: LETTERS };
        }
    };
    row.only(own, &keys::item_kind_keys(), &why, faults);
    kind
}
