//! The wide table: a row a ballot and target. Blocks of it are counted on all cores.

use std::collections::HashMap;
use std::io::BufRead;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

use csv::ByteRecord;
use survey_forms::Round;
use survey_forms::answers::{Answers, Ballot, Stratum};
use survey_forms::questionnaire::Item;
use survey_forms::scoring::{BallotKind, Tally};

use super::answers::{self, Sheets, bare};
use super::blocks::{Block, Blocks};
use super::long::fault;
use super::{NO_ANSWER, NO_FORMAT, NO_ITEM, NO_ORDER, NO_PAPER, Read, ReadError};
use crate::score::data::columns::KEYS;

/// Where the columns are.
struct Heading {
    group: usize,
    targets: usize,
    target: usize,
    /// Place and name of the others.
    items: Vec<(usize, String)>,
}

impl Heading {
    fn read(round: &Round, line: &str, separator: u8) -> Result<Self, ReadError> {
        let mut table = csv::ReaderBuilder::new().delimiter(separator).from_reader(line.as_bytes());
        let heads: Vec<String> = table.headers().map_err(fault)?.iter().map(|head| bare(head).to_owned()).collect();
        if heads.first().map(String::as_str) != Some("ballot_id") {
            return Err(ReadError::Column { column: "ballot_id".to_owned(), what: "this is the first column" });
        }
        let place = |name: &str| {
            let missing = || ReadError::Column { column: name.to_owned(), what: "this column is missing" };
            heads.iter().position(|head| head == name).ok_or_else(missing)
        };
        let is_asked = |code: &str| round.questionnaires.iter().any(|form| form.item(code).is_some());
        let mut items: Vec<(usize, String)> = Vec::new();
        for (at, head) in heads.iter().enumerate().filter(|(_, head)| !KEYS.contains(&head.as_str())) {
            if !is_asked(head) || items.iter().any(|(_, known)| known == head) {
                let what = "this is no item of the round, or there twice";
                return Err(ReadError::Column { column: head.clone(), what });
            }
            items.push((at, head.clone()));
        }
        Ok(Self { group: place("respondent_code")?, targets: place("targets")?, target: place("target")?, items })
    }
}

pub(super) fn read(round: &Round, mut file: impl BufRead + Send, separator: u8) -> Result<Read, ReadError> {
    let mut line = String::new();
    file.read_line(&mut line)?;
    let heading = Heading::read(round, line.trim_start_matches('\u{feff}'), separator)?;
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let (send, receive) = sync_channel::<Block>(cores);
    let receive = Mutex::new(receive);
    let work = || count(round, &heading, separator, &receive);
    let counted = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut blocks = Blocks::new(file, separator);
        let cut = loop {
            match blocks.next() {
                Ok(Some(block)) => {
                    // Nobody receives any more when each has found a fault.
                    if send.send(block).is_err() {
                        break Ok(());
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        drop(send);
        let parts: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
        let parts = parts.into_iter().map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let parts: Vec<Result<Read, ReadError>> = parts.collect();
        cut.map(|()| parts)
    })?;
    let mut all: Option<Read> = None;
    for part in counted {
        let part = part?;
        match &mut all {
            None => all = Some(part),
            Some(all) => {
                all.tally.merge(&part.tally).map_err(|_mismatch| ReadError::Format(NO_FORMAT))?;
                all.ballots += part.ballots;
            }
        }
    }
    all.ok_or(ReadError::Format(NO_FORMAT))
}

/// Counts blocks until there are no more, or one has a fault; then takes the others away uncounted.
fn count(round: &Round, heading: &Heading, separator: u8, blocks: &Mutex<Receiver<Block>>) -> Result<Read, ReadError> {
    let mut counter = Counter::new(round, heading);
    let mut outcome = Ok(());
    loop {
        let next = blocks.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv();
        let Ok(block) = next else { break };
        if outcome.is_ok() {
            outcome = counter.block(&block, separator);
        }
    }
    outcome.map(|()| Read { tally: counter.tally, ballots: counter.ballots })
}

/// A kind of ballot, as this table has it.
struct Sheet<'r> {
    stratum: Stratum,
    by: By<'r>,
    /// By column of the table: the item's place on the form.
    places: Vec<Option<usize>>,
}

enum By<'r> {
    /// Counted as bytes; answers that are one byte by table.
    Bytes { kind: BallotKind, quick: Vec<[u8; 256]>, absent: Vec<u8> },
    /// Counted answer by answer.
    Answers(Vec<&'r Item>),
}

/// No answer of an item is this byte.
const NONE: u8 = u8::MAX;

struct Counter<'r> {
    round: &'r Round,
    heading: &'r Heading,
    sheets: Sheets<'r>,
    /// By group and targets as they stand in the table.
    known: HashMap<Vec<u8>, usize>,
    kinds: Vec<Sheet<'r>>,
    tally: Tally,
    ballots: u64,
    // Of the ballot in hand.
    id: Vec<u8>,
    sheet: usize,
    codes: Vec<u8>,
    seen: Vec<bool>,
    answers: Answers,
}

