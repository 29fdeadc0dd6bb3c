//! Response rates: codes given out, ballots that came back, by group × unit × channel × day, and how far the paper
//! desk is. One use case ([`rates`]) gives the figures to the page, to the API and to the export alike. Never a score,
//! never what somebody answered, never who has not: a code that was not used is a number here.

pub mod export;
mod pages;
mod rest;
mod store;
mod view;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use survey_forms::ratio::{to_fixed, whole};

pub use pages::pages;
pub use rest::rest;

use crate::ballot::log::entry::PaperBook;
use crate::bundle;
use crate::db::{Conn, Db, DbError};
use crate::round::LoadedRound;

/// Codes given out and ballots that came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Codes, without the revoked.
    pub issued: u64,
    /// Ballots in the box.
    pub returned: u64,
}

impl Count {
    /// Percent of the codes that came back, two decimals, half up; none when no code was given out.
    #[must_use]
    pub fn rate(self) -> Option<String> {
        (self.issued > 0).then(|| to_fixed(&(whole(self.returned) * whole(100) / whole(self.issued)), 2))
    }

    fn add(&mut self, other: Self) {
        self.issued += other.issued;
        self.returned += other.returned;
    }

    /// Lowest rate first; nothing given out comes last.
    fn worse(self, other: Self) -> std::cmp::Ordering {
        match (self.issued, other.issued) {
            (0, 0) => std::cmp::Ordering::Equal,
            (0, _) => std::cmp::Ordering::Greater,
            (_, 0) => std::cmp::Ordering::Less,
            (mine, theirs) => (u128::from(self.returned) * u128::from(theirs))
                .cmp(&(u128::from(other.returned) * u128::from(mine)))
                .then(theirs.cmp(&mine)),
        }
    }
}

/// One kind of ballot paper: a group's people of one unit rating the same targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    /// The group.
    pub respondent_code: String,
    /// The unit; empty when the group has none.
    pub source_unit: String,
    /// What is rated, joined by `+`.
    pub targets: String,
    /// `online` or `paper`.
    pub channel: String,
}

/// Figures of one kind of ballot paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Which.
    pub key: CellKey,
    /// How many.
    pub count: Count,
    /// Ballots by day (Viet Nam); none where so few people have codes that a day could point at one of them.
    pub days: Option<BTreeMap<String, u64>>,
}

/// How far the paper desk is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Desk {
    /// Paper codes given out.
    pub issued: u64,
    /// Keyed once, waiting for the second person.
    pub first_done: u64,
    /// Both entries agree, not cast yet.
    pub matched: u64,
    /// The entries differ and wait for a third person.
    pub mismatched: u64,
    /// Settled by a third person, not cast yet.
    pub adjudicated: u64,
    /// In the box.
    pub cast: u64,
    /// Set aside with a question about the whole paper.
    pub referred: u64,
    /// Void by the word of two.
    pub void: u64,
}

/// The figures of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// The round's id.
    pub round: String,
    /// When they were counted.
    pub as_of: DateTime<Utc>,
    /// Everything.
    pub total: Count,
    /// By group, in the order of the round; groups without codes have zeros.
    pub groups: Vec<(String, Count)>,
    /// By unit, lowest rate first. Ballots of groups without units count under an empty unit.
    pub units: Vec<(String, Count)>,
    /// By channel.
    pub channels: Vec<(String, Count)>,
    /// Ballots by day (Viet Nam), from the first to the last that has any.
    pub days: BTreeMap<String, u64>,
    /// By kind of ballot paper.
    pub cells: Vec<Cell>,
    /// The paper desk.
    pub desk: Desk,
    /// Where the sheets of paper are.
    pub paper: PaperBook,
    /// Fewest codes of a kind of ballot paper whose days are told.
    pub k: u64,
}

impl Rates {
    /// Units with at least `k` codes, and how many of them reach `percent`.
    #[must_use]
    pub fn reaching(&self, percent: u64) -> (usize, usize) {
        let large = self.units.iter().filter(|(unit, count)| !unit.is_empty() && count.issued >= self.k);
        let reached = large.clone().filter(|(_, count)| count.returned * 100 >= count.issued * percent).count();
        (reached, large.count())
    }
}

/// Counts a round: one reading, at one moment, for page, API and export. Call it in [`Db::read`].
///
/// # Errors
/// When the database does not answer.
pub fn rates(db: &Db, conn: &mut Conn, round: &LoadedRound) -> Result<Rates, DbError> {
    let as_of = db.now(conn)?;
    let counts = store::counts(conn, round.id())?;
    let definition = &round.definition;
    let k = u64::from(definition.disclosure.k);
    let mut cells: BTreeMap<CellKey, Cell> = BTreeMap::new();
    for row in counts.codes {
        let key = CellKey {
            respondent_code: row.respondent_code,
            source_unit: row.source_unit,
            targets: row.targets,
            channel: row.channel,
        };
        let codes = number(row.count);
        let returned = if row.state == "used" { codes } else { 0 };
        let cell = Cell { key: key.clone(), count: Count::default(), days: None };
        cells.entry(key).or_insert(cell).count.add(Count { issued: codes, returned });
    }
    let mut days: BTreeMap<String, u64> = BTreeMap::new();
    for row in counts.days {
        let (day, returned) = (row.day, number(row.returned));
        *days.entry(day.clone()).or_default() += returned;
        let key = CellKey {
            respondent_code: row.respondent_code,
            source_unit: row.source_unit,
            targets: row.targets,
            channel: row.channel,
        };
        if let Some(cell) = cells.get_mut(&key).filter(|cell| cell.count.issued >= k) {
            *cell.days.get_or_insert_default().entry(day).or_default() += returned;
        }
    }
    let cells: Vec<Cell> = cells.into_values().collect();
    let sum_by = |name: fn(&CellKey) -> &String| {
        let mut sums: BTreeMap<String, Count> = BTreeMap::new();
        for cell in &cells {
            sums.entry(name(&cell.key).clone()).or_default().add(cell.count);
        }
        sums
    };
    let by_group = sum_by(|key| &key.respondent_code);
    let groups = definition.groups.iter().map(|g| (g.code.clone(), by_group.get(&g.code).copied().unwrap_or_default()));
    let mut units: Vec<(String, Count)> = sum_by(|key| &key.source_unit).into_iter().collect();
    units.sort_by(|(_, a), (_, b)| a.worse(*b));
    let channels = sum_by(|key| &key.channel);
    let mut total = Count::default();
    cells.iter().for_each(|cell| total.add(cell.count));
    let paper = bundle::book(conn, round.id())?;
    let desk = desk(counts.captures, channels.get("paper").map_or(0, |c| c.issued));
    Ok(Rates {
        round: round.id().to_owned(),
        as_of,
        total,
        groups: groups.collect(),
        units,
        channels: channels.into_iter().collect(),
        days,
        desk,
        paper,
        k,
        cells,
    })
}

fn desk(captures: Vec<(String, i64)>, issued: u64) -> Desk {
    let mut desk = Desk { issued, ..Desk::default() };
    for (state, count) in captures {
        let place = match state.as_str() {
            "first_done" | "second_in_progress" => &mut desk.first_done,
            "matched" => &mut desk.matched,
            "mismatched" | "adjudicating" => &mut desk.mismatched,
            "verified" => &mut desk.adjudicated,
            "cast" => &mut desk.cast,
            "referred" => &mut desk.referred,
            "invalid" => &mut desk.void,
            _ => continue,
        };
        *place += number(count);
    }
    desk
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests;
