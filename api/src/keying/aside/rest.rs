//! `/api/v1/keying/referrals…`: papers that were set aside, for the desk's own programs.

use actix_web::{HttpResponse, get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::{Paper, Referral, Standing, Trouble, Verdict};
use crate::access::Worker;
use crate::access::openapi::{BodyRefusals, WorkerRefusals};
use crate::ballot::Token;
use crate::http::{FieldFault, Problem, ProblemDocument, codes};
use crate::keying::pages::{Tools, desk};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(refer).service(judge).service(confirm).service(reopen);
}

/// A paper that was set aside.
#[derive(Serialize, ToSchema)]
struct ReferralDocument {
    /// For the calls below.
    id: String,
    /// The round.
    round: String,
    /// Bundle and number as on the sheet; empty when neither is known.
    #[schema(example = "HĐ-CT · Bó 03 · phiếu 12")]
    place: String,
    /// What is the matter.
    trouble: Trouble,
    /// What whoever set it aside says.
    remark: String,
    /// Where it is.
    state: Standing,
    /// What whoever decided says.
    verdict: String,
    /// Who set it aside.
    referred_by: String,
    /// Who proposed or decided.
    proposed_by: Option<String>,
    /// Who confirmed.
    confirmed_by: Option<String>,
}

impl From<Referral> for ReferralDocument {
    fn from(of: Referral) -> Self {
        Self {
            id: of.id,
            round: of.round,
            place: of.place,
            trouble: of.trouble,
            remark: of.remark,
            state: of.standing,
            verdict: of.verdict,
            referred_by: of.referred_by,
            proposed_by: of.proposed_by,
            confirmed_by: of.confirmed_by,
        }
    }
}

/// Bundle and number as printed on a sheet.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct SheetRequest {
    /// The group.
    #[schema(example = "HĐ-CT", max_length = 40)]
    #[validate(length(max = 40))]
    respondent_code: String,
    /// Number of the bundle.
    bundle: u32,
    /// Number of the sheet.
    sheet: u32,
}

/// A paper to set aside. No `Debug`: it may carry a code.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReferralRequest {
    /// The round.
    #[schema(example = "quang-nam-2023", max_length = 80)]
    #[validate(length(max = 80))]
    round: String,
    /// The code, when it can be read.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    #[serde(default)]
    code: Option<String>,
    /// Bundle and number, when the code cannot be read; neither when nothing can.
    #[validate(nested)]
    #[serde(default)]
    sheet: Option<SheetRequest>,
    /// What is the matter.
    trouble: Trouble,
    /// A remark about the paper; never what is marked on it.
    #[schema(max_length = 500)]
    #[validate(length(max = 2000))]
    #[serde(default)]
    remark: String,
}

/// What is decided.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerdictRequest {
    /// The verdict; `invalid` waits for another person's confirmation, `reopen` is for supervisors.
    verdict: Verdict,
    /// Why.
    #[schema(max_length = 500)]
    #[validate(length(max = 2000))]
    #[serde(default)]
    words: String,
}

/// A ballot to be keyed anew.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReopeningRequest {
    /// The round.
    #[schema(max_length = 80)]
    #[validate(length(max = 80))]
    round: String,
    /// Bundle and number.
    #[validate(nested)]
    sheet: SheetRequest,
    /// Why.
    #[schema(max_length = 500)]
    #[validate(length(max = 2000))]
    #[serde(default)]
    words: String,
}

/// Which round.
#[derive(Deserialize, utoipa::IntoParams)]
struct Asked {
    /// Id of the round.
    round: String,
}