impl<'r> Counter<'r> {
    fn new(round: &'r Round, heading: &'r Heading) -> Self {
        Self {
            round,
            heading,
            sheets: Sheets::of(round),
            known: HashMap::new(),
            kinds: Vec::new(),
            tally: Tally::new(round),
            ballots: 0,
            id: Vec::new(),
            sheet: 0,
            codes: Vec::new(),
            seen: Vec::new(),
            answers: Answers::new(),
        }
    }

    fn block(&mut self, block: &Block, separator: u8) -> Result<(), ReadError> {
        let from = block.bytes.as_slice();
        let mut table = csv::ReaderBuilder::new().delimiter(separator).has_headers(false).from_reader(from);
        let mut row = ByteRecord::new();
        let mut key = Vec::new();
        let first = block.line.saturating_sub(1);
        let at = |row: &ByteRecord| first + row.position().map_or(1, csv::Position::line);
        self.id.clear();
        let mut width = None;
        loop {
            let more = table.read_byte_record(&mut row).map_err(|error| match fault(error) {
                ReadError::Line { line, column, what } => ReadError::Line { line: first + line, column, what },
                other => other,
            })?;
            if !more {
                break;
            }
            // The reader holds rows of a block to each other, not to the heading.
            if *width.get_or_insert(row.len()) <= self.heading.items.last().map_or(0, |(at, _)| *at) {
                return Err(ReadError::line(at(&row), "", "this line has fewer cells than the heading"));
            }
            let id = row.get(0).unwrap_or_default();
            if id != self.id.as_slice() {
                if !self.id.is_empty() {
                    self.finish(at(&row))?;
                }
                if id <= self.id.as_slice() {
                    return Err(ReadError::line(at(&row), "ballot_id", NO_ORDER));
                }
                key.clear();
                key.extend_from_slice(row.get(self.heading.group).unwrap_or_default());
                key.push(0);
                key.extend_from_slice(row.get(self.heading.targets).unwrap_or_default());
                self.begin(id, &key, at(&row))?;
            }
            self.row(&row).map_err(|(column, what)| ReadError::line(at(&row), column, what))?;
        }
        if self.id.is_empty() { Ok(()) } else { self.finish(at(&row)) }
    }

    fn begin(&mut self, id: &[u8], key: &[u8], line: u64) -> Result<(), ReadError> {
        id.clone_into(&mut self.id);
        self.sheet = match self.known.get(key) {
            Some(known) => *known,
            None => {
                let made = self.make(key).ok_or_else(|| ReadError::line(line, "targets", NO_PAPER))?;
                self.kinds.push(made);
                self.known.insert(key.to_owned(), self.kinds.len() - 1);
                self.kinds.len() - 1
            }
        };
        let Some(sheet) = self.kinds.get(self.sheet) else { return Ok(()) };
        self.seen.clear();
        self.seen.resize(sheet.stratum.targets.len(), false);
        self.codes.clear();
        match &sheet.by {
            By::Bytes { absent, .. } => (0..self.seen.len()).for_each(|_| self.codes.extend_from_slice(absent)),
            By::Answers(_) => self.answers = Answers::new(),
        }
        Ok(())
    }

