//! Response rates for programs.

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, FixedOffset};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Cell, Count, Desk, Rates};
use crate::access::Machine;
use crate::access::scopes::RatesRead;
use crate::clock::local;
use crate::db::Db;
use crate::http::Problem;
use crate::round::{RoundError, Rounds};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(current);
}

/// Response rates of a round. Rates are percent, decimal text with two digits, null where no code was given out.
#[derive(Serialize, ToSchema)]
struct RatesDocument {
    /// The round's id.
    #[schema(example = "quang-nam-2023")]
    round: String,
    /// When they were counted.
    #[schema(value_type = String, format = DateTime)]
    as_of: DateTime<FixedOffset>,
    /// Codes given out, without the revoked.
    issued: u64,
    /// Ballots in the box.
    returned: u64,
    /// Percent.
    #[schema(example = "61.25")]
    rate: Option<String>,
    /// By group, in the order of the round.
    groups: Vec<GroupRate>,
    /// By unit, lowest rate first; null for ballots of groups without units.
    units: Vec<UnitRate>,
    /// By channel.
    channels: Vec<ChannelRate>,
    /// By day, with the running total.
    days: Vec<DayTotal>,
    /// By kind of ballot paper: group × unit × targets × channel (× day).
    cells: Vec<CellRate>,
    /// The paper desk.
    keying: Keying,
}

/// Response rate of a group.
#[derive(Serialize, ToSchema)]
struct GroupRate {
    /// The group.
    #[schema(example = "CC-CT")]
    respondent_code: String,
    /// Codes given out.
    issued: u64,
    /// Ballots in the box.
    returned: u64,
    /// Percent.
    rate: Option<String>,
}

/// Response rate of a unit.
#[derive(Serialize, ToSchema)]
struct UnitRate {
    /// The unit.
    #[schema(example = "SNV")]
    source_unit: Option<String>,
    /// Codes given out.
    issued: u64,
    /// Ballots in the box.
    returned: u64,
    /// Percent.
    rate: Option<String>,
}

/// Response rate of a channel.
#[derive(Serialize, ToSchema)]
struct ChannelRate {
    /// `online` or `paper`.
    #[schema(example = "online")]
    channel: String,
    /// Codes given out.
    issued: u64,
    /// Ballots in the box.
    returned: u64,
    /// Percent.
    rate: Option<String>,
}

/// Ballots of a day.
#[derive(Serialize, ToSchema)]
struct DayTotal {
    /// Day in Viet Nam.
    #[schema(example = "2023-09-20")]
    day: String,
    /// Ballots of the day.
    returned: u64,
    /// Ballots up to the end of the day.
    cumulative: u64,
}

/// Response rate of one kind of ballot paper.
#[derive(Serialize, ToSchema)]
struct CellRate {
    /// The group.
    respondent_code: String,
    /// The unit; null when the group has none.
    source_unit: Option<String>,
    /// What is rated.
    targets: Vec<String>,
    /// `online` or `paper`.
    channel: String,
    /// Codes given out.
    issued: u64,
    /// Ballots in the box.
    returned: u64,
    /// Percent.
    rate: Option<String>,
    /// By day; null where fewer codes were given out than the round's `disclosure.k`: a day could point at a person.
    days: Option<Vec<CellDay>>,
}

/// Ballots of one kind of ballot paper on a day.
#[derive(Serialize, ToSchema)]
struct CellDay {
    /// Day in Viet Nam.
    day: String,
    /// Ballots of the day.
    returned: u64,
}

/// How far the paper desk is.
#[derive(Serialize, ToSchema)]
struct Keying {
    /// Paper codes given out.
    issued: u64,
    /// Keyed once.
    first_done: u64,
    /// Both entries agree, not cast yet.
    matched: u64,
    /// The entries differ.
    mismatched: u64,
    /// Settled, not cast yet.
    adjudicated: u64,
    /// In the box.
    cast: u64,
}

impl From<&Rates> for RatesDocument {
    fn from(rates: &Rates) -> Self {
        let Count { issued, returned } = rates.total;
        let mut cumulative = 0;
        Self {
            round: rates.round.clone(),
            as_of: local(rates.as_of),
            issued,
            returned,
            rate: rates.total.rate(),
            groups: rates
                .groups
                .iter()
                .map(|(code, c)| GroupRate {
                    respondent_code: code.clone(),
                    issued: c.issued,
                    returned: c.returned,
                    rate: c.rate(),
                })
                .collect(),
            units: rates
                .units
                .iter()
                .map(|(unit, c)| UnitRate {
                    source_unit: some(unit),
                    issued: c.issued,
                    returned: c.returned,
                    rate: c.rate(),
                })
                .collect(),
            channels: rates
                .channels
                .iter()
                .map(|(channel, c)| ChannelRate {
                    channel: channel.clone(),
                    issued: c.issued,
                    returned: c.returned,
                    rate: c.rate(),
                })
                .collect(),
            days: rates
                .days
                .iter()
                .map(|(day, returned)| {
                    cumulative += returned;
                    DayTotal { day: day.clone(), returned: *returned, cumulative }
                })
                .collect(),
            cells: rates.cells.iter().map(cell).collect(),
            keying: keying(rates.desk),
        }
    }
}

fn some(unit: &str) -> Option<String> {
    (!unit.is_empty()).then(|| unit.to_owned())
}

fn cell(cell: &Cell) -> CellRate {
    let day = |(day, returned): (&String, &u64)| CellDay { day: day.clone(), returned: *returned };
    CellRate {
        respondent_code: cell.key.respondent_code.clone(),
        source_unit: some(&cell.key.source_unit),
        targets: cell.key.targets.split('+').map(str::to_owned).collect(),
        channel: cell.key.channel.clone(),
        issued: cell.count.issued,
        returned: cell.count.returned,
        rate: cell.count.rate(),
        days: cell.days.as_ref().map(|days| days.iter().map(day).collect()),
    }
}

fn keying(desk: Desk) -> Keying {
    let Desk { issued, first_done, matched, mismatched, adjudicated, cast, referred: _, void: _ } = desk;
    Keying { issued, first_done, matched, mismatched, adjudicated, cast }
}

/// Response rates of a round as they stand.
#[utoipa::path(
    tag = "rates",
    operation_id = "get_rates",
    params(("round" = String, Path, description = "Id of the round")),
    security(("machine" = ["rates:read"])),
    responses(
        (status = 200, description = "The rates", body = RatesDocument),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`",
            content_type = "application/problem+json"),
        (status = 403, description = "`scope_missing`, `round_not_granted`", content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/rates")]
async fn current(
    _machine: Machine<RatesRead>,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let (clock, rounds, id) = (Db::clone(&db), Rounds::clone(&rounds), round.into_inner());
    let found = db
        .read(move |conn| {
            let round = rounds.get(conn, &id)?;
            Ok::<_, RoundError>(super::rates(&clock, conn, &round)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(RatesDocument::from(&found)))
}
