//! The log for anyone: checkpoint, tiles (C2SP tlog-tiles), and where a receipt is.

use actix_web::http::header::{CACHE_CONTROL, ETAG};
use actix_web::{HttpRequest, HttpResponse, get, web};
use data_encoding::{BASE64, HEXLOWER};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::entry::Entry;
use super::tile::{Tile, WIDTH};
use super::{Found, Head, LogError};
use crate::ballot::Receipt;
use crate::db::{Conn, Db};
use crate::http::{Problem, codes};
use crate::round::Rounds;
use crate::round::rest::{REVALIDATE, etag, is_known};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(checkpoint).service(vkey).service(tile).service(receipt);
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        match error {
            LogError::None => Self::new(&codes::LOG_UNKNOWN),
            LogError::Db(error) => error.into(),
            LogError::Damaged | LogError::TooLong => Self::internal(&error),
        }
    }
}

const TEXT: &str = "text/plain; charset=utf-8";

async fn head(db: &Db, rounds: &Rounds, round: String) -> Result<Head, Problem> {
    let rounds = rounds.clone();
    db.read(move |conn: &mut Conn| {
        rounds.get(conn, &round)?;
        super::head(conn, &round).map_err(Problem::from)
    })
    .await
}

/// The head of a round's log: a signed note (C2SP tlog-checkpoint) with the number of leaves and their root.
#[utoipa::path(
    tag = "log",
    operation_id = "get_checkpoint",
    params(("round" = String, Path, description = "Id of the round")),
    responses(
        (status = 200, description = "The note; carries an `ETag`", body = String, content_type = "text/plain"),
        (status = 304, description = "As the `If-None-Match` says"),
        (status = 404, description = "`round_unknown`, `log_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/log/checkpoint")]
async fn checkpoint(
    req: HttpRequest,
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let note = head(&db, &rounds, round.into_inner()).await?.note;
    let tag = etag(&[note.as_bytes()]);
    if is_known(&req, &tag) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag)).insert_header(REVALIDATE).finish());
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((ETAG, tag)).insert_header(REVALIDATE);
    Ok(answer.content_type(TEXT).body(note))
}

/// The key that signs a round's checkpoints, as a verifier key of C2SP signed-note.
#[utoipa::path(
    tag = "log",
    operation_id = "get_log_key",
    params(("round" = String, Path, description = "Id of the round")),
    responses(
        (status = 200, description = "One line", body = String, content_type = "text/plain"),
        (status = 404, description = "`round_unknown`, `log_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/log/vkey")]
async fn vkey(round: web::Path<String>, db: web::Data<Db>, rounds: web::Data<Rounds>) -> Result<HttpResponse, Problem> {
    let key = head(&db, &rounds, round.into_inner()).await?.vkey;
    Ok(HttpResponse::Ok().insert_header(REVALIDATE).content_type(TEXT).body(format!("{key}\n")))
}

/// A tile of a round's log (C2SP tlog-tiles): hashes by level, or leaves.
#[utoipa::path(
    tag = "log",
    operation_id = "get_tile",
    params(
        ("round" = String, Path, description = "Id of the round"),
        ("tile" = String, Path, description = "`<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`, slashes and all: `0/x001/x234/067.p/5`"),
    ),
    responses(
        (status = 200, description = "The tile. Its bytes never change", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "`round_unknown`; `tile_unknown`: no such path, or the log has not grown so far",
            content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/rounds/{round}/log/tile/{tile:.*}")]
async fn tile(
    path: web::Path<(String, String)>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let (round, path) = path.into_inner();
    let rounds = Rounds::clone(&rounds);
    let (tile, body) = db
        .read(move |conn| {
            rounds.get(conn, &round)?;
            let tile = Tile::parse(&format!("tile/{path}")).ok_or(Problem::new(&codes::TILE_UNKNOWN))?;
            let body = super::tile(conn, &round, &tile)?.ok_or(Problem::new(&codes::TILE_UNKNOWN))?;
            Ok::<_, Problem>((tile, body))
        })
        .await?;
    // A partial tile is soon asked for at another width.
    let kept = if tile.width == WIDTH { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, kept)).content_type("application/octet-stream").body(body))
}

/// Where a receipt is.
#[derive(Debug, Serialize, ToSchema)]
struct ReceiptDetail {
    /// As asked, lower-case hex.
    receipt: String,
    /// `in_log`, or `waiting`: accepted, and in the log after the next batch, at the latest at the close.
    #[schema(example = "in_log")]
    state: &'static str,
    /// Id of the round.
    round: String,
    /// The proof; null while it waits.
    inclusion: Option<InclusionDetail>,
}

/// Proof that a leaf is in the log (RFC 6962, 2.1.1).
#[derive(Debug, Serialize, ToSchema)]
struct InclusionDetail {
    /// The leaf's place, from 0.
    index: u64,
    /// The leaf itself: its hash is SHA-256 of a zero byte and this text.
    leaf: String,
    /// Hashes from the leaf to the root, in base64.
    proof: Vec<String>,
    /// The signed note with size and root.
    checkpoint: String,
    /// The key that signed it.
    log_key: String,
}

/// Whether a receipt is in a box, and where in the log.
///
/// Whoever runs the service learns from a question who holds the receipt. The log can be searched without asking.
#[utoipa::path(
    tag = "log",
    operation_id = "get_receipt",
    params(("receipt" = String, Path, description = "64 hexadecimal digits")),
    responses(
        (status = 200, description = "It is in a box", body = ReceiptDetail),
        (status = 404, description = "`receipt_unknown`", content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`", content_type = "application/problem+json"),
    ),
)]
#[get("/receipts/{receipt}")]
async fn receipt(receipt: web::Path<String>, db: web::Data<Db>) -> Result<HttpResponse, Problem> {
    let unknown = || Problem::new(&codes::RECEIPT_UNKNOWN);
    let receipt = Receipt::parse(&receipt).ok_or_else(unknown)?;
    let asked = receipt.clone();
    let detail = match db.read(move |conn| super::find(conn, &asked)).await? {
        Found::Unknown => return Err(unknown()),
        Found::Waiting(round) => {
            ReceiptDetail { receipt: receipt.to_string(), state: "waiting", round, inclusion: None }
        }
        Found::InLog(found) => ReceiptDetail {
            receipt: receipt.to_string(),
            state: "in_log",
            round: found.round,
            inclusion: Some(InclusionDetail {
                index: found.place,
                leaf: Entry::Envelope { id: HEXLOWER.encode(receipt.id()) }.text(),
                proof: found.path.iter().map(|node| BASE64.encode(node)).collect(),
                checkpoint: found.head.note,
                log_key: found.head.vkey.to_string(),
            }),
        },
    };
    Ok(HttpResponse::Ok().json(detail))
}
