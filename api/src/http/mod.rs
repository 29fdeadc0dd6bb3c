//! What all routes share: problem+json, the page frame, assets, cross-site defence, rate limits, request limits. It
//! stands on `db` for one thing: a database that does not answer is a 503 everywhere.

pub mod assets;
pub mod codes;
pub mod frame;
mod guard;
mod limit;
mod methods;
mod problem;
pub mod tongue;

pub use guard::{problems_as_pages, refuse_cross_site, security_headers};
pub use limit::{Limits, Origin};
pub use methods::{Methods, head_as_get};
pub(crate) use problem::Document as ProblemDocument;
pub use problem::{FieldFault, Problem};

use actix_web::web;

/// Most bytes of a JSON body. The largest honest one is a ballot of 43 targets × 8 items.
pub const JSON_LIMIT_BYTES: usize = 256 * 1024;
/// Most bytes of a form: 344 answers with their field names, percent-encoded.
pub const FORM_LIMIT_BYTES: usize = 512 * 1024;

/// Sets every extractor's limits, and its error as a [`Problem`].
pub fn extractors(config: &mut web::ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().limit(JSON_LIMIT_BYTES).error_handler(|e, _| {
            use actix_web::error::JsonPayloadError as E;
            match e {
                E::Overflow { .. } | E::OverflowKnownLength { .. } => Problem::new(&codes::BODY_TOO_LARGE),
                E::ContentType => Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED),
                _ => Problem::new(&codes::BODY_MALFORMED),
            }
            .into()
        }))
        .app_data(web::FormConfig::default().limit(FORM_LIMIT_BYTES).error_handler(|e, _| {
            use actix_web::error::UrlencodedError as E;
            match e {
                E::Overflow { .. } => Problem::new(&codes::BODY_TOO_LARGE),
                E::ContentType => Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED),
                _ => Problem::new(&codes::BODY_MALFORMED),
            }
            .into()
        }))
        .app_data(web::QueryConfig::default().error_handler(|_, _| Problem::new(&codes::QUERY_MALFORMED).into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Problem::new(&codes::NOT_FOUND).into()))
        .app_data(web::PayloadConfig::new(FORM_LIMIT_BYTES));
}
