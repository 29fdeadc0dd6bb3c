//! Reading the tables: lines under a heading, tab-separated without quotes or comma-separated with them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::keys::Columns;
use super::words::{self, NAME_MAX, TEXT_MAX};
use super::{Language, Mapping, Merge, RoundFiles, Target, Unit, files, keys};
use crate::fault::Faults;
use crate::questionnaire::{Choice, Choices, Criterion, Scale, ScaleOption};
use crate::ratio::{self, Ratio};

/// A value and the line it stands on.
pub(super) struct Lined<T> {
    pub(super) line: usize,
    pub(super) value: T,
}

/// A table as read, and the file it was found in.
pub(super) struct Table<T> {
    pub(super) file: String,
    pub(super) rows: Vec<Lined<T>>,
}

struct Row<'t> {
    file: &'t str,
    line: usize,
    cells: BTreeMap<&'t str, Cow<'t, str>>,
}

impl Row<'_> {
    fn cell(&self, column: &str) -> &str {
        self.cells.get(column).map(AsRef::as_ref).unwrap_or_default()
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
        if self.cell(column).contains('\n') {
            let message = "Write the text in one line; a quote may be missing its other half.";
            faults.error(self.file, place.clone(), "text_lines", message);
        }
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

/// The lines of a table with their numbers: the heading first, then those that are not empty.
type Lines<'t> = Vec<(usize, Vec<Cow<'t, str>>)>;

fn tab_separated(text: &str) -> Lines<'_> {
    let lines = text.lines().enumerate().filter(|(index, line)| *index == 0 || !line.trim().is_empty());
    lines.map(|(index, line)| (index + 1, line.split('\t').map(Cow::Borrowed).collect())).collect()
}

/// RFC 4180, also with `;` between the cells, as spreadsheets in Viet Nam write it.
fn comma_separated<'t>(file: &str, text: &'t str, faults: &mut Faults) -> Lines<'t> {
    let heading = text.lines().next().unwrap_or_default();
    let delimiter = if heading.contains(';') && !heading.contains(',') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                if record.iter().any(|cell| !cell.trim().is_empty()) || lines.is_empty() {
                    let cells = record.iter().map(|cell| Cow::Owned(cell.replace("\r\n", "\n"))).collect();
                    lines.push((usize::try_from(line).unwrap_or(usize::MAX), cells));
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                faults.error(file, format!("line {line}"), "csv_syntax", "Mend the quotes of this line.");
                break;
            }
        }
    }
    lines
}

/// A table as it stands, to be changed and written again.
pub(super) struct Grid {
    pub(super) file: String,
    heading: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Grid {
    /// `None` when there is no such table, or it is no text.
    pub(super) fn read(files: &RoundFiles, name: &str, faults: &mut Faults) -> Option<Self> {
        let file = files::table(files, name, faults);
        let text = files::text(files, &file, faults)?;
        let lines = if file.ends_with(".csv") { comma_separated(&file, &text, faults) } else { tab_separated(&text) };
        let mut rows = lines.into_iter().map(|(_, cells)| cells.into_iter().map(Cow::into_owned).collect());
        Some(Grid { heading: rows.next().unwrap_or_default(), rows: rows.collect(), file })
    }

    /// Where a column stands.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.heading.iter().position(|name| name.trim() == column)
    }

    /// The cells of a column; none when there is no such column.
    pub(super) fn column(&self, column: &str) -> impl Iterator<Item = &str> {
        let at = self.place(column);
        self.rows.iter().filter_map(move |row| row.get(at?)).map(String::as_str)
    }

    /// The file again, in the form it had.
    pub(super) fn write(&self) -> Vec<u8> {
        let lines = std::iter::once(&self.heading).chain(&self.rows);
        if !self.file.ends_with(".csv") {
            return lines.map(|cells| format!("{}\n", cells.join("\t"))).collect::<String>().into_bytes();
        }
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for cells in lines {
            // Into memory: nothing to fail.
            let _written = writer.write_record(cells);
        }
        writer.into_inner().unwrap_or_default()
    }
}

