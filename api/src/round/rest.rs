//! Rounds as published, for anyone: what is asked, of whom, about whom, when, and how it counts.

mod item;
mod wire;

use std::sync::Arc;

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa_actix_web::service_config::ServiceConfig;

pub use self::item::ItemRules;
use self::wire::{QuestionnaireDetail, RoundDetail, RoundList, TargetList};
use super::{LoadedRound, RoundError, Rounds};
use crate::db::Db;
use crate::http::{Problem, codes};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(list).service(detail).service(targets).service(questionnaire);
}

impl From<RoundError> for Problem {
    fn from(error: RoundError) -> Self {
        match error {
            RoundError::Unknown => Self::new(&codes::ROUND_UNKNOWN),
            RoundError::Frozen => Self::new(&codes::STATE_CONFLICT),
            RoundError::FolderFrozen(_) => Self::new(&codes::ROUND_FROZEN),
            RoundError::Db(error) => error.into(),
            RoundError::Faults(_) | RoundError::Unreadable => Self::internal(&error),
        }
    }
}

/// An entity tag for these bytes. Weak: the same answer may travel compressed.
#[must_use]
pub fn etag(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest = data_encoding::BASE64URL_NOPAD.encode(hash.finalize().get(..15).unwrap_or_default());
    format!("W/\"{digest}\"")
}

/// Whether the caller has what this tag names (`If-None-Match`, RFC 9110, 13.1.2).
#[must_use]
pub fn is_known(req: &HttpRequest, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let lists = req.headers().get_all(IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    lists.flat_map(|line| line.split(',')).any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

/// What may be kept if it is asked for again each time.
pub const REVALIDATE: (HeaderName, &str) = (CACHE_CONTROL, "no-cache");

/// A body that may be kept if it is asked for again each time.
///
/// # Errors
/// When the body does not become JSON.
pub fn json(req: &HttpRequest, body: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
    let tag = etag(&[&body]);
    if is_known(req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, tag)).insert_header(REVALIDATE);
    Ok(answer.content_type("application/json").body(body))
}

async fn find(db: &Db, rounds: &Rounds, id: String) -> Result<Arc<LoadedRound>, Problem> {
    let rounds = rounds.clone();
    Ok(db.read(move |conn| rounds.get(conn, &id)).await?)
}

/// The rounds.
#[utoipa::path(
    tag = "rounds",
    operation_id = "list_rounds",
    responses(
        (status = 200, description = "Every round; carries an `ETag`", body = RoundList),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds")]
async fn list(req: HttpRequest, db: web::Data<Db>, rounds: web::Data<Rounds>) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let all = db.read(move |conn| rounds.all(conn)).await?;
    json(&req, &wire::list(&all))
}

/// A round with its rules, as declared before it opens.
#[utoipa::path(
    tag = "rounds",
    operation_id = "get_round",
    params(("round" = String, Path, description = "Id of the round")),
    responses(
        (status = 200, description = "The round; carries an `ETag`", body = RoundDetail),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "`round_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}")]
async fn detail(
    req: HttpRequest,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    json(&req, &wire::detail(&*find(&db, &rounds, round.into_inner()).await?))
}

/// The rated bodies of a round.
#[utoipa::path(
    tag = "rounds",
    operation_id = "list_targets",
    params(("round" = String, Path, description = "Id of the round")),
    responses(
        (status = 200, description = "The targets; carries an `ETag`", body = TargetList),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "`round_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/targets")]
async fn targets(
    req: HttpRequest,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    json(&req, &wire::targets(&*find(&db, &rounds, round.into_inner()).await?))
}

/// The questionnaire of a respondent group.
#[utoipa::path(
    tag = "rounds",
    operation_id = "get_questionnaire",
    params(
        ("round" = String, Path, description = "Id of the round"),
        ("respondent_code" = String, Path, description = "Code of the group, such as `CC-CT`"),
    ),
    responses(
        (status = 200, description = "The questionnaire; carries an `ETag`", body = QuestionnaireDetail),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "`round_unknown`, `questionnaire_unknown`",
            content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/questionnaires/{respondent_code}")]
async fn questionnaire(
    req: HttpRequest,
    path: web::Path<(String, String)>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let (round, respondent_code) = path.into_inner();
    let round = find(&db, &rounds, round).await?;
    let found = wire::questionnaire(&round, &respondent_code);
    json(&req, &found.ok_or(Problem::new(&codes::QUESTIONNAIRE_UNKNOWN))?)
}

#[cfg(test)]
mod tests;
