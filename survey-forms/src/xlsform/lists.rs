//! The sheet `choices`: lists of options, and which of them are scales.

use std::collections::BTreeMap;

use super::codes::Codes;
use super::languages::{Tongues, Words};
use super::table::{Row, Table};
use super::workbook::short;
use crate::fault::Faults;
use crate::ratio::{self, Ratio};
use crate::round::words;

/// One option as read.
#[derive(Debug)]
pub(super) struct Offer {
    /// Its name there.
    pub(super) name: String,
    /// Its code here.
    pub(super) code: String,
    pub(super) label: Words,
    pub(super) percent: Option<Ratio>,
}

/// One list as read.
#[derive(Debug)]
pub(super) struct List {
    pub(super) code: String,
    /// Its code as a list of choices that are not scored; another one if it is a scale.
    pub(super) choices: String,
    pub(super) offers: Vec<Offer>,
    /// Whether any option says what it is worth: then people's answers are scored.
    pub(super) scale: bool,
}

/// Columns that are read, or that say nothing.
const READ: &[&str] = &["list_name", "name", "label", "percent", "phieu_code", "phieu_list", "order", "sortby"];

/// Lists by their name there.
pub(super) fn read(table: &Table, tongues: &Tongues, faults: &mut Faults) -> BTreeMap<String, List> {
    let mut lists: BTreeMap<String, List> = BTreeMap::new();
    let mut codes = Codes::default();
    let mut own: BTreeMap<String, Codes> = BTreeMap::new();
    for row in &table.rows {
        let (list, name) = (table.cell(row, "list_name"), table.cell(row, "name"));
        if list.is_empty() {
            if !name.is_empty() {
                faults.error(
                    table.sheet,
                    table.place(row, "list_name"),
                    "list_missing",
                    "Name the list of this choice.",
                );
            }
            continue;
        }
        let found = lists.entry(list.to_owned()).or_insert_with(|| {
            let given = table.cell(row, "phieu_list");
            let code = codes.give(list, given, table, row, "list_name", faults);
            List { choices: code.clone(), code, offers: Vec::new(), scale: false }
        });
        let own = own.entry(list.to_owned()).or_default();
        if let Some(offer) = offer(table, row, (list, name), found, own, tongues, faults) {
            found.offers.push(offer);
        }
    }
    // A scale and a list of choices never have one code.
    for list in lists.values_mut().filter(|list| list.scale) {
        list.choices = codes.unique(&list.code);
    }
    for heading in &table.headings {
        let filled = table.rows.iter().filter(|row| table.texts(row, &heading.key).next().is_some()).count();
        if READ.contains(&heading.key.as_str()) || filled == 0 {
            continue;
        }
        let pictures = ["image", "audio", "video", "big-image"].contains(&heading.key.as_str());
        let message = "The column is not read; what it says is not taken.";
        if pictures {
            faults.error(
                table.sheet,
                heading.shown.clone(),
                "column_media",
                "Pictures and sounds of choices are not taken: say it in the label.",
            );
        } else {
            faults.warn(table.sheet, heading.shown.clone(), "column_unknown", message);
        }
    }
    lists
}

fn offer(
    table: &Table,
    row: &Row,
    (list, name): (&str, &str),
    found: &mut List,
    codes: &mut Codes,
    tongues: &Tongues,
    faults: &mut Faults,
) -> Option<Offer> {
    let wrong = |key: &str, code, message: &str, faults: &mut Faults| {
        faults.error(table.sheet, table.place(row, key), code, message);
    };
    if name.is_empty() {
        wrong("name", "name_missing", "Give the choice a name.", faults);
        return None;
    }
    if found.offers.iter().any(|other| other.name == name) {
        let message = format!(
            "The list {} has the name {} twice; the first is taken. Rename this one.",
            short(list),
            short(name)
        );
        wrong("name", "choice_double", &message, faults);
        return None;
    }
    let Some(mut label) = tongues.words(table, row, "label", faults) else {
        wrong("label", "label_missing", "Write what people see.", faults);
        return None;
    };
    label.single_line();
    if label.main.contains("${") {
        let message =
            "The label puts an earlier answer in, which this service does not do; […] stands there. Reword it.";
        wrong("label", "text_inserts", message, faults);
    }
    let label = label.without_answers();
    if label.main.chars().count() > words::NAME_MAX {
        let message =
            format!("Shorten the label to {} characters; the check of the round refuses it.", words::NAME_MAX);
        wrong("label", "text_too_long", &message, faults);
    }
    if found.offers.iter().any(|other| other.label.main == label.main) {
        let message = format!(
            "The list {} has this label twice. Tell the choices apart; the check of the round refuses them.",
            short(list)
        );
        wrong("label", "label_double", &message, faults);
    }
    let written = table.cell(row, "percent");
    found.scale |= !written.is_empty();
    let percent = ratio::parse(written).filter(|percent| (ratio::whole(0)..=ratio::whole(100)).contains(percent));
    if percent.is_none() && !matches!(written, "" | "-") {
        wrong(
            "percent",
            "number_range",
            "Write a number from 0 to 100, or - for an option that does not count.",
            faults,
        );
    }
    let code = codes.give(name, table.cell(row, "phieu_code"), table, row, "name", faults);
    Some(Offer { name: name.to_owned(), code, label, percent })
}
