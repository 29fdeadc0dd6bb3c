//! A sheet with a heading: cells by the name of their column, cleaned, every oddity named.

use std::collections::BTreeMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::workbook::{Cell, Odd, Sheet, letters, short};
use crate::fault::Faults;

/// A heading: what the column is, and in which language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) column: u32,
    /// Canonical: lower case, `_` between words, known synonyms resolved.
    pub(super) key: String,
    pub(super) language: Option<String>,
    /// As written, shortened.
    pub(super) shown: String,
}

/// A row below the heading.
#[derive(Debug)]
pub(super) struct Row {
    /// As the spreadsheet program counts, from 1.
    pub(super) number: u32,
    cells: BTreeMap<u32, String>,
}

/// A sheet as read.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) sheet: &'static str,
    pub(super) headings: Vec<Heading>,
    pub(super) rows: Vec<Row>,
}

/// Headings that others write for the same thing.
const SYNONYMS: &[(&str, &str)] = &[
    ("command", "type"),
    ("tag", "name"),
    ("value", "name"),
    ("caption", "label"),
    ("relevance", "relevant"),
    ("list", "list_name"),
    ("listname", "list_name"),
    ("calculate", "calculation"),
    ("readonly", "read_only"),
    ("constraining_message", "constraint_message"),
    ("constraintmsg", "constraint_message"),
    ("requiredmsg", "required_message"),
    ("title", "form_title"),
    ("set_form_title", "form_title"),
    ("set_form_id", "form_id"),
    ("id_string", "form_id"),
];

/// Written before the name of a column; they say where it goes in the other format.
const PREFIXES: &[&str] = &["bind", "control", "media", "jr"];

/// Splits `label::English (en)`, `media::image::English` and `bind:relevant`.
fn heading(column: u32, text: &str) -> Heading {
    let text = clean(text).0;
    let between = if text.contains("::") { "::" } else { ":" };
    let mut parts: Vec<&str> = text.split(between).map(str::trim).collect();
    while parts.len() > 1 && parts.first().is_some_and(|first| PREFIXES.contains(&first.to_lowercase().as_str())) {
        parts.remove(0);
    }
    let base = parts.first().copied().unwrap_or_default().to_lowercase();
    let base = base.split_once(':').map_or(base.as_str(), |(_, rest)| rest);
    let words: Vec<&str> = base.split([' ', '_']).filter(|word| !word.is_empty()).collect();
    let base = words.join("_");
    let key = SYNONYMS.iter().find(|(other, _)| *other == base).map_or(base.as_str(), |(_, key)| key).to_owned();
    let language = parts.get(1..).map(|rest| rest.join(between)).filter(|language| !language.is_empty());
    Heading { column, key, language, shown: short(&text) }
}

/// Text in NFC without what nobody sees, and what was done to it.
fn clean(text: &str) -> (String, Option<&'static str>) {
    let mut done = None;
    let composed: String = if is_nfc(text) {
        text.to_owned()
    } else {
        done = Some("not_nfc");
        text.nfc().collect()
    };
    let composed = composed.replace("\r\n", "\n").replace("_x000D_", "");
    let mut cleaned = String::with_capacity(composed.len());
    for c in composed.chars() {
        match c {
            '\n' => cleaned.push('\n'),
            '\t' | '\r' | '\u{a0}' | '\u{2007}' | '\u{202f}' => cleaned.push(' '),
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
                done = done.or(Some("invisible"));
            }
            c if c.is_control() => done = done.or(Some("invisible")),
            c => cleaned.push(c),
        }
    }
    let lines: Vec<&str> = cleaned.trim().split('\n').map(str::trim_end).collect();
    let text = lines.join("\n");
    // Taking characters out may bring others together that compose.
    (if is_nfc(&text) { text } else { text.nfc().collect() }, done)
}

