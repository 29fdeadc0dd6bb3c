//! A CSV or XLSX file as lines of cells, whoever made it.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::columns::Mapping;
use crate::round::encoding;
use crate::xlsform::workbook::{self, NotRead, Odd, Sheet};

/// Largest file, in bytes.
pub const BYTES_MAX: usize = 8 << 20;
/// Longest list, in lines.
pub const LINES_MAX: usize = 50_000;
/// Most columns of a line.
const COLUMNS_MAX: usize = 100;
const CELLS_MAX: usize = 1_000_000;
/// Longest cell that is kept, in characters; a spreadsheet program's own limit.
const LETTERS_MAX: usize = 32_767;

/// What is odd about a cell: why it holds nothing that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A formula that was never worked out.
    Formula,
    /// The program has made a date of what was typed.
    Date,
    /// `#N/A` and the like.
    ErrorValue,
    /// More letters than anybody writes; carries how many.
    TooLong(usize),
}

/// A cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text as it stands; empty where it has a flaw.
    pub text: String,
    /// Why it cannot be used.
    pub flaw: Option<Flaw>,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file or sheet, from 1.
    pub number: u32,
    /// From the first column on.
    pub cells: Vec<Cell>,
}

/// A list of people as it stands in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grid {
    /// Lines that hold something, in their order.
    pub lines: Vec<Line>,
}

/// Why a file is no list that can be read, in Vietnamese.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAList(pub String);

fn refused<T>(why: impl Into<String>) -> Result<T, NotAList> {
    Err(NotAList(why.into()))
}

impl Grid {
    /// Reads a file; what kind it is shows in its first bytes, not in its name.
    ///
    /// # Errors
    /// [`NotAList`] says what to do.
    pub fn read(bytes: &[u8]) -> Result<Self, NotAList> {
        if bytes.len() > BYTES_MAX {
            return refused(format!(
                "Tệp lớn hơn {} MiB. Xin bỏ hình ảnh, trang tính thừa, hoặc chia danh sách thành nhiều tệp.",
                BYTES_MAX >> 20
            ));
        }
        let grid = if bytes.starts_with(b"PK") { xlsx(bytes)? } else { csv(bytes)? };
        if grid.lines.is_empty() {
            return refused("Tệp không có dòng nào.");
        }
        if grid.lines.len() > LINES_MAX {
            return refused(format!("Danh sách có quá {LINES_MAX} dòng. Xin chia thành nhiều tệp."));
        }
        Ok(grid)
    }

    /// Most columns of a line.
    #[must_use]
    pub fn width(&self) -> usize {
        self.lines.iter().map(|line| line.cells.len()).max().unwrap_or(0)
    }

    /// The line with this number.
    #[must_use]
    pub fn line(&self, number: u32) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == number)
    }
}

impl Line {
    /// The cell of a column; an empty one where the line ends before.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell {
        self.cells.get(column).cloned().unwrap_or_default()
    }

    /// The text of a column, cleaned.
    #[must_use]
    pub fn text(&self, column: usize) -> String {
        super::clean(self.cells.get(column).map_or("", |cell| cell.text.as_str()))
    }
}

/// `A`, `B` … `AA`: how spreadsheet programs name a column.
#[must_use]
pub fn letters(column: usize) -> String {
    workbook::letters(u32::try_from(column).unwrap_or(u32::MAX))
}

fn csv(bytes: &[u8]) -> Result<Grid, NotAList> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            return Err(not_read(&NotRead::OldOrLocked));
        }
        return refused(match encoding::likely(bytes) {
            Some(name) => format!("Tệp có vẻ dùng bảng mã {name}. Xin lưu lại thành .xlsx hoặc “CSV UTF-8”."),
            None => "Tệp không phải .xlsx, cũng không phải CSV UTF-8. Xin lưu lại thành một trong hai dạng đó.".into(),
        });
    };
    let text: String = text.strip_prefix('\u{feff}').unwrap_or(text).nfc().collect();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        let Ok(record) = record else {
            return refused("Tệp CSV bị hỏng: có dấu nháy kép không khép lại. Xin lưu lại từ phần mềm bảng tính.");
        };
        let number = u32::try_from(record.position().map_or(0, csv::Position::line)).unwrap_or(u32::MAX);
        if record.len() > COLUMNS_MAX {
            return refused(format!("Dòng {number} có quá {COLUMNS_MAX} cột. Xin kiểm tra dấu phân cách và dấu nháy."));
        }
        let cells: Vec<Cell> = record.iter().map(cell).collect();
        push(&mut lines, number, cells)?;
    }
    Ok(Grid { lines })
}

