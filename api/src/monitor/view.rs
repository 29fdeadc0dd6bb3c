//! The figures in the shape of the monitoring page, and the day-by-day curve as SVG.

use chrono::{Days, NaiveDate};
use survey_forms::Round;

use super::{Count, Rates};
use crate::clock::local;
use crate::round::LoadedRound;

/// A line of a table.
pub(super) struct RateRow {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) count: Count,
    pub(super) rate: String,
    /// Percent for the drawing; none where nothing was given out.
    pub(super) value: Option<String>,
}

/// Ballots of a day and up to it.
pub(super) struct DayRow {
    pub(super) day: String,
    pub(super) returned: u64,
    pub(super) cumulative: u64,
}

/// Percent as people here write it; a dash where nothing was given out.
pub(super) fn percent(count: Count) -> String {
    count.rate().map_or_else(|| "–".to_owned(), |rate| format!("{}%", rate.replace('.', ",")))
}

fn row(code: &str, name: String, count: Count) -> RateRow {
    RateRow { code: code.to_owned(), name, count, rate: percent(count), value: count.rate() }
}

pub(super) fn groups(round: &Round, rates: &Rates) -> Vec<RateRow> {
    let name = |code: &str| round.group(code).map(|g| g.name.clone()).unwrap_or_default();
    rates.groups.iter().map(|(code, count)| row(code, name(code), *count)).collect()
}

pub(super) fn channels(rates: &Rates) -> Vec<RateRow> {
    let name = |channel: &str| if channel == "paper" { "Phiếu giấy" } else { "Trực tuyến" };
    rates.channels.iter().map(|(channel, count)| row(channel, name(channel).to_owned(), *count)).collect()
}

/// Units with at least k codes, lowest rate first; and those with fewer, by code, of which only the counts are shown:
/// a percentage of three people says nothing.
pub(super) fn units(round: &Round, rates: &Rates) -> (Vec<RateRow>, Vec<RateRow>) {
    let name = |code: &str| match round.unit(code) {
        Some(unit) => unit.name.clone(),
        None => "Nhóm không chia theo đơn vị".to_owned(),
    };
    let all = rates.units.iter().map(|(code, count)| row(code, name(code), *count));
    let (large, mut small): (Vec<RateRow>, Vec<RateRow>) = all.partition(|row| row.count.issued >= rates.k);
    small.sort_by(|a, b| a.code.cmp(&b.code));
    (large, small)
}

pub(super) fn days(rates: &Rates) -> Vec<DayRow> {
    let mut cumulative = 0;
    let day = |(day, returned): (&String, &u64)| {
        cumulative += returned;
        let shown = parse(day).map_or_else(|| day.clone(), |d| d.format("%d/%m/%Y").to_string());
        DayRow { day: shown, returned: *returned, cumulative }
    };
    rates.days.iter().map(day).collect()
}

/// The day with most ballots, for the text beside the curve.
pub(super) fn best_day(rates: &Rates) -> Option<(String, u64)> {
    let (day, returned) = rates.days.iter().max_by_key(|(_, returned)| **returned)?;
    Some((parse(day)?.format("%d/%m").to_string(), *returned))
}

fn parse(day: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

/// The curve, in units of its view box.
pub(super) struct Curve {
    /// Points of the line.
    pub(super) points: String,
    /// Marks below: place and words.
    pub(super) x_marks: Vec<(String, &'static str, String)>,
    /// Marks at the left: place, place of the words, words.
    pub(super) y_marks: Vec<(String, String, u64)>,
}

/// The plot's edges inside the 400 × 240 view box.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 392.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 208.0;

/// Cumulative ballots by day against the codes given out; none before the first ballot.
pub(super) fn curve(round: &LoadedRound, rates: &Rates) -> Option<Curve> {
    let days: Vec<(NaiveDate, u64)> = rates.days.iter().filter_map(|(day, n)| Some((parse(day)?, *n))).collect();
    let ((first, _), (last, _)) = (days.first()?, days.last()?);
    let today = local(rates.as_of).date_naive().min(local(round.keying_closes_at).date_naive());
    let start = local(round.opens_at).date_naive().min(*first).checked_sub_days(Days::new(1))?;
    let end = today.max(*last);
    let length = days_between(start, end)?;
    let most = rates.total.issued.max(rates.total.returned).max(1);

    let x = |day: NaiveDate| Some(LEFT + (RIGHT - LEFT) * days_between(start, day)? / length);
    let y = |ballots: u64| BOTTOM - (BOTTOM - TOP) * real(ballots) / real(most);
    let mut points = format!("{LEFT},{BOTTOM}");
    let mut cumulative = 0;
    let mut known = days.iter().peekable();
    for day in start.iter_days().skip(1).take_while(|day| *day <= end) {
        while let Some((_, ballots)) = known.next_if(|(d, _)| *d <= day) {
            cumulative += ballots;
        }
        points.push_str(&format!(" {:.1},{:.1}", x(day)?, y(cumulative)));
    }
    let first_day = start.succ_opt()?;
    let mut x_marks = vec![(first_day, "start"), (end, "end")];
    x_marks.dedup_by_key(|(day, _)| *day);
    Some(Curve {
        points,
        x_marks: x_marks
            .into_iter()
            .map(|(day, anchor)| Some((format!("{:.1}", x(day)?), anchor, day.format("%d/%m").to_string())))
            .collect::<Option<Vec<_>>>()?,
        y_marks: [0, most / 2, most]
            .into_iter()
            .map(|ballots| (format!("{:.1}", y(ballots)), format!("{:.1}", y(ballots) + 4.0), ballots))
            .collect(),
    })
}

fn days_between(from: NaiveDate, to: NaiveDate) -> Option<f64> {
    u32::try_from((to - from).num_days()).ok().map(f64::from)
}

/// Ballots fit into 32 bits by far; more would only bend the drawing.
fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
