//! The respondents' REST calls: what a code asks, and casting.

use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, post};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::shown::{AskedForm, Shown};
use super::{Booth, RespondError};
use crate::ballot::check::Opened;
use crate::ballot::{Bearer, CredentialState, Token};
use crate::clock::local;
use crate::http::{Limits, Problem, ProblemDocument, codes};
use crate::round::RoundState;
use survey_forms::round::Channel;

/// Mounts the calls under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.app_data(Data::new(Shown::default()))
        .service(form)
        .service(cast)
        .service(check)
        .service(check_open)
        .service(check_cast);
}

/// A code. Without `Debug`, on purpose.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormRequest {
    /// The one-time code, as printed or as typed: case, blanks and dashes do not matter.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG")]
    code: String,
}

/// A ballot. Without `Debug`, on purpose.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct BallotRequest {
    /// The one-time code.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG")]
    code: String,
    /// Target to item code to answer. By the item's kind: `"B"` (scale, single), `["A","C"]` (multiple, in the order of
    /// the list), `{"number":"12.5"}` (a decimal with a point), `{"text":".."}`. What is left out stays unanswered; at
    /// least one answer, each required item that is asked, and none for an item that is not asked.
    #[schema(value_type = Object, example = json!({"SNV": {"X1.1": "B", "X1.2": "N"}}))]
    answers: Value,
}

/// What a code asks, and how far it is.
#[derive(Serialize, ToSchema)]
struct BallotForm<'f> {
    /// `issued`: the ballot can be cast while the round is open; `used`: it is in the box.
    #[schema(example = "issued")]
    state: &'static str,
    /// Receipt number of the ballot that is in the box.
    receipt: Option<String>,
    /// The round.
    round: RoundHead<'f>,
    /// The questions and what they are about.
    form: AskedForm<'f>,
}

/// A round in short.
#[derive(Serialize, ToSchema)]
struct RoundHead<'r> {
    /// Its id.
    #[schema(example = "quang-nam-2023")]
    id: &'r str,
    /// What people see.
    title: &'r str,
    /// Who runs it.
    organiser: &'r str,
    /// Its questions or lists are invented.
    sample: bool,
    /// Where it is on its way.
    state: RoundState,
    /// From here ballots are accepted (RFC 3339).
    opens_at: String,
    /// From here no online ballot is accepted (RFC 3339).
    closes_at: String,
}

/// A ballot that is in the box.
#[derive(Serialize, ToSchema)]
struct BallotReceipt<'r> {
    /// Hash of the sealed envelope: 64 lower-case hexadecimal digits. It says nothing of the answers.
    receipt: String,
    /// The round's id.
    round: &'r str,
}

/// What this code asks. Changes nothing.
///
/// The questionnaire and the targets of a code, its round, and whether its ballot is in the box already.
#[utoipa::path(
    tag = "ballots",
    request_body = FormRequest,
    responses(
        (status = 200, description = "What the code asks", body = BallotForm),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`, also when the check symbol is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`code_is_paper`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: too many unknown codes from one network", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[post("/ballots/form")]
async fn form(
    booth: Booth,
    shown: Data<Shown>,
    limits: Data<Limits>,
    body: Json<FormRequest>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let bearer = bearer(&booth, &limits, &req, &body.code).await?;
    let receipt = match &bearer.state {
        CredentialState::Revoked => return Err(RespondError::Revoked.into()),
        _ if bearer.channel == Channel::Paper => return Err(RespondError::Paper.into()),
        CredentialState::Used(receipt) => Some(receipt.to_string()),
        CredentialState::Issued => None,
    };
    let state = if receipt.is_some() { "used" } else { "issued" };
    let unreadable = || Problem::internal(&"the code does not fit its round");
    let form = shown.form(&bearer).ok_or_else(unreadable)?;
    let round = serde_json::to_string(&head(&bearer)).map_err(|error| Problem::internal(&error))?;
    let receipt = receipt.map_or_else(|| "null".to_owned(), |number| format!("\"{number}\""));
    let body = format!(r#"{{"state":"{state}","receipt":{receipt},"round":{round},"form":{form}}}"#);
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(body))
}

/// Casts a ballot, exactly once.
///
/// The same code again answers 200 with the receipt of the first time, whatever answers come along.
#[utoipa::path(
    tag = "ballots",
    request_body = BallotRequest,
    responses(
        (status = 201, description = "The ballot is in the box", body = BallotReceipt),
        (status = 200, description = "It was there already: the same receipt", body = BallotReceipt),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`, also when the check symbol is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`round_not_open`, `code_is_paper`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid`, nothing stored, with each place in `errors[]`: `answers_not_object`, `target_not_in_round`, `target_not_yours`, `target_not_object`, `item_unknown`, `item_missing`, `item_not_asked`, `answer_malformed`, `option_unknown`, `too_many_choices`, `number_malformed`, `number_decimals`, `number_range`, `text_control`, `text_too_long`, `mark_unknown`, `mark_not_online`, `nothing_answered`; `fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: too many unknown codes from one network", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`busy` or `unavailable`: the same call may be made again", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[post("/ballots")]
async fn cast(
    booth: Booth,
    limits: Data<Limits>,
    body: Json<BallotRequest>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let bearer = bearer(&booth, &limits, &req, &body.code).await?;
    let cast = booth.cast_value(&bearer, &body.answers).await?;
    let status = if cast.first { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(BallotReceipt { receipt: cast.receipt.to_string(), round: bearer.round.id() }))
}

/// A decision on a commitment. Without `Debug`, on purpose.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecisionRequest {
    /// The one-time code.
    #[validate(length(min = 1, max = 200))]
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG")]
    code: String,
    /// `held` of `POST /ballots/check`.
    #[validate(length(min = 1, max = 200_000))]
    held: String,
}

