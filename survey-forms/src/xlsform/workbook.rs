//! A spreadsheet as rows of texts: measured before it is read, never trusted.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, Xlsx};
use thiserror::Error;
use zip::ZipArchive;

/// Largest file. A questionnaire has a hundredth of it, one formatted down to the last row about half.
pub const FILE_BYTES_MAX: usize = 8 << 20;
const ENTRIES_MAX: usize = 500;
/// Of all parts together once unpacked; sheets that were formatted down to row 1,048,576 need some tens of megabytes.
const UNPACKED_MAX: u64 = 128 << 20;
/// Of a part that is no sheet, because those are kept in memory.
const PART_MAX: u64 = 16 << 20;
const CELLS_MAX: usize = 200_000;
/// Of one sheet's cells together; a cell's text may be shared by many.
const TEXT_MAX: usize = 16 << 20;
/// A spreadsheet program's own limit.
const CELL_LETTERS_MAX: usize = 32_767;

/// Why a file is not read at all; each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotRead {
    /// Too many bytes.
    #[error(
        "The file has {0} bytes; at most {FILE_BYTES_MAX} are read. Take out pictures, empty rows and sheets that are no part of the form."
    )]
    TooBig(usize),
    /// The older binary format, or an encrypted file: both are OLE containers.
    #[error("This is an old .xls file or one with a password. Save it as .xlsx without a password.")]
    OldOrLocked,
    /// Something else, such as a text file that was renamed.
    #[error("This is not an .xlsx file. Open it in a spreadsheet program and save it as .xlsx.")]
    NotXlsx,
    /// A zip that is no workbook, or a damaged one.
    #[error("The file is damaged or is no workbook. Open it in a spreadsheet program and save it as .xlsx again.")]
    Damaged,
    /// Unpacks to too much.
    #[error(
        "The file unpacks to more than a questionnaire needs. Delete the empty rows and columns below and beside the form, and save it again."
    )]
    Unpacked,
    /// Too many cells or too much text.
    #[error("The sheet {0} has more cells or text than a questionnaire needs. Delete what is no part of the form.")]
    SheetTooBig(String),
    /// No sheet `survey`.
    #[error("There is no sheet named survey; there are: {0}. Rename the sheet with the questions.")]
    NoSurvey(String),
    /// The sheet `survey` has no heading that can be used.
    #[error("The sheet survey needs columns named type, name and label in its first row; it has: {0}.")]
    NoHeading(String),
}

/// What is odd about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Odd {
    /// A formula; its last result is read.
    Formula,
    /// A formula that has never been worked out.
    FormulaEmpty,
    /// The program has made a date of what was typed.
    Date,
    /// `#N/A` and the like.
    ErrorValue,
    /// More letters than a spreadsheet program writes.
    TooLong,
}

/// A cell: its text, untouched, and what is odd about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) odd: Option<Odd>,
}

/// One sheet: rows by their number, from 1; cells by column, from 0. Empty cells are left out.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    pub(crate) rows: BTreeMap<u32, BTreeMap<u32, Cell>>,
    /// First row and column of each merged area.
    pub(crate) merged: Vec<(u32, u32)>,
    /// Its last row.
    pub(crate) merged_to: Vec<u32>,
}

/// The sheets that make a form.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) survey: Sheet,
    pub(super) choices: Option<Sheet>,
    pub(super) settings: Option<Sheet>,
    /// Names of the sheets that nobody reads.
    pub(super) others: Vec<String>,
}

/// Reads the sheets of a form.
pub(super) fn read(bytes: &[u8]) -> Result<Book, NotRead> {
    guarded(bytes, sheets)
}

/// Reads the sheets one after the other, at most so many cells of each, until `is_it` says that one will do; else the
/// first that is not empty.
pub(crate) fn first_sheet(bytes: &[u8], cells_max: usize, is_it: impl Fn(&Sheet) -> bool) -> Result<Sheet, NotRead> {
    guarded(bytes, |bytes| {
        let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
        let mut first = None;
        for name in xlsx.sheet_names() {
            let found = sheet(&mut xlsx, &name, cells_max)?;
            if is_it(&found) {
                return Ok(found);
            }
            if !found.rows.is_empty() {
                first.get_or_insert(found);
            }
        }
        Ok(first.unwrap_or_default())
    })
}

/// Measures the file, then reads it.
fn guarded<T>(bytes: &[u8], reading: impl FnOnce(&[u8]) -> Result<T, NotRead>) -> Result<T, NotRead> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(NotRead::TooBig(bytes.len()));
    }
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return Err(NotRead::OldOrLocked);
    }
    if !bytes.starts_with(b"PK") {
        return Err(NotRead::NotXlsx);
    }
    measure(bytes, UNPACKED_MAX, PART_MAX)?;
    // The reader states some of its assumptions about a workbook as panics, and others' files do not keep them.
    catch_unwind(AssertUnwindSafe(|| reading(bytes))).unwrap_or(Err(NotRead::Damaged))
}

