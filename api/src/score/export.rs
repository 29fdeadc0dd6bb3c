//! Tables for people and scripts: published scores, and, once the box is open, the ballots themselves.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use survey_forms::Round;
use survey_forms::answers::{Answer, Ballot};
use survey_forms::disclosure::Suppression;
use survey_forms::scoring::{DocumentTarget, ScoreDocument};

use super::ScoreError;
use crate::ceremony;
use crate::credential::plain;
use crate::db::{Conn, Db};
use crate::round::{LoadedRound, RoundState, Rounds};

/// Tells spreadsheets that the text is UTF-8.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Ballots that are in hand at a time.
const PAGE: i64 = 1000;

/// Whether a table starts with a byte order mark: spreadsheets need it, programs trip over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// With the mark.
    Spreadsheet,
    /// Without.
    Program,
}

/// Columns of [`scores`].
pub const SCORE_COLUMNS: [&str; 14] = [
    "round",
    "target",
    "kind",
    "name",
    "level",
    "code",
    "respondent_code",
    "index_ref",
    "points",
    "max_points",
    "percent",
    "rank",
    "n",
    "suppressed",
];

/// Published scores in long form, a row a score. `level` says of what: `total` of the target, `field`, `item`, or
/// `group`: one group's cell of an item, with its mean in `percent`. A score is empty where `suppressed` says why. Scores are
/// decimal text with a point. Cells that a spreadsheet would take for a formula are neutralised.
///
/// # Errors
/// When `out` cannot be written.
pub fn scores(mut out: impl Write, document: &ScoreDocument, reader: For) -> Result<(), ScoreError> {
    if reader == For::Spreadsheet {
        out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    }
    let mut table = csv::Writer::from_writer(out);
    table.write_record(SCORE_COLUMNS)?;
    for target in &document.targets {
        let base = Row::of(document, target);
        write(
            &mut table,
            &Row {
                level: "total",
                points: target.survey_points.as_deref(),
                max_points: &target.max_points,
                percent: target.percent.as_deref(),
                rank: target.rank,
                suppressed: reason(target.suppressed),
                ..base
            },
        )?;
        for field in &target.fields {
            write(
                &mut table,
                &Row {
                    level: "field",
                    code: &field.field,
                    points: field.points.as_deref(),
                    max_points: &field.max_points,
                    percent: field.percent.as_deref(),
                    suppressed: reason(field.suppressed),
                    ..base
                },
            )?;
        }
        for item in &target.items {
            let index_ref = item.index_ref.as_deref().unwrap_or_default();
            write(
                &mut table,
                &Row {
                    level: "item",
                    code: &item.item_code,
                    index_ref,
                    points: item.points.as_deref(),
                    max_points: &item.max_points,
                    percent: item.percent.as_deref(),
                    n: Some(item.n),
                    suppressed: reason(item.suppressed),
                    ..base
                },
            )?;
            for cell in &item.groups {
                write(
                    &mut table,
                    &Row {
                        level: "group",
                        code: &item.item_code,
                        respondent_code: &cell.respondent_code,
                        index_ref,
                        percent: cell.mean.as_deref(),
                        n: Some(cell.n),
                        suppressed: reason(cell.suppressed),
                        ..base
                    },
                )?;
            }
        }
    }
    table.flush()?;
    Ok(())
}

fn reason(suppressed: Option<Suppression>) -> &'static str {
    suppressed.map_or("", Suppression::as_str)
}

#[derive(Clone, Copy)]
struct Row<'d> {
    round: &'d str,
    target: &'d DocumentTarget,
    level: &'static str,
    code: &'d str,
    respondent_code: &'d str,
    index_ref: &'d str,
    points: Option<&'d str>,
    max_points: &'d str,
    percent: Option<&'d str>,
    rank: Option<u32>,
    n: Option<u64>,
    suppressed: &'d str,
}

impl<'d> Row<'d> {
    fn of(document: &'d ScoreDocument, target: &'d DocumentTarget) -> Self {
        Self {
            round: &document.round,
            target,
            level: "",
            code: "",
            respondent_code: "",
            index_ref: "",
            points: None,
            max_points: "",
            percent: None,
            rank: None,
            n: None,
            suppressed: "",
        }
    }
}

