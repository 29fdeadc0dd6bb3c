//! Reading exported ballots back, strictly: a file that is not what we wrote is refused with the line and the reason, and
//! never counted in part.

mod answers;
mod blocks;
mod long;
mod wide;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use survey_forms::Round;
use survey_forms::answers::{Answers, Ballot, Stratum};
use survey_forms::scoring::Tally;

use answers::Sheets;
pub(super) use answers::bare;

/// What was read.
pub struct Read {
    /// All ballots, counted.
    pub tally: Tally,
    /// How many they are.
    pub ballots: u64,
}

/// Why a file of ballots is refused. Names places and columns, never an answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// None of our formats.
    #[error("{0}")]
    Format(&'static str),
    /// A column of ours is missing, or one is of no item of the round.
    #[error("line 1, column {column:?}: {what}")]
    Column {
        /// Its name.
        column: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A line that is not of a ballot of this round.
    #[error("line {line}{}: {what}", place(column))]
    Line {
        /// From 1, the heading included.
        line: u64,
        /// The column, where one is at fault.
        column: String,
        /// What is wrong.
        what: &'static str,
    },
}

fn place(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!(", column {column:?}") }
}

impl ReadError {
    fn line(line: u64, column: &str, what: &'static str) -> Self {
        Self::Line { line, column: column.to_owned(), what }
    }
}

const NO_FORMAT: &str =
    "this is no file of ballots: it is a CSV or lines of JSON as `phieu export --what ballots` writes them";
const NO_PAPER: &str = "nobody in the round rates these targets together in this group: is it another round's file?";
const NO_ANSWER: &str = "this is no answer to this item";
const NO_ITEM: &str = "the group is not asked this item about this target";
const NO_ORDER: &str =
    "ballots stand in the order of ballot_id, each once: sort the table by ballot_id and target's place";

/// Counts the ballots of a file: the long or the wide CSV (`,`, `;` or tabs), or lines of JSON.
///
/// # Errors
/// [`ReadError`]; nothing is counted then.
pub fn read(round: &Round, path: &Path) -> Result<Read, ReadError> {
    let mut file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let start = file.fill_buf()?;
    if start.starts_with(b"$FL") {
        return Err(ReadError::Format("an SPSS file is not read back: take the CSV of the same export"));
    }
    if start.starts_with(b"PK") {
        return Err(ReadError::Format("a workbook is not read back: take the CSV of the same export"));
    }
    if start.starts_with(b"{") {
        return long::lines(round, file);
    }
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let heading = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let heading = std::str::from_utf8(heading).map_err(|_utf8| ReadError::Format(NO_FORMAT))?;
    let separator = [b',', b';', b'\t'].into_iter().find(|mark| heading.contains(char::from(*mark)));
    let separator = separator.filter(|_| heading.contains("ballot_id")).ok_or(ReadError::Format(NO_FORMAT))?;
    if heading.contains("item_code") { long::table(round, file, separator) } else { wide::read(round, file, separator) }
}

/// Counts ballots that are read answer by answer.
struct Counter<'r> {
    round: &'r Round,
    tally: Tally,
    sheets: Sheets<'r>,
    ballots: u64,
    last: String,
}

impl<'r> Counter<'r> {
    fn new(round: &'r Round) -> Self {
        Self { round, tally: Tally::new(round), sheets: Sheets::of(round), ballots: 0, last: String::new() }
    }

    fn begin(&mut self, line: u64, id: &str) -> Result<(), ReadError> {
        if id <= self.last.as_str() {
            return Err(ReadError::line(line, "ballot_id", NO_ORDER));
        }
        id.clone_into(&mut self.last);
        Ok(())
    }

    fn add(&mut self, stratum: Stratum, answers: Answers) {
        self.ballots += 1;
        let form = self.round.questionnaire(&stratum.respondent_code);
        let questionnaire = form.map(|form| form.hash.clone()).unwrap_or_default();
        self.tally.add(&Ballot { round: self.round.id.clone(), questionnaire, stratum, answers });
    }

    fn end(self) -> Read {
        Read { tally: self.tally, ballots: self.ballots }
    }
}
