//! The third person: a reading of what is disputed, blind, and then the decision.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::{CodeRefusals, Disputed, Keyed, answered, in_hand};
use crate::access::Worker;
use crate::http::{FieldFault, Problem, ProblemDocument, codes};
use crate::keying::pages::Tools;
use crate::keying::{Decision, KeyingError, Place, Reason};

pub(super) fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(readings).service(adjudications);
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

/// A third person's own reading. No `Debug`: it carries a code and answers.
#[derive(Deserialize, Validate, ToSchema)]
struct ReadingRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// One answer for each disputed item, and no other: `{target: {item: answer}}`.
    #[schema(value_type = Object, example = json!({"SNV": {"X1.1": "B"}}))]
    answers: Value,
}

/// What the two entries have where they differ.
#[derive(Serialize, ToSchema)]
struct Shown {
    /// Every disputed item.
    disputed: Vec<Disputed>,
}

/// Takes a third person's own reading of every disputed item, and shows then what the two entries have there. The same
/// reading again shows it again.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ReadingRequest,
    responses(
        (status = 200, description = "What the entries have", body = Shown),
        CodeRefusals,
        (status = 409, description = "`keying_not_disputed`, `keying_same_person`, `keying_pass_taken`, \
            `keying_already_cast`, `keying_duplicate`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with every place in `errors` (`decision_missing`, `not_disputed`, \
            …); `keying_entry_differs`: this person has read otherwise before; `fields_invalid`",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/readings")]
async fn readings(worker: Worker, tools: Tools, body: web::Json<ReadingRequest>) -> Result<web::Json<Shown>, Problem> {
    body.validate()?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = form.parse(&body.answers).map_err(KeyingError::Answers)?;
    let disputes = desk.read_blind(worker.staff(), &ballot, answers).await?;
    Ok(web::Json(Shown { disputed: disputes.into_iter().map(Disputed::from).collect() }))
}

/// Takes a third person's decision on every disputed item; the ballot is cast.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = AdjudicationRequest,
    responses(
        (status = 201, description = "Decided and cast", body = Keyed),
        (status = 200, description = "Decided before; nothing changed", body = Keyed),
        CodeRefusals,
        (status = 409, description = "`keying_reading_missing`: `POST /keying/readings` comes first; \
            `keying_not_disputed`, `keying_same_person`, `keying_pass_taken`, \
            `keying_already_cast`, `keying_duplicate`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with every place in `errors` (`decision_missing`, \
            `reason_missing`, `reason_unknown`, `not_disputed`, …); `keying_entry_differs`; `fields_invalid`",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/adjudications")]
async fn adjudications(
    worker: Worker,
    tools: Tools,
    body: web::Json<AdjudicationRequest>,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = form.parse(&body.answers).map_err(KeyingError::Answers)?;
    let reasons = reasons(&body.reasons)?;
    Ok(answered(desk.adjudicate(worker.staff(), &ballot, Decision { answers, reasons }).await?))
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
