//! `/api/v1/keying/scans…`: page images for the desk's own programs, a scanner's for one. The code travels in the body.

use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::upload::received;
use super::{PageLine, ScanFault};
use crate::access::Worker;
use crate::http::{Problem, ProblemDocument, codes};
use crate::keying::KeyingError;
use crate::keying::pages::Tools;
use crate::keying::rest::{CodeRefusals, in_hand};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(attach).service(list).service(page).service(remove);
}

/// Page images of one ballot.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes a form, which is read field by field")]
struct ScansForm {
    /// The code.
    #[schema(example = "7K3Q-DM2X-9P4H-TVB0-ZRWC-5NYG", max_length = 200)]
    code: String,
    /// A page each, in the order of the paper: JPEG, PNG or PDF, 4 MiB at most; all together 16 MiB.
    #[schema(value_type = Vec<String>, format = Binary, max_items = 12)]
    page: Vec<Vec<u8>>,
}

/// The ballot in hand. No `Debug`: it carries a code.
#[derive(Deserialize, Validate, ToSchema)]
struct ScansRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
}

/// One page of the ballot in hand. No `Debug`: it carries a code.
#[derive(Deserialize, Validate, ToSchema)]
struct PageRequest {
    /// The code.
    #[schema(max_length = 200)]
    #[validate(length(max = 200))]
    code: String,
    /// Its place, from 1.
    #[schema(minimum = 1, maximum = 12)]
    #[validate(range(min = 1, max = 12))]
    page: u8,
}

/// The page images of a ballot.
#[derive(Serialize, ToSchema)]
struct Scans {
    /// In their order.
    pages: Vec<PageDocument>,
}

/// What a page is, without what is on it.
#[derive(Serialize, ToSchema)]
struct PageDocument {
    /// `image/jpeg`, `image/png` or `application/pdf`.
    #[schema(example = "image/jpeg")]
    media_type: &'static str,
    /// Bytes of the file.
    bytes: usize,
}

/// How many pages.
#[derive(Serialize, ToSchema)]
struct PageCount {
    /// Attached, or taken away.
    pages: usize,
}

impl From<PageLine> for PageDocument {
    fn from(of: PageLine) -> Self {
        Self { media_type: of.kind.media_type(), bytes: of.bytes }
    }
}

/// Attaches page images to a ballot, behind those that are there; all or none. They are sealed under the ballot's code and
/// go with its cast, or with its bundle.
#[utoipa::path(
    tag = "keying",
    operation_id = "attach_scans",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body(content = ScansForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Attached; how many the ballot has now", body = PageCount),
        CodeRefusals,
        (status = 400, description = "`body_malformed`, `upload_incomplete`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 408, description = "`too_slow`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`code_is_online`, `keying_already_cast`, `keying_duplicate`, `keying_no_bundle`, \
            `keying_not_received`, `keying_discrepancy`, `keying_bundle_locked`, `keying_sheet_gone`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "`media_type_unsupported`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`scan_invalid`: no page, too many, too large, not whole, or neither JPEG nor PNG nor PDF",
            body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/scans")]
async fn attach(
    worker: Worker,
    tools: Tools,
    req: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let received = received(&req, payload, "page").await?;
    if received.too_large {
        return Err(KeyingError::from(ScanFault::TooLarge).into());
    }
    let (desk, ballot) = in_hand(&tools, &received.code).await?;
    let pages = desk.attach(worker.staff(), &ballot, received.files).await?;
    Ok(HttpResponse::Created().json(PageCount { pages }))
}

/// What page images a ballot has.
#[utoipa::path(
    tag = "keying",
    operation_id = "list_scans",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ScansRequest,
    responses(
        (status = 200, description = "The pages, without what is on them", body = Scans),
        CodeRefusals,
        (status = 409, description = "`code_is_online`, `keying_no_bundle`, `keying_not_received`, `keying_discrepancy`, \
            `keying_bundle_locked`, `keying_sheet_gone`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/scans/list")]
async fn list(worker: Worker, tools: Tools, body: web::Json<ScansRequest>) -> Result<web::Json<Scans>, Problem> {
    body.validate()?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    let lines = desk.page_lines(worker.staff(), &ballot).await?;
    Ok(web::Json(Scans { pages: lines.into_iter().map(PageDocument::from).collect() }))
}

/// One page image of a ballot, for whoever decides about it (adjudicators, supervisors).
#[utoipa::path(
    tag = "keying",
    operation_id = "get_scan",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = PageRequest,
    responses(
        (status = 200, description = "The file as it was attached", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "application/pdf"))),
        CodeRefusals,
        (status = 404, description = "`code_unknown`; `not_found`: the ballot has no such page", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "`code_is_online`, `keying_no_bundle`, `keying_not_received`, `keying_discrepancy`, \
            `keying_bundle_locked`, `keying_sheet_gone`", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/scans/page")]
async fn page(worker: Worker, tools: Tools, body: web::Json<PageRequest>) -> Result<HttpResponse, Problem> {
    body.validate()?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    let pages = desk.scans(worker.staff(), &ballot).await?;
    let wanted = pages.into_iter().nth(usize::from(body.page).saturating_sub(1));
    let scan = wanted.ok_or(Problem::new(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok().content_type(scan.kind.media_type()).body(scan.bytes))
}

/// Takes every page image of a ballot away: wrong ones were attached.
#[utoipa::path(
    tag = "keying",
    operation_id = "remove_scans",
    security(("staff" = []), ("machine" = ["ballots:key"])),
    request_body = ScansRequest,
    responses(
        (status = 200, description = "How many there were", body = PageCount),
        CodeRefusals,
        (status = 409, description = "`code_is_online`, `keying_already_cast`, `keying_duplicate`, `keying_no_bundle`, \
            `keying_not_received`, `keying_discrepancy`, `keying_bundle_locked`, `keying_sheet_gone`, `round_not_open`",
            body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "`fields_invalid`", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
#[post("/keying/scans/removals")]
async fn remove(worker: Worker, tools: Tools, body: web::Json<ScansRequest>) -> Result<web::Json<PageCount>, Problem> {
    body.validate()?;
    let (desk, ballot) = in_hand(&tools, &body.code).await?;
    Ok(web::Json(PageCount { pages: desk.detach(worker.staff(), &ballot).await? }))
}
