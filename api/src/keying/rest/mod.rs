//! `/api/v1/keying/…`: what the desk's pages do, for the desk's own programs. It takes the session cookie of a member of
//! staff, or the token of a machine client, which is one clerk: the two passes and the decision need different persons.

mod device;
mod third;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoResponses, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::pages::{Tools, desk};
use super::sheet::{self, Typed};
use super::{
    Circumstances, CommandKey, Dispute, Done, Effort, KeyingError, PaperDesk, Pass, Reached, Task, desk_number,
};
use crate::access::Worker;
use crate::ballot::{Bearer, Token};
use crate::http::{FieldFault, Problem, ProblemDocument, codes};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(open)
        .service(entries)
        .configure(device::rest)
        .configure(third::rest)
        .configure(super::scan::rest::rest);
}

/// The ballot in hand. No `Debug`: it carries a code.
#[derive(Deserialize, Validate, ToSchema)]
struct OpenRequest {
    /// The code as printed, or its 48 digits as a scanner types them.
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG", max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// The number that the caller's browser drew by lot (a UUID): it holds the ballot until its entry is here.
    #[schema(example = "0c5bd3a6-5b4f-4d0e-9a53-9f6b2b8c3d11", max_length = 36)]
    #[validate(length(max = 36))]
    desk: Option<String>,
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
    /// `{"mark": "blank" | "several" | "illegible"}`. Either this or `keys`.
    #[schema(value_type = Option<Object>, example = json!({"SNV": {"X1.1": "B", "X1.2": {"mark": "blank"}}}))]
    answers: Option<Value>,
    /// What was typed on the desk's screen, by the name of the input: `a3-5` is item 5 about the third target.
    #[schema(example = json!({"a1-1": "2", "a1-2": "."}))]
    keys: Option<BTreeMap<String, String>>,
    /// What it took; added up by person and day, never kept with the ballot.
    #[validate(nested)]
    effort: Option<EffortRequest>,
}

