//! Head counts by group and unit as a CSV of three columns. No names: slips drawn by lot need none.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

use crate::fault::{Fault, Faults};
use crate::round::{IssueMode, Quota, Round, Sources};

const FILE: &str = "roster.csv";
const BYTES_MAX: usize = 8 << 20;
const PEOPLE_MAX: u32 = 100_000;
/// The columns of a roster.
pub(super) const COLUMNS: [&str; 3] = ["respondent_code", "unit_code", "people"];

/// How many people of a unit a group invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterRow {
    /// The group.
    pub respondent_code: String,
    /// The unit.
    pub unit_code: String,
    /// How many people.
    pub people: u32,
}

/// Reads rosters.
#[derive(Debug, Clone, Copy)]
pub struct Roster;

impl Roster {
    /// Reads a CSV file with the columns `respondent_code`, `unit_code` and `people`, in any order,
    /// separated by commas, semicolons or tabs, with or without a byte order mark.
    ///
    /// Other columns are refused: a list of names has no business here.
    ///
    /// # Errors
    /// Every faulty row; then nothing of the file may be used.
    pub fn parse(bytes: &[u8], round: &Round) -> Result<Vec<RosterRow>, Vec<Fault>> {
        let mut faults = Faults::default();
        let rows = read(bytes, round, &mut faults).unwrap_or_default();
        if faults.has_errors() { Err(faults.into_vec()) } else { Ok(rows) }
    }
}

fn read(bytes: &[u8], round: &Round, faults: &mut Faults) -> Option<Vec<RosterRow>> {
    if bytes.len() > BYTES_MAX {
        let message = format!("Keep the file under {BYTES_MAX} bytes.");
        faults.error(FILE, "", "file_too_big", message);
        return None;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        faults.error(FILE, "", "not_utf8", "Save the file as \"CSV UTF-8\".");
        return None;
    };
    let text: String = text.strip_prefix('\u{feff}').unwrap_or(text).nfc().collect();
    let heading = text.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b';', b','].into_iter().find(|d| heading.contains(char::from(*d)));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let columns = columns(records.next().and_then(Result::ok), faults)?;

    let mut check = Check::new(round);
    let mut rows = Vec::new();
    for record in records {
        let Ok(record) = record else {
            faults.error(FILE, "", "row_unreadable", "Mend the quotes in the file.");
            return None;
        };
        if record.iter().all(str::is_empty) {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != columns.len() {
            let message = format!("Write {} columns; there are {}.", columns.len(), record.len());
            faults.error(FILE, format!("line {line}"), "column_count", message);
            continue;
        }
        let cells: BTreeMap<&str, &str> = columns.iter().copied().zip(&record).collect();
        rows.extend(check.row(line, &cells, faults));
    }
    if rows.is_empty() && !faults.has_errors() {
        faults.error(FILE, "", "table_empty", "Add at least one row below the heading.");
    }
    Some(rows)
}

fn columns(heading: Option<csv::StringRecord>, faults: &mut Faults) -> Option<Vec<&'static str>> {
    let heading = heading.unwrap_or_default();
    let named: Vec<Option<&'static str>> =
        heading.iter().map(|name| COLUMNS.into_iter().find(|column| column.eq_ignore_ascii_case(name))).collect();
    let found: Option<Vec<&'static str>> = named.into_iter().collect();
    let distinct = found.iter().flatten().collect::<BTreeSet<_>>().len();
    if found.as_ref().map(Vec::len) == Some(COLUMNS.len()) && distinct == COLUMNS.len() {
        return found;
    }
    let message = format!("Let the first line name exactly these columns: {}.", COLUMNS.join(", "));
    faults.error(FILE, "line 1", "columns", message);
    None
}

struct Check<'r> {
    round: &'r Round,
    kinds: BTreeMap<&'r str, &'r str>,
    seen: BTreeMap<(String, String), u64>,
}

impl<'r> Check<'r> {
    fn new(round: &'r Round) -> Self {
        let kinds = round.units.iter().map(|u| (u.code.as_str(), u.kind.as_str())).collect();
        Check { round, kinds, seen: BTreeMap::new() }
    }

