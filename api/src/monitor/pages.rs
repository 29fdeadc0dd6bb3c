//! `/giam-sat`: response rates for observers, supervisors and administrators.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;

use super::view::{self, Curve, DayRow, RateRow};
use super::{Count, Desk, Rates, export};
use crate::access::{Monitoring, Signed};
use crate::ballot::log::entry::PaperCount;
use crate::clock::local;
use crate::db::Db;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page};
use crate::round::{LoadedRound, RoundError, RoundState, Rounds};

/// The share of codes that units are held to on the page.
const AIM_PERCENT: u64 = 80;

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/giam-sat", web::get().to(monitoring)).route("/giam-sat/{round}/ty-le.csv", web::get().to(table));
}

/// Which round is looked at; the first that accepts ballots when nothing is said.
#[derive(Deserialize)]
struct Asked {
    dot: Option<String>,
}

#[derive(Template)]
#[template(path = "monitor/none.html")]
struct NonePage {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "monitor/rates.html")]
struct RatesPage {
    frame: Frame,
    id: String,
    title: String,
    state: &'static str,
    open: bool,
    sample: bool,
    rounds: Vec<(String, String)>,
    as_of: String,
    closes: String,
    keying_closes: String,
    total: Count,
    total_rate: String,
    channels: Vec<RateRow>,
    groups: Vec<RateRow>,
    units: Vec<RateRow>,
    small_units: Vec<RateRow>,
    reached: usize,
    counted: usize,
    aim: u64,
    k: u64,
    curve: Option<Curve>,
    best_day: Option<(String, u64)>,
    days: Vec<DayRow>,
    desk: Desk,
    paper: PaperCount,
    duplicates: u64,
}

async fn monitoring(
    signed: Signed<Monitoring>,
    query: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let asked = query.into_inner().dot.filter(|id| !id.is_empty());
    let (clock, rounds) = (Db::clone(&db), Rounds::clone(&rounds));
    let found = db
        .read(move |conn| {
            let all = rounds.all(conn)?;
            let round = match &asked {
                Some(id) => Some(rounds.get(conn, id)?),
                None => all.first().cloned(),
            };
            let Some(round) = round else { return Ok(None) };
            let rates = super::rates(&clock, conn, &round)?;
            let names = all.iter().map(|r| (r.id().to_owned(), r.definition.title.clone())).collect();
            Ok::<_, RoundError>(Some((round, rates, names)))
        })
        .await?;
    let frame = site.frame("Giám sát").with_staff(signed.bar());
    Ok(match found {
        Some((round, rates, names)) => page(&rates_page(frame, &round, &rates, names)),
        None => page(&NonePage { frame }),
    })
}

fn rates_page(frame: Frame, round: &LoadedRound, rates: &Rates, rounds: Vec<(String, String)>) -> RatesPage {
    let definition = &round.definition;
    let moment = |at| local(at).format("%H:%M ngày %d/%m/%Y").to_string();
    let (units, small_units) = view::units(definition, rates);
    let (reached, counted) = rates.reaching(AIM_PERCENT);
    RatesPage {
        frame,
        id: definition.id.clone(),
        title: definition.title.clone(),
        state: round.state.name(),
        open: round.state == RoundState::Open,
        sample: definition.sample,
        rounds,
        as_of: moment(rates.as_of),
        closes: moment(round.closes_at),
        keying_closes: moment(round.keying_closes_at),
        total: rates.total,
        total_rate: view::percent(rates.total),
        channels: view::channels(rates),
        groups: view::groups(definition, rates),
        units,
        small_units,
        reached,
        counted,
        aim: AIM_PERCENT,
        k: rates.k,
        curve: view::curve(round, rates),
        best_day: view::best_day(rates),
        days: view::days(rates),
        desk: rates.desk,
        paper: rates.paper.total,
        duplicates: rates.paper.duplicates,
    }
}

async fn table(
    _signed: Signed<Monitoring>,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let (clock, rounds, id) = (Db::clone(&db), Rounds::clone(&rounds), round.into_inner());
    let rates = db
        .read(move |conn| {
            let round = rounds.get(conn, &id)?;
            Ok::<_, RoundError>(super::rates(&clock, conn, &round)?)
        })
        .await?;
    let mut text = Vec::new();
    export::write_csv(&mut text, &rates).map_err(|error| Problem::internal(&error))?;
    let name = format!("attachment; filename=\"ty-le-{}.csv\"", rates.round);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, name))
        .body(text))
}
