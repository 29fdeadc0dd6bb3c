//! Data for analysts: the opened ballots in the formats that statistics programs read, a codebook, and the scores worked
//! out again from these files alone, without a database. `README.md` beside this file is what an analyst needs.
//!
//! Nothing here leads to a person: a ballot's id was drawn at random at the opening, rows stand in the order of these ids,
//! and there are no times, no codes and no envelopes.

mod again;
mod codebook;
mod columns;
mod folder;
mod lines;
mod read;
mod sav;
mod tables;
mod workbook;

#[cfg(test)]
mod tests;

pub use again::{Again, AgainError, Published, Turnout, again};
pub use codebook::codebook;
pub use columns::{Columns, KEYS, Row};
pub use folder::{README, turnout};
pub use lines::Lines;
pub use read::{Read, ReadError, read};
pub use sav::Sav;
pub use tables::Wide;
pub use workbook::ballots as workbook;
