//! The wide table as CSV.

use std::io::Write;

use super::columns::{Columns, Row, text};
use crate::credential::plain;
use crate::score::ScoreError;

/// Writes the wide table: UTF-8 with a byte order mark, cells between commas, a point in numbers. Cells that a spreadsheet
/// would take for a formula are neutralised.
pub struct Wide<W: Write>(csv::Writer<W>);

impl<W: Write> Wide<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(mut out: W, columns: &Columns<'_>) -> Result<Self, ScoreError> {
        out.write_all(crate::score::export::BYTE_ORDER_MARK.as_bytes())?;
        let mut table = csv::Writer::from_writer(out);
        table.write_record(columns.names().map(plain))?;
        Ok(Self(table))
    }

    /// One more row.
    ///
    /// # Errors
    /// As [`Wide::new`].
    pub fn write(&mut self, row: &Row<'_>) -> Result<(), ScoreError> {
        row.keys().into_iter().try_for_each(|key| self.0.write_field(plain(key)))?;
        for answer in &row.answers {
            let cell = answer.map(text).unwrap_or_default();
            // A negative number is no formula.
            let is_number = matches!(answer, Some(survey_forms::answers::Answer::Number(_)));
            self.0.write_field(if is_number { cell } else { plain(&cell) })?;
        }
        self.0.write_record(None::<&[u8]>)?;
        Ok(())
    }

    /// Nothing more follows.
    ///
    /// # Errors
    /// As [`Wide::new`].
    pub fn end(mut self) -> Result<(), ScoreError> {
        Ok(self.0.flush()?)
    }
}
