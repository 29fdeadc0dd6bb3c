//! The wide table as Parquet, as we or another program wrote it.

use std::fs::File;

use ::parquet::column::reader::ColumnReader;
use ::parquet::data_type::{AsBytes as _, ByteArray};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use csv::ByteRecord;
use survey_forms::Round;

use super::wide::{Counter, Heading};
use super::{NO_FORMAT, Read, ReadError};

/// Rows that are in hand at a time.
const ROWS: usize = 8192;
const NO_TEXT: &str = "every column is text, without lists in it";

/// A column of the rows in hand.
#[derive(Default)]
struct Column {
    values: Vec<ByteArray>,
    /// By row, whether there is a value; empty where there always is.
    there: Vec<i16>,
    /// Of the values, how many are taken.
    taken: usize,
}

impl Column {
    fn read(&mut self, from: &mut ColumnReader) -> Result<usize, ReadError> {
        let ColumnReader::ByteArrayColumnReader(from) = from else { return Err(ReadError::Format(NO_TEXT)) };
        self.values.clear();
        self.there.clear();
        self.taken = 0;
        let (rows, _, _) = from.read_records(ROWS, Some(&mut self.there), None, &mut self.values).map_err(fault)?;
        Ok(rows)
    }

    /// The next row's cell; empty where there is none.
    fn next(&mut self, row: usize) -> &[u8] {
        if self.there.get(row) == Some(&0) {
            return &[];
        }
        self.taken += 1;
        self.values.get(self.taken - 1).map(ByteArray::as_bytes).unwrap_or_default()
    }
}

pub(super) fn read(round: &Round, file: File) -> Result<Read, ReadError> {
    let reader = SerializedFileReader::new(file).map_err(fault)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    if schema.columns().iter().any(|column| column.max_rep_level() > 0 || column.max_def_level() > 1) {
        return Err(ReadError::Format(NO_TEXT));
    }
    let names: Vec<String> = schema.columns().iter().map(|column| column.name().to_owned()).collect();
    let heading = Heading::of(round, &names)?;
    let mut counter = Counter::new(round, &heading);
    let mut row = ByteRecord::new();
    let mut line = 1;
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(fault)?;
        let mut readers = Vec::new();
        for at in 0..group.num_columns() {
            readers.push(group.get_column_reader(at).map_err(fault)?);
        }
        let mut columns: Vec<Column> = readers.iter().map(|_| Column::default()).collect();
        loop {
            let mut rows = None;
            for (column, reader) in columns.iter_mut().zip(&mut readers) {
                let read = column.read(reader)?;
                if *rows.get_or_insert(read) != read {
                    return Err(ReadError::Format(NO_FORMAT));
                }
            }
            let rows = rows.unwrap_or(0);
            if rows == 0 {
                break;
            }
            for at in 0..rows {
                line += 1;
                row.clear();
                columns.iter_mut().for_each(|column| row.push_field(column.next(at)));
                counter.take(&row, line)?;
            }
        }
    }
    counter.end(line)?;
    Ok(counter.counted())
}

fn fault(_error: ParquetError) -> ReadError {
    ReadError::Format("this Parquet file is damaged, or compressed: write it again without compression")
}
