//! Reading the tables: tab-separated lines under a heading, no quoting.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::keys::Columns;
use super::words::{self, NAME_MAX};
use super::{Mapping, RoundFiles, Target, Unit, files, keys};
use crate::fault::Faults;
use crate::questionnaire::{Criterion, Scale, ScaleOption};
use crate::ratio::{self, Ratio};

/// A value and the line it stands on.
pub(super) struct Lined<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

struct Row<'t> {
    file: &'static str,
    line: usize,
    cells: BTreeMap<&'static str, &'t str>,
}

impl<'t> Row<'t> {
    fn cell(&self, column: &str) -> &'t str {
        self.cells.get(column).copied().unwrap_or_default()
    }

    fn place(&self, column: &str) -> String {
        format!("line {}, {column}", self.line)
    }

    fn code(&self, column: &str, faults: &mut Faults) -> String {
        words::check_code(self.file, self.place(column), self.cell(column), faults);
        self.cell(column).to_owned()
    }

    fn optional_code(&self, column: &str, faults: &mut Faults) -> Option<String> {
        if self.cell(column).is_empty() { None } else { Some(self.code(column, faults)) }
    }

    fn text(&self, column: &str, faults: &mut Faults) -> String {
        let place = self.place(column);
        words::check_text(self.file, place, self.cell(column), NAME_MAX, faults);
        self.cell(column).to_owned()
    }

    fn optional_text(&self, column: &str, faults: &mut Faults) -> Option<String> {
        if self.cell(column).is_empty() { None } else { Some(self.text(column, faults)) }
    }

    /// A decimal number within bounds; zero when it cannot be read.
    fn number(&self, column: &str, high: u64, faults: &mut Faults) -> Ratio {
        let within = |number: &Ratio| *number >= ratio::whole(0) && *number <= ratio::whole(high);
        match ratio::parse(self.cell(column)).filter(within) {
            Some(number) => number,
            None => {
                let message = format!("Write a decimal number from 0 to {high}, such as 12.5.");
                faults.error(self.file, self.place(column), "number_range", message);
                ratio::whole(0)
            }
        }
    }

    fn date(&self, column: &str, faults: &mut Faults) -> Option<NaiveDate> {
        if self.cell(column).is_empty() {
            return None;
        }
        let date = NaiveDate::parse_from_str(self.cell(column), "%Y-%m-%d").ok();
        if date.is_none() {
            let message = "Write a date such as 2023-07-01, or leave the cell empty.";
            faults.error(self.file, self.place(column), "date_form", message);
        }
        date
    }
}

/// Reads a table into rows. `None` when its heading cannot be used.
fn rows<'t>(table: &Columns, text: &'t str, faults: &mut Faults) -> Option<Vec<Row<'t>>> {
    let file = table.file;
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let heading = lines.next().map(|(_, line)| line).unwrap_or_default();
    let known: Vec<&'static str> = table.required.iter().chain(table.optional).copied().collect();
    let mut columns: Vec<&'static str> = Vec::new();
    let mut usable = true;
    for name in heading.split('\t') {
        let name = name.trim();
        match known.iter().find(|column| **column == name) {
            Some(column) if columns.contains(column) => {
                let message = format!("Remove the second column {column}.");
                faults.error(file, "line 1", "column_double", message);
                usable = false;
            }
            Some(column) => columns.push(column),
            None => {
                let message = format!("Remove the column or mend its name; known here: {}.", known.join(", "));
                faults.error(file, "line 1", "column_unknown", message);
                usable = false;
            }
        }
    }
    for column in table.required.iter().filter(|column| !columns.contains(column)) {
        let message = format!("Add the column {column}; columns are separated by tabs.");
        faults.error(file, "line 1", "column_missing", message);
        usable = false;
    }
    if !usable {
        return None;
    }
    let mut rows = Vec::new();
    for (line, content) in lines.filter(|(_, content)| !content.trim().is_empty()) {
        let cells: Vec<&str> = content.split('\t').collect();
        if cells.len() != columns.len() {
            let message = format!("Write {} columns, separated by tabs; there are {}.", columns.len(), cells.len());
            faults.error(file, format!("line {line}"), "column_count", message);
        }
        if rows.len() == table.rows_max {
            let message = format!("Keep the table to {} rows.", table.rows_max);
            faults.error(file, format!("line {line}"), "too_many_rows", message);
            break;
        }
        let cells = columns.iter().copied().zip(cells).collect();
        rows.push(Row { file, line, cells });
    }
    if rows.is_empty() {
        faults.error(file, "", "table_empty", "Add at least one row below the heading.");
    }
    Some(rows)
}

