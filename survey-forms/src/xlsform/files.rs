//! A questionnaire as files of a round's folder, alone or put into one that is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Imported;
use super::codes::ascii;
use crate::fault::{Fault, Faults};
use crate::questionnaire::{Condition, Holds, Item, ItemKind};
use crate::ratio;
use crate::round::RoundFiles;

/// What an import makes of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The files that are new or changed, by path.
    pub files: RoundFiles,
    /// What was there already, word for word.
    pub same: Vec<String>,
}

/// A group's code as the name of a file.
#[must_use]
pub fn slug(group: &str) -> String {
    let plain = ascii(group).to_lowercase();
    let words: Vec<&str> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "questionnaire".to_owned() } else { words.join("-") }
}

/// Puts an import into a folder (an empty one for the files alone). Nothing that is there is overwritten.
///
/// # Errors
/// What is there already and says something else, each by its name.
pub fn merge(there: &RoundFiles, imported: &Imported) -> Result<Merged, Vec<Fault>> {
    let mut merge = Merge { there, faults: Faults::default(), files: RoundFiles::new(), same: Vec::new() };
    merge.questionnaire(imported);
    let scales = imported.scales.iter().map(|scale| {
        let rows = scale.options.iter().map(|option| {
            let percent = option.percent.as_ref().map(ratio::to_exact).unwrap_or_default();
            vec![scale.code.clone(), option.code.clone(), option.label.clone(), percent]
        });
        (scale.code.clone(), rows.collect())
    });
    merge.lists("scales", &["scale", "option", "label", "percent"], scales.collect());
    let choices = imported.choices.iter().map(|list| {
        let rows = list.options.iter().map(|option| vec![list.code.clone(), option.code.clone(), option.label.clone()]);
        (list.code.clone(), rows.collect())
    });
    merge.lists("choices", &["list", "option", "label"], choices.collect());
    merge.translations(imported);
    if merge.faults.has_errors() {
        Err(merge.faults.into_vec())
    } else {
        Ok(Merged { files: merge.files, same: merge.same })
    }
}

struct Merge<'a> {
    there: &'a RoundFiles,
    faults: Faults,
    files: RoundFiles,
    same: Vec<String>,
}

/// A table of the folder: heading and rows.
struct Lines {
    path: String,
    heading: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Merge<'_> {
    fn questionnaire(&mut self, imported: &Imported) {
        let name = slug(&imported.questionnaire.respondent_code);
        let path = format!("questionnaires/{name}.toml");
        let json = format!("questionnaires/{name}.json");
        if let Some(taken) = [&path, &json].into_iter().find(|path| self.there.contains_key(*path)) {
            let message = "This questionnaire is there already. Move it away, or import into another folder.";
            self.faults.error(taken, "", "file_there", message);
        }
        self.files.insert(path, toml(imported).into_bytes());
    }

    /// The table as it is there, or an empty one.
    fn open(&mut self, name: &str, heading: &[&str], tabs: bool) -> Option<Lines> {
        let (tsv, csv) = (format!("{name}.tsv"), format!("{name}.csv"));
        let path = match (self.there.contains_key(&tsv), self.there.contains_key(&csv)) {
            (true, _) => tsv,
            (false, true) => csv,
            (false, false) if tabs => tsv,
            (false, false) => csv,
        };
        let Some(bytes) = self.there.get(&path) else {
            let heading = heading.iter().map(|column| (*column).to_owned()).collect();
            return Some(Lines { path, heading, rows: Vec::new() });
        };
        let text = std::str::from_utf8(bytes).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
        let rows = text.and_then(|text| {
            if path.ends_with(".tsv") {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                Some(lines.map(|line| line.split('\t').map(str::to_owned).collect()).collect())
            } else {
                let first = text.lines().next().unwrap_or_default();
                let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
                let mut reader = csv::ReaderBuilder::new();
                let mut reader =
                    reader.has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
                let rows = reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
                rows.collect::<Result<Vec<Vec<String>>, _>>().ok()
            }
        });
        let mut rows: Vec<Vec<String>> = rows.unwrap_or_default();
        let found = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
        let known = heading.iter().all(|column| found.iter().any(|other| other.trim() == *column));
        if !known || rows.iter().any(|row| row.len() != found.len()) {
            let message = "The rows would not fit this table. Run the check of the round and mend it first.";
            self.faults.error(&path, "", "table_broken", message);
            return None;
        }
        let heading = found.iter().map(|column| column.trim().to_owned()).collect();
        Some(Lines { path, heading, rows })
    }

