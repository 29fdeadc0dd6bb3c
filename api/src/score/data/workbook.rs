//! The wide table as a workbook, with a sheet that says what the codes mean. Text stays text and never becomes a formula.

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use survey_forms::Round;
use survey_forms::answers::{Answer, Ballot, Mark};
use survey_forms::ratio;

use super::codebook::{TOO_FEW, key_label, mark_label};
use super::columns::{Columns, KEYS, text};
use crate::score::ScoreError;

/// Rows that a sheet holds below its heading.
const ROWS_MAX: u32 = 1_048_575;

/// A workbook that is filled.
pub struct Ballots<'r> {
    columns: Columns<'r>,
    book: Workbook,
    row: u32,
}

/// Begins a workbook of a round's ballots.
///
/// # Errors
/// When a sheet cannot be made.
pub fn ballots(round: &Round) -> Result<Ballots<'_>, ScoreError> {
    let columns = Columns::of(round);
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = book.add_worksheet().set_name("Phiếu")?;
    for (name, at) in columns.names().zip(0_u16..) {
        sheet.write_string_with_format(0, at, name, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    codes(book.add_worksheet().set_name("Sổ mã")?, &columns, &bold)?;
    Ok(Ballots { columns, book, row: 0 })
}

impl Ballots<'_> {
    /// One more ballot.
    ///
    /// # Errors
    /// [`ScoreError::TooManyRows`].
    pub fn write(&mut self, id: &[u8], ballot: &Ballot) -> Result<(), ScoreError> {
        let sheet = self.book.worksheet_from_index(0)?;
        let row_number = &mut self.row;
        self.columns.rows(id, ballot, |row| {
            *row_number += 1;
            if *row_number > ROWS_MAX {
                return Err(ScoreError::TooManyRows);
            }
            for (key, (name, at)) in row.keys().into_iter().zip(KEYS.into_iter().zip(0_u16..)) {
                match key.parse::<f64>() {
                    Ok(weight) if name == "group_weight" => sheet.write_number(*row_number, at, weight)?,
                    _ => sheet.write_string(*row_number, at, key)?,
                };
            }
            for (answer, at) in row.answers.iter().zip(0_u16..) {
                let Some(answer) = answer else { continue };
                let at = at.saturating_add(u16::try_from(KEYS.len()).unwrap_or(0));
                let said = text(answer);
                match (answer, said.parse::<f64>()) {
                    (Answer::Number(_), Ok(number)) => sheet.write_number(*row_number, at, number)?,
                    _ => sheet.write_string(*row_number, at, said)?,
                };
            }
            Ok(())
        })
    }

    /// The workbook's bytes.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> Result<Vec<u8>, ScoreError> {
        Ok(self.book.save_to_buffer()?)
    }
}

/// Column, its words, a code, what the code means, what it is worth.
fn codes(sheet: &mut Worksheet, columns: &Columns<'_>, bold: &Format) -> Result<(), XlsxError> {
    let heads = [("Cột", 18.0), ("Nội dung", 60.0), ("Mã", 16.0), ("Nghĩa của mã", 44.0), ("Tỷ lệ (%)", 10.0)];
    for ((head, width), at) in heads.into_iter().zip(0_u16..) {
        sheet.set_column_width(at, width)?;
        sheet.write_string_with_format(0, at, head, bold)?;
    }
    let mut row = 0;
    let mut line = |cells: [&str; 5]| -> Result<(), XlsxError> {
        row += 1;
        for (cell, at) in cells.into_iter().zip(0_u16..).filter(|(cell, _)| !cell.is_empty()) {
            sheet.write_string(row, at, cell)?;
        }
        Ok(())
    };
    let round = columns.round;
    for key in KEYS {
        line([key, key_label(key), "", "", ""])?;
        match key {
            "respondent_code" => {
                round.groups.iter().try_for_each(|group| line([key, "", &group.code, &group.name, ""]))?;
            }
            "target" => {
                round.targets.iter().try_for_each(|target| line([key, "", &target.code, &target.name, ""]))?;
            }
            "void" => line([key, "", TOO_FEW.0, TOO_FEW.1, ""])?,
            _ => {}
        }
    }
    for column in &columns.items {
        line([column.code, column.label(round), "", "", ""])?;
        for option in &column.options {
            let worth = option.percent.map(ratio::to_exact).unwrap_or_default();
            line([column.code, "", option.code, &option.label(), &worth])?;
        }
        for mark in Mark::ALL.into_iter().filter(|_| column.is_on_paper(round)) {
            line([column.code, "", &format!("#{}", mark.as_str()), mark_label(mark), ""])?;
        }
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}
