//! `/nhap-phieu/thong-ke`: the figures for whoever leads the desk, and the burn-up as SVG with its table beside it.

use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Responder};
use askama::Template;
use chrono::NaiveDate;

use super::{BundleFigures, ClerkDay, ClerkFigures, DayFigures, Figures, ItemFigures, SampleFigures, median, ratio};
use crate::access::{Overseeing, Signed};
use crate::bundle::pages::{Asked, chosen};
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page};
use crate::keying::KeyingError;
use crate::keying::pages::{Tools, desk};

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/nhap-phieu/thong-ke").get(statistics));
}

/// A clerk's line, ready to be read.
struct ClerkLine {
    figures: ClerkFigures,
    pace: String,
    keys: String,
    refused: String,
    first_wrong: String,
    wrong: String,
    days: Vec<ClerkDayLine>,
}

/// A clerk's day, ready to be read.
struct ClerkDayLine {
    day: String,
    ballots: i64,
    pace: String,
    keys: String,
    refused: String,
    wrong: String,
}

struct ItemLine {
    figures: ItemFigures,
    share: String,
}

struct BundleLine {
    figures: BundleFigures,
    share: String,
    time: String,
}

/// A day of the burn-up: entries of the day and up to it.
struct DayLine {
    day: String,
    first: i64,
    second: i64,
    firsts: i64,
    seconds: i64,
}

