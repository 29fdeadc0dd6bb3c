//! What the desk's browsers need beside entries: what is typed and not finished, their key, and giving a ballot up.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::{CodeRefusals, in_hand, number};
use crate::access::Worker;
use crate::access::openapi::WorkerRefusals;
use crate::http::{Problem, ProblemDocument};
use crate::keying::Pass;
use crate::keying::pages::{Tools, desk};

pub(super) fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(unfinished).service(store).service(releases);
}

/// What has been typed and not finished. No `Debug`: it carries a code and answers.
#[derive(Deserialize, Validate, ToSchema)]
struct UnfinishedRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// The pass that `POST /keying/open` gave.
    pass: Pass,
    /// All that was typed so far, by the name of the input; it replaces what was kept before.
    #[schema(example = json!({"a1-1": "2"}))]
    keys: BTreeMap<String, String>,
    /// The browser that stops here and holds nothing more; without it the browser goes on.
    #[schema(max_length = 36)]
    #[validate(length(max = 36))]
    left: Option<String>,
}

/// A browser that gives a ballot up, or all that the caller opened there. No `Debug`: it carries a code.
#[derive(Deserialize, Validate, ToSchema)]
struct ReleaseRequest {
    /// The code; every ballot that the caller opened in this browser when absent.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: Option<String>,
    /// The browser.
    #[schema(max_length = 36)]
    #[validate(length(max = 36))]
    desk: String,
}

/// What a browser of the desk needs to keep entries until they are here. No `Debug`: it carries a key.
#[derive(Serialize, ToSchema)]
struct Store {
    /// AES-256 key in base64url without padding, for this person's entries; the same at each sign-in.
    key: String,
    /// Whose it is: sign-in name.
    #[schema(example = "le.an")]
    clerk: String,
}

/// Keeps what has been typed of a ballot and is not finished: sealed under the ballot's code, for whoever typed it alone.
/// It replaces what was kept before, so it may be sent again at will.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = UnfinishedRequest,
    responses(
        (status = 204, description = "Kept"),
        CodeRefusals,
        (status = 409, description = "`keying_pass_taken`, `keying_same_person`, `keying_awaits_third`, \
            `keying_already_cast`, `keying_duplicate`, `code_is_online`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`answers_invalid`: more than a ballot can hold; `fields_invalid`",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/unfinished")]
async fn unfinished(worker: Worker, tools: Tools, body: web::Json<UnfinishedRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let UnfinishedRequest { code, pass, keys, left } = body.into_inner();
    let left = number(left.as_deref(), "/left")?;
    let (desk, ballot) = in_hand(&tools, &code).await?;
    desk.keep_unfinished(worker.staff(), &ballot, pass, keys, left).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The key under which the caller's browsers keep entries that are not here yet. A browser holds it in memory while the
/// person is signed in.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    responses(
        (status = 200, description = "The key", body = Store),
        WorkerRefusals,
    ),
)]
#[post("/keying/store")]
async fn store(worker: Worker, tools: Tools) -> Result<web::Json<Store>, Problem> {
    let key = desk(&tools).store_key(worker.staff()).await?;
    let key = data_encoding::BASE64URL_NOPAD.encode(&key);
    Ok(web::Json(Store { key, clerk: worker.staff().name.clone() }))
}

/// A browser gives a ballot up: its entry was refused for good. Without a code it holds nothing of the caller's any more:
/// all that was typed there is here. Bundles may close again.
#[utoipa::path(
    tag = "keying",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ReleaseRequest,
    responses(
        (status = 204, description = "It holds the ballot no more"),
        CodeRefusals,
        (status = 409, description = "`code_is_online`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/releases")]
async fn releases(worker: Worker, tools: Tools, body: web::Json<ReleaseRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let Some(holder) = number(Some(&body.desk), "/desk")? else { return Ok(HttpResponse::NoContent().finish()) };
    match &body.code {
        Some(code) => {
            let (desk, ballot) = in_hand(&tools, code).await?;
            desk.release(&ballot, holder).await?;
        }
        None => desk(&tools).release_desk(worker.staff(), holder).await?,
    }
    Ok(HttpResponse::NoContent().finish())
}
