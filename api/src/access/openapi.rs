//! The two ways in, as the OpenAPI document names them: `machine` and `staff`; and what every route of the paper desk may
//! answer besides its own.

use utoipa::IntoResponses;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme};

use super::extract::COOKIE;
use super::scopes;
use crate::config::BaseUrl;
use crate::http::ProblemDocument;

/// Refusals of any route that takes a [`super::Worker`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers and is none")]
pub(crate) enum WorkerRefusals {
    /// `sign_in_required`
    #[response(status = 401, content_type = "application/problem+json")]
    SignIn(ProblemDocument<'static>),
    /// `role_missing`, `scope_missing`
    #[response(status = 403, content_type = "application/problem+json")]
    Role(ProblemDocument<'static>),
    /// `busy`, `unavailable`: see `Retry-After`, then send the same again
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(ProblemDocument<'static>),
}

/// The same of a route with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it describes answers and is none")]
pub(crate) enum BodyRefusals {
    /// `body_malformed`
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemDocument<'static>),
    /// `sign_in_required`
    #[response(status = 401, content_type = "application/problem+json")]
    SignIn(ProblemDocument<'static>),
    /// `role_missing`, `scope_missing`
    #[response(status = 403, content_type = "application/problem+json")]
    Role(ProblemDocument<'static>),
    /// `busy`, `unavailable`: see `Retry-After`, then send the same again
    #[response(status = 503, content_type = "application/problem+json")]
    Busy(ProblemDocument<'static>),
}

/// Describes both ways in, for routes that say `security(("machine" = ["rates:read"]))` or `security(("staff" = []))`.
pub fn security_schemes(document: &mut OpenApi, base: &BaseUrl) {
    let scopes = Scopes::from_iter(scopes::ALL.map(|name| (name, meaning(name))));
    let flow = Flow::ClientCredentials(ClientCredentials::new(base.url("/api/v1/oauth/token"), scopes));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("machine", SecurityScheme::OAuth2(OAuth2::new([flow])));
    components.add_security_scheme("staff", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
}

fn meaning(scope: &str) -> &'static str {
    match scope {
        "codes:issue" => "make codes for a round",
        "rates:read" => "read response rates",
        "scores:read" => "read published scores",
        "ballots:key" => "key in paper ballots",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_is_described_and_the_token_url_keeps_the_prefix() {
        let mut document = OpenApi::default();
        security_schemes(&mut document, &BaseUrl::parse("https://a.vn/khao-sat").unwrap());
        let document = serde_json::to_value(&document).unwrap();
        let schemes = &document["components"]["securitySchemes"];
        let flow = &schemes["machine"]["flows"]["clientCredentials"];
        assert_eq!(flow["tokenUrl"], "https://a.vn/khao-sat/api/v1/oauth/token");
        for scope in scopes::ALL {
            assert!(!flow["scopes"][scope].as_str().unwrap().is_empty(), "{scope}");
        }
        assert_eq!(schemes["staff"]["name"], "phieu_staff");
        assert_eq!(schemes["staff"]["in"], "cookie");
    }
}
