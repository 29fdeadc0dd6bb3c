//! `/api/v1/keying/…`: what the desk's pages do, for the desk's own programs. It takes the session cookie of a member of
//! staff, not a client's token: the two passes and the decision need different persons, and a program is nobody.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::pages::{Tools, desk};
use super::{Decision, Dispute, Done, KeyingError, Pass, Place, Reached, Reason, Task};
use crate::access::{Desk, Signed};
use crate::ballot::Token;
use crate::http::{FieldFault, Problem, ProblemDocument, codes};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(open).service(entries).service(adjudications);
}

/// The ballot in hand. No `Debug`: it carries a code.
#[derive(Deserialize, Validate, ToSchema)]
struct OpenRequest {
    /// The code as printed, or its 48 digits as a scanner types them.
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG", max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
}

/// One pass over a ballot. No `Debug`: it carries a code and answers.
#[derive(Deserialize, Validate, ToSchema)]
struct EntryRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// The pass that `POST /keying/open` gave.
    pass: Pass,
    /// `{target: {item: answer}}` for every item of every target; an answer is an option's code or
    /// `{"mark": "blank" | "several" | "illegible"}`.
    #[schema(value_type = Object, example = json!({"SNV": {"X1.1": "B", "X1.2": {"mark": "blank"}}}))]
    answers: Value,
}

/// A third person's decision. No `Debug`: it carries a code and answers.
#[derive(Deserialize, Validate, ToSchema)]
struct AdjudicationRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// One answer for each disputed item, and no other: `{target: {item: answer}}`.
    #[schema(value_type = Object, example = json!({"SNV": {"X1.1": "B"}}))]
    answers: Value,
    /// One reason for each disputed item: `slip_first`, `slip_second`, `slip_both`, `ambiguous_mark`, `form_defect`.
    #[schema(example = json!({"SNV": {"X1.1": "slip_first"}}))]
    reasons: BTreeMap<String, BTreeMap<String, String>>,
}

/// What this person may do with the ballot.
#[derive(Serialize, ToSchema)]
struct Opened {
    /// The round.
    #[schema(example = "quang-nam-2023")]
    round: String,
    /// The group; its questionnaire is at `/rounds/{round}/questionnaires/{respondent_code}`.
    #[schema(example = "HĐ-CT")]
    respondent_code: String,
    /// What the ballot rates, in the order of the paper.
    targets: Vec<String>,
    /// `first`, `second` and `sample`: key it; `adjudicate`: decide; `cast`: nothing, this call has put it into the box.
    task: TaskName,
    /// For `adjudicate` only: where the entries differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputed: Vec<Disputed>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum TaskName {
    First,
    Second,
    Sample,
    Adjudicate,
    Cast,
}

/// One disputed item.
#[derive(Serialize, ToSchema)]
struct Disputed {
    /// The rated body.
    #[schema(example = "SNV")]
    target: String,
    /// The item.
    #[schema(example = "X1.1")]
    item: String,
    /// What the first pass has.
    #[schema(value_type = Object, example = json!("B"))]
    first: Value,
    /// What the second pass has.
    #[schema(value_type = Object, example = json!({"mark": "several"}))]
    second: Value,
}

/// How far the ballot came.
#[derive(Serialize, ToSchema)]
struct Keyed {
    /// `first_done`, `mismatched`, `awaits_sample` (two agree, a third person reads it) or `cast`.
    #[schema(example = "first_done")]
    state: &'static str,
    /// For `mismatched`: in how many items the entries differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    disputed: Option<usize>,
    /// This person had done this before; nothing was stored now. After the cast nothing is left to compare with.
    repeated: bool,
}

impl From<Dispute> for Disputed {
    fn from(dispute: Dispute) -> Self {
        let Dispute { target, item, first, second } = dispute;
        Self { target, item, first: first.to_value(), second: second.to_value() }
    }
}

fn answered(done: Done) -> HttpResponse {
    let (state, disputed) = match done.reached {
        Reached::FirstDone => ("first_done", None),
        Reached::Mismatched(items) => ("mismatched", Some(items)),
        Reached::AwaitsSample => ("awaits_sample", None),
        Reached::Cast => ("cast", None),
    };
    let body = Keyed { state, disputed, repeated: done.repeated };
    if done.repeated { HttpResponse::Ok().json(body) } else { HttpResponse::Created().json(body) }
}

fn token(code: &str) -> Result<Token, Problem> {
    Token::parse_any(code).map_err(|_mistyped| Problem::new(&codes::CODE_UNKNOWN))
}