/// An envelope that the server has committed to and not cast.
#[derive(Serialize, ToSchema)]
struct BallotCommitment<'r> {
    /// Hash of the sealed envelope: 64 lower-case hexadecimal digits. Keep it before deciding.
    receipt: String,
    /// The round's id.
    round: &'r str,
    /// Brings the envelope back, for some minutes and with this code only.
    held: String,
}

/// Check or cast, first half: seals the answers as a cast does, and casts nothing.
///
/// The answer commits the server to an envelope. Then `POST /ballots/check/cast` casts exactly this envelope, or
/// `POST /ballots/check/open` lays it open so that anybody can seal it again. Nothing is stored; the code stays unused.
#[utoipa::path(
    tag = "ballots",
    request_body = BallotRequest,
    responses(
        (status = 200, description = "The commitment", body = BallotCommitment),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`, also when the check symbol is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`round_not_open`, `code_is_paper`, `state_conflict`: the code's ballot is in the box", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with `errors[]`, `fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: too many unknown codes from one network", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[post("/ballots/check")]
async fn check(
    booth: Booth,
    limits: Data<Limits>,
    body: Json<BallotRequest>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let bearer = undecided(&booth, &limits, &req, &body.code).await?;
    let committed = booth.commit_to(&bearer, &body.answers)?;
    let receipt = committed.receipt.to_string();
    Ok(HttpResponse::Ok().json(BallotCommitment { receipt, round: bearer.round.id(), held: committed.held }))
}

/// Check or cast, second half: lays the envelope open. It is not cast any more; the code stays unused.
#[utoipa::path(
    tag = "ballots",
    request_body = DecisionRequest,
    responses(
        (status = 200, description = "Everything that it takes to seal the envelope again", body = Opened),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`, also when the check symbol is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`state_conflict`: too late, of another code, or the ballot is in the box; `round_not_open`, `code_is_paper`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: too many unknown codes from one network", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[post("/ballots/check/open")]
async fn check_open(
    booth: Booth,
    limits: Data<Limits>,
    body: Json<DecisionRequest>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let bearer = undecided(&booth, &limits, &req, &body.code).await?;
    let opened = booth.casting.open_instead(&bearer, &body.held).map_err(RespondError::from)?;
    Ok(HttpResponse::Ok().json(opened.ok_or_else(|| Problem::new(&codes::STATE_CONFLICT))?))
}

/// Check or cast, second half: casts exactly the envelope that was committed to.
#[utoipa::path(
    tag = "ballots",
    request_body = DecisionRequest,
    responses(
        (status = 201, description = "The ballot is in the box, under the receipt that was shown", body = BallotReceipt),
        (status = 200, description = "A ballot was there already: its receipt", body = BallotReceipt),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`, also when the check symbol is wrong", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`state_conflict`: opened, too late, or of another code; `round_not_open`, `code_is_paper`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: too many unknown codes from one network", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`busy` or `unavailable`: the same call may be made again", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
#[post("/ballots/check/cast")]
async fn check_cast(
    booth: Booth,
    limits: Data<Limits>,
    body: Json<DecisionRequest>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let bearer = bearer(&booth, &limits, &req, &body.code).await?;
    let done = booth.cast_committed(&bearer, &body.held).await?;
    let done = done.ok_or_else(|| Problem::new(&codes::STATE_CONFLICT))?;
    let status = if done.first { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(status).json(BallotReceipt { receipt: done.receipt.to_string(), round: bearer.round.id() }))
}

/// A code whose ballot is not in the box.
async fn undecided(booth: &Booth, limits: &Limits, req: &HttpRequest, code: &str) -> Result<Bearer, Problem> {
    let bearer = bearer(booth, limits, req, code).await?;
    super::castable(&bearer)?;
    match bearer.state {
        CredentialState::Used(_) => Err(Problem::new(&codes::STATE_CONFLICT)),
        _ => Ok(bearer),
    }
}

async fn bearer(booth: &Booth, limits: &Limits, req: &HttpRequest, code: &str) -> Result<Bearer, Problem> {
    let token = Token::parse_any(code).map_err(|_fault| Problem::new(&codes::CODE_UNKNOWN))?;
    match booth.bearer(token).await {
        Err(RespondError::CodeUnknown) => {
            limits.unknown_code(limits.origin(req))?;
            Err(Problem::new(&codes::CODE_UNKNOWN))
        }
        other => Ok(other?),
    }
}

fn head(bearer: &Bearer) -> RoundHead<'_> {
    let time = |at: DateTime<Utc>| local(at).to_rfc3339_opts(SecondsFormat::Secs, false);
    let round = &bearer.round;
    RoundHead {
        id: round.id(),
        title: &round.definition.title,
        organiser: &round.definition.organiser.name,
        sample: round.definition.sample,
        state: round.state,
        opens_at: time(round.opens_at),
        closes_at: time(round.closes_at),
    }
}