/// The papers of a round that were set aside, those that wait first; clerks see those of their own post office.
#[utoipa::path(
    tag = "keying",
    operation_id = "list_referrals",
    params(Asked),
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "The papers", body = Vec<ReferralDocument>),
        WorkerRefusals,
        (status = 400, description = "`query_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[get("/keying/referrals")]
async fn list(
    worker: Worker,
    tools: Tools,
    asked: web::Query<Asked>,
) -> Result<web::Json<Vec<ReferralDocument>>, Problem> {
    let all = desk(&tools).referrals(worker.staff(), &asked.round).await?;
    Ok(web::Json(all.into_iter().map(ReferralDocument::from).collect()))
}

/// Sets a paper aside; its ballot is not keyed on before somebody has decided.
#[utoipa::path(
    tag = "keying",
    operation_id = "refer_paper",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ReferralRequest,
    responses(
        (status = 201, description = "Set aside", body = ReferralDocument),
        BodyRefusals,
        (status = 403, description = "`role_missing`, `scope_missing`, `keying_other_office`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`: set it aside without a code; `round_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`keying_set_aside`, `keying_void`, `keying_already_cast`, `keying_pass_taken`, \
            `keying_duplicate`: its code was used, refer it as `duplicate` or `copied`; `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`: `sheet_unknown`, `text_too_long`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/referrals")]
async fn refer(worker: Worker, tools: Tools, body: web::Json<ReferralRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let ReferralRequest { round, code, sheet, trouble, remark } = body.into_inner();
    let paper = match (code, sheet) {
        (Some(code), None) => {
            let token = Token::parse_any(&code).map_err(|_mistyped| Problem::new(&codes::CODE_UNKNOWN))?;
            Paper::Code(token)
        }
        (None, Some(SheetRequest { respondent_code, bundle, sheet })) => {
            Paper::Sheet { round, respondent_code, bundle, sheet }
        }
        (None, None) => Paper::Nameless { round },
        (Some(_), Some(_)) => {
            let fault = FieldFault { pointer: "/sheet".to_owned(), code: "code_or_sheet" };
            return Err(Problem::new(&codes::FIELDS_INVALID).with_errors(vec![fault]));
        }
    };
    let done = desk(&tools).refer(worker.staff(), paper, trouble, &remark).await?;
    Ok(HttpResponse::Created().json(ReferralDocument::from(done)))
}

/// Decides about a paper that was set aside (supervisors, adjudicators).
#[utoipa::path(
    tag = "keying",
    operation_id = "judge_referral",
    params(("id" = String, Path, description = "Id of the referral")),
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = VerdictRequest,
    responses(
        (status = 200, description = "Decided", body = ReferralDocument),
        BodyRefusals,
        (status = 404, description = "`referral_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`referral_settled`, `verdict_unfit`, `keying_not_set_aside`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`: `text_too_long`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/referrals/{id}/verdict")]
async fn judge(
    worker: Worker,
    tools: Tools,
    id: web::Path<String>,
    body: web::Json<VerdictRequest>,
) -> Result<web::Json<ReferralDocument>, Problem> {
    body.validate()?;
    Ok(web::Json(desk(&tools).judge(worker.staff(), &id, body.verdict, &body.words).await?.into()))
}

/// Confirms, as another person, that a ballot is void (supervisors, adjudicators, auditors).
#[utoipa::path(
    tag = "keying",
    operation_id = "confirm_referral",
    params(("id" = String, Path, description = "Id of the referral")),
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "Void", body = ReferralDocument),
        WorkerRefusals,
        (status = 404, description = "`referral_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`keying_same_person`: whoever proposed it; `referral_settled`, `verdict_unfit`: \
            nobody has proposed it; `round_not_open`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/referrals/{id}/confirmation")]
async fn confirm(worker: Worker, tools: Tools, id: web::Path<String>) -> Result<web::Json<ReferralDocument>, Problem> {
    Ok(web::Json(desk(&tools).confirm(worker.staff(), &id).await?.into()))
}

/// Has a ballot keyed anew (supervisors); its entries of before are kept under its code until the cast.
#[utoipa::path(
    tag = "keying",
    operation_id = "reopen_ballot",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ReopeningRequest,
    responses(
        (status = 204, description = "It awaits its first pass"),
        BodyRefusals,
        (status = 409, description = "`keying_nothing_to_reopen`, `keying_already_cast`, `keying_pass_taken`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`: `sheet_unknown`, `text_too_long`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/reopenings")]
async fn reopen(worker: Worker, tools: Tools, body: web::Json<ReopeningRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let ReopeningRequest { round, sheet: SheetRequest { respondent_code, bundle, sheet }, words } = body.into_inner();
    desk(&tools).reopen(worker.staff(), (round, respondent_code, bundle, sheet), &words).await?;
    Ok(HttpResponse::NoContent().finish())
}
