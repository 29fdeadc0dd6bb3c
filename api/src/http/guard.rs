//! Middleware: cross-site defence, security headers, and problems shown as pages where people are.

use std::sync::LazyLock;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};

use super::frame::{ErrorPage, Site, render};
use super::problem::Problem;
use super::{assets, codes};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Refuses a form that another site posted (Fetch Metadata; `Origin` for browsers without it). Programs send
/// neither header and carry no cookies of ours, so they pass.
pub async fn refuse_cross_site<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let safe = matches!(*req.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe && !same_site(&req) {
        return Ok(req.error_response(Problem::new(&codes::CROSS_SITE)).map_into_right_body());
    }
    Ok(next.call(req).await?.map_into_left_body())
}

fn same_site(req: &ServiceRequest) -> bool {
    let header = |name: &str| req.headers().get(name).and_then(|v| v.to_str().ok());
    match header(SEC_FETCH_SITE) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => match header(header::ORIGIN.as_str()) {
            Some(origin) => req.app_data::<Data<Site>>().is_some_and(|s| s.is_own_origin(origin, header("host"))),
            None => true,
        },
    }
}

/// What pages may load and run: their own files, and the scripts that stand in them by their hashes.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let hashes: Vec<String> = assets::inline_hashes().collect();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self' {}; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hashes.join(" ")
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Headers for every answer; a route that set its own keeps it.
pub async fn security_headers<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not "no-referrer": browsers without Fetch Metadata would then post with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    // The reader of the API documentation, all of it compiled in, styles itself inline.
    const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                               base-uri 'none'; frame-ancestors 'none'";
    let is_docs = req.match_pattern().is_some_and(|pattern| pattern.contains("/docs/"));
    let mut res = next.call(req).await?;
    if !res.headers().contains_key(header::CONTENT_SECURITY_POLICY) {
        res.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY.clone());
    }
    if is_docs {
        res.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS_POLICY));
    }
    for (name, value) in HEADERS {
        if !res.headers().contains_key(&name) {
            res.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    Ok(res)
}

/// On page routes a refusal is a Vietnamese page that says what to do next, not JSON.
pub async fn problems_as_pages<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let site = req.app_data::<Data<Site>>().cloned();
    let res = next.call(req).await?;
    let problem = res.response().error().and_then(|e| e.as_error::<Problem>());
    let (Some(problem), Some(site)) = (problem, site) else { return Ok(res.map_into_left_body()) };
    let code = problem.code();
    let page = ErrorPage { frame: site.frame("Không thực hiện được"), title: code.title, code: code.name };
    let mut response = render(problem.status_code(), &page);
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = res.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(res.into_response(response).map_into_right_body())
}