/// Unpacks every part into nothing, because the sizes that a zip declares may be lies.
pub(super) fn measure(bytes: &[u8], whole_max: u64, part_max: u64) -> Result<(), NotRead> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if zip.len() > ENTRIES_MAX {
        return Err(NotRead::Unpacked);
    }
    let mut total = 0;
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(damaged)?;
        let most = if part.name().map_err(damaged)?.contains("worksheets/") { whole_max } else { part_max };
        let size = std::io::copy(&mut part.take(most + 1), &mut std::io::sink()).map_err(damaged)?;
        total += size;
        if size > most || total > whole_max {
            return Err(NotRead::Unpacked);
        }
    }
    Ok(())
}

/// What exactly the reader did not like says nothing to the author of a form.
fn damaged(_: impl std::error::Error) -> NotRead {
    NotRead::Damaged
}

fn sheets(bytes: &[u8]) -> Result<Book, NotRead> {
    let mut xlsx: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let names = xlsx.sheet_names();
    let find = |wanted: &str| names.iter().find(|name| name.trim().to_lowercase() == wanted).cloned();
    let Some(survey) = find("survey") else {
        return Err(NotRead::NoSurvey(short(&names.join(", "))));
    };
    let (choices, settings) = (find("choices"), find("settings"));
    let parts = [Some(&survey), choices.as_ref(), settings.as_ref()];
    let others = names.iter().filter(|name| !parts.contains(&Some(name))).map(|name| short(name)).collect();
    let mut optional = |name: Option<&String>| name.map(|name| sheet(&mut xlsx, name, CELLS_MAX)).transpose();
    let (choices, settings) = (optional(choices.as_ref())?, optional(settings.as_ref())?);
    Ok(Book { survey: sheet(&mut xlsx, &survey, CELLS_MAX)?, choices, settings, others })
}

/// A text of the file inside a message.
pub(crate) fn short(text: &str) -> String {
    let mut shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(80).collect();
    if text.chars().count() > 80 {
        shown.push('…');
    }
    shown
}

fn sheet(xlsx: &mut Xlsx<Cursor<&[u8]>>, name: &str, cells_max: usize) -> Result<Sheet, NotRead> {
    let mut found = Sheet::default();
    let (mut cells, mut letters) = (0_usize, 0_usize);
    let mut reader = xlsx.worksheet_cells_reader(name).map_err(damaged)?;
    while let Some(record) = reader.next_cell_with_formula_metadata().map_err(damaged)? {
        let Some(cell) = cell(&record.value, record.formula.is_some()) else { continue };
        cells += 1;
        letters += cell.text.len();
        if cells > cells_max || letters > TEXT_MAX {
            return Err(NotRead::SheetTooBig(short(name)));
        }
        let (row, column) = record.pos;
        found.rows.entry(row.saturating_add(1)).or_default().insert(column, cell);
    }
    drop(reader);
    let merged = xlsx.merge_cells_by_sheet_name(name).unwrap_or_default();
    found.merged_to = merged.iter().take(CELLS_MAX).map(|area| area.end.0.saturating_add(1)).collect();
    found.merged = merged.iter().take(CELLS_MAX).map(|area| (area.start.0.saturating_add(1), area.start.1)).collect();
    Ok(found)
}

fn cell(value: &DataRef, formula: bool) -> Option<Cell> {
    let odd = formula.then_some(Odd::Formula);
    let (text, odd) = match value {
        DataRef::Empty if formula => (String::new(), Some(Odd::FormulaEmpty)),
        DataRef::Empty => return None,
        DataRef::Int(number) => (number.to_string(), odd),
        DataRef::Float(number) => (number.to_string(), odd),
        DataRef::Bool(truth) => (truth.to_string(), odd),
        DataRef::String(text) => (text.clone(), odd),
        DataRef::SharedString(text) => ((*text).to_owned(), odd),
        DataRef::DateTime(_) | DataRef::DateTimeIso(_) | DataRef::DurationIso(_) => (String::new(), Some(Odd::Date)),
        DataRef::Error(_) => (String::new(), Some(Odd::ErrorValue)),
    };
    if text.is_empty() && matches!(odd, None | Some(Odd::Formula)) {
        return formula.then_some(Cell { text, odd: Some(Odd::FormulaEmpty) });
    }
    if text.chars().count() > CELL_LETTERS_MAX {
        return Some(Cell { text: String::new(), odd: Some(Odd::TooLong) });
    }
    if text.trim().is_empty() && odd.is_none() {
        return None;
    }
    Some(Cell { text, odd })
}

/// `A`, `B` … `AA`: how spreadsheet programs name a column.
pub(crate) fn letters(column: u32) -> String {
    let mut rest = column;
    let mut name = String::new();
    loop {
        name.insert(0, char::from_digit(rest % 26 + 10, 36).unwrap_or('?').to_ascii_uppercase());
        if rest < 26 {
            return name;
        }
        rest = rest / 26 - 1;
    }
}