/// Reads a table, one value a row.
fn read<T>(
    files: &RoundFiles,
    table: &Columns,
    faults: &mut Faults,
    value: impl Fn(&Row, &mut Faults) -> T,
) -> Option<Vec<Lined<T>>> {
    let text = files::text(files, table.file, faults)?;
    let rows = rows(table, &text, faults)?;
    let mut all = Vec::new();
    for row in &rows {
        all.push(Lined { line: row.line, value: value(row, faults) });
    }
    Some(all)
}

pub(super) fn targets(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<Lined<Target>>> {
    read(files, &keys::TARGETS, faults, |row, faults| Target {
        code: row.code("target_code", faults),
        kind: row.cell("target_kind").to_owned(),
        name: row.text("name", faults),
    })
}

pub(super) fn units(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<Lined<Unit>>> {
    read(files, &keys::UNITS, faults, |row, faults| Unit {
        code: row.code("unit_code", faults),
        parent: row.optional_code("parent_code", faults),
        kind: row.cell("unit_kind").to_owned(),
        name: row.text("name", faults),
        target: row.optional_code("target_code", faults),
        division: row.optional_code("division", faults),
        valid_from: row.date("valid_from", faults),
        valid_to: row.date("valid_to", faults),
    })
}

/// The mapping table; a round whose groups do not need it may leave it out.
pub(super) fn mappings(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<Lined<Mapping>>> {
    if !files.contains_key(keys::MAPPING.file) {
        return Some(Vec::new());
    }
    read(files, &keys::MAPPING, faults, |row, faults| Mapping {
        division: row.code("division", faults),
        target: row.code("target_code", faults),
    })
}

pub(super) fn criteria(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<Lined<Criterion>>> {
    read(files, &keys::CRITERIA, faults, |row, faults| Criterion {
        item_code: row.code("item_code", faults),
        field: row.cell("field").to_owned(),
        name: row.text("name", faults),
        index_ref: row.optional_text("index_ref", faults),
        max_points: row.number("max_points", 1000, faults),
    })
}

/// The scales, each with the line of its first option; options of one scale stand together.
pub(super) fn scales(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<Lined<Scale>>> {
    let options = read(files, &keys::SCALES, faults, |row, faults| {
        let percent = row.cell("percent");
        let option = ScaleOption {
            code: row.code("option", faults),
            label: row.text("label", faults),
            percent: (!percent.is_empty()).then(|| row.number("percent", 100, faults)),
        };
        (row.code("scale", faults), option)
    })?;
    let file = keys::SCALES.file;
    let mut scales: Vec<Lined<Scale>> = Vec::new();
    for Lined { line, value: (code, option) } in options {
        let known = scales.iter().position(|scale| scale.value.code == code);
        let last = scales.len().checked_sub(1);
        if known.is_some() && known != last {
            let message = "Move the options of one scale together.";
            faults.error(file, format!("line {line}, scale"), "scale_scattered", message);
        }
        let Some(scale) = known.and_then(|index| scales.get_mut(index)) else {
            scales.push(Lined { line, value: Scale { code, options: vec![option] } });
            continue;
        };
        let others = &scale.value.options;
        if others.iter().any(|other| other.code.to_lowercase() == option.code.to_lowercase()) {
            let message = "Give each option of a scale a code of its own.";
            faults.error(file, format!("line {line}, option"), "code_double", message);
        }
        if others.iter().any(|other| other.label == option.label) {
            let message = "Give each option of a scale a label of its own.";
            faults.error(file, format!("line {line}, label"), "label_double", message);
        }
        scale.value.options.push(option);
    }
    Some(scales)
}