    /// Adds lists that are new, passes over those that are there word for word, and refuses the others.
    fn lists(&mut self, name: &str, heading: &[&str], lists: Vec<(String, Vec<Vec<String>>)>) {
        if lists.is_empty() {
            return;
        }
        let Some(mut table) = self.open(name, heading, true) else { return };
        let mut changed = false;
        for (code, rows) in lists {
            let rows: Vec<Vec<String>> = rows.into_iter().map(|row| table.arranged(heading, row)).collect();
            let column = table.position(heading.first().copied().unwrap_or_default());
            // A form does not have the table's other columns.
            let places: Vec<usize> = heading.iter().map(|name| table.position(name)).collect();
            let alike = |known: &[String], row: &[String]| places.iter().all(|at| known.get(*at) == row.get(*at));
            let known: Vec<&Vec<String>> =
                table.rows.iter().filter(|row| row.get(column).is_some_and(|other| *other == code)).collect();
            if known.is_empty() {
                table.rows.extend(rows);
                changed = true;
            } else if known.iter().zip(&rows).all(|(known, row)| alike(known, row)) && known.len() == rows.len() {
                self.same.push(format!("{}: {code}", table.path));
            } else {
                let message = format!(
                    "{code} is there already and has other options. Rename one of the two, here or in the form's sheet choices."
                );
                self.faults.error(&table.path, code, "list_there", message);
            }
        }
        if changed {
            self.files.insert(table.path.clone(), table.write());
        }
    }

    fn translations(&mut self, imported: &Imported) {
        let mut texts: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
        for (language, known) in &imported.translations {
            for (text, translation) in known {
                texts.entry(text).or_default().insert(language, translation);
            }
        }
        if texts.is_empty() {
            return;
        }
        let lines = texts.iter().any(|(text, all)| text.contains('\n') || all.values().any(|text| text.contains('\n')));
        let Some(mut table) = self.open("translations", &["vi"], !lines) else { return };
        if lines && table.path.ends_with(".tsv") {
            let message = "Some texts have several lines, which this form of the table cannot hold. Save it as translations.csv first.";
            self.faults.error(&table.path, "", "table_lines", message);
            return;
        }
        for language in imported.languages.iter().map(|language| &language.code) {
            if !table.heading.contains(language) {
                table.heading.push(language.clone());
                for row in &mut table.rows {
                    row.push(String::new());
                }
            }
        }
        for (text, all) in texts {
            let vi = table.position("vi");
            let at = table.rows.iter().position(|row| row.get(vi).is_some_and(|other| other == text));
            let at = at.unwrap_or_else(|| {
                let mut row = vec![String::new(); table.heading.len()];
                if let Some(cell) = row.get_mut(vi) {
                    text.clone_into(cell);
                }
                table.rows.push(row);
                table.rows.len() - 1
            });
            for (language, translation) in all {
                let column = table.position(language);
                let Some(cell) = table.rows.get_mut(at).and_then(|row| row.get_mut(column)) else { continue };
                if cell.is_empty() {
                    translation.clone_into(cell);
                } else if cell != translation {
                    let message = "This text is translated otherwise already. Make the two alike, here or in the form.";
                    self.faults.error(&table.path, format!("row {}, {language}", at + 2), "translation_there", message);
                }
            }
        }
        self.files.insert(table.path.clone(), table.write());
    }
}

impl Lines {
    fn position(&self, column: &str) -> usize {
        self.heading.iter().position(|other| other == column).unwrap_or(usize::MAX)
    }

