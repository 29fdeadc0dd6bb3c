//! What the desk's work shows, for whoever leads it: each clerk's pace and slips beside the median and their own days, items
//! that two clerks read differently, bundles, how far everything is and when it will be done, and what the samples prove.
//! Nobody is ranked, and nothing is told of a ballot.

mod binomial;
pub mod pages;
pub mod rest;
mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use survey_forms::questionnaire::Item;

pub use binomial::upper_bound;

use super::effort::{self, DayOfWork};
use super::entry::{Decision, Dispute, Reason};
use super::{Capture, KeyingError, PaperDesk, Pass, places};
use crate::ballot::Bearer;
use crate::bundle;
use crate::clock::local;
use crate::db::{Conn, Db};
use crate::round::LoadedRound;

/// Days of work from which the forecast takes its pace.
const PACE_DAYS: usize = 5;

/// What a reading was worth, for the sums.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Work {
    ballots: i64,
    items: i64,
    wrong: i64,
}

fn day(at: DateTime<Utc>) -> String {
    local(at).format("%Y-%m-%d").to_string()
}

/// An entry was taken, and the ballot is `next` by it; a second one differs from the first in `disputes`.
///
/// # Errors
/// When the database fails.
pub(super) fn entered(
    conn: &mut Conn,
    at: DateTime<Utc>,
    bearer: &Bearer,
    (by, pass): (&str, Pass),
    next: &Capture,
    disputes: &[Dispute],
) -> Result<(), KeyingError> {
    store::add_work(conn, bearer.round.id(), by, pass, &day(at), Work { ballots: 1, ..Work::default() })?;
    if pass != Pass::Second {
        return Ok(());
    }
    compared(conn, bearer, disputes)?;
    if matches!(next, Capture::Mismatched { .. }) {
        return Ok(());
    }
    settled(conn, at, bearer, next, None)
}

/// A second entry was compared with the first; where it differs is told by item, summed over every body that it is about.
///
/// # Errors
/// When the database fails.
fn compared(conn: &mut Conn, bearer: &Bearer, disputes: &[Dispute]) -> Result<(), KeyingError> {
    let form = bearer.form()?;
    let mut items: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for (_, item) in places(&form) {
        items.entry(&item.code).or_default().0 += 1;
    }
    for dispute in disputes {
        if let Some((_, differed)) = items.get_mut(dispute.item.as_str()) {
            *differed += 1;
        }
    }
    for (item, (compared, differed)) in items {
        store::add_item(conn, bearer.round.id(), &bearer.stratum.respondent_code, item, compared, differed)?;
    }
    Ok(())
}

/// Two equal entries, or a decision: how many items each of the two has keyed, and of these wrongly. Of a sample that both
/// clerks read otherwise than its reader, what is wrong in the first entry is wrong in both.
///
/// # Errors
/// When the database fails.
pub(super) fn settled(
    conn: &mut Conn,
    at: DateTime<Utc>,
    bearer: &Bearer,
    capture: &Capture,
    decision: Option<&Decision>,
) -> Result<(), KeyingError> {
    let sampled = capture.keyed_by(Pass::Sample).is_some();
    if sampled && decision.is_none() {
        // Counted when the two agreed.
        return Ok(());
    }
    let count = |wanted: &[Reason]| -> i64 {
        let reasons = decision.map(|d| d.reasons.values()).into_iter().flatten();
        i64::try_from(reasons.filter(|reason| wanted.contains(reason)).count()).unwrap_or(i64::MAX)
    };
    let first = count(&[Reason::SlipFirst, Reason::SlipBoth]);
    let second = count(&[Reason::SlipSecond, Reason::SlipBoth]);
    let form = bearer.form()?;
    let all = if sampled { 0 } else { i64::try_from(places(&form).count()).unwrap_or(i64::MAX) };
    let today = day(at);
    for (pass, wrong) in [(Pass::First, first), (Pass::Second, if sampled { first } else { second })] {
        if let Some(by) = capture.keyed_by(pass) {
            let work = Work { ballots: 0, items: all, wrong };
            store::add_work(conn, bearer.round.id(), by, pass, &today, work)?;
        }
    }
    Ok(())
}

/// One clerk's work.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClerkFigures {
    /// Sign-in name.
    pub name: String,
    /// Entries of both passes.
    pub ballots: i64,
    /// Items that were compared with another person's.
    pub items: i64,
    /// Of these, this clerk's slips by the third person's verdict.
    pub wrong: i64,
    /// Of the compared items, those of first passes.
    pub first_items: i64,
    /// Of the slips, those of first passes.
    pub first_wrong: i64,
    /// In the whole round.
    pub pace: Pace,
    /// The clerk's own days, in order.
    pub days: Vec<ClerkDay>,
}

impl ClerkFigures {
    /// Slips of a thousand items; none before anything was compared.
    #[must_use]
    pub fn wrong_per_thousand(&self) -> Option<f64> {
        ratio(self.wrong, self.items)
    }

