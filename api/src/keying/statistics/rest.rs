//! `/api/v1/keying/statistics`: the desk's figures for programs of whoever leads it.

use actix_web::{get, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{ClerkFigures, Figures};
use crate::access::{Overseeing, Signed};
use crate::http::{Problem, ProblemDocument};
use crate::keying::pages::{Tools, desk};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(statistics);
}

/// The figures of a round's paper desk; nothing of a ballot, nothing of a respondent.
#[derive(Serialize, ToSchema)]
struct StatisticsDocument {
    /// Ballots at the desk, without those that are void.
    here: u32,
    /// Each clerk, by name.
    clerks: Vec<ClerkDocument>,
    /// Items that were read differently most often first.
    items: Vec<ItemDocument>,
    /// By group and number.
    bundles: Vec<BundleStatistics>,
    /// Entries by day.
    days: Vec<DayDocument>,
    /// What the samples show.
    sample: SampleDocument,
    /// When everything will be keyed twice; null when nothing is left or nothing was keyed.
    forecast: Option<ForecastDocument>,
}

/// One clerk.
#[derive(Serialize, ToSchema)]
struct ClerkDocument {
    /// Sign-in name.
    name: String,
    /// Entries of both passes.
    ballots: i64,
    /// Items compared with another person's reading.
    items: i64,
    /// Of these, slips by the third person's verdict.
    wrong: i64,
    /// Slips of a thousand items.
    wrong_per_thousand: Option<f64>,
    /// The same of first passes alone.
    first_wrong_per_thousand: Option<f64>,
    /// Net of pauses.
    ballots_per_hour: Option<f64>,
    /// Net of pauses.
    keystrokes_per_hour: Option<f64>,
    /// Keys refused, of a thousand.
    refused_per_thousand: Option<f64>,
    /// The clerk's own days.
    days: Vec<ClerkDay>,
}

/// One clerk on one day.
#[derive(Serialize, ToSchema)]
struct ClerkDay {
    /// Day in Viet Nam.
    #[schema(example = "2023-10-20")]
    day: String,
    ballots: i64,
    items: i64,
    wrong: i64,
    /// Net of pauses.
    ballots_per_hour: Option<f64>,
    /// Net of pauses.
    keystrokes_per_hour: Option<f64>,
    /// Keys refused, of a thousand.
    refused_per_thousand: Option<f64>,
}

impl From<super::ClerkDay> for ClerkDay {
    fn from(of: super::ClerkDay) -> Self {
        Self {
            ballots_per_hour: of.pace.ballots_per_hour(),
            keystrokes_per_hour: of.pace.keystrokes_per_hour(),
            refused_per_thousand: of.pace.refused_per_thousand(),
            day: of.day,
            ballots: of.ballots,
            items: of.items,
            wrong: of.wrong,
        }
    }
}

/// One item.
#[derive(Serialize, ToSchema)]
struct ItemDocument {
    respondent_code: String,
    item_code: String,
    /// Pairs of readings.
    compared: i64,
    /// Of these, those that differ.
    differed: i64,
}

/// One bundle.
#[derive(Serialize, ToSchema)]
struct BundleStatistics {
    /// As on its label.
    #[schema(example = "HĐ-CT · Bó 01")]
    name: String,
    /// Ballots keyed twice.
    compared: u32,
    /// Of these, those on which two clerks differed.
    mismatched: u32,
    /// Seconds of keying, net of pauses.
    seconds: u32,
}

/// Entries of a day.
#[derive(Serialize, ToSchema)]
struct DayDocument {
    /// Day in Viet Nam.
    day: String,
    first: i64,
    second: i64,
}

/// What the samples show.
#[derive(Serialize, ToSchema)]
struct SampleDocument {
    /// Items read a third time.
    items: u32,
    /// Of these, those that both clerks had wrong.
    wrong: u32,
    /// With 95 % confidence at most so many of a thousand items are wrong (Clopper–Pearson, one-sided).
    upper_per_thousand: Option<f64>,
}

/// At the pace of the last five days of work.
#[derive(Serialize, ToSchema)]
struct ForecastDocument {
    /// Entries still to be made.
    left: u32,
    /// Entries a day.
    a_day: u32,
    /// The day of the last entry.
    #[schema(value_type = String, example = "2023-10-25")]
    done_on: chrono::NaiveDate,
    /// Whether that is before the end of keying.
    in_time: bool,
}

impl From<ClerkFigures> for ClerkDocument {
    fn from(of: ClerkFigures) -> Self {
        Self {
            wrong_per_thousand: of.wrong_per_thousand(),
            first_wrong_per_thousand: of.first_wrong_per_thousand(),
            ballots_per_hour: of.pace.ballots_per_hour(),
            keystrokes_per_hour: of.pace.keystrokes_per_hour(),
            refused_per_thousand: of.pace.refused_per_thousand(),
            name: of.name,
            ballots: of.ballots,
            items: of.items,
            wrong: of.wrong,
            days: of.days.into_iter().map(ClerkDay::from).collect(),
        }
    }
}

impl From<Figures> for StatisticsDocument {
    fn from(of: Figures) -> Self {
        Self {
            here: of.here,
            clerks: of.clerks.into_iter().map(ClerkDocument::from).collect(),
            items: of
                .items
                .into_iter()
                .map(|i| ItemDocument {
                    respondent_code: i.respondent_code,
                    item_code: i.item_code,
                    compared: i.compared,
                    differed: i.differed,
                })
                .collect(),
            bundles: of
                .bundles
                .into_iter()
                .map(|b| BundleStatistics {
                    name: b.name,
                    compared: b.compared,
                    mismatched: b.mismatched,
                    seconds: b.seconds,
                })
                .collect(),
            days: of.days.into_iter().map(|d| DayDocument { day: d.day, first: d.first, second: d.second }).collect(),
            sample: SampleDocument {
                items: of.sample.items,
                wrong: of.sample.wrong,
                upper_per_thousand: of.sample.upper_per_thousand,
            },
            forecast: of.forecast.map(|f| ForecastDocument {
                left: f.left,
                a_day: f.a_day,
                done_on: f.done_on,
                in_time: f.in_time,
            }),
        }
    }
}

/// Which round.
#[derive(Deserialize, utoipa::IntoParams)]
struct Asked {
    /// Id of the round.
    round: String,
}

/// The figures of a round's paper desk (supervisors, auditors).
#[utoipa::path(
    tag = "keying",
    operation_id = "get_keying_statistics",
    params(Asked),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The figures", body = StatisticsDocument),
        (status = 400, description = "`query_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "`sign_in_required`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "`role_missing`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[get("/keying/statistics")]
async fn statistics(
    _signed: Signed<Overseeing>,
    tools: Tools,
    asked: web::Query<Asked>,
) -> Result<web::Json<StatisticsDocument>, Problem> {
    Ok(web::Json(desk(&tools).figures(&asked.round).await?.into()))
}
