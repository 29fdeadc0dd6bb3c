//! The same round under another id: next year's, a rehearsal, a demo. Comments and the order of keys stay.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item, Table, Value};

use super::files::ROUND;
use super::tables::{self, Grid};
use super::{Dates, Fault, RoundFiles, files, keys};
use crate::fault::Faults;

/// What is to be different in the copy.
#[derive(Debug, Clone, Default)]
pub struct Reuse<'a> {
    /// The copy's id.
    pub id: &'a str,
    /// Its title, if another.
    pub title: Option<&'a str>,
    /// Its dates, if others.
    pub dates: Option<&'a Dates>,
    /// Units and targets that have been merged, renamed or dissolved since.
    pub merges: &'a [Merge],
}

/// A unit or target that is another one now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Its code in the old round, in `units`, in `targets` or in both.
    pub code: String,
    /// What it is part of now; `None`: it is gone.
    pub into: Option<String>,
    /// The name of what it is part of, where that is new.
    pub name: Option<String>,
}

/// The file name under which faults of a table of merges are named.
const MERGES: &str = "merge";

/// Reads a table of merges: columns `code`, `into` (empty: gone) and, if wanted, `name`.
///
/// # Errors
/// Every fault of the table.
pub fn merges(name: &str, bytes: &[u8]) -> Result<Vec<Merge>, Vec<Fault>> {
    let mut faults = Faults::default();
    let extension = if name.to_lowercase().ends_with(".csv") { "csv" } else { "tsv" };
    let files = RoundFiles::from([(format!("{MERGES}.{extension}"), bytes.to_vec())]);
    let found = tables::merges(&files, &mut faults).unwrap_or_default();
    let mut seen = BTreeSet::new();
    let file = format!("{MERGES}.{extension}");
    for (merge, line) in &found {
        if !seen.insert(&merge.code) {
            faults.error(&file, format!("line {line}, code"), "code_double", "Name each code once.");
        }
        if merge.into.as_ref().is_some_and(|into| found.iter().any(|(other, _)| other.code == *into)) {
            let message = "This one is merged too: name what both are part of in the end.";
            faults.error(&file, format!("line {line}, into"), "merge_chain", message);
        }
    }
    if faults.has_errors() { Err(faults.into_vec()) } else { Ok(found.into_iter().map(|(merge, _)| merge).collect()) }
}

/// A copy of a folder with other id, title, dates and units. Rosters stay behind: they name last time's people. Whether
/// the copy loads is for [`super::Round::check`] to say.
///
/// # Errors
/// Faults that keep the old folder from being read at all, or merges of codes that it does not have.
pub fn reuse(old: &RoundFiles, new: &Reuse) -> Result<RoundFiles, Vec<Fault>> {
    let mut faults = Faults::default();
    let mut copy: RoundFiles =
        old.iter().filter(|(path, _)| !path.starts_with("roster")).map(|(p, b)| (p.clone(), b.clone())).collect();
    let merged: BTreeMap<&str, &Merge> = new.merges.iter().map(|merge| (merge.code.as_str(), merge)).collect();
    if !merged.is_empty() {
        let mut known = BTreeSet::new();
        for (table, column, elsewhere) in
            [(&keys::TARGETS, "target_code", &[][..]), (&keys::UNITS, "unit_code", &["parent_code", "target_code"])]
        {
            if let Some(mut grid) = Grid::read(old, table.name, &mut faults) {
                known.extend(grid.column(column).map(str::to_owned).collect::<Vec<_>>());
                grid.merge(column, &merged);
                elsewhere.iter().for_each(|column| grid.rename(column, &merged));
                copy.insert(grid.file.clone(), grid.write());
            }
        }
        if files::has_table(old, keys::MAPPING.name)
            && let Some(mut grid) = Grid::read(old, keys::MAPPING.name, &mut faults)
        {
            grid.rename("target_code", &merged);
            grid.drop_empty("target_code");
            copy.insert(grid.file.clone(), grid.write());
        }
        for code in merged.keys().filter(|code| !known.contains(**code)) {
            let message = format!("The old round has no unit and no target {code}: mend the code.");
            faults.error(MERGES, "", "merge_unknown", message);
        }
    }
    if let Some(text) = files::text(old, ROUND, &mut faults) {
        match text.parse::<DocumentMut>() {
            Ok(mut document) => {
                settle(&mut document, new, &merged);
                copy.insert(ROUND.to_owned(), document.to_string().into_bytes());
            }
            Err(_syntax) => faults.error(ROUND, "", "toml_syntax", "Mend the TOML syntax first."),
        }
    }
    if faults.has_errors() { Err(faults.into_vec()) } else { Ok(copy) }
}

