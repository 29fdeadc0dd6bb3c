//! The wide table as Parquet: every column text, what was not said or asked is null.

use std::io::Write;
use std::sync::Arc;

use ::parquet::basic::{LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType};
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::{EnabledStatistics, WriterProperties};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;

use super::columns::{Columns, KEYS, Row, text};
use crate::score::ScoreError;

/// Rows of a group, about.
const GROUP: usize = 100_000;

/// Writes the file; [`Parquet::end`] makes it whole.
pub struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    /// By column: the values that are there, and for each row whether one is.
    columns: Vec<(Vec<ByteArray>, Vec<i16>)>,
    rows: usize,
}

impl<W: Write + Send> Parquet<W> {
    /// Begins with the names of the columns.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn new(out: W, columns: &Columns<'_>) -> Result<Self, ScoreError> {
        let names: Vec<&str> = columns.names().collect();
        let column = |(at, name): (usize, &&str)| {
            let repetition = if is_key(at) { Repetition::REQUIRED } else { Repetition::OPTIONAL };
            let column = Type::primitive_type_builder(name, Physical::BYTE_ARRAY);
            column.with_logical_type(Some(LogicalType::String)).with_repetition(repetition).build().map(Arc::new)
        };
        let fields = names.iter().enumerate().map(column).collect::<Result<Vec<_>, ParquetError>>()?;
        let schema = Type::group_type_builder("ballots").with_fields(fields).build()?;
        let properties = WriterProperties::builder().set_created_by("phieu".to_owned());
        let properties = properties.set_statistics_enabled(EnabledStatistics::None).build();
        let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { file, columns: names.iter().map(|_| (Vec::new(), Vec::new())).collect(), rows: 0 })
    }

    /// One more row.
    ///
    /// # Errors
    /// As [`Parquet::new`].
    pub fn write(&mut self, row: &Row<'_>) -> Result<(), ScoreError> {
        let keys = row.keys().into_iter().map(|key| Some(key.to_owned()));
        let answers = row.answers.iter().map(|answer| answer.map(text));
        for ((values, there), cell) in self.columns.iter_mut().zip(keys.chain(answers)) {
            there.push(i16::from(cell.is_some()));
            values.extend(cell.map(|cell| ByteArray::from(cell.into_bytes())));
        }
        self.rows += 1;
        if self.rows == GROUP { self.group() } else { Ok(()) }
    }

    fn group(&mut self) -> Result<(), ScoreError> {
        self.rows = 0;
        let mut group = self.file.next_row_group()?;
        for (at, (values, there)) in self.columns.iter_mut().enumerate() {
            if let Some(mut column) = group.next_column()? {
                let there = (!is_key(at)).then_some(there.as_slice());
                column.typed::<ByteArrayType>().write_batch(values, there, None)?;
                column.close()?;
            }
            values.clear();
        }
        self.columns.iter_mut().for_each(|(_, there)| there.clear());
        group.close()?;
        Ok(())
    }

    /// Nothing more follows.
    ///
    /// # Errors
    /// As [`Parquet::new`].
    pub fn end(mut self) -> Result<(), ScoreError> {
        if self.rows > 0 {
            self.group()?;
        }
        self.file.close()?;
        Ok(())
    }
}

/// A column before the answers has something in every row.
const fn is_key(column: usize) -> bool {
    column < KEYS.len()
}