fn write(table: &mut csv::Writer<impl Write>, row: &Row<'_>) -> Result<(), csv::Error> {
    let rank = row.rank.map(|r| r.to_string()).unwrap_or_default();
    let n = row.n.map(|n| n.to_string()).unwrap_or_default();
    let cells: [&str; 14] = [
        row.round,
        &row.target.target,
        &row.target.kind,
        &row.target.name,
        row.level,
        row.code,
        row.respondent_code,
        row.index_ref,
        row.points.unwrap_or_default(),
        row.max_points,
        row.percent.unwrap_or_default(),
        &rank,
        &n,
        row.suppressed,
    ];
    table.write_record(cells.map(plain))
}

/// Columns of [`ballots`].
pub const BALLOT_COLUMNS: [&str; 6] = ["ballot_id", "respondent_code", "targets", "target", "item_code", "answer"];

/// Every opened ballot in long form, a row an answer, in the order of the ballots' random ids; gives back how many
/// ballots. From this table alone (and the round's files) an independent script recomputes every published score.
///
/// `targets` holds what the ballot rates, joined by `+`. `answer` is the code of an option, codes of several with blanks
/// between them in the order of their list, or a number with a point; at an item of a paper ballot without an answer
/// `#blank`, `#several` or `#illegible`. Free text left its ballot when the box was opened: see [`texts`]. An item that an online ballot left out has no row;
/// a ballot without any answer here has one, with an empty target, item and answer. Ballots
/// that do not count (a paper ballot with too few valid items) are here too: the round's rules tell which.
/// Nothing here leads to a person, a code or an envelope: see the ceremony's opening.
///
/// # Errors
/// [`ScoreError::NotOpened`] before the box was opened.
pub fn ballots(out: impl Write, db: &Db, rounds: &Rounds, round: &str) -> Result<u64, ScoreError> {
    let loaded = opened(db, rounds, round)?;
    let mut table = long(out)?;
    let mut written = 0;
    each_ballot(db, round, |id, ballot| {
        written += 1;
        write_ballot(&mut table, &loaded.definition, id, ballot)
    })?;
    table.flush()?;
    Ok(written)
}

/// Begins the table of [`ballots`].
pub(super) fn long<W: Write>(mut out: W) -> Result<csv::Writer<W>, ScoreError> {
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(BALLOT_COLUMNS)?;
    Ok(table)
}

/// The round, once its box is open.
///
/// # Errors
/// [`ScoreError::NotOpened`].
pub fn opened(db: &Db, rounds: &Rounds, round: &str) -> Result<Arc<LoadedRound>, ScoreError> {
    let loaded = db.read_here(|conn: &mut Conn| {
        rounds.reread(conn)?;
        rounds.get(conn, round)
    })?;
    if loaded.state < RoundState::Opened { Err(ScoreError::NotOpened) } else { Ok(loaded) }
}