/// Sets a value and leaves the comments around the old one.
fn set(table: &mut Table, key: &str, value: impl Into<Value>) {
    let mut value = value.into();
    if let Some(old) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = old.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

fn settle(document: &mut DocumentMut, new: &Reuse, merged: &BTreeMap<&str, &Merge>) {
    set(document, "id", new.id);
    if let Some(title) = new.title {
        set(document, "title", title);
    }
    if let Some(dates) = new.dates
        && let Some(table) = document.get_mut("dates").and_then(Item::as_table_mut)
    {
        let moments = [
            ("opens", dates.opens),
            ("closes", dates.closes),
            ("keying_closes", dates.keying_closes),
            ("publishes", dates.publishes),
        ];
        for (key, moment) in moments {
            let text = moment.to_rfc3339();
            match text.parse::<toml_edit::Datetime>() {
                Ok(moment) => set(table, key, moment),
                Err(_never) => set(table, key, text),
            }
        }
        if dates.grace_minutes > 0 {
            set(table, "grace_minutes", i64::from(dates.grace_minutes));
        } else {
            table.remove("grace_minutes");
        }
    }
    let groups = document.get_mut("groups").and_then(Item::as_array_of_tables_mut);
    for group in groups.into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut) {
        let rates = group.get_mut("rates").and_then(Item::as_inline_table_mut);
        let Some(targets) = rates.and_then(|rates| rates.get_mut("targets")).and_then(Value::as_array_mut) else {
            continue;
        };
        let mut seen = BTreeSet::new();
        let now: Vec<String> = targets
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|code| merged.get(code).map_or(Some(code), |merge| merge.into.as_deref()))
            .filter(|code| seen.insert((*code).to_owned()))
            .map(str::to_owned)
            .collect();
        *targets = now.iter().map(String::as_str).collect();
    }
}

impl Grid {
    /// Rows of what was merged go; the first of them stays under the new code when no row has it yet.
    fn merge(&mut self, column: &str, merged: &BTreeMap<&str, &Merge>) {
        let Some(at) = self.place(column) else { return };
        let name = self.place("name");
        let mut known: BTreeSet<String> = self.column(column).map(str::to_owned).collect();
        self.rows.retain_mut(|row| {
            let Some(merge) = row.get(at).and_then(|code| merged.get(code.as_str())) else { return true };
            let Some(into) = merge.into.as_ref().filter(|into| known.insert((*into).clone())) else { return false };
            if let Some(cell) = row.get_mut(at) {
                cell.clone_from(into);
            }
            if let (Some(cell), Some(name)) = (name.and_then(|at| row.get_mut(at)), &merge.name) {
                cell.clone_from(name);
            }
            true
        });
    }

    /// Puts new codes for old ones in a column that refers to them; nothing where they are gone.
    fn rename(&mut self, column: &str, merged: &BTreeMap<&str, &Merge>) {
        let Some(at) = self.place(column) else { return };
        for cell in self.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            if let Some(merge) = merged.get(cell.as_str()) {
                *cell = merge.into.clone().unwrap_or_default();
            }
        }
    }

    /// Takes out rows without that cell, and rows that stand twice.
    fn drop_empty(&mut self, column: &str) {
        let Some(at) = self.place(column) else { return };
        let mut seen = BTreeSet::new();
        self.rows.retain(|row| row.get(at).is_some_and(|cell| !cell.is_empty()) && seen.insert(row.clone()));
    }
}
