//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable `code`.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes::{self, Code};
use crate::db::DbError;
use crate::db::queue::QueueError;

/// A refusal: what kind, and which fields are at fault. It never carries a value that was sent.
pub struct Problem {
    code: &'static Code,
    errors: Vec<FieldFault>,
    retry_after_s: Option<u32>,
    allow: Option<String>,
}

/// One fault in what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldFault {
    /// Where: a JSON pointer (RFC 6901) into the body.
    #[schema(example = "/answers/SNV/X1.1")]
    pub pointer: String,
    /// What is wrong, a stable name.
    #[schema(example = "option_unknown")]
    pub code: &'static str,
}

/// The document on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document<'p> {
    /// Always `about:blank`: the `code` says which.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// The stable name of the error.
    #[schema(example = "code_unknown")]
    code: &'static str,
    /// For people, in Vietnamese.
    title: &'static str,
    /// Fields at fault, if any.
    #[serde(skip_serializing_if = "<[FieldFault]>::is_empty")]
    errors: &'p [FieldFault],
}

impl Problem {
    /// A refusal of this kind.
    #[must_use]
    pub fn new(code: &'static Code) -> Self {
        Self { code, errors: Vec::new(), retry_after_s: (code.status == 503).then_some(2), allow: None }
    }

    /// With the fields at fault.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldFault>) -> Self {
        self.errors = errors;
        self
    }

    /// With `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// With `Allow`: the methods that the route knows.
    #[must_use]
    pub fn allow(mut self, methods: &str) -> Self {
        self.allow = Some(methods.to_owned());
        self
    }

    /// A fault of ours: the cause is logged here, once, and not shown.
    #[must_use]
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(error = %cause, "internal error");
        Self::new(&codes::INTERNAL)
    }

    /// Which kind.
    #[must_use]
    pub fn code(&self) -> &'static Code {
        self.code
    }

    /// The fields at fault.
    #[must_use]
    pub fn errors(&self) -> &[FieldFault] {
        &self.errors
    }
}

// Written by hand: a problem must never print more than its kind.
impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name)
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "database error");
        match error {
            DbError::Connect(_) | DbError::Interrupted => Self::new(&codes::UNAVAILABLE),
            _ => Self::new(&codes::INTERNAL),
        }
    }
}

impl From<diesel::result::Error> for Problem {
    fn from(error: diesel::result::Error) -> Self {
        DbError::from(error).into()
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Full => Self::new(&codes::BUSY),
            QueueError::Failed | QueueError::Closed => Self::new(&codes::UNAVAILABLE),
        }
    }
}

impl From<validator::ValidationErrors> for Problem {
    fn from(errors: validator::ValidationErrors) -> Self {
        // The field and the rule only: validator's own errors carry the rejected value.
        let mut faults: Vec<FieldFault> = errors
            .field_errors()
            .keys()
            .map(|field| FieldFault { pointer: format!("/{field}"), code: "field_invalid" })
            .collect();
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        Self::new(&codes::FIELDS_INVALID).with_errors(faults)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((RETRY_AFTER, seconds.to_string()));
        }
        if let Some(methods) = &self.allow {
            response.insert_header((ALLOW, methods.as_str()));
        }
        if self.code.status == 401 {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        let document = Document {
            kind: "about:blank",
            status: self.code.status,
            code: self.code.name,
            title: self.code.title,
            errors: &self.errors,
        };
        let body = serde_json::to_string(&document).unwrap_or_default();
        response.insert_header((CONTENT_TYPE, "application/problem+json")).body(body)
    }
}
