//! The feed for the index engine: a released document, whole or by target, as JSON, as a table, or signed; the list of
//! releases, and the schema of the document.

mod schema;
mod told;
mod wire;

use std::sync::Arc;

use actix_web::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, ETAG, LINK, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use serde::Deserialize;
use survey_forms::scoring::sensitivity;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use self::told::{ItemExplanation, OtherRanks};
use self::wire::{ItemScores, ReleaseEntry, ReleaseList, Scores};
use super::explained::explained;
use super::export::{self, For};
use super::{AsOf, AsOfMalformed, Choice, Publication, Publications, ScoreError};
use crate::access::Machine;
use crate::access::scopes::ScoresRead;
use crate::access::tokens::{self, Signer};
use crate::clock::Entropy;
use crate::config::BaseUrl;
use crate::db::{Conn, Db, DbError};
use crate::http::{Problem, codes};
use crate::round::rest::{REVALIDATE, etag, is_known, json};
use crate::round::{LoadedRound, Rounds};

/// `typ` of the signed document: never taken for an access token.
pub(super) const JWS_TYPE: &str = "scores+json";

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(scores).service(signed).service(other_rules).service(item);
    cfg.service(releases).service(released).service(schema::document);
}

/// Which targets are asked for; all when nothing is said.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ScoresQuery {
    /// Code of one target.
    #[param(example = "SNV")]
    target: Option<String>,
    /// Code of one kind of targets.
    #[param(example = "so")]
    kind: Option<String>,
    /// Which release: a number, a day (its end in Viet Nam), or a time (RFC 3339). The latest when absent.
    #[param(example = "1")]
    as_of: Option<String>,
}

/// Which release is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReleaseQuery {
    /// A number, a day (its end in Viet Nam), or a time (RFC 3339). The latest when absent.
    #[param(example = "2023-11-30")]
    as_of: Option<String>,
}

fn as_of(asked: Option<&str>) -> Result<AsOf, Problem> {
    asked.map_or(Ok(AsOf::Latest), |text| {
        text.parse().map_err(|_malformed: AsOfMalformed| Problem::new(&codes::QUERY_MALFORMED))
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Csv,
}

/// Published scores of a round. Ranks are within a kind, whatever is asked for.
#[utoipa::path(
    tag = "scores",
    operation_id = "get_scores",
    params(("round" = String, Path, description = "Id of the round"), ScoresQuery),
    security(("machine" = ["scores:read"])),
    responses(
        (status = 200, description = "The scores; carries an `ETag`. As `text/csv` in long form: a row a score, `level` \
            is `total`, `field`, `item` or `group`",
            content((Scores = "application/json"), (String = "text/csv"))),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "`query_malformed`", content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`",
            content_type = "application/problem+json"),
        (status = 403, description = "`scope_missing`, `round_not_granted`", content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`, `release_unknown`, `target_unknown`, `kind_unknown`",
            content_type = "application/problem+json"),
        (status = 406, description = "`not_acceptable`", content_type = "application/problem+json"),
        (status = 409, description = "`not_published`: scores are released once, after the close",
            content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/scores")]
#[expect(clippy::too_many_arguments, reason = "each is what the service hands to a handler")]
async fn scores(
    _machine: Machine<ScoresRead>,
    req: HttpRequest,
    round: web::Path<String>,
    query: web::Query<ScoresQuery>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    base: web::Data<BaseUrl>,
) -> Result<HttpResponse, Problem> {
    let ScoresQuery { target, kind, as_of: asked } = query.into_inner();
    let asked = as_of(asked.as_deref())?;
    let choice = Choice { target, kind };
    let media = negotiate(&req).ok_or(Problem::new(&codes::NOT_ACCEPTABLE))?;
    let round = round.into_inner();
    let (rounds, publications) = (Rounds::clone(&rounds), Publications::clone(&publications));
    let found = db.read(move |conn| publications.of(conn, &rounds, &round, asked)).await?;
    let tag = etag(&[
        found.sha256.as_bytes(),
        if media == Media::Json { b"json" } else { b"csv" },
        choice.target.as_deref().unwrap_or_default().as_bytes(),
        choice.kind.as_deref().unwrap_or_default().as_bytes(),
    ]);
    if is_known(&req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, tag)).insert_header(REVALIDATE).insert_header((VARY, "Accept, Accept-Encoding"));
    answer.insert_header((LINK, format!("<{}>; rel=\"describedby\"", base.path("/api/v1/schemas/scores.json"))));
    Ok(match media {
        Media::Json if choice.is_all() => whole(&req, answer.content_type("application/json"), &found),
        Media::Json => answer.content_type("application/json").body(choice.of(&found)?.canonical()),
        Media::Csv => {
            let mut table = Vec::new();
            export::scores(&mut table, &choice.of(&found)?, For::Program)?;
            let name = format!("attachment; filename=\"scores-{}.csv\"", found.document.round);
            answer.content_type("text/csv; charset=utf-8").insert_header((CONTENT_DISPOSITION, name)).body(table)
        }
    })
}

/// The stored bytes, as they are or as they were compressed once: the cost of an answer does not grow with the ballots,
/// nor with the number of those who ask for a compressed one.
fn whole(req: &HttpRequest, answer: &mut HttpResponseBuilder, found: &Publication) -> HttpResponse {
    let lists = req.headers().get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok());
    let takes_gzip = |part: &str| {
        let (name, q) = part.split_once(';').unwrap_or((part, "q=1"));
        let refused = q.trim().strip_prefix("q=").and_then(thousandths) == Some(0);
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    };
    match found.gzip() {
        Some(gzip) if lists.flat_map(|list| list.split(',')).any(takes_gzip) => {
            answer.insert_header((CONTENT_ENCODING, "gzip")).body(gzip)
        }
        _ => answer.body(found.canonical.clone()),
    }
}

/// The releases of a round.
#[utoipa::path(
    tag = "scores",
    operation_id = "list_releases",
    params(("round" = String, Path, description = "Id of the round")),
    responses(
        (status = 200, description = "When each came out, its digest, and why; carries an `ETag`", body = ReleaseList),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "`round_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/releases")]
