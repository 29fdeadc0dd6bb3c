//! `/api/v1/keying/bundles…`: custody of paper for the desk's own programs; the same acts as on the pages.

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Act, Ballots, BundleError, Custody, Exit, Reached, Sheets, Stage, View};
use crate::access::Worker;
use crate::access::openapi::{BodyRefusals, WorkerRefusals};
use crate::clock::Entropy;
use crate::db::Db;
use crate::http::{Problem, ProblemDocument};
use crate::round::Rounds;

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(one).service(acts);
}

/// A bundle of paper ballots.
#[derive(Serialize, ToSchema)]
struct BundleDocument {
    /// The round.
    #[schema(example = "quang-nam-2023")]
    round: String,
    /// The group.
    #[schema(example = "HĐ-CT")]
    respondent_code: String,
    /// Number of the bundle in its group.
    #[schema(example = 1)]
    number: u32,
    /// Code of the post office where it is keyed.
    office: Option<String>,
    /// How far it is.
    stage: Stage,
    /// Who has it.
    holder: Option<String>,
    /// Sheets that came back.
    counted: Option<u32>,
    /// A supervisor's word on numbers that do not add up.
    note: Option<String>,
    /// Why no sample is read.
    waiver: Option<String>,
    /// How many have signed, of two.
    signatures: u8,
    /// Its sheets.
    sheets: SheetCounts,
    /// Its ballots at the desk.
    ballots: BallotCounts,
    /// Every sheet by its number; only for one bundle.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<SheetDocument>,
}

/// Sheets of a bundle, counted.
#[derive(Serialize, ToSchema)]
struct SheetCounts {
    /// All that were made, replaced ones too.
    printed: u32,
    spoiled: u32,
    undeliverable: u32,
    lost: u32,
    not_returned: u32,
}

/// Ballots of a bundle that lie at the desk, counted.
#[derive(Serialize, ToSchema)]
struct BallotCounts {
    /// All of them.
    here: u32,
    awaiting_first: u32,
    awaiting_second: u32,
    mismatched: u32,
    referred: u32,
    awaiting_sample: u32,
    void: u32,
    verified: u32,
    cast: u32,
    /// Drawn for the sample.
    sampled: u32,
}

/// A sheet: where it is and how far its ballot; never whose.
#[derive(Serialize, ToSchema)]
struct SheetDocument {
    /// Its number.
    sheet: u32,
    /// `printed`, `issued`, `delivered`, `received`, `bundled`, `archived`, `spoiled`, `undeliverable`, `lost`,
    /// `not_returned`.
    #[schema(example = "received")]
    custody: &'static str,
    /// Replaced by another sheet of the same number.
    replaced: bool,
    /// Drawn for the sample.
    sampled: bool,
    /// How far its ballot is.
    capture: Reached,
}

impl BundleDocument {
    fn of(view: View, whole: bool) -> Self {
        use super::Bundle as B;
        let (holder, note, signatures) = match &view.bundle {
            B::Planned => (None, None, 0),
            B::HandedOver { holder } | B::Received { holder, .. } | B::Balanced { holder, .. } => {
                (Some(holder.clone()), None, u8::from(view.signed_first.is_some()))
            }
            B::Discrepancy { holder, note, .. } => {
                (Some(holder.clone()), note.clone().map(|n| n.1), u8::from(view.signed_first.is_some()))
            }
            B::Locked { holder, note, .. } => (Some(holder.clone()), note.clone().map(|n| n.1), 2),
        };
        let Sheets { printed, spoiled, undeliverable, lost, not_returned } = view.sheets;
        let Ballots {
            here,
            awaiting_first,
            awaiting_second,
            mismatched,
            referred,
            awaiting_sample,
            void,
            verified,
            cast,
            sampled,
        } = view.ballots;
        let numbers = if whole { view.numbers.as_slice() } else { &[] };
        Self {
            stage: view.stage,
            counted: view.bundle.counted(),
            holder,
            note,
            signatures,
            sheets: SheetCounts { printed, spoiled, undeliverable, lost, not_returned },
            ballots: BallotCounts {
                here,
                awaiting_first,
                awaiting_second,
                mismatched,
                referred,
                awaiting_sample,
                void,
                verified,
                cast,
                sampled,
            },
            numbers: numbers
                .iter()
                .map(|s| SheetDocument {
                    sheet: s.number,
                    custody: Custody::as_str(s.custody),
                    replaced: s.replaced,
                    sampled: s.sampled,
                    capture: s.capture,
                })
                .collect(),
            round: view.round,
            respondent_code: view.respondent_code,
            number: view.number,
            office: view.office,
            waiver: view.waiver,
        }
    }
}

/// Which round.
#[derive(Deserialize, utoipa::IntoParams)]
struct Asked {
    /// Id of the round.
    round: String,
}

/// One bundle.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct Which {
    /// Id of the round.
    round: String,
    /// The group.
    respondent_code: String,
    /// Number of the bundle in its group.
    number: u32,
}

/// A sheet that is not there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MissingSheet {
    /// Its number.
    sheet: u32,
    /// Why.
    exit: Exit,
}