/// Opens a paper ballot by its code and says what the caller may do with it. A settled ballot that a crash kept from
/// the box is cast by this.
#[utoipa::path(
    tag = "keying",
    security(("staff" = [])),
    request_body = OpenRequest,
    responses(
        (status = 200, description = "What to do", body = Opened),
        (status = 401, description = "`sign_in_required`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "`role_missing`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`code_is_online`, `keying_duplicate` (used past the desk), `keying_same_person`, \
            `keying_awaits_third`, `keying_already_cast`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`busy`, `unavailable`: see `Retry-After`",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/open")]
async fn open(signed: Signed<Desk>, tools: Tools, body: web::Json<OpenRequest>) -> Result<web::Json<Opened>, Problem> {
    body.validate()?;
    let desk = desk(&tools);
    let ballot = desk.find(&token(&body.code)?).await?;
    let (task, disputed) = match desk.open(signed.staff(), &ballot).await? {
        Task::Key(Pass::First) => (TaskName::First, Vec::new()),
        Task::Key(Pass::Second) => (TaskName::Second, Vec::new()),
        Task::Key(Pass::Sample) => (TaskName::Sample, Vec::new()),
        Task::Decide(disputes) => (TaskName::Adjudicate, disputes.into_iter().map(Disputed::from).collect()),
        Task::Finished => (TaskName::Cast, Vec::new()),
    };
    Ok(web::Json(Opened {
        round: ballot.round.id().to_owned(),
        respondent_code: ballot.stratum.respondent_code.clone(),
        targets: ballot.stratum.targets.clone(),
        task,
        disputed,
    }))
}

/// Takes the first or the second entry of a ballot. The second is compared inside the server; equal entries are cast.
/// The same entry again by the same person gets the same answer.
#[utoipa::path(
    tag = "keying",
    security(("staff" = [])),
    request_body = EntryRequest,
    responses(
        (status = 201, description = "Taken", body = Keyed),
        (status = 200, description = "Taken before; nothing changed", body = Keyed),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "`sign_in_required`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "`role_missing`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`keying_pass_taken`, `keying_same_person`, `keying_first_missing`, \
            `keying_awaits_third`, `keying_already_cast`, `keying_duplicate`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with every place in `errors` (`item_missing`: no explicit code); \
            `keying_entry_differs`: this person has done this pass with another entry; `fields_invalid`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`busy`, `unavailable`: see `Retry-After`, then send the same again",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/entries")]
async fn entries(signed: Signed<Desk>, tools: Tools, body: web::Json<EntryRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let desk = desk(&tools);
    let ballot = desk.find(&token(&body.code)?).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = form.parse(&body.answers).map_err(KeyingError::Answers)?;
    Ok(answered(desk.enter(signed.staff(), &ballot, body.pass, answers).await?))
}

/// Takes a third person's decision on every disputed item; the ballot is cast.
#[utoipa::path(
    tag = "keying",
    security(("staff" = [])),
    request_body = AdjudicationRequest,
    responses(
        (status = 201, description = "Decided and cast", body = Keyed),
        (status = 200, description = "Decided before; nothing changed", body = Keyed),
        (status = 400, description = "`body_malformed`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "`sign_in_required`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "`role_missing`: adjudicators and supervisors only",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "`code_unknown`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`keying_not_disputed`, `keying_same_person`, `keying_pass_taken`, \
            `keying_already_cast`, `keying_duplicate`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "`code_revoked`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with every place in `errors` (`decision_missing`, \
            `reason_missing`, `reason_unknown`, `not_disputed`, …); `keying_entry_differs`; `fields_invalid`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "`busy`, `unavailable`: see `Retry-After`, then send the same again",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/adjudications")]
async fn adjudications(
    signed: Signed<Desk>,
    tools: Tools,
    body: web::Json<AdjudicationRequest>,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let desk = desk(&tools);
    let ballot = desk.find(&token(&body.code)?).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = form.parse(&body.answers).map_err(KeyingError::Answers)?;
    let reasons = reasons(&body.reasons)?;
    Ok(answered(desk.adjudicate(signed.staff(), &ballot, Decision { answers, reasons }).await?))
}

fn reasons(given: &BTreeMap<String, BTreeMap<String, String>>) -> Result<BTreeMap<Place, Reason>, Problem> {
    let mut reasons = BTreeMap::new();
    for (target, items) in given {
        for (item, reason) in items {
            let Some(reason) = Reason::parse(reason) else {
                // The place may be anything that was sent: it is not repeated.
                let fault = FieldFault { pointer: "/reasons".to_owned(), code: "reason_unknown" };
                return Err(Problem::new(&codes::ANSWERS_INVALID).with_errors(vec![fault]));
            };
            reasons.insert((target.clone(), item.clone()), reason);
        }
    }
    Ok(reasons)
}