async fn releases(
    req: HttpRequest,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
) -> Result<HttpResponse, Problem> {
    let round = round.into_inner();
    let (asked, rounds, publications) = (round.clone(), Rounds::clone(&rounds), Publications::clone(&publications));
    let found = db.read(move |conn| publications.releases(conn, &rounds, &asked)).await?;
    let entry = |one: &Arc<Publication>| ReleaseEntry {
        release: one.document.release,
        published_at: one.document.published_at,
        sha256: one.sha256.clone(),
        reason: one.document.correction.as_ref().map(|correction| correction.reason.clone()),
    };
    json(&req, &ReleaseList { round, releases: found.iter().map(entry).collect() })
}

/// What is wanted of an item.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ItemQuery {
    /// Present, with any value or none: how the score came about.
    #[param(example = "1")]
    explain: Option<String>,
    /// Which release: a number, a day (its end in Viet Nam), or a time (RFC 3339). The latest when absent.
    #[param(example = "1")]
    as_of: Option<String>,
}

/// One item's score about one target: as it stands in the scores, or, with `explain`, how it came about. What is
/// suppressed there is not told here.
#[utoipa::path(
    tag = "scores",
    operation_id = "get_item_score",
    params(
        ("round" = String, Path, description = "Id of the round"),
        ("target" = String, Path, description = "Code of the target"),
        ("item" = String, Path, description = "Code of the item"),
        ItemQuery,
    ),
    security(("machine" = ["scores:read"])),
    responses(
        (status = 200, description = "The item's score, or with `explain` an `ItemExplanation`: counts, means, weights, \
            exclusions, rounding; carries an `ETag`", content((ItemScores = "application/json"), (ItemExplanation = "application/json"))),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "`query_malformed`", content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`",
            content_type = "application/problem+json"),
        (status = 403, description = "`scope_missing`, `round_not_granted`", content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`, `release_unknown`, `target_unknown`, `criterion_unknown`",
            content_type = "application/problem+json"),
        (status = 409, description = "`not_published`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/scores/{target}/{item}")]
async fn item(
    _machine: Machine<ScoresRead>,
    req: HttpRequest,
    path: web::Path<(String, String, String)>,
    query: web::Query<ItemQuery>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
) -> Result<HttpResponse, Problem> {
    let (round, target, item) = path.into_inner();
    let ItemQuery { explain, as_of: asked } = query.into_inner();
    let asked = as_of(asked.as_deref())?;
    let (found, loaded) = published(&db, &rounds, &publications, round, asked).await?;
    let told = explained(&loaded.definition, &found.document, &target, &item)?;
    let explain = explain.is_some();
    let tag = etag(&[
        found.sha256.as_bytes(),
        if explain { b"explain" } else { b"item" },
        target.as_bytes(),
        item.as_bytes(),
    ]);
    if is_known(&req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, tag)).insert_header(REVALIDATE);
    if explain {
        return Ok(answer.json(told));
    }
    let targets = found.document.targets.iter().filter(|one| one.target == target);
    let own = targets.flat_map(|one| &one.items).find(|one| one.item_code == item);
    Ok(answer.json(own.ok_or(ScoreError::CriterionUnknown)?))
}