    fn row(&mut self, line: u64, cells: &BTreeMap<&str, &str>, faults: &mut Faults) -> Option<RosterRow> {
        let cell = |column: &str| cells.get(column).copied().unwrap_or_default();
        let (code, unit, people) = (cell("respondent_code"), cell("unit_code"), cell("people"));
        let mut wrong = |column: &str, code: &'static str, message: &str| {
            faults.error(FILE, format!("line {line}, {column}"), code, message);
        };
        let group = self.round.group(code);
        let kind = self.kinds.get(unit).copied();
        if group.is_none() {
            wrong("respondent_code", "group_unknown", "Name a group of the round.");
        }
        if kind.is_none() {
            wrong("unit_code", "unit_unknown", "Name a unit of the round.");
        }
        if group.is_some_and(|group| group.issue == IssueMode::Addressed) {
            let message = "The group's letters are addressed: import its people, with names and e-mail addresses.";
            wrong("respondent_code", "needs_people", message);
        } else if group.is_some_and(|group| group.quota != Quota::Roster) {
            let message = "The round fixes the number of ballots of this group: remove the row.";
            wrong("respondent_code", "quota_fixed", message);
        } else if let (Some(group), Some(kind)) = (group, kind) {
            let source = match &group.sources {
                Sources::None => false,
                Sources::Kinds(kinds) => kinds.iter().any(|own| own == kind),
            };
            if !source {
                let message = "The group does not ask people of such a unit: mend the unit or the group.";
                wrong("unit_code", "unit_not_source", message);
            }
        }
        let count = people.parse::<u32>().ok().filter(|count| (1..=PEOPLE_MAX).contains(count));
        if count.is_none() {
            let message = format!("Write a whole number from 1 to {PEOPLE_MAX}.");
            wrong("people", "number_range", &message);
        }
        let first = *self.seen.entry((code.to_owned(), unit.to_owned())).or_insert(line);
        if first != line {
            let message = format!("The group and unit already stand on line {first}: keep one row.");
            wrong("unit_code", "row_double", &message);
        }
        Some(RosterRow { respondent_code: code.to_owned(), unit_code: unit.to_owned(), people: count? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quang_nam_2023;

    fn parse(text: &str) -> Result<Vec<RosterRow>, Vec<(String, &'static str)>> {
        let round = Round::from_files(&quang_nam_2023()).unwrap();
        Roster::parse(text.as_bytes(), &round)
            .map_err(|faults| faults.into_iter().map(|fault| (fault.place, fault.code)).collect())
    }

    #[test]
    fn the_sample_invites_people_of_every_unit() {
        let files = quang_nam_2023();
        let round = Round::from_files(&files).unwrap();
        let rows = Roster::parse(&files["roster-sample.csv"], &round).unwrap();
        let people: u32 = rows.iter().map(|row| row.people).sum();
        assert_eq!((rows.len(), people), (509, 2704));
        for assignment in round.assignments() {
            let group = round.group(&assignment.respondent_code).unwrap();
            if group.quota == Quota::Roster {
                let unit = assignment.source_unit.unwrap();
                assert!(rows.iter().any(|r| r.unit_code == unit), "{unit}");
            }
        }
    }

    #[test]
    fn what_spreadsheets_write_is_read() {
        let plain = parse("respondent_code,unit_code,people\nLĐ-CP,H504-PNV,2\n").unwrap();
        let excel = "\u{feff}people;Unit_Code;respondent_code\r\n 2;\"H504-PNV\";LĐ-CP\r\n;;\r\n";
        assert_eq!(parse(excel).unwrap(), plain);
        // The horn and dot of a decomposed text; đ has no decomposition.
        let decomposed: String = "respondent_code\tunit_code\tpeople\nLĐ-CP\tH504-PNV\t2".nfd().collect();
        assert_eq!(parse(&decomposed).unwrap(), plain);
    }

    #[test]
    fn every_faulty_row_is_named() {
        let text = "respondent_code,unit_code,people\n\
                    CC-XX,SNV,3\nCC-CT,SNX,3\nCC-CT,H502,3\nCC-CT,SNV,0\nCC-CT,STP,4\nCC-CT,STP,5\n\
                    HĐ-CT,HDND,30\nCC-CT,STC\nCC-CT,SYT,-1\nCC-CT,SXD,2.5\n";
        let expected = [
            ("line 2, respondent_code", "group_unknown"),
            ("line 3, unit_code", "unit_unknown"),
            ("line 4, unit_code", "unit_not_source"),
            ("line 5, people", "number_range"),
            ("line 7, unit_code", "row_double"),
            ("line 8, respondent_code", "quota_fixed"),
            ("line 9", "column_count"),
            ("line 10, people", "number_range"),
            ("line 11, people", "number_range"),
        ];
        let expected: Vec<_> = expected.iter().map(|(p, c)| ((*p).to_owned(), *c)).collect();
        assert_eq!(parse(text).unwrap_err(), expected);
    }

    #[test]
    fn a_group_whose_letters_are_addressed_has_no_head_counts() {
        let mut round = Round::from_files(&quang_nam_2023()).unwrap();
        let group = round.groups.iter_mut().find(|group| group.code == "CC-ND").unwrap();
        group.issue = IssueMode::Addressed;
        let faults = Roster::parse(b"respondent_code,unit_code,people\nCC-CT,SNV,3\nCC-ND,CT,4\n", &round).unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| (fault.place.as_str(), fault.code)).collect();
        assert_eq!(told, [("line 3, respondent_code", "needs_people")]);
        assert!(faults[0].message.contains("e-mail addresses"));
    }

    #[test]
    fn other_columns_and_encodings_are_refused() {
        let with_names = parse("respondent_code,unit_code,people,name\nCC-CT,SNV,1,X\n");
        assert_eq!(with_names.unwrap_err(), [("line 1".to_owned(), "columns")]);
        assert_eq!(parse("").unwrap_err(), [("line 1".to_owned(), "columns")]);
        let empty = parse("respondent_code,unit_code,people\n");
        assert_eq!(empty.unwrap_err(), [(String::new(), "table_empty")]);
        let round = Round::from_files(&quang_nam_2023()).unwrap();
        assert_eq!(Roster::parse(b"respondent_code,\xff", &round).unwrap_err()[0].code, "not_utf8");
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

        /// Random damage to a good roster is read or refused, never fatal.
        #[test]
        fn damaged_rosters_are_refused_not_fatal(at in 0_usize..9000, bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..6)) {
            let files = quang_nam_2023();
            let mut roster = files["roster-sample.csv"].clone();
            let at = at.min(roster.len());
            let end = (at + bytes.len()).min(roster.len());
            roster.splice(at..end, bytes);
            static PLAN: std::sync::LazyLock<Round> =
                std::sync::LazyLock::new(|| Round::from_files(&quang_nam_2023()).unwrap());
            if let Ok(rows) = Roster::parse(&roster, &PLAN) {
                proptest::prop_assert!(rows.iter().all(|row| row.people > 0));
            }
        }
    }
}