    /// How ballots of a group and targets are counted.
    fn make(&self, key: &[u8]) -> Option<Sheet<'r>> {
        let (group, targets) = std::str::from_utf8(key).ok()?.split_once('\0')?;
        let targets = bare(targets).split('+').map(str::to_owned).collect();
        let stratum = self.sheets.find(bare(group), targets)?;
        let questionnaire = self.round.questionnaire(&stratum.respondent_code)?;
        let form = self.round.form(&stratum.respondent_code, &stratum.targets)?;
        let items: Vec<&Item> = questionnaire.items().collect();
        let by = match self.tally.kind(&stratum.respondent_code, &stratum.targets) {
            None => By::Answers(items.clone()),
            Some(kind) => {
                let absent = (0..items.len()).map(|at| kind.code(at, None)).collect::<Option<Vec<u8>>>()?;
                let quick = |(at, item): (usize, &&Item)| {
                    let of = |byte: u8| {
                        let cell = [byte];
                        let answer = std::str::from_utf8(&cell).ok().and_then(|cell| answers::read(&form, item, cell));
                        answer.and_then(|answer| kind.code(at, Some(&answer))).unwrap_or(NONE)
                    };
                    let mut quick = [NONE; 256];
                    quick.iter_mut().zip(0..=u8::MAX).for_each(|(code, byte)| *code = of(byte));
                    quick
                };
                By::Bytes { quick: items.iter().enumerate().map(quick).collect(), absent, kind }
            }
        };
        let place = |code: &String| items.iter().position(|item| item.code == *code);
        let places = self.heading.items.iter().map(|(_, code)| place(code)).collect();
        Some(Sheet { stratum, by, places })
    }

    /// One row of the ballot in hand.
    fn row(&mut self, row: &ByteRecord) -> Result<(), (&'r str, &'static str)> {
        let Some(sheet) = self.kinds.get(self.sheet) else { return Ok(()) };
        let target = std::str::from_utf8(row.get(self.heading.target).unwrap_or_default()).unwrap_or_default();
        let at = sheet.stratum.targets.iter().position(|own| own == bare(target)).ok_or(("target", NO_ITEM))?;
        let seen = self.seen.get_mut(at).ok_or(("target", NO_ITEM))?;
        if std::mem::replace(seen, true) {
            return Err(("target", "the ballot has a row about this target already"));
        }
        let start = match &sheet.by {
            By::Bytes { absent, .. } => at * absent.len(),
            By::Answers(_) => 0,
        };
        let heading = self.heading;
        for ((column, name), place) in heading.items.iter().zip(&sheet.places) {
            let cell = row.get(*column).unwrap_or_default();
            if cell.is_empty() {
                continue;
            }
            let place = place.ok_or((name.as_str(), NO_ITEM))?;
            match &sheet.by {
                By::Bytes { quick, kind, .. } => {
                    let code = match (cell, quick.get(place)) {
                        ([byte], Some(quick)) => quick.get(usize::from(*byte)).copied().filter(|code| *code != NONE),
                        _ => self.slowly(&sheet.stratum, cell, name).and_then(|answer| kind.code(place, Some(&answer))),
                    };
                    let code = code.ok_or((name.as_str(), NO_ANSWER))?;
                    if let Some(slot) = self.codes.get_mut(start + place) {
                        *slot = code;
                    }
                }
                By::Answers(items) => {
                    let answer = self.slowly(&sheet.stratum, cell, name).ok_or((name.as_str(), NO_ANSWER))?;
                    let (Some(item), Some(target)) = (items.get(place), sheet.stratum.targets.get(at)) else {
                        continue;
                    };
                    self.answers.insert(target, &item.code, answer);
                }
            }
        }
        Ok(())
    }

    fn slowly(&self, stratum: &Stratum, cell: &[u8], code: &str) -> Option<survey_forms::answers::Answer> {
        let item = self.round.questionnaire(&stratum.respondent_code)?.item(code)?;
        self.sheets.answer(stratum, item, std::str::from_utf8(cell).ok()?)
    }

    fn finish(&mut self, line: u64) -> Result<(), ReadError> {
        if self.seen.contains(&false) {
            return Err(ReadError::line(line, "target", "the ballot before has no row about one of its targets"));
        }
        self.ballots += 1;
        let Some(sheet) = self.kinds.get(self.sheet) else { return Ok(()) };
        match &sheet.by {
            By::Bytes { kind, .. } => {
                self.tally.add_coded(kind, &self.codes);
            }
            By::Answers(_) => {
                let form = self.round.questionnaire(&sheet.stratum.respondent_code);
                self.tally.add(&Ballot {
                    round: self.round.id.clone(),
                    questionnaire: form.map(|form| form.hash.clone()).unwrap_or_default(),
                    stratum: sheet.stratum.clone(),
                    answers: std::mem::take(&mut self.answers),
                });
            }
        }
        Ok(())
    }
}
