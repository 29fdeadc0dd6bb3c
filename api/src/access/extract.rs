//! Authorisation as part of a handler's signature: `Signed<Desk>` for staff, `Machine<RatesRead>` for programs.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, ResponseError};

use super::audit::Actor;
use super::role::{Desk, Overseeing, RoleSet};
use super::scopes::{BallotsKey, Scope};
use super::secret::Secret;
use super::staff::{self, Staff};
use super::tokens::{TokenError, Tokens, Verified};
use super::{onward, session};
use crate::clock::machine_now;
use crate::config::BaseUrl;
use crate::db::Db;
use crate::http::frame::{Site, StaffBar};
use crate::http::{Problem, codes};

/// The cookie of a session.
pub const COOKIE: &str = "phieu_staff";

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Error>>>>;

/// The cookie that opens a session: for this site and path alone, out of reach of scripts, gone with the browser.
pub(super) fn cookie(base: &BaseUrl, value: &Secret) -> Cookie<'static> {
    let path = if base.prefix.is_empty() { "/".to_owned() } else { base.prefix.clone() };
    Cookie::build(COOKIE, value.reveal().to_owned())
        .path(path)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(base.is_https())
        .finish()
}

/// The cookie that takes [`cookie`] back.
pub(super) fn no_cookie(base: &BaseUrl) -> Cookie<'static> {
    let mut gone = cookie(base, &Secret::new(String::new()));
    gone.set_max_age(Duration::ZERO);
    gone
}

/// The session's value that a request carries.
pub(super) fn carried(req: &HttpRequest) -> Option<Secret> {
    req.cookie(COOKIE).map(|c| Secret::new(c.value().to_owned()))
}

fn state<T: 'static>(req: &HttpRequest) -> Result<Data<T>, Problem> {
    req.app_data::<Data<T>>().cloned().ok_or_else(|| Problem::internal(&std::any::type_name::<T>()))
}

/// A signed-in member of staff with one of the roles of `R`. Without a session a page leads to the sign-in, and a
/// REST call is refused with `sign_in_required`; with another role both answer `role_missing`.
pub struct Signed<R> {
    staff: Staff,
    roles: PhantomData<R>,
}

impl<R: RoleSet> Signed<R> {
    /// Who.
    #[must_use]
    pub fn staff(&self) -> &Staff {
        &self.staff
    }

    /// Who, for the trail.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::from(&self.staff)
    }

    /// Who, for the header of a page: `site.frame(..).with_staff(signed.bar())`.
    #[must_use]
    pub fn bar(&self) -> StaffBar {
        let role = self.staff.role;
        StaffBar {
            name: self.staff.name.clone(),
            role: role.vietnamese(),
            links: role.links(),
            oversees: Overseeing::admits(role),
        }
    }
}

impl<R: RoleSet> FromRequest for Signed<R> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { signed(&req).await })
    }
}

async fn signed<R: RoleSet>(req: &HttpRequest) -> Result<Signed<R>, Error> {
    let (db, site) = (state::<Db>(req)?, state::<Site>(req)?);
    let staff = match carried(req) {
        Some(cookie) => session::resume(&db, &cookie).await.map_err(Problem::from)?,
        None => None,
    };
    let Some(staff) = staff else { return Err(sign_in_first(req, &site)) };
    if !R::admits(staff.role) {
        let route = req.match_pattern().unwrap_or_default();
        tracing::warn!(staff.id = %staff.id, staff.role = staff.role.as_str(), http.route = %route, "role refused");
        return Err(Problem::new(&codes::ROLE_MISSING).into());
    }
    Ok(Signed { staff, roles: PhantomData })
}

/// People are led to the sign-in and back to the page they asked for; programs are told.
fn sign_in_first(req: &HttpRequest, site: &Site) -> Error {
    if req.path().starts_with(&site.base().path("/api/")) {
        return Problem::new(&codes::SIGN_IN_REQUIRED).into();
    }
    let sign_in = site.base().path("/dang-nhap");
    let asked = req.uri().path_and_query().map_or("", |p| p.as_str());
    // A form that was posted is not asked for again with GET.
    let back = (*req.method() == Method::GET).then(|| onward::local(site.base(), asked)).flatten();
    let location = match back {
        Some(path) => format!("{sign_in}?tiep={}", onward::escaped(path)),
        None => sign_in,
    };
    SignInFirst(location).into()
}

/// 303 to the sign-in page.
#[derive(Debug)]
struct SignInFirst(String);

impl std::fmt::Display for SignInFirst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(codes::SIGN_IN_REQUIRED.name)
    }
}