/// Gives every opened ballot of a round with its random id to `work`, in the order of these ids.
///
/// # Errors
/// What `work` returns, and [`ScoreError::Unreadable`].
pub fn each_ballot(
    db: &Db,
    round: &str,
    mut work: impl FnMut(&[u8], &Ballot) -> Result<(), ScoreError>,
) -> Result<(), ScoreError> {
    let mut after = Vec::new();
    loop {
        let page = db.read_here(|conn| ceremony::ballots(conn, round, &after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        for (id, body) in &page {
            let ballot = Ballot::from_canonical(body.as_bytes()).map_err(|_fault| ScoreError::Unreadable)?;
            work(id, &ballot)?;
        }
    }
}

/// Columns of [`texts`].
pub const TEXT_COLUMNS: [&str; 4] = ["target", "item_code", "respondent_code", "text"];

/// What people wrote, a row a text, in the order of random ids that the opening drew for texts alone: the order tells
/// nothing, and nothing leads to a ballot. Gives back how many. Cells that a spreadsheet would take for a formula are
/// neutralised.
///
/// `respondent_code` is empty as long as any group of whom fewer than `k` ballots about the target came back was asked the
/// same item about it: words tell who wrote them. (Where the round asks one group alone, its files say which.)
///
/// # Errors
/// [`ScoreError::NotOpened`] before the box was opened.
pub fn texts(mut out: impl Write, db: &Db, rounds: &Rounds, round: &str) -> Result<u64, ScoreError> {
    let loaded = opened(db, rounds, round)?;
    let groups = Groups::count(db, &loaded.definition)?;
    out.write_all(BYTE_ORDER_MARK.as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(TEXT_COLUMNS)?;
    let (mut written, mut after) = (0, Vec::new());
    loop {
        let page = db.read_here(|conn| ceremony::remarks(conn, round, &after, PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after.clone_from(last);
        for (_, remark) in &page {
            let named = groups.may_be_named(&remark.target, &remark.item_code);
            let group = if named { remark.respondent_code.as_str() } else { "" };
            table.write_record([&remark.target, &remark.item_code, group, &remark.body].map(plain))?;
            written += 1;
        }
    }
    table.flush()?;
    Ok(written)
}

/// Opened ballots by target and group.
struct Groups<'r> {
    round: &'r Round,
    ballots: BTreeMap<String, BTreeMap<String, u64>>,
}

impl<'r> Groups<'r> {
    fn count(db: &Db, round: &'r Round) -> Result<Self, ScoreError> {
        let mut ballots: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        each_ballot(db, &round.id, |_, ballot| {
            for target in &ballot.stratum.targets {
                let groups = ballots.entry(target.clone()).or_default();
                *groups.entry(ballot.stratum.respondent_code.clone()).or_default() += 1;
            }
            Ok(())
        })?;
        Ok(Self { round, ballots })
    }

    /// An empty name must not be the name of the one small group.
    fn may_be_named(&self, target: &str, item: &str) -> bool {
        let asked = |group: &str| self.round.questionnaire(group).is_some_and(|form| form.item(item).is_some());
        let k = u64::from(self.round.disclosure.k);
        let mut groups = self.ballots.get(target).into_iter().flatten().filter(|(group, _)| asked(group));
        groups.all(|(_, ballots)| *ballots >= k)
    }
}

/// In the order of the form: targets as on the ballot, items as on the paper.
pub(super) fn write_ballot(
    table: &mut csv::Writer<impl Write>,
    round: &Round,
    id: &[u8],
    ballot: &Ballot,
) -> Result<(), ScoreError> {
    let id = data_encoding::HEXLOWER.encode(id);
    let group = &ballot.stratum.respondent_code;
    let targets = ballot.stratum.targets.join("+");
    let form = round.questionnaire(group).ok_or(ScoreError::Unreadable)?;
    if ballot.answers.is_empty() {
        table.write_record([&id, &plain(group), &plain(&targets), "", "", ""])?;
    }
    for target in &ballot.stratum.targets {
        for item in form.items() {
            let answer = match ballot.answers.get(target, &item.code) {
                None => continue,
                Some(Answer::Choice(option)) => plain(option),
                Some(Answer::Choices(options)) => {
                    options.iter().map(|option| plain(option)).collect::<Vec<_>>().join(" ")
                }
                Some(Answer::Number(number)) => number.clone(),
                // Free text is no part of an opened ballot.
                Some(Answer::Text(_)) => continue,
                Some(Answer::Mark(mark)) => format!("#{}", mark.as_str()),
            };
            table.write_record([&id, &plain(group), &plain(&targets), &plain(target), &plain(&item.code), &answer])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_only_where_no_group_asked_the_same_is_small() {
        let round = Round::from_files(&survey_forms::every_kind()).unwrap();
        assert_eq!(round.disclosure.k, 5);
        let named = |cc: u64, hv: u64| {
            let groups = [("CC", cc), ("HV", hv)].into_iter().filter(|(_, n)| *n > 0);
            let groups = groups.map(|(group, n)| (group.to_owned(), n)).collect();
            Groups { round: &round, ballots: BTreeMap::from([("SNV".to_owned(), groups)]) }.may_be_named("SNV", "Q3")
        };
        assert!(named(5, 5) && named(5, 0), "nobody of the other group came back: no text can be theirs");
        assert!(!named(4, 0) && !named(0, 4));
        assert!(!named(9, 4), "an empty cell would name the small group");
    }
}