    /// A row in the order of this table's columns.
    fn arranged(&self, heading: &[&str], row: Vec<String>) -> Vec<String> {
        let mut cells: BTreeMap<&str, String> = heading.iter().copied().zip(row).collect();
        self.heading.iter().map(|column| cells.remove(column.as_str()).unwrap_or_default()).collect()
    }

    fn write(&self) -> Vec<u8> {
        let rows = std::iter::once(&self.heading).chain(&self.rows);
        if self.path.ends_with(".tsv") {
            return rows.flat_map(|row| format!("{}\n", row.join("\t")).into_bytes()).collect();
        }
        let mut text = String::new();
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            let _ = writeln!(text, "{}", cells.join(","));
        }
        text.into_bytes()
    }
}

/// A text in TOML's quotes.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn codes(list: &[String]) -> String {
    let list: Vec<String> = list.iter().map(|code| quoted(code)).collect();
    format!("[{}]", list.join(", "))
}

/// The questionnaire's file.
fn toml(imported: &Imported) -> String {
    let form = &imported.questionnaire;
    let mut text = String::new();
    let mut key = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} = {value}");
    };
    key("respondent_code", &quoted(&form.respondent_code));
    key("title", &quoted(&form.title));
    key("intro", &quoted(&form.intro));
    if let Some(closing) = &form.closing {
        key("closing", &quoted(closing));
    }
    for section in &form.sections {
        let _ = write!(text, "\n[[sections]]\ncode = {}\ntitle = {}\n", quoted(&section.code), quoted(&section.title));
        if let Some(intro) = &section.intro {
            let _ = writeln!(text, "intro = {}", quoted(intro));
        }
        for item in &section.items {
            text.push_str("\n[[sections.items]]\n");
            for (name, value) in keys(item) {
                let _ = writeln!(text, "{name} = {value}");
            }
        }
    }
    text
}

fn keys(item: &Item) -> Vec<(&'static str, String)> {
    let mut keys = vec![("code", quoted(&item.code))];
    let optional = [("lead", &item.lead), ("question", &Some(item.question.clone())), ("help", &item.help)];
    keys.extend(optional.iter().filter_map(|(name, text)| text.as_deref().map(|text| (*name, quoted(text)))));
    match &item.kind {
        ItemKind::Scale { scale } => keys.push(("scale", quoted(scale))),
        ItemKind::Single { choices } => keys.extend([("kind", quoted("single")), ("choices", quoted(choices))]),
        ItemKind::Multiple { choices, at_most } => {
            keys.extend([("kind", quoted("multiple")), ("choices", quoted(choices))]);
            keys.extend(at_most.map(|most| ("at_most", most.to_string())));
        }
        ItemKind::Number { min, max, decimals } => {
            keys.push(("kind", quoted("number")));
            keys.extend(min.as_ref().map(|min| ("min", quoted(&ratio::to_exact(min)))));
            keys.extend(max.as_ref().map(|max| ("max", quoted(&ratio::to_exact(max)))));
            if *decimals > 0 {
                keys.push(("decimals", decimals.to_string()));
            }
        }
        ItemKind::Text { letters } => keys.extend([("kind", quoted("text")), ("letters", letters.to_string())]),
    }
    if item.required {
        keys.push(("required", "true".to_owned()));
    }
    if !item.only_if.is_empty() {
        let conditions: Vec<String> = item.only_if.iter().map(condition).collect();
        keys.push(("only_if", format!("[{}]", conditions.join(", "))));
    }
    keys
}

fn condition(condition: &Condition) -> String {
    let holds = match &condition.holds {
        Holds::Is(options) => format!("is = {}", codes(options)),
        Holds::IsNot(options) => format!("is_not = {}", codes(options)),
        Holds::Answered(truth) => format!("answered = {truth}"),
        Holds::Between { at_least, at_most } => {
            let bounds = [("at_least", at_least), ("at_most", at_most)];
            let bounds = bounds.iter().filter_map(|(key, bound)| {
                bound.as_ref().map(|bound| format!("{key} = {}", quoted(&ratio::to_exact(bound))))
            });
            bounds.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{{ item = {}, {holds} }}", quoted(&condition.item))
}
