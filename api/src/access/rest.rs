//! Tokens for machine clients (OAuth 2.0, RFC 6749, client credentials only) and the keys that verify them.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError, get, post, web};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;

use super::scopes::Scopes;
use super::secret::Secret;
use super::tokens::{JwkSet, LIFETIME, TokenError, Tokens};
use crate::clock::machine_now;
use crate::db::Db;
use crate::http::codes::{self, Code};
use crate::http::{Limits, Problem};

/// The routes of this room under `/api/v1`.
pub fn rest(cfg: &mut ServiceConfig<'_>) {
    cfg.service(token).service(jwks);
}

/// A request for an access token. No `Debug`: it carries a secret.
#[derive(Deserialize, Validate, ToSchema)]
struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(example = "client_credentials", max_length = 64)]
    #[validate(length(max = 64))]
    grant_type: String,
    /// The client's id, unless it is in `Authorization: Basic`.
    #[schema(max_length = 128)]
    #[validate(length(max = 128))]
    client_id: Option<String>,
    /// The client's secret, unless it is in `Authorization: Basic`.
    #[schema(max_length = 128)]
    #[validate(length(max = 128))]
    client_secret: Option<String>,
    /// What the token is for, separated by spaces; all that the client may do when absent.
    #[schema(example = "rates:read scores:read", max_length = 256)]
    #[validate(length(max = 256))]
    scope: Option<String>,
}

/// An access token (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
struct TokenAnswer<'t> {
    /// A JWT, signed with EdDSA; see `/.well-known/jwks.json`.
    access_token: &'t str,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until it ends.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it is good for.
    #[schema(example = "rates:read scores:read")]
    scope: String,
}

/// A refused request for a token: a problem (RFC 9457) that is also an OAuth error (RFC 6749, 5.2).
#[derive(Serialize, ToSchema)]
struct TokenProblem {
    /// Always `about:blank`: the `code` says which.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// The stable name of the error.
    #[schema(example = "invalid_client")]
    code: &'static str,
    /// For people, in Vietnamese.
    title: &'static str,
    /// The name that OAuth gives it.
    #[schema(example = "invalid_client")]
    error: &'static str,
}

/// Gives a machine client an access token for ten minutes.
#[utoipa::path(
    tag = "access",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token", body = TokenAnswer),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type`, `invalid_scope`",
            body = TokenProblem, content_type = "application/problem+json"),
        (status = 401, description = "`invalid_client`: unknown, wrong secret, revoked",
            body = TokenProblem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`: see `Retry-After`",
            body = TokenProblem, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`: see `Retry-After`",
            body = TokenProblem, content_type = "application/problem+json"),
    ),
)]
#[post("/oauth/token")]
async fn token(
    req: HttpRequest,
    db: web::Data<Db>,
    limits: web::Data<Limits>,
    tokens: web::Data<Tokens>,
    form: Result<web::Form<TokenRequest>, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let malformed = || Refused::from(&codes::TOKEN_REQUEST_INVALID);
    let Ok(form) = form else { return Err(malformed()) };
    if form.validate().is_err() {
        return Err(malformed());
    }
    let form = form.into_inner();
    let (id, secret) = credentials(&req, form.client_id, form.client_secret)?;
    limits.token(limits.origin(&req), &id)?;
    if form.grant_type != "client_credentials" {
        return Err(Refused::from(&codes::GRANT_UNSUPPORTED));
    }
    let Some(client) = tokens.authenticate(&db, id, secret).await? else {
        tracing::warn!("client refused: unknown, revoked or wrong secret");
        return Err(Refused::from(&codes::CLIENT_INVALID));
    };
    let scopes = match form.scope.as_deref().filter(|s| !s.trim().is_empty()) {
        None => client.scopes.clone(),
        Some(text) => match Scopes::parse(text) {
            Ok(asked) if client.scopes.cover(&asked) => asked,
            _ => return Err(Refused::from(&codes::SCOPE_INVALID)),
        },
    };
    let granted = tokens.issue(&db, &client, scopes, machine_now()).await?;
    tracing::info!(client.id = %client.id, scope = %granted.scopes, "access token issued");
    let answer = TokenAnswer {
        access_token: granted.token.reveal(),
        token_type: "Bearer",
        expires_in: LIFETIME.num_seconds(),
        scope: granted.scopes.to_string(),
    };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(answer))
}

/// Id and secret from the form (`client_secret_post`) or from `Authorization: Basic`, never from both (RFC 6749, 2.3).
/// Our ids and secrets have no character that the form encoding of 2.3.1 changes.
fn credentials(req: &HttpRequest, id: Option<String>, secret: Option<String>) -> Result<(String, Secret), Refused> {
    let Some(header) = req.headers().get(AUTHORIZATION) else {
        return match (id, secret) {
            (Some(id), Some(secret)) => Ok((id, Secret::new(secret))),
            _ => Err(Refused::from(&codes::CLIENT_INVALID)),
        };
    };
    let (basic_id, basic_secret) = basic(header).ok_or_else(|| Refused::from(&codes::CLIENT_INVALID))?;
    if secret.is_some() || id.is_some_and(|id| id != basic_id) {
        return Err(Refused::from(&codes::TOKEN_REQUEST_INVALID));
    }
    Ok((basic_id, basic_secret))
}

fn basic(header: &HeaderValue) -> Option<(String, Secret)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), Secret::new(secret.to_owned())))
}

/// The public keys that verify access tokens and signed documents.
#[utoipa::path(
    tag = "access",
    responses(
        (status = 200, description = "The keys (RFC 7517)", body = JwkSet),
        (status = 503, description = "`unavailable`", content_type = "application/problem+json"),
    ),
)]
#[get("/.well-known/jwks.json")]
async fn jwks(db: web::Data<Db>, tokens: web::Data<Tokens>) -> Result<HttpResponse, Problem> {
    key_set(&db, &tokens).await
}

pub(super) async fn key_set(db: &Db, tokens: &Tokens) -> Result<HttpResponse, Problem> {
    let set = tokens.jwk_set(db).await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(set))
}

/// A refused request for a token, on its way out.
#[derive(Debug)]
struct Refused(Problem);

impl From<&'static Code> for Refused {
    fn from(code: &'static Code) -> Self {
        Self(Problem::new(code))
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<crate::db::DbError> for Refused {
    fn from(error: crate::db::DbError) -> Self {
        Self(error.into())
    }
}

impl From<TokenError> for Refused {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Db(error) => error.into(),
            other => Self(Problem::internal(&other)),
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let code = self.0.code();
        let error = match code.status {
            400 | 401 => code.name,
            429 | 503 => "temporarily_unavailable",
            _ => "server_error",
        };
        let body = TokenProblem { kind: "about:blank", status: code.status, code: code.name, title: code.title, error };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = self.0.error_response().set_body(BoxBody::new(body));
        if code.status == 401 {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="phieu""#));
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

#[cfg(test)]
mod tests;
