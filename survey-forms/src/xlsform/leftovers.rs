//! Columns that nobody reads: each is named once, with how many rows fill it.

use super::table::Table;
use super::workbook::Book;
use crate::fault::Faults;

/// Read somewhere, or about nothing that is asked.
const SURVEY: &[&str] = &[
    "type",
    "name",
    "label",
    "hint",
    "required",
    "relevant",
    "constraint",
    "choice_filter",
    "calculation",
    "read_only",
    "disabled",
    "repeat_count",
    "count",
    "phieu_code",
    "phieu_part",
    "phieu_decimals",
];
const SETTINGS: &[&str] = &["form_title", "form_id", "version", "default_language", "style", "name"];

/// Columns whose loss changes what people see or answer, and the others that have a reason.
const REASONS: &[(&str, bool, &str)] = &[
    ("image", true, "Pictures are not taken. Say it in the label."),
    ("big-image", true, "Pictures are not taken. Say it in the label."),
    ("audio", true, "Sounds are not taken. Say it in the label."),
    ("video", true, "Films are not taken. Say it in the label."),
    ("appearance", false, "Not needed: the service lays the form out itself."),
    ("default", false, "Not taken: an answer that is filled in beforehand leads people."),
    ("guidance_hint", false, "Not taken: there are no interviewers. Write what people need into the hint."),
    ("constraint_message", false, "Not taken: the service says in its own words what is wrong."),
    ("required_message", false, "Not taken: the service says in its own words what is missing."),
    ("parameters", false, "Not taken."),
    ("trigger", false, "Not taken."),
];

/// Names the columns of `survey` and `settings`, and the sheets, that are not read.
pub(super) fn report(survey: &Table, settings: Option<&Table>, book: &Book, faults: &mut Faults) {
    for (table, read) in std::iter::once((survey, SURVEY)).chain(settings.map(|table| (table, SETTINGS))) {
        let mut said: Vec<&str> = Vec::new();
        for heading in &table.headings {
            let key = heading.key.as_str();
            let mut filled = table.rows.iter().filter(|row| table.texts(row, key).next().is_some());
            let Some(first) = filled.next() else { continue };
            if read.contains(&key) || said.contains(&key) {
                continue;
            }
            said.push(key);
            let count = filled.count() + 1;
            let reason = REASONS.iter().find(|(other, ..)| *other == key);
            let (lost, why) = reason.map_or((false, "Not read."), |(_, lost, why)| (*lost, *why));
            let message = format!("{why} The column is filled in {count} rows, from this one on.");
            if lost {
                faults.error(table.sheet, table.place(first, key), "column_media", message);
            } else {
                faults.warn(table.sheet, table.place(first, key), "column_unread", message);
            }
        }
    }
    if !book.others.is_empty() {
        let message = format!("Not read: {}.", book.others.join(", "));
        faults.warn("other sheets", "", "sheet_unread", message);
    }
}