/// What the ranks would be under other rules: all ballots alike, without each group, on another scale. Worked out from
/// the published scores alone, so it tells nothing that these do not.
#[utoipa::path(
    tag = "scores",
    operation_id = "get_other_ranks",
    params(("round" = String, Path, description = "Id of the round"), ReleaseQuery),
    security(("machine" = ["scores:read"])),
    responses(
        (status = 200, description = "Ranks by rule and kind; carries an `ETag`", body = OtherRanks),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "`query_malformed`", content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`",
            content_type = "application/problem+json"),
        (status = 403, description = "`scope_missing`, `round_not_granted`", content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`, `release_unknown`", content_type = "application/problem+json"),
        (status = 409, description = "`not_published`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/scores/sensitivity")]
async fn other_rules(
    _machine: Machine<ScoresRead>,
    req: HttpRequest,
    query: web::Query<ReleaseQuery>,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
) -> Result<HttpResponse, Problem> {
    let (found, loaded) =
        published(&db, &rounds, &publications, round.into_inner(), as_of(query.as_of.as_deref())?).await?;
    let tag = etag(&[found.sha256.as_bytes(), b"sensitivity"]);
    if is_known(&req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let ranks = sensitivity(&loaded.definition, &found.document);
    Ok(HttpResponse::Ok().insert_header((ETAG, tag)).insert_header(REVALIDATE).json(ranks))
}

/// A release of a round, with the round.
async fn published(
    db: &Db,
    rounds: &Rounds,
    publications: &Publications,
    round: String,
    asked: AsOf,
) -> Result<(Arc<Publication>, Arc<LoadedRound>), Problem> {
    let (rounds, publications) = (rounds.clone(), publications.clone());
    let found = db.read(move |conn| {
        let found = publications.of(conn, &rounds, &round, asked)?;
        Ok::<_, ScoreError>((found, rounds.get(conn, &round)?))
    });
    Ok(found.await?)
}

/// A released document as the round's log names it: its SHA-256 stands in the entry `result`.
#[utoipa::path(
    tag = "log",
    operation_id = "get_result",
    params(
        ("round" = String, Path, description = "Id of the round"),
        ("release" = i64, Path, description = "From 1"),
    ),
    responses(
        (status = 200, description = "The document's canonical JSON; it never changes", body = Scores),
        (status = 404, description = "`round_unknown`, `release_unknown`", content_type = "application/problem+json"),
        (status = 409, description = "`not_published`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/log/result/{release}")]
async fn released(
    path: web::Path<(String, i64)>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
) -> Result<HttpResponse, Problem> {
    let (round, release) = path.into_inner();
    let (rounds, publications) = (Rounds::clone(&rounds), Publications::clone(&publications));
    let found = db.read(move |conn| publications.of(conn, &rounds, &round, AsOf::Release(release))).await?;
    let kept = (CACHE_CONTROL, "public, max-age=31536000, immutable");
    Ok(HttpResponse::Ok().insert_header(kept).content_type("application/json").body(found.canonical.clone()))
}

/// The released document, signed: compact JWS (RFC 7515) with EdDSA (RFC 8037) by a key of `/.well-known/jwks.json`.
/// The payload is the document's canonical JSON (RFC 8785), byte for byte what `scores` answers for all targets.
#[utoipa::path(
    tag = "scores",
    operation_id = "get_signed_scores",
    params(("round" = String, Path, description = "Id of the round"), ReleaseQuery),
    security(("machine" = ["scores:read"])),
    responses(
        (status = 200, description = "Compact JWS; `typ` is `scores+json`; carries an `ETag`",
            body = String, content_type = "application/jose"),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 400, description = "`query_malformed`", content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`",
            content_type = "application/problem+json"),
        (status = 403, description = "`scope_missing`, `round_not_granted`", content_type = "application/problem+json"),
        (status = 404, description = "`round_unknown`, `release_unknown`", content_type = "application/problem+json"),
        (status = 409, description = "`not_published`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/scores.jws")]
#[expect(clippy::too_many_arguments, reason = "each is what the service hands to a handler")]
async fn signed(
    _machine: Machine<ScoresRead>,
    req: HttpRequest,
    round: web::Path<String>,
    query: web::Query<ReleaseQuery>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    entropy: web::Data<Entropy>,
) -> Result<HttpResponse, Problem> {
    let asked = as_of(query.as_of.as_deref())?;
    let (rounds, publications) = (Rounds::clone(&rounds), Publications::clone(&publications));
    let round = round.into_inner();
    let found = db.read(move |conn| publications.of(conn, &rounds, &round, asked)).await?;
    let signer = signer(&db, &entropy).await?;
    let tag = etag(&[found.sha256.as_bytes(), b"jws", signer.kid().as_bytes()]);
    if is_known(&req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, tag)).insert_header(REVALIDATE);
    Ok(answer.content_type("application/jose").body(signer.jws(JWS_TYPE, &found.canonical)))
}

/// The key that signs; the first one is made on first use.
pub(super) async fn signer(db: &Db, entropy: &Entropy) -> Result<Signer, Problem> {
    if let Some(signer) = db.read(tokens::newest).await? {
        return Ok(signer);
    }
    let (clock, entropy) = (Db::clone(db), Entropy::clone(entropy));
    let make = move |conn: &mut Conn| {
        let at = clock.now(conn)?;
        tokens::signer(conn, at, &entropy)
    };
    db.write(make).await.map_err(|error: DbError| Problem::from(error))
}

/// What the caller likes best (RFC 9110, 12.5.1); JSON when it does not mind. `None` when it takes neither.
fn negotiate(req: &HttpRequest) -> Option<Media> {
    let lists: Vec<&str> = req.headers().get_all(ACCEPT).filter_map(|v| v.to_str().ok()).collect();
    if lists.is_empty() {
        return Some(Media::Json);
    }
    let (json, csv) = (quality(&lists, "application", "json"), quality(&lists, "text", "csv"));
    match (json > 0, csv > json) {
        (_, true) => Some(Media::Csv),
        (true, false) => Some(Media::Json),
        (false, false) => None,
    }
}

/// Thousandths; the most specific range that fits decides.
fn quality(lists: &[&str], kind: &str, subtype: &str) -> u32 {
    let mut best = (0, 0);
    for range in lists.iter().flat_map(|list| list.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.split_once('/') {
            Some((k, s)) if k == kind && s == subtype => 3,
            Some((k, "*")) if k == kind => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let q = parts.find_map(|p| p.strip_prefix("q=")).map_or(Some(1000), thousandths).unwrap_or(0);
        if specific > best.0 {
            best = (specific, q);
        }
    }
    best.1
}

fn thousandths(q: &str) -> Option<u32> {
    let (whole, decimals) = q.split_once('.').unwrap_or((q, ""));
    let padded = format!("{decimals:0<3}");
    Some(whole.parse::<u32>().ok()?.min(1) * 1000 + padded.get(..3)?.parse::<u32>().ok()?).map(|q| q.min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_liked_media_type_is_given() {
        let asked = |accept: &str| {
            negotiate(&actix_web::test::TestRequest::get().insert_header((ACCEPT, accept)).to_http_request())
        };
        assert_eq!(negotiate(&actix_web::test::TestRequest::get().to_http_request()), Some(Media::Json));
        for (accept, media) in [
            ("*/*", Some(Media::Json)),
            ("text/csv", Some(Media::Csv)),
            ("application/json, text/csv", Some(Media::Json)),
            ("application/json;q=0.4, text/csv;q=0.5", Some(Media::Csv)),
            ("text/*;q=0.9, */*;q=0.1", Some(Media::Csv)),
            ("text/csv;q=0, */*", Some(Media::Json)),
            ("image/png", None),
            ("application/json;q=x", None),
        ] {
            assert_eq!(asked(accept), media, "{accept}");
        }
    }

    /// The description in the API document is that of the document as it is served.
    #[test]
    fn the_described_document_is_the_released_one() {
        for mut place in crate::ceremony::fixture::places() {
            place.until_published();
            let published =
                place.test.db.read_here(|conn| Publications::new().latest(conn, &place.rounds, "quang-nam-2023"));
            let canonical = published.unwrap().canonical.clone();
            let described: Scores = serde_json::from_slice(&canonical).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&canonical).unwrap();
            assert_eq!(serde_json::to_value(&described).unwrap(), value);
            assert_eq!(described.round, "quang-nam-2023");
            let document: survey_forms::scoring::ScoreDocument = serde_json::from_slice(&canonical).unwrap();
            let round = place.test.db.read_here(|conn| place.rounds.get(conn, "quang-nam-2023")).unwrap();
            let told = serde_json::to_value(explained(&round.definition, &document, "SNV", "X1.1").unwrap()).unwrap();
            let described: ItemExplanation = serde_json::from_value(told.clone()).unwrap();
            assert_eq!(serde_json::to_value(&described).unwrap(), told);
            let ranks = serde_json::to_value(sensitivity(&round.definition, &document)).unwrap();
            let described: OtherRanks = serde_json::from_value(ranks.clone()).unwrap();
            assert_eq!(serde_json::to_value(&described).unwrap(), ranks);
        }
    }
}