    /// The same of first passes alone.
    #[must_use]
    pub fn first_wrong_per_thousand(&self) -> Option<f64> {
        ratio(self.first_wrong, self.first_items)
    }
}

/// One clerk on one day, for the round.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClerkDay {
    /// Day in Viet Nam.
    pub day: String,
    /// Entries of both passes.
    pub ballots: i64,
    /// Items that were compared.
    pub items: i64,
    /// Of these, slips.
    pub wrong: i64,
    /// Of the day.
    pub pace: Pace,
}

impl ClerkDay {
    /// Slips of a thousand items; none before anything was compared.
    #[must_use]
    pub fn wrong_per_thousand(&self) -> Option<f64> {
        ratio(self.wrong, self.items)
    }
}

/// How fast somebody keys, net of pauses, by what their browsers tell; nothing without a browser that tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    entries: i64,
    keystrokes: i64,
    refused: i64,
    seconds: i64,
}

impl Pace {
    fn add(&mut self, day: &DayOfWork) {
        self.entries += day.entries;
        self.keystrokes += day.keystrokes;
        self.refused += day.refused;
        self.seconds += day.active_seconds;
    }

    fn an_hour(self, n: i64) -> Option<f64> {
        (self.seconds > 0).then(|| real(n) * 3600.0 / real(self.seconds))
    }

    /// Ballots an hour.
    #[must_use]
    pub fn ballots_per_hour(self) -> Option<f64> {
        self.an_hour(self.entries)
    }

    /// Keystrokes an hour.
    #[must_use]
    pub fn keystrokes_per_hour(self) -> Option<f64> {
        self.an_hour(self.keystrokes)
    }

    /// Keys refused, of a thousand.
    #[must_use]
    pub fn refused_per_thousand(self) -> Option<f64> {
        ratio(self.refused, self.keystrokes)
    }
}

/// Thousandths; none of nothing.
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| real(part) * 1000.0 / real(whole))
}

fn real(n: i64) -> f64 {
    f64::from(i32::try_from(n).unwrap_or(i32::MAX))
}

/// How often an item was read differently.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemFigures {
    /// The group.
    pub respondent_code: String,
    /// The item.
    pub item_code: String,
    /// Its words.
    pub label: String,
    /// Pairs of readings.
    pub compared: i64,
    /// Of these, those that differ.
    pub differed: i64,
}

/// A bundle's figures.
#[derive(Debug, Clone, PartialEq)]
pub struct BundleFigures {
    /// As on its label.
    pub name: String,
    /// Its stage, for people.
    pub stage: &'static str,
    /// Ballots keyed twice.
    pub compared: u32,
    /// Of these, those on which two clerks differed.
    pub mismatched: u32,
    /// Seconds of keying, net of pauses.
    pub seconds: u32,
}

/// What the samples show.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SampleFigures {
    /// Items read a third time.
    pub items: u32,
    /// Of these, those that both clerks had wrong.
    pub wrong: u32,
    /// With 95 % confidence at most so many of a thousand items are wrong (Clopper–Pearson, one-sided); none without a
    /// sample.
    pub upper_per_thousand: Option<f64>,
}

/// The desk on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayFigures {
    /// Day in Viet Nam.
    pub day: String,
    /// First entries of the day.
    pub first: i64,
    /// Second entries of the day.
    pub second: i64,
}

/// When everything will be keyed twice, at the pace of the last days of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forecast {
    /// Entries that are still to be made.
    pub left: u32,
    /// Entries a day.
    pub a_day: u32,
    /// The day on which the last one is made.
    pub done_on: NaiveDate,
    /// Whether that is before the end of keying.
    pub in_time: bool,
}

/// Everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// By name.
    pub clerks: Vec<ClerkFigures>,
    /// Those that differ most first.
    pub items: Vec<ItemFigures>,
    /// By group and number.
    pub bundles: Vec<BundleFigures>,
    /// In order.
    pub days: Vec<DayFigures>,
    /// Ballots at the desk.
    pub here: u32,
    /// Of the round.
    pub sample: SampleFigures,
    /// None before anything was keyed, and when nothing is left.
    pub forecast: Option<Forecast>,
}

/// The middle of some figures; none of none.
#[must_use]
pub fn median(mut of: Vec<f64>) -> Option<f64> {
    of.sort_by(f64::total_cmp);
    let (middle, odd) = (of.len() / 2, of.len() % 2 == 1);
    let upper = *of.get(middle)?;
    if odd { Some(upper) } else { Some((of.get(middle.checked_sub(1)?)? + upper) / 2.0) }
}

impl PaperDesk {
    /// The figures of a round's desk.
    ///
    /// # Errors
    /// When the database fails, or there is no such round.
    pub async fn figures(&self, round: &str) -> Result<Figures, KeyingError> {
        let (clock, rounds, round) = (self.db.clone(), self.rounds.clone(), round.to_owned());
        self.db
            .read(move |conn| {
                let round = rounds.get(conn, &round)?;
                figures(&clock, conn, &round)
            })
            .await
    }
}