/// What parts the cells of the first lines most often.
fn delimiter(text: &str) -> u8 {
    let count = |sign: u8| {
        text.lines().take(20).filter(|line| !line.contains('"')).map(|l| l.bytes().filter(|b| *b == sign).count()).sum()
    };
    let counts: [(usize, u8); 3] = [(count(b','), b','), (count(b';'), b';'), (count(b'\t'), b'\t')];
    counts.into_iter().max_by_key(|(count, _)| *count).map_or(b',', |(_, sign)| sign)
}

fn cell(text: &str) -> Cell {
    let letters = text.chars().count();
    if letters > LETTERS_MAX {
        return Cell { text: String::new(), flaw: Some(Flaw::TooLong(letters)) };
    }
    Cell { text: text.to_owned(), flaw: None }
}

/// Keeps a line that holds something.
fn push(lines: &mut Vec<Line>, number: u32, mut cells: Vec<Cell>) -> Result<(), NotAList> {
    while cells.last().is_some_and(|cell| cell.flaw.is_none() && cell.text.trim().is_empty()) {
        cells.pop();
    }
    if cells.is_empty() {
        return Ok(());
    }
    if lines.len() > LINES_MAX {
        return refused(format!("Danh sách có quá {LINES_MAX} dòng. Xin chia thành nhiều tệp."));
    }
    lines.push(Line { number, cells });
    Ok(())
}

fn xlsx(bytes: &[u8]) -> Result<Grid, NotAList> {
    let is_list = |sheet: &Sheet| of_sheet(sheet).is_ok_and(|grid| Mapping::guess(&grid).heading.is_some());
    of_sheet(&workbook::first_sheet(bytes, CELLS_MAX, is_list).map_err(|error| not_read(&error))?)
}

fn of_sheet(sheet: &Sheet) -> Result<Grid, NotAList> {
    // A cell that was merged downwards holds for every line that it spans.
    let mut spread: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
    for ((row, column), last) in sheet.merged.iter().zip(&sheet.merged_to) {
        for below in row.saturating_add(1)..=(*last).min(row.saturating_add(5_000)) {
            spread.insert((below, *column), (*row, *column));
        }
    }
    let mut lines = Vec::new();
    for (number, row) in &sheet.rows {
        let mut cells: Vec<Cell> = Vec::new();
        let mut put = |column: u32, cell: Cell| {
            let column = usize::try_from(column).unwrap_or(COLUMNS_MAX);
            if column < COLUMNS_MAX {
                cells.resize_with(cells.len().max(column + 1), Cell::default);
                if let Some(place) = cells.get_mut(column) {
                    *place = cell;
                }
            }
        };
        for ((_, column), from) in spread.range((*number, 0)..=(*number, u32::MAX)) {
            if let Some(above) = sheet.rows.get(&from.0).and_then(|above| above.get(&from.1)) {
                put(*column, of_workbook(above));
            }
        }
        for (column, found) in row {
            put(*column, of_workbook(found));
        }
        push(&mut lines, *number, cells)?;
    }
    Ok(Grid { lines })
}

fn of_workbook(found: &workbook::Cell) -> Cell {
    let flaw = match found.odd {
        // The last result of a formula is what the office sees.
        None | Some(Odd::Formula) => None,
        Some(Odd::FormulaEmpty) => Some(Flaw::Formula),
        Some(Odd::Date) => Some(Flaw::Date),
        Some(Odd::ErrorValue) => Some(Flaw::ErrorValue),
        Some(Odd::TooLong) => Some(Flaw::TooLong(LETTERS_MAX)),
    };
    Cell { text: found.text.clone(), flaw }
}

fn not_read(error: &NotRead) -> NotAList {
    NotAList(
        match error {
            NotRead::TooBig(_) => "Tệp quá lớn. Xin bỏ hình ảnh và trang tính thừa.",
            NotRead::OldOrLocked => "Đây là tệp .xls cũ hoặc tệp có mật khẩu. Xin lưu lại thành .xlsx không mật khẩu.",
            NotRead::NotXlsx | NotRead::Damaged | NotRead::NoSurvey(_) | NotRead::NoHeading(_) => {
                "Tệp bị hỏng hoặc không phải bảng tính. Xin mở bằng phần mềm bảng tính và lưu lại thành .xlsx."
            }
            NotRead::Unpacked => "Tệp phình quá lớn khi giải nén. Xin xóa các dòng, cột trống và lưu lại.",
            NotRead::SheetTooBig(_) => "Trang tính có quá nhiều ô. Xin xóa những gì không thuộc danh sách.",
        }
        .to_owned(),
    )
}