/// Merges with their lines.
pub(super) fn merges(files: &RoundFiles, faults: &mut Faults) -> Option<Vec<(Merge, usize)>> {
    let table = read(files, &keys::MERGES, faults, |row, faults| Merge {
        code: row.code("code", faults),
        into: row.optional_code("into", faults),
        name: row.optional_text("name", faults),
    })?;
    Some(table.rows.into_iter().map(|row| (row.value, row.line)).collect())
}

/// Reads a table into rows. `None` when its heading cannot be used.
fn rows<'t>(
    table: &Columns,
    known: &[&'t str],
    file: &'t str,
    lines: Lines<'t>,
    faults: &mut Faults,
) -> Option<Vec<Row<'t>>> {
    let mut lines = lines.into_iter();
    let (_, heading) = lines.next().unwrap_or((1, Vec::new()));
    let mut columns: Vec<&'t str> = Vec::new();
    let mut usable = true;
    for name in &heading {
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
        let between = if file.ends_with(".csv") { "commas" } else { "tabs" };
        let message = format!("Add the column {column}; columns are separated by {between}.");
        faults.error(file, "line 1", "column_missing", message);
        usable = false;
    }
    if !usable {
        return None;
    }
    let mut rows = Vec::new();
    for (line, cells) in lines {
        if cells.len() != columns.len() {
            let message = format!("Write {} columns; there are {}.", columns.len(), cells.len());
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
) -> Option<Table<T>> {
    let known: Vec<&str> = table.required.iter().chain(table.optional).copied().collect();
    read_with(files, table, &known, faults, value)
}

fn read_with<T>(
    files: &RoundFiles,
    table: &Columns,
    known: &[&str],
    faults: &mut Faults,
    value: impl Fn(&Row, &mut Faults) -> T,
) -> Option<Table<T>> {
    let file = files::table(files, table.name, faults);
    let text = files::text(files, &file, faults)?;
    let lines = if file.ends_with(".csv") { comma_separated(&file, &text, faults) } else { tab_separated(&text) };
    let mut all = Vec::new();
    for row in &rows(table, known, &file, lines, faults)? {
        all.push(Lined { line: row.line, value: value(row, faults) });
    }
    Some(Table { file, rows: all })
}

/// [`read`] of a table that a round may do without.
fn read_optional<T>(
    files: &RoundFiles,
    table: &Columns,
    faults: &mut Faults,
    value: impl Fn(&Row, &mut Faults) -> T,
) -> Option<Table<T>> {
    if files::has_table(files, table.name) {
        read(files, table, faults, value)
    } else {
        Some(Table { file: format!("{}.tsv", table.name), rows: Vec::new() })
    }
}

pub(super) fn targets(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Target>> {
    read(files, &keys::TARGETS, faults, |row, faults| Target {
        code: row.code("target_code", faults),
        kind: row.cell("target_kind").to_owned(),
        name: row.text("name", faults),
        valid_from: row.date("valid_from", faults),
        valid_to: row.date("valid_to", faults),
    })
}

pub(super) fn units(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Unit>> {
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
pub(super) fn mappings(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Mapping>> {
    read_optional(files, &keys::MAPPING, faults, |row, faults| Mapping {
        division: row.code("division", faults),
        target: row.code("target_code", faults),
    })
}

pub(super) fn criteria(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Criterion>> {
    read(files, &keys::CRITERIA, faults, |row, faults| Criterion {
        item_code: row.code("item_code", faults),
        field: row.cell("field").to_owned(),
        name: row.text("name", faults),
        index_ref: row.optional_text("index_ref", faults),
        max_points: row.number("max_points", 1000, faults),
    })
}

/// The scales, each with the line of its first option; options of one scale stand together.
pub(super) fn scales(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Scale>> {
    let options = read(files, &keys::SCALES, faults, |row, faults| {
        let (percent, other) = (row.cell("percent"), row.cell("other_percent"));
        let option = ScaleOption {
            code: row.code("option", faults),
            label: row.text("label", faults),
            percent: (!percent.is_empty()).then(|| row.number("percent", 100, faults)),
            other_percent: (!other.is_empty()).then(|| row.number("other_percent", 100, faults)),
        };
        (row.code("scale", faults), option)
    })?;
    let (file, lists) = gathered(options, "scale", |option| (&option.code, &option.label), faults);
    let rows = lists.into_iter().map(|(line, code, options)| Lined { line, value: Scale { code, options } }).collect();
    Some(Table { file, rows })
}

/// The lists of choices, each with the line of its first choice; a round without them may leave the table out.
pub(super) fn choices(files: &RoundFiles, faults: &mut Faults) -> Option<Table<Choices>> {
    let options = read_optional(files, &keys::CHOICES, faults, |row, faults| {
        let choice = Choice { code: row.code("option", faults), label: row.text("label", faults) };
        (row.code("list", faults), choice)
    })?;
    let (file, lists) = gathered(options, "list", |choice| (&choice.code, &choice.label), faults);
    let rows =
        lists.into_iter().map(|(line, code, options)| Lined { line, value: Choices { code, options } }).collect();
    Some(Table { file, rows })
}

/// Rows that belong to one list and stand together: line of the first, code of the list, options.
type Gathered<O> = Vec<(usize, String, Vec<O>)>;

fn gathered<O>(
    table: Table<(String, O)>,
    column: &str,
    named: impl Fn(&O) -> (&String, &String),
    faults: &mut Faults,
) -> (String, Gathered<O>) {
    let Table { file, rows } = table;
    let mut lists: Gathered<O> = Vec::new();
    for Lined { line, value: (code, option) } in rows {
        let known = lists.iter().position(|(_, list, _)| *list == code);
        if known.is_some() && known != lists.len().checked_sub(1) {
            let message = format!("Move the options of one {column} together.");
            faults.error(&file, format!("line {line}, {column}"), "scale_scattered", message);
        }
        let Some((_, _, options)) = known.and_then(|index| lists.get_mut(index)) else {
            lists.push((line, code, vec![option]));
            continue;
        };
        let (own, label) = named(&option);
        if options.iter().any(|other| named(other).0.to_lowercase() == own.to_lowercase()) {
            let message = format!("Give each option of a {column} a code of its own.");
            faults.error(&file, format!("line {line}, option"), "code_double", message);
        }
        if options.iter().any(|other| named(other).1 == label) {
            let message = format!("Give each option of a {column} a label of its own.");
            faults.error(&file, format!("line {line}, label"), "label_double", message);
        }
        options.push(option);
    }
    (file, lists)
}

/// A text and its translations, by language.
pub(super) type Translated = (String, BTreeMap<String, String>);

/// The translations; a round without other languages has none.
pub(super) fn translations(
    files: &RoundFiles,
    languages: &[Language],
    faults: &mut Faults,
) -> Option<Table<Translated>> {
    let table = &keys::TRANSLATIONS;
    if !files::has_table(files, table.name) {
        if !languages.is_empty() {
            let message = "Add this table: a column vi with the texts and one for each of [[languages]].";
            faults.error("translations.tsv", "", "file_missing", message);
        }
        return Some(Table { file: "translations.tsv".to_owned(), rows: Vec::new() });
    }
    let codes = languages.iter().map(|language| language.code.as_str());
    let known: Vec<&str> = table.required.iter().copied().chain(codes).collect();
    read_with(files, table, &known, faults, |row, faults| {
        let mut text = |column: &str| {
            words::check_text(row.file, row.place(column), row.cell(column), TEXT_MAX, faults);
            row.cell(column).to_owned()
        };
        let vi = text("vi");
        let filled = languages.iter().filter(|language| !row.cell(&language.code).is_empty());
        (vi, filled.map(|language| (language.code.clone(), text(&language.code))).collect())
    })
}