fn figures(db: &Db, conn: &mut Conn, round: &LoadedRound) -> Result<Figures, KeyingError> {
    let now = db.now(conn)?;
    let work = store::work(conn, round.id())?;
    let views = bundle::all(conn, round.id())?;
    let sums = bundle::sums(conn, round.id())?;
    let days = by_day(&work);
    let here: u32 = views.iter().map(|v| v.ballots.here).sum();
    let void: u32 = views.iter().map(|v| v.ballots.void).sum();
    let left: u32 = views.iter().map(|v| 2 * v.ballots.awaiting_first + v.ballots.awaiting_second).sum();
    let (items, wrong) = sums.values().fold((0, 0), |(items, wrong), s| (items + s.items, wrong + s.wrong));
    let bundles = views.iter().map(|view| BundleFigures {
        name: view.name(),
        stage: view.stage.words(),
        compared: view.ballots.cast + view.ballots.mismatched + view.ballots.verified + view.ballots.awaiting_sample,
        mismatched: view.decided + view.ballots.mismatched,
        seconds: sums.get(&view.id).map_or(0, |s| s.seconds),
    });
    Ok(Figures {
        clerks: clerks(&work, &effort::days(conn, round.id())?),
        items: items_of(conn, round)?,
        bundles: bundles.collect(),
        forecast: forecast(&days, left, now, round),
        days,
        here: here.saturating_sub(void),
        sample: SampleFigures {
            items,
            wrong,
            upper_per_thousand: upper_bound(wrong, items).map(|share| share * 1000.0),
        },
    })
}

/// The round's clerks, each with their days.
fn clerks(work: &[store::Line], efforts: &[DayOfWork]) -> Vec<ClerkFigures> {
    let mut clerks: BTreeMap<&str, ClerkFigures> = BTreeMap::new();
    let mut days: BTreeMap<(&str, &str), ClerkDay> = BTreeMap::new();
    for line in work {
        let clerk = clerks.entry(&line.clerk).or_default();
        clerk.name.clone_from(&line.clerk);
        clerk.ballots += line.ballots;
        clerk.items += line.items;
        clerk.wrong += line.wrong;
        if line.pass == Pass::First {
            clerk.first_items += line.items;
            clerk.first_wrong += line.wrong;
        }
        let day = days.entry((&line.clerk, &line.day)).or_default();
        day.day.clone_from(&line.day);
        day.ballots += line.ballots;
        day.items += line.items;
        day.wrong += line.wrong;
    }
    for effort in efforts {
        if let Some(clerk) = clerks.get_mut(effort.clerk.as_str()) {
            clerk.pace.add(effort);
        }
        if let Some(day) = days.get_mut(&(effort.clerk.as_str(), effort.day.as_str())) {
            day.pace.add(effort);
        }
    }
    for ((clerk, _), day) in days {
        if let Some(clerk) = clerks.get_mut(clerk) {
            clerk.days.push(day);
        }
    }
    clerks.into_values().collect()
}

fn by_day(work: &[store::Line]) -> Vec<DayFigures> {
    let mut days: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for line in work {
        let of = days.entry(&line.day).or_default();
        match line.pass {
            Pass::First => of.0 += line.ballots,
            Pass::Second => of.1 += line.ballots,
            Pass::Sample => {}
        }
    }
    let worked = days.into_iter().filter(|(_, (first, second))| first + second > 0);
    worked.map(|(day, (first, second))| DayFigures { day: day.to_owned(), first, second }).collect()
}

fn items_of(conn: &mut Conn, round: &LoadedRound) -> Result<Vec<ItemFigures>, KeyingError> {
    let label = |group: &str, code: &str| {
        let of = round.definition.questionnaires.iter().find(|q| q.respondent_code == group);
        of.and_then(|q| q.item(code)).map(|item: &Item| item.question.clone()).unwrap_or_default()
    };
    let mut items: Vec<ItemFigures> = store::items(conn, round.id())?
        .into_iter()
        .map(|(group, code, compared, differed)| ItemFigures {
            label: label(&group, &code),
            respondent_code: group,
            item_code: code,
            compared,
            differed,
        })
        .collect();
    let share = |item: &ItemFigures| ratio(item.differed, item.compared).unwrap_or_default();
    items.sort_by(|a, b| share(b).total_cmp(&share(a)).then_with(|| a.item_code.cmp(&b.item_code)));
    Ok(items)
}

fn forecast(days: &[DayFigures], left: u32, now: DateTime<Utc>, round: &LoadedRound) -> Option<Forecast> {
    if left == 0 {
        return None;
    }
    let last: Vec<i64> = days.iter().rev().take(PACE_DAYS).map(|day| day.first + day.second).collect();
    let a_day = u32::try_from(last.iter().sum::<i64>()).ok()?.checked_div(u32::try_from(last.len()).ok()?)?.max(1);
    let today = local(now).date_naive();
    let done_on = today.checked_add_signed(TimeDelta::days(i64::from(left.div_ceil(a_day))))?;
    Some(Forecast { left, a_day, done_on, in_time: done_on <= local(round.keying_closes_at).date_naive() })
}

#[cfg(test)]
mod tests;
