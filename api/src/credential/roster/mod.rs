//! Who is invited: a list is compared with what is there, then taken whole or not at all. Where slips are drawn by lot
//! only head counts are kept; where letters are addressed, name and e-mail address, until the close.

pub(super) mod pages;
mod store;
mod upload;

use std::collections::{BTreeMap, BTreeSet};

use survey_forms::roster::{Field, Grid, Invited, List, Mapping, RosterRow, RowFault, check, grid};
use survey_forms::round::{IssueMode, Round};

use super::{CredentialError, takes_codes};
use crate::addressee::{self, Addressee};
use crate::ballot::log;
use crate::ballot::log::entry::What;
use crate::clock::Entropy;
use crate::credential::plain;
use crate::db::Conn;
use crate::round::LoadedRound;

/// What an import does, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Groups of the list.
    pub groups: Vec<String>,
    /// People in it.
    pub people: u64,
    /// Of people whose letters are addressed: new ones.
    pub added: u64,
    /// Those whose name or unit is written anew.
    pub rewritten: u64,
    /// Those who are taken out because they are not in the list, before the first letter of the group.
    pub removed: u64,
}

/// Reads a file with its own words, or with others that were chosen.
///
/// # Errors
/// Every fault of the file; with row 0 what holds for all of it.
pub fn read(
    bytes: &[u8],
    columns: &str,
    round: &Round,
    group: Option<&str>,
) -> Result<(Grid, Mapping, List), Vec<RowFault>> {
    let whole =
        |code, reason: String| vec![RowFault { row: 0, column: String::new(), code, value: String::new(), reason }];
    let grid = Grid::read(bytes).map_err(|error| whole("file_unreadable", error.0))?;
    let mapping = Mapping::guess(&grid)
        .with(columns, &grid)
        .map_err(|part| whole("column_unknown", format!("Không có cột như “{part}”.")))?;
    let list = check(&grid, &mapping, round, group)?;
    Ok((grid, mapping, list))
}

/// Takes a list. Call inside a write.
///
/// # Errors
/// [`CredentialError::List`] with every row that does not go with what is there, [`CredentialError::Closed`].
pub fn import(conn: &mut Conn, round: &LoadedRound, list: &List, entropy: &Entropy) -> Result<Change, CredentialError> {
    takes_codes(conn, round.id())?;
    let work = compare(conn, round, list)?;
    addressee::remove(conn, &work.removed)?;
    work.rewritten.iter().try_for_each(|person| addressee::rewrite(conn, person))?;
    let named = |one: Addressee| Addressee { id: entropy.uuid().to_string(), ..one };
    let added: Vec<Addressee> = work.added.into_iter().map(named).collect();
    addressee::add(conn, round.id(), &added)?;
    let mut counts = work.counts;
    for group in work.change.groups.iter().filter(|group| is_addressed(round, group)) {
        for person in addressee::all(conn, round.id())?.iter().filter(|p| p.respondent_code == *group) {
            *counts.entry((group.clone(), person.source_unit.clone())).or_default() += 1;
        }
    }
    store::replace_counts(conn, round.id(), &work.change.groups, &counts)?;
    log::incident(conn, round.id(), What::RosterReplaced, 0, 0)?;
    Ok(work.change)
}

/// What [`import`] would do.
///
/// # Errors
/// As [`import`].
pub fn dry_run(conn: &mut Conn, round: &LoadedRound, list: &List) -> Result<Change, CredentialError> {
    takes_codes(conn, round.id())?;
    Ok(compare(conn, round, list)?.change)
}

struct Work {
    change: Change,
    /// Without ids.
    added: Vec<Addressee>,
    rewritten: Vec<Addressee>,
    removed: Vec<String>,
    counts: BTreeMap<(String, String), i64>,
}

fn is_addressed(round: &LoadedRound, group: &str) -> bool {
    round.definition.group(group).is_some_and(|group| group.issue == IssueMode::Addressed)
}