/// The burn-up, in units of its view box.
struct BurnUp {
    first: String,
    second: String,
    marks: Vec<(String, &'static str, String)>,
    scale: Vec<(String, String, i64)>,
}

#[derive(Template)]
#[template(path = "keying/statistics.html")]
struct StatisticsPage {
    frame: Frame,
    rounds: Vec<(String, String)>,
    round: String,
    title: String,
    here: u32,
    clerks: Vec<ClerkLine>,
    medians: [String; 5],
    items: Vec<ItemLine>,
    bundles: Vec<BundleLine>,
    days: Vec<DayLine>,
    chart: Option<BurnUp>,
    forecast: Option<(u32, u32, String, bool)>,
    sample: SampleFigures,
    upper: String,
}

async fn statistics(
    site: Data<Site>,
    tools: Tools,
    asked: web::Query<Asked>,
    signed: Signed<Overseeing>,
) -> Result<impl Responder, Problem> {
    let desk = desk(&tools);
    let (rounds, asked) = (desk.rounds.clone(), asked.into_inner().dot);
    let (round, names) = desk
        .db
        .read(move |conn| chosen(conn, &rounds, &asked).map_err(KeyingError::from))
        .await
        .map_err(Problem::from)?;
    let frame = site.frame("Thống kê nhập phiếu").with_staff(signed.bar());
    let (id, title, figures) = match round {
        Some(round) => {
            let figures = desk.figures(round.id()).await?;
            (round.id().to_owned(), round.definition.title.clone(), Some(figures))
        }
        None => (String::new(), String::new(), None),
    };
    Ok::<HttpResponse, Problem>(page(&made(frame, names, id, title, figures)))
}

/// As people here write it: a comma, one decimal; a dash where there is nothing.
fn shown(figure: Option<f64>, decimals: usize) -> String {
    figure.map_or_else(|| "–".to_owned(), |f| format!("{f:.decimals$}").replace('.', ","))
}

fn made(
    frame: Frame,
    rounds: Vec<(String, String)>,
    round: String,
    title: String,
    figures: Option<Figures>,
) -> StatisticsPage {
    let figures = figures.unwrap_or(Figures {
        clerks: Vec::new(),
        items: Vec::new(),
        bundles: Vec::new(),
        days: Vec::new(),
        here: 0,
        sample: SampleFigures::default(),
        forecast: None,
    });
    let middle = |of: fn(&ClerkFigures) -> Option<f64>| median(figures.clerks.iter().filter_map(of).collect());
    let medians = [
        shown(middle(|c| c.pace.ballots_per_hour()), 1),
        shown(middle(|c| c.pace.keystrokes_per_hour()), 0),
        shown(middle(|c| c.pace.refused_per_thousand()), 1),
        shown(middle(ClerkFigures::first_wrong_per_thousand), 1),
        shown(middle(ClerkFigures::wrong_per_thousand), 1),
    ];
    let chart = burn_up(&figures.days, i64::from(figures.here));
    let forecast = figures.forecast.map(|f| (f.left, f.a_day, f.done_on.format("%d/%m/%Y").to_string(), f.in_time));
    StatisticsPage {
        frame,
        rounds,
        round,
        title,
        here: figures.here,
        medians,
        chart,
        forecast,
        days: day_lines(&figures.days),
        clerks: figures.clerks.into_iter().map(clerk_line).collect(),
        items: figures
            .items
            .into_iter()
            .map(|figures| ItemLine { share: shown(ratio(figures.differed, figures.compared), 1), figures })
            .collect(),
        bundles: figures
            .bundles
            .into_iter()
            .map(|figures| BundleLine {
                share: shown(ratio(i64::from(figures.mismatched), i64::from(figures.compared)).map(|f| f / 10.0), 1),
                time: format!("{}", figures.seconds / 60),
                figures,
            })
            .collect(),
        upper: shown(figures.sample.upper_per_thousand, 2),
        sample: figures.sample,
    }
}

fn clerk_line(figures: ClerkFigures) -> ClerkLine {
    let day = |of: &ClerkDay| ClerkDayLine {
        day: day_of(&of.day),
        ballots: of.ballots,
        pace: shown(of.pace.ballots_per_hour(), 1),
        keys: shown(of.pace.keystrokes_per_hour(), 0),
        refused: shown(of.pace.refused_per_thousand(), 1),
        wrong: shown(of.wrong_per_thousand(), 1),
    };
    ClerkLine {
        pace: shown(figures.pace.ballots_per_hour(), 1),
        keys: shown(figures.pace.keystrokes_per_hour(), 0),
        refused: shown(figures.pace.refused_per_thousand(), 1),
        first_wrong: shown(figures.first_wrong_per_thousand(), 1),
        wrong: shown(figures.wrong_per_thousand(), 1),
        days: figures.days.iter().map(day).collect(),
        figures,
    }
}

fn day_of(day: &str) -> String {
    parse(day).map_or_else(|| day.to_owned(), |d| d.format("%d/%m/%Y").to_string())
}

fn parse(day: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

fn day_lines(days: &[DayFigures]) -> Vec<DayLine> {
    let (mut firsts, mut seconds) = (0, 0);
    let line = |day: &DayFigures| {
        (firsts, seconds) = (firsts + day.first, seconds + day.second);
        DayLine { day: day_of(&day.day), first: day.first, second: day.second, firsts, seconds }
    };
    days.iter().map(line).collect()
}

/// The plot's edges inside the 400 × 240 view box.
const LEFT: f64 = 44.0;
const RIGHT: f64 = 392.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 208.0;

/// Entries of each pass up to each day, against the ballots at the desk; none before the first entry.
fn burn_up(days: &[DayFigures], here: i64) -> Option<BurnUp> {
    let known: Vec<(NaiveDate, i64, i64)> =
        days.iter().filter_map(|d| Some((parse(&d.day)?, d.first, d.second))).collect();
    let ((first, ..), (last, ..)) = (known.first()?, known.last()?);
    let start = first.pred_opt()?;
    let length = real((*last - start).num_days().max(1));
    let sum = |of: fn(&(NaiveDate, i64, i64)) -> i64| known.iter().map(of).sum::<i64>();
    let most = here.max(sum(|d| d.1)).max(sum(|d| d.2)).max(1);
    let x = |day: NaiveDate| LEFT + (RIGHT - LEFT) * real((day - start).num_days()) / length;
    let y = |ballots: i64| BOTTOM - (BOTTOM - TOP) * real(ballots) / real(most);
    let line = |of: fn(&(NaiveDate, i64, i64)) -> i64| {
        let mut reached = 0;
        known.iter().fold(format!("{LEFT},{BOTTOM}"), |mut points, day| {
            reached += of(day);
            points.push_str(&format!(" {:.1},{:.1}", x(day.0), y(reached)));
            points
        })
    };
    let marks = if first == last { vec![(*last, "end")] } else { vec![(*first, "start"), (*last, "end")] };
    Some(BurnUp {
        first: line(|d| d.1),
        second: line(|d| d.2),
        marks: marks
            .into_iter()
            .map(|(day, anchor)| (format!("{:.1}", x(day)), anchor, day.format("%d/%m").to_string()))
            .collect(),
        scale: [0, most / 2, most]
            .into_iter()
            .map(|n| (format!("{:.1}", y(n)), format!("{:.1}", y(n) + 4.0), n))
            .collect(),
    })
}

fn real(n: i64) -> f64 {
    f64::from(i32::try_from(n).unwrap_or(i32::MAX))
}