/// One kind of oddity in one column: the first row and how many.
type Oddities = BTreeMap<(u32, &'static str), (u32, usize)>;

impl Table {
    /// Reads the heading and cleans the rows. `None` when the sheet is empty.
    pub(super) fn open(sheet: &'static str, read: &Sheet, faults: &mut Faults) -> Option<Table> {
        let (heading_row, first) = read.rows.iter().find(|(_, cells)| cells.values().any(|c| !c.text.is_empty()))?;
        let mut headings: Vec<Heading> = Vec::new();
        for (column, cell) in first {
            let found = heading(*column, &cell.text);
            if found.key.is_empty() {
                continue;
            }
            if headings.iter().any(|other| other.key == found.key && other.language == found.language) {
                let place = format!("row {heading_row}, {} ({})", found.shown, letters(*column));
                let message = "The column stands twice; the first one is read. Remove this one or mend its heading.";
                faults.error(sheet, place, "column_double", message);
                continue;
            }
            headings.push(found);
        }
        let mut table = Table { sheet, headings, rows: Vec::new() };
        let mut odd = Oddities::new();
        for (number, cells) in read.rows.range(heading_row.saturating_add(1)..) {
            let row = table.row(*number, cells, &mut odd);
            if !row.cells.is_empty() {
                table.rows.push(row);
            }
        }
        table.report(&odd, faults);
        table.report_merged(&read.merged, *heading_row, faults);
        Some(table)
    }

    fn row(&self, number: u32, cells: &BTreeMap<u32, Cell>, odd: &mut Oddities) -> Row {
        let mut row = Row { number, cells: BTreeMap::new() };
        for heading in &self.headings {
            let Some(cell) = cells.get(&heading.column) else { continue };
            let (text, done) = clean(&cell.text);
            let kind = cell.odd.map(|odd| match odd {
                Odd::Formula => "formula",
                Odd::FormulaEmpty => "formula_empty",
                Odd::Date => "date",
                Odd::ErrorValue => "error_value",
                Odd::TooLong => "too_long",
            });
            for kind in [kind, done].into_iter().flatten() {
                odd.entry((heading.column, kind)).or_insert((number, 0)).1 += 1;
            }
            if !text.is_empty() {
                row.cells.insert(heading.column, text);
            }
        }
        row
    }

    fn report(&self, odd: &Oddities, faults: &mut Faults) {
        for heading in &self.headings {
            for ((_, kind), (row, count)) in odd.range((heading.column, "")..(heading.column + 1, "")) {
                let place = format!("row {row}, {} ({})", heading.shown, letters(heading.column));
                let more =
                    if *count > 1 { format!(" ({count} cells of this column, from here on)") } else { String::new() };
                match *kind {
                    "formula" => faults.warn(
                        self.sheet,
                        place,
                        "cell_formula",
                        format!("A formula{more}: its last result is taken. Paste it as a value to be sure."),
                    ),
                    "not_nfc" => faults.warn(
                        self.sheet,
                        place,
                        "text_not_nfc",
                        format!("Text with separate accents{more}: it is taken in Unicode normal form C."),
                    ),
                    "invisible" => faults.warn(
                        self.sheet,
                        place,
                        "text_control",
                        format!("Control or invisible characters{more}: they are left out."),
                    ),
                    kind => {
                        let (code, what) = match kind {
                            "formula_empty" => ("cell_formula", "A formula without a result"),
                            "date" => ("cell_date", "The program made a date of this"),
                            "error_value" => ("cell_error", "An error value"),
                            _ => ("cell_too_long", "More than 32,767 letters"),
                        };
                        let message = format!("{what}{more}: the cell is not taken. Write it as text.");
                        faults.error(self.sheet, place, code, message);
                    }
                }
            }
        }
    }

    fn report_merged(&self, merged: &[(u32, u32)], heading_row: u32, faults: &mut Faults) {
        let known = |(row, column): &&(u32, u32)| {
            *row > heading_row && self.headings.iter().any(|heading| heading.column == *column)
        };
        let mut within = merged.iter().filter(known);
        if let Some((row, column)) = within.next() {
            let place = format!("row {row}, {}", letters(*column));
            let message = format!(
                "{} merged areas: only the first cell of each holds its text. Unmerge them and fill in the others.",
                within.count() + 1
            );
            faults.warn(self.sheet, place, "cell_merged", message);
        }
    }

    /// The column with this key that names no language.
    pub(super) fn heading(&self, key: &str) -> Option<&Heading> {
        self.headings.iter().find(|heading| heading.key == key && heading.language.is_none())
    }

    /// The text of a cell; empty when there is none.
    pub(super) fn cell<'r>(&self, row: &'r Row, key: &str) -> &'r str {
        let column = self.heading(key).map(|heading| heading.column);
        column.and_then(|column| row.cells.get(&column)).map(String::as_str).unwrap_or_default()
    }

    /// The texts of one key in the languages that have it.
    pub(super) fn texts<'r>(&'r self, row: &'r Row, key: &'r str) -> impl Iterator<Item = (Option<&'r str>, &'r str)> {
        let headings = self.headings.iter().filter(move |heading| heading.key == key);
        headings.filter_map(|h| row.cells.get(&h.column).map(|text| (h.language.as_deref(), text.as_str())))
    }

    /// `row 12, relevant (F)`.
    pub(super) fn place(&self, row: &Row, key: &str) -> String {
        match self.headings.iter().find(|heading| heading.key == key) {
            Some(heading) => format!("row {}, {} ({})", row.number, heading.shown, letters(heading.column)),
            None => format!("row {}", row.number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_in_every_spelling() {
        for (text, key, language) in [
            ("label", "label", None),
            ("Label::English (en)", "label", Some("English (en)")),
            ("label:Tiếng Việt", "label", Some("Tiếng Việt")),
            ("bind::relevant", "relevant", None),
            ("bind:jr:constraintMsg", "constraint_message", None),
            ("bind::jr:requiredMsg", "required_message", None),
            ("relevance", "relevant", None),
            ("list name", "list_name", None),
            ("List_Name ", "list_name", None),
            ("media::image::English", "image", Some("English")),
            ("image", "image", None),
            ("hint :: Français (fr)", "hint", Some("Français (fr)")),
        ] {
            let found = heading(0, text);
            assert_eq!((found.key.as_str(), found.language.as_deref()), (key, language), "{text}");
        }
    }

    #[test]
    fn texts_are_cleaned_and_it_is_said() {
        assert_eq!(clean("  Tốt\u{a0}lắm \r\n b "), ("Tốt lắm\n b".to_owned(), None));
        assert_eq!(clean("Ti\u{ea}\u{301}ng"), ("Tiếng".to_owned(), Some("not_nfc")));
        assert_eq!(clean("\u{feff}a\u{200b}b\u{1}"), ("ab".to_owned(), Some("invisible")));
    }

    #[test]
    fn columns_are_named_as_spreadsheets_do() {
        let names: Vec<String> = [0, 25, 26, 701, 702].iter().map(|column| letters(*column)).collect();
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