impl ResponseError for SignInFirst {
    fn status_code(&self) -> StatusCode {
        StatusCode::SEE_OTHER
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::SeeOther().insert_header((LOCATION, self.0.as_str())).finish()
    }
}

/// A program with a token that carries the scope `S`.
pub struct Machine<S> {
    verified: Verified,
    scope: PhantomData<S>,
}

impl<S: Scope> Machine<S> {
    /// The client's id.
    #[must_use]
    pub fn client(&self) -> &str {
        &self.verified.client
    }

    /// The client, for the trail.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Client(self.verified.client.clone())
    }
}

impl<S: Scope> FromRequest for Machine<S> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move { machine(&req).await })
    }
}

async fn machine<S: Scope>(req: &HttpRequest) -> Result<Machine<S>, Error> {
    let (db, tokens) = (state::<Db>(req)?, state::<Tokens>(req)?);
    let refuse = |code, challenge: String| Err(Refused { problem: Problem::new(code), challenge }.into());
    let Some(token) = bearer(req) else { return refuse(&codes::TOKEN_MISSING, "Bearer".to_owned()) };
    let verified = match tokens.verify(&db, &token, machine_now()).await {
        Ok(verified) => verified,
        Err(TokenError::Db(error)) => return Err(Problem::from(error).into()),
        Err(TokenError::Expired) => return refuse(&codes::TOKEN_EXPIRED, INVALID_TOKEN.to_owned()),
        Err(TokenError::Invalid | TokenError::Signing) => {
            tracing::warn!("access token refused");
            return refuse(&codes::TOKEN_INVALID, INVALID_TOKEN.to_owned());
        }
    };
    if !verified.scopes.has(S::NAME) {
        tracing::warn!(client.id = %verified.client, scope = S::NAME, "scope refused");
        let challenge = format!(r#"Bearer error="insufficient_scope", scope="{}""#, S::NAME);
        return refuse(&codes::SCOPE_MISSING, challenge);
    }
    // A client of some rounds may only ask where the address names one of them.
    let round = req.match_info().get("round");
    if !verified.rounds.is_empty() && !round.is_some_and(|round| verified.rounds.iter().any(|known| known == round)) {
        tracing::warn!(client.id = %verified.client, scope = S::NAME, "round refused");
        return refuse(&codes::ROUND_NOT_GRANTED, r#"Bearer error="insufficient_scope""#.to_owned());
    }
    Ok(Machine { verified, scope: PhantomData })
}

const INVALID_TOKEN: &str = r#"Bearer error="invalid_token""#;

/// The token of `Authorization: Bearer` (RFC 6750, 2.1); tokens in the query or a form are not taken.
fn bearer(req: &HttpRequest) -> Option<Secret> {
    let (scheme, token) = req.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::new(token.trim().to_owned()))
}

/// A problem with the challenge that RFC 6750, 3 asks for.
#[derive(Debug)]
struct Refused {
    problem: Problem,
    challenge: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        self.problem.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.problem.error_response();
        if let Ok(challenge) = HeaderValue::from_str(&self.challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// Either of both: a program if the request carries `Authorization`, staff otherwise.
pub enum Caller<R, S> {
    /// A member of staff.
    Staff(Signed<R>),
    /// A program.
    Machine(Machine<S>),
}

impl<R: RoleSet, S: Scope> Caller<R, S> {
    /// The caller, for the trail.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::Staff(signed) => signed.actor(),
            Self::Machine(machine) => machine.actor(),
        }
    }
}

impl<R: RoleSet, S: Scope> FromRequest for Caller<R, S> {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            if req.headers().contains_key(AUTHORIZATION) {
                machine(&req).await.map(Self::Machine)
            } else {
                signed(&req).await.map(Self::Staff)
            }
        })
    }
}

/// Whoever works at the paper desk: a member of its staff, or a program with the scope `ballots:key`. A program is one
/// clerk, so two programs, or a program and a person, make the two passes; it decides nothing and signs nothing.
pub struct Worker(Staff);

impl Worker {
    /// Who.
    #[must_use]
    pub fn staff(&self) -> &Staff {
        &self.0
    }
}

impl FromRequest for Worker {
    type Error = Error;
    type Future = Extracting<Self>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            if !req.headers().contains_key(AUTHORIZATION) {
                return Ok(Self(signed::<Desk>(&req).await?.staff));
            }
            let client = machine::<BallotsKey>(&req).await?.verified.client;
            let db = state::<Db>(&req)?;
            Ok(Self(staff::of_client(&db, &client).await.map_err(Problem::from)?))
        })
    }
}

#[cfg(test)]
mod tests;