/// What keying one ballot took.
#[derive(Deserialize, Validate, ToSchema)]
struct EffortRequest {
    /// Keys pressed, refused ones too.
    #[schema(maximum = 100_000)]
    #[validate(range(max = 100_000))]
    keystrokes: u32,
    /// Keys that meant nothing where they were pressed.
    #[schema(maximum = 100_000)]
    #[validate(range(max = 100_000))]
    refused: u32,
    /// Seconds from the first key to the last, without pauses.
    #[schema(maximum = 86_400)]
    #[validate(range(max = 86_400))]
    seconds: u32,
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
    /// `first`, `second` and `sample`: key it; `read`: read the disputed items on the paper (`POST /keying/readings`);
    /// `adjudicate`: decide; `cast`: nothing, this call has put it into the box.
    task: TaskName,
    /// For `read` and `adjudicate`: where the entries differ; what they have there, for whoever has read it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputed: Vec<Disputed>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum TaskName {
    First,
    Second,
    Sample,
    Read,
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
    /// What the first pass has, once it may be seen.
    #[schema(value_type = Option<Object>, example = json!("B"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<Value>,
    /// What the second pass has, once it may be seen.
    #[schema(value_type = Option<Object>, example = json!({"mark": "several"}))]
    #[serde(skip_serializing_if = "Option::is_none")]
    second: Option<Value>,
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
        Self { target, item, first: Some(first.to_value()), second: Some(second.to_value()) }
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

/// The browser's number, which may be missing but not malformed.
fn number(given: Option<&str>, pointer: &str) -> Result<Option<String>, Problem> {
    let malformed = || {
        let fault = FieldFault { pointer: pointer.to_owned(), code: "field_invalid" };
        Problem::new(&codes::FIELDS_INVALID).with_errors(vec![fault])
    };
    given.map(|text| desk_number(text).ok_or_else(malformed)).transpose()
}

const KEY_HEADER: &str = "Idempotency-Key";

/// The key of a command, which may be missing but not malformed.
fn command_key(req: &HttpRequest) -> Result<Option<CommandKey>, Problem> {
    let Some(given) = req.headers().get(KEY_HEADER) else { return Ok(None) };
    let key = given.to_str().ok().and_then(|text| CommandKey::parse(text.trim_matches('"')));
    let fault = FieldFault { pointer: format!("/{KEY_HEADER}"), code: "field_invalid" };
    key.map(Some).ok_or_else(|| Problem::new(&codes::FIELDS_INVALID).with_errors(vec![fault]))
}

/// The entry in either way of saying it.
fn entry(
    ballot: &Bearer,
    answers: Option<&Value>,
    keys: Option<Typed>,
) -> Result<survey_forms::answers::Answers, Problem> {
    let form = ballot.form().map_err(KeyingError::from)?;
    match (answers, keys) {
        (Some(answers), None) => Ok(form.parse(answers).map_err(KeyingError::Answers)?),
        (None, Some(keys)) => sheet::read(&form, &keys).map_err(|faults| {
            let place = |(name, code)| FieldFault { pointer: format!("/keys/{name}"), code };
            Problem::new(&codes::ANSWERS_INVALID).with_errors(faults.into_iter().map(place).collect())
        }),
        _ => {
            let fault = FieldFault { pointer: "/answers".to_owned(), code: "answers_or_keys" };
            Err(Problem::new(&codes::FIELDS_INVALID).with_errors(vec![fault]))
        }
    }
}

/// Refusals of any route that takes a ballot's code.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers and is none")]
pub(super) enum CodeRefusals {
    /// `body_malformed`
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemDocument<'static>),
    /// `sign_in_required`
    #[response(status = 401, content_type = "application/problem+json")]
    SignIn(ProblemDocument<'static>),
    /// `role_missing`, `scope_missing`, `keying_other_office`
    #[response(status = 403, content_type = "application/problem+json")]
    Role(ProblemDocument<'static>),
    /// `code_unknown`
    #[response(status = 404, content_type = "application/problem+json")]
    Unknown(ProblemDocument<'static>),
    /// `code_revoked`
    #[response(status = 410, content_type = "application/problem+json")]
    Revoked(ProblemDocument<'static>),
    /// `busy`, `unavailable`: see `Retry-After`, then send the same again
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(ProblemDocument<'static>),
}

/// The desk, and the ballot in hand.
pub(super) async fn in_hand(tools: &Tools, code: &str) -> Result<(PaperDesk, Arc<Bearer>), Problem> {
    let desk = desk(tools);
    let token = Token::parse_any(code).map_err(|_mistyped| Problem::new(&codes::CODE_UNKNOWN))?;
    let ballot = desk.find(&token).await?;
    Ok((desk, ballot))
}

/// Opens a paper ballot by its code and says what the caller may do with it. A settled ballot that a crash kept from
/// the box is cast by this.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = OpenRequest,
    responses(
        (status = 200, description = "What to do", body = Opened),
        CodeRefusals,
        (status = 409, description = "`code_is_online`, `keying_duplicate` (used past the desk), `keying_same_person`, \
            `keying_awaits_third`, `keying_awaits_sample`, `keying_already_cast`, `keying_set_aside`, `keying_void`, \
            `keying_no_bundle`, `keying_not_received`, `keying_discrepancy`, `keying_bundle_locked`, \
            `keying_sheet_gone`, `keying_firsts_missing`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/open")]
async fn open(worker: Worker, tools: Tools, body: web::Json<OpenRequest>) -> Result<web::Json<Opened>, Problem> {
    body.validate()?;
    let holder = number(body.desk.as_deref(), "/desk")?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    let task = desk.open(worker.staff(), &ballot).await?;
    if let (Task::Key(_), Some(holder)) = (&task, holder) {
        desk.claim(worker.staff(), &ballot, holder).await?;
    }
    let (task, disputed) = match task {
        Task::Key(Pass::First) => (TaskName::First, Vec::new()),
        Task::Key(Pass::Second) => (TaskName::Second, Vec::new()),
        Task::Key(Pass::Sample) => (TaskName::Sample, Vec::new()),
        Task::Read(places) => {
            let unseen = |(target, item)| Disputed { target, item, first: None, second: None };
            (TaskName::Read, places.into_iter().map(unseen).collect())
        }
        Task::Decide { disputes, .. } => (TaskName::Adjudicate, disputes.into_iter().map(Disputed::from).collect()),
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
/// The same entry again by the same person gets the same answer. A command of the desk's browsers carries a key: the same
/// key and the same entry get the stored answer, the same key with another entry is refused.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    params(("Idempotency-Key" = Option<String>, Header,
        description = "Drawn by lot by the caller, 22 to 64 characters of `A-Z a-z 0-9 - _`; a UUID will do")),
    request_body = EntryRequest,
    responses(
        (status = 201, description = "Taken", body = Keyed),
        (status = 200, description = "Taken before; nothing changed", body = Keyed),
        CodeRefusals,
        (status = 409, description = "`keying_pass_taken`, `keying_same_person`, `keying_first_missing`, \
            `keying_awaits_third`, `keying_awaits_sample`, `keying_already_cast`, `keying_set_aside`, `keying_void`, \
            `keying_duplicate`, `keying_no_bundle`, `keying_not_received`, `keying_discrepancy`, \
            `keying_bundle_locked`, `keying_sheet_gone`, `keying_firsts_missing`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid` with every place in `errors` (`item_missing`: no explicit code); \
            `keying_entry_differs`: this person has done this pass with another entry; `idempotency_key_reused`; \
            `fields_invalid` (`answers_or_keys`: exactly one of them)",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/entries")]
async fn entries(
    worker: Worker,
    tools: Tools,
    req: HttpRequest,
    body: web::Json<EntryRequest>,
) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let EntryRequest { code, pass, answers, keys, effort } = body.into_inner();
    let effort = effort.map(|e| Effort { keystrokes: e.keystrokes, refused: e.refused, seconds: e.seconds });
    let with = Circumstances { key: command_key(&req)?, effort };
    let (desk, ballot) = in_hand(&tools, &code).await?;
    let answers = entry(&ballot, answers.as_ref(), keys)?;
    Ok(answered(desk.enter_with(worker.staff(), &ballot, pass, answers, with).await?))
}