fn compare(conn: &mut Conn, round: &LoadedRound, list: &List) -> Result<Work, CredentialError> {
    let mut work = Work {
        change: Change::default(),
        added: Vec::new(),
        rewritten: Vec::new(),
        removed: Vec::new(),
        counts: BTreeMap::new(),
    };
    let people = match list {
        List::Counts(rows) => {
            let groups: BTreeSet<&String> = rows.iter().map(|row| &row.respondent_code).collect();
            work.change.groups = groups.into_iter().cloned().collect();
            work.change.people = rows.iter().map(|row| u64::from(row.people)).sum();
            work.counts = counted(rows);
            return Ok(work);
        }
        List::People(people) => people,
    };
    let groups: BTreeSet<&String> = people.iter().map(|one| &one.respondent_code).collect();
    work.change.groups = groups.into_iter().cloned().collect();
    work.change.people = u64::try_from(people.len()).unwrap_or_default();
    let there: BTreeMap<String, Addressee> =
        addressee::all(conn, round.id())?.into_iter().map(|one| (addressee::mailbox(&one.email), one)).collect();
    let holders = addressee::holders(conn, round.id())?;
    let mut faults = Vec::new();
    let mut named = BTreeSet::new();
    for one in people {
        let known = one.email.as_deref().and_then(|email| there.get(&addressee::mailbox(email)));
        if let Some(known) = known.filter(|known| known.respondent_code != one.respondent_code) {
            let reason = format!("Địa chỉ này đã có trong nhóm {}. Mỗi người một nhóm.", known.respondent_code);
            faults.push(fault(one, "person_in_two_groups", reason));
            continue;
        }
        if !is_addressed(round, &one.respondent_code) {
            *work.counts.entry((one.respondent_code.clone(), one.unit_code.clone())).or_default() += 1;
            continue;
        }
        let Some(email) = one.email.clone() else { continue };
        let new = Addressee {
            id: known.map(|known| known.id.clone()).unwrap_or_default(),
            respondent_code: one.respondent_code.clone(),
            source_unit: one.unit_code.clone(),
            name: one.name.clone(),
            email,
        };
        match known {
            None => work.added.push(new),
            Some(known) => {
                named.insert(known.id.clone());
                if known.source_unit != new.source_unit && holders.contains(&known.id) {
                    let reason = "Người này đã nhận mã của đơn vị khác. Xin thu hồi mã ấy trước khi đổi đơn vị.";
                    faults.push(fault(one, "unit_changed", reason.to_owned()));
                } else if *known != new {
                    work.rewritten.push(new);
                }
            }
        }
    }
    if !faults.is_empty() {
        return Err(CredentialError::List(faults));
    }
    // Before the first letter of a group its list stands for all of it; afterwards lists only add.
    let begun: BTreeSet<&str> =
        there.values().filter(|one| holders.contains(&one.id)).map(|one| one.respondent_code.as_str()).collect();
    let gone = |one: &&Addressee| {
        work.change.groups.contains(&one.respondent_code)
            && !begun.contains(one.respondent_code.as_str())
            && !named.contains(&one.id)
    };
    work.removed = there.values().filter(gone).map(|one| one.id.clone()).collect();
    let number = |count: usize| u64::try_from(count).unwrap_or_default();
    work.change.added = number(work.added.len());
    work.change.rewritten = number(work.rewritten.len());
    work.change.removed = number(work.removed.len());
    Ok(work)
}

fn counted(rows: &[RosterRow]) -> BTreeMap<(String, String), i64> {
    rows.iter().map(|row| ((row.respondent_code.clone(), row.unit_code.clone()), i64::from(row.people))).collect()
}

fn fault(one: &Invited, code: &'static str, reason: String) -> RowFault {
    RowFault { row: one.row, column: Field::Email.vietnamese().to_owned(), code, value: one.name.clone(), reason }
}

/// What an import did, for the trail: numbers and groups, nobody's name.
#[must_use]
pub fn words(change: &Change) -> String {
    format!(
        "groups={} people={} added={} rewritten={} removed={}",
        change.groups.join("+"),
        change.people,
        change.added,
        change.rewritten,
        change.removed
    )
}

/// Writes faults as a table for whoever mends the list: UTF-8 with a byte order mark, no cell a formula.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_faults(out: impl std::io::Write, faults: &[RowFault]) -> Result<(), csv::Error> {
    let mut out = out;
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::Writer::from_writer(out);
    table.write_record(["Dòng", "Cột", "Giá trị", "Lý do", "Mã lỗi"])?;
    for fault in faults {
        let row = if fault.row == 0 { String::new() } else { fault.row.to_string() };
        table.write_record([
            row,
            plain(&fault.column),
            plain(&fault.value),
            plain(&fault.reason),
            fault.code.into(),
        ])?;
    }
    table.flush()?;
    Ok(())
}

/// How a column is named on pages: its letter, and the words above it.
fn column_name(grid: &Grid, mapping: &Mapping, column: usize) -> String {
    let heading =
        mapping.heading.and_then(|number| grid.line(number)).map(|line| line.text(column)).unwrap_or_default();
    let shown: String = heading.chars().take(40).collect();
    if shown.is_empty() { grid::letters(column) } else { format!("{}: {shown}", grid::letters(column)) }
}

#[cfg(test)]
mod page_tests;
#[cfg(test)]
mod tests;