/// What is done to a bundle.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "act", rename_all = "snake_case", deny_unknown_fields)]
enum ActRequest {
    /// Somebody signs for it (supervisors).
    HandOver {
        /// Their name.
        #[schema(max_length = 200)]
        holder: String,
        /// Code of the post office where it will be keyed.
        #[serde(default)]
        office: Option<String>,
    },
    /// Its sheets were given out.
    Deliver,
    /// It came back and was counted.
    Receive {
        /// Sheets that came back; as many as are not missing when absent.
        #[serde(default)]
        counted: Option<u32>,
        /// Sheets that are not there.
        #[serde(default)]
        missing: Vec<MissingSheet>,
    },
    /// A sheet left; `spoiled` and `lost` by supervisors only.
    Leave {
        /// Its number.
        sheet: u32,
        /// Why.
        exit: Exit,
    },
    /// A sheet that was thought gone is here (supervisors).
    Find {
        /// Its number.
        sheet: u32,
    },
    /// Why the numbers do not add up (supervisors).
    Note {
        /// In words.
        #[schema(max_length = 1000)]
        note: String,
    },
    /// Draws ballots to be read a third time (supervisors, auditors).
    Sample {
        /// How many; one in ten and two at least when absent.
        #[serde(default)]
        ballots: Option<u32>,
    },
    /// Why no sample is read (supervisors).
    Waive {
        /// In words.
        #[schema(max_length = 1000)]
        why: String,
    },
    /// One of two signs; the second locks the bundle (supervisors, adjudicators, auditors).
    Sign,
}

impl From<ActRequest> for Act {
    fn from(asked: ActRequest) -> Self {
        use ActRequest as A;
        match asked {
            A::HandOver { holder, office } => Self::HandOver { holder, office },
            A::Deliver => Self::Deliver,
            A::Receive { counted, missing } => {
                Self::Receive { counted, missing: missing.into_iter().map(|m| (m.sheet, m.exit)).collect() }
            }
            A::Leave { sheet, exit } => Self::Leave { sheet, exit },
            A::Find { sheet } => Self::Find { sheet },
            A::Note { note } => Self::Note { note },
            A::Sample { ballots } => Self::Sample { ballots },
            A::Waive { why } => Self::Waive { why },
            A::Sign => Self::Sign,
        }
    }
}

/// The bundles of a round that the caller works with: clerks see those of their own post office.
#[utoipa::path(
    tag = "keying",
    operation_id = "list_bundles",
    params(Asked),
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "By group and number", body = Vec<BundleDocument>),
        WorkerRefusals,
        (status = 400, description = "`query_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[get("/keying/bundles")]
async fn list(
    worker: Worker,
    asked: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<web::Json<Vec<BundleDocument>>, Problem> {
    let (rounds, asked, staff) = (Rounds::clone(&rounds), asked.into_inner(), worker.staff().clone());
    let all = db
        .read(move |conn| {
            rounds.get(conn, &asked.round)?;
            Ok::<_, BundleError>(super::all_for(conn, &staff, &asked.round)?)
        })
        .await?;
    Ok(web::Json(all.into_iter().map(|view| BundleDocument::of(view, false)).collect()))
}

/// One bundle with its sheets.
#[utoipa::path(
    tag = "keying",
    operation_id = "get_bundle",
    params(Which),
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "The bundle", body = BundleDocument),
        WorkerRefusals,
        (status = 404, description = "`bundle_unknown`: also of another post office", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[get("/keying/bundles/{round}/{respondent_code}/{number}")]
async fn one(worker: Worker, which: web::Path<Which>, db: web::Data<Db>) -> Result<web::Json<BundleDocument>, Problem> {
    let (which, staff) = (which.into_inner(), worker.staff().clone());
    let view =
        db.read(move |conn| super::find_for(conn, &staff, &which.round, &which.respondent_code, which.number)).await?;
    Ok(web::Json(BundleDocument::of(view, true)))
}

/// Does one act on a bundle: hand over, receive and count, say where a sheet went, note, draw the sample, sign.
#[utoipa::path(
    tag = "keying",
    operation_id = "act_on_bundle",
    params(Which),
    request_body = ActRequest,
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "Done; the bundle as it is now", body = BundleDocument),
        BodyRefusals,
        (status = 404, description = "`bundle_unknown`: also of another post office", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`bundle_too_early`, `bundle_past`, `bundle_locked`, `bundle_discrepancy`, \
            `bundle_nothing_to_note`, `bundle_same_person`, `bundle_not_settled`, `bundle_on_devices`, \
            `bundle_nothing_to_sample`, `sheet_keyed`, `sheet_gone`, `sheet_here`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`: `office_unknown`, `sheet_unknown`, `text_missing`, \
            `text_too_long`, `number_range`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/bundles/{round}/{respondent_code}/{number}/acts")]
async fn acts(
    worker: Worker,
    which: web::Path<Which>,
    body: web::Json<ActRequest>,
    db: web::Data<Db>,
    entropy: web::Data<Entropy>,
) -> Result<web::Json<BundleDocument>, Problem> {
    let (which, act) = (which.into_inner(), Act::from(body.into_inner()));
    let view =
        super::act_for(&db, &entropy, worker.staff(), (which.round, which.respondent_code, which.number), act).await?;
    Ok(web::Json(BundleDocument::of(view, true)))
}
