//! Reading the questionnaires, one TOML file a group.

use std::collections::BTreeMap;

use super::toml_reader::{self, Reader};
use super::words::{NAME_MAX, TEXT_MAX};
use super::{RoundFiles, files, keys};
use crate::fault::Faults;
use crate::questionnaire::{Criterion, Item, Questionnaire, Scale, Section};

/// Most items of a questionnaire: a ballot of many targets has that many for each.
const ITEMS_MAX: u32 = 300;

/// Questionnaires with the files they stand in, and whether every file could be read.
pub(super) struct Found {
    pub(super) forms: Vec<(String, Questionnaire)>,
    pub(super) complete: bool,
}

pub(super) fn read(files: &RoundFiles, criteria: &[Criterion], faults: &mut Faults) -> Found {
    let fields: BTreeMap<&str, &str> = criteria.iter().map(|c| (c.item_code.as_str(), c.field.as_str())).collect();
    let mut found = Found { forms: Vec::new(), complete: true };
    for file in files::questionnaires(files) {
        let text = files::text(files, file, faults);
        let Some(table) = text.and_then(|text| toml_reader::parse(file, &text, faults)) else {
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
        let mut items: Vec<Item> = Vec::new();
        for row in table.tables("items", keys::ITEM, faults) {
            let code = row.code("code", faults);
            let before = sections.iter().flat_map(|section| &section.items).chain(&items);
            if before.into_iter().any(|item| item.code == code) {
                row.wrong("code", "code_double", "Ask each item once.", faults);
            }
            number += 1;
            if number > ITEMS_MAX {
                let message = format!("Keep a questionnaire to {ITEMS_MAX} items.");
                row.wrong("code", "too_many_entries", &message, faults);
                break;
            }
            items.push(Item {
                field: fields.get(code.as_str()).copied().unwrap_or_default().to_owned(),
                code,
                number,
                question: row.text("question", TEXT_MAX, faults),
                scale: row.code("scale", faults),
            });
        }
        sections.push(Section { code, title: table.text("title", NAME_MAX, faults), items });
    }
    Questionnaire {
        respondent_code: root.code("respondent_code", faults),
        title: root.text("title", NAME_MAX, faults),
        intro: root.text("intro", TEXT_MAX, faults),
        sections,
        hash: String::new(),
    }
}

/// Items whose scale or criterion the round does not have.
pub(super) fn check_items(
    file: &str,
    form: &Questionnaire,
    scales: &[Scale],
    criteria: &[Criterion],
    faults: &mut Faults,
) {
    for (s, section) in form.sections.iter().enumerate() {
        for (i, item) in section.items.iter().enumerate() {
            let place = |key: &str| format!("sections[{}].items[{}].{key}", s + 1, i + 1);
            if !scales.iter().any(|scale| scale.code == item.scale) {
                let message = "Name a scale of scales.tsv, or add this one there.";
                faults.error(file, place("scale"), "scale_unknown", message);
            }
            if !criteria.iter().any(|criterion| criterion.item_code == item.code) {
                let message = "Add a row for this item to criteria.tsv, or mend its code.";
                faults.error(file, place("code"), "criterion_unknown", message);
            }
        }
    }
}
