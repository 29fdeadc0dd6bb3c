//! Files with an answer a row, or a ballot a line of JSON.

use std::io::{BufRead, Read as _};

use serde::Deserialize;
use serde_json::Value;
use survey_forms::Round;
use survey_forms::answers::{Answers, Stratum};

use super::answers::bare;
use super::{Counter, NO_ANSWER, NO_FORMAT, NO_ITEM, NO_PAPER, Read, ReadError};
use crate::score::export::BALLOT_COLUMNS;

/// Longest line of JSON, in bytes.
const LINE_MAX: u64 = 16 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    answers: Value,
    ballot_id: String,
    respondent_code: String,
    targets: Vec<String>,
}

pub(super) fn lines(round: &Round, mut file: impl BufRead) -> Result<Read, ReadError> {
    let mut counter = Counter::new(round);
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        if file.by_ref().take(LINE_MAX).read_line(&mut text)? == 0 {
            break;
        }
        let line: Line = serde_json::from_str(&text).map_err(|_json| ReadError::line(number, "", NO_FORMAT))?;
        counter.begin(number, &line.ballot_id)?;
        let stratum = counter.sheets.find(&line.respondent_code, line.targets);
        let stratum = stratum.ok_or_else(|| ReadError::line(number, "targets", NO_PAPER))?;
        let form = round.form(&stratum.respondent_code, &stratum.targets);
        let form = form.ok_or_else(|| ReadError::line(number, "respondent_code", NO_PAPER))?;
        let answers = form.parse(&line.answers).map_err(|faults| {
            let place = faults.first().map(|fault| fault.pointer.clone()).unwrap_or_default();
            ReadError::line(number, &format!("answers{place}"), NO_ANSWER)
        })?;
        counter.add(stratum, answers);
    }
    Ok(counter.end())
}

pub(super) fn table(round: &Round, file: impl BufRead, separator: u8) -> Result<Read, ReadError> {
    let mut table = csv::ReaderBuilder::new().delimiter(separator).from_reader(file);
    let heads = table.headers().map_err(fault)?.clone();
    let places = BALLOT_COLUMNS.map(|name| heads.iter().position(|head| head.trim_start_matches('\u{feff}') == name));
    let mut counter = Counter::new(round);
    let mut current: Option<(String, Stratum, Answers)> = None;
    let mut row = csv::StringRecord::new();
    while table.read_record(&mut row).map_err(fault)? {
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |which: usize| -> Result<&str, ReadError> {
            let name = BALLOT_COLUMNS.get(which).copied().unwrap_or_default();
            let place = places.get(which).copied().flatten();
            let missing = || ReadError::Column { column: name.to_owned(), what: "this column is missing" };
            Ok(bare(row.get(place.ok_or_else(missing)?).unwrap_or_default()))
        };
        let (id, group, targets) = (cell(0)?, cell(1)?, cell(2)?);
        if current.as_ref().is_none_or(|(known, _, _)| known != id) {
            if let Some((_, stratum, answers)) = current.take() {
                counter.add(stratum, answers);
            }
            counter.begin(line, id)?;
            let stratum = counter.sheets.find(group, targets.split('+').map(str::to_owned).collect());
            let stratum = stratum.ok_or_else(|| ReadError::line(line, "targets", NO_PAPER))?;
            current = Some((id.to_owned(), stratum, Answers::new()));
        }
        let Some((_, stratum, answers)) = &mut current else { continue };
        let (target, code, given) = (cell(3)?, cell(4)?, cell(5)?);
        if (target, code, given) == ("", "", "") {
            // A ballot without any answer in the table.
            continue;
        }
        let item = round.questionnaire(&stratum.respondent_code).and_then(|form| form.item(code));
        let asked = stratum.respondent_code == group && stratum.targets.iter().any(|own| own == target);
        let item = item.filter(|_| asked).ok_or_else(|| ReadError::line(line, "item_code", NO_ITEM))?;
        let answer = counter.sheets.answer(stratum, item, given);
        let answer = answer.ok_or_else(|| ReadError::line(line, "answer", NO_ANSWER))?;
        if !answers.insert(target, code, answer) {
            return Err(ReadError::line(line, "item_code", "this item was answered in a line above"));
        }
    }
    if let Some((_, stratum, answers)) = current.take() {
        counter.add(stratum, answers);
    }
    Ok(counter.end())
}

/// Of a table that is none.
pub(super) fn fault(error: csv::Error) -> ReadError {
    let line = error.position().map_or(0, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ReadError::File(error),
        csv::ErrorKind::UnequalLengths { pos, .. } => {
            let line = pos.map_or(line, |pos| pos.line());
            ReadError::line(line, "", "this line has more or fewer cells than the heading")
        }
        _ => ReadError::line(line, "", "this line is not UTF-8"),
    }
}
