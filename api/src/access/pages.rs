//! Sign in and out.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::extract::{carried, cookie, no_cookie};
use super::{Passwords, Secret, SignInName, onward, rest, session, staff};
use crate::clock::Entropy;
use crate::db::Db;
use crate::http::frame::{Frame, Site, page, render, see_other};
use crate::http::{Limits, Problem, codes};

/// The routes of this room that people open, and the keys at the place where RFC 8615 puts such things.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.configure(super::temporary::pages::pages)
        .service(web::resource("/dang-nhap").get(form).post(sign_in))
        .service(web::resource("/dang-xuat").post(sign_out))
        .service(web::resource("/.well-known/jwks.json").get(keys));
}

#[derive(Template)]
#[template(path = "access/sign_in.html")]
struct SignInPage<'p> {
    frame: Frame,
    fault: Option<&'static str>,
    name: &'p str,
    onward: &'p str,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    tiep: String,
}

/// What the form sends. No `Debug`: it carries a password.
#[derive(Deserialize, Validate)]
struct SignInForm {
    #[validate(length(max = 200))]
    name: String,
    #[validate(length(max = 1024))]
    password: String,
    #[serde(default)]
    #[validate(length(max = 4096))]
    tiep: String,
}

async fn form(site: web::Data<Site>, asked: web::Query<Asked>) -> HttpResponse {
    let onward = onward::local(site.base(), &asked.tiep).unwrap_or_default();
    page(&SignInPage { frame: site.frame("Đăng nhập"), fault: None, name: "", onward })
}

async fn sign_in(
    req: HttpRequest,
    db: web::Data<Db>,
    site: web::Data<Site>,
    limits: web::Data<Limits>,
    passwords: web::Data<Passwords>,
    entropy: web::Data<Entropy>,
    form: web::Form<SignInForm>,
) -> Result<HttpResponse, Problem> {
    let SignInForm { name, password, tiep } = {
        form.validate()?;
        form.into_inner()
    };
    let password = Secret::new(password);
    // One allowance however the name is spelled; names that cannot exist share one.
    let counted = SignInName::parse(&name);
    limits.sign_in(limits.origin(&req), counted.as_ref().map_or("", SignInName::as_str))?;

    let onward = onward::local(site.base(), &tiep);
    match staff::sign_in(&db, &passwords, &entropy, &name, &password, carried(&req)).await? {
        Some((staff, session)) => {
            let first = site.base().path(staff.role.first_page());
            let mut response = see_other(onward.unwrap_or(&first));
            set_cookie(&mut response, &cookie(site.base(), &session))?;
            Ok(response)
        }
        None => {
            let frame = site.frame("Lỗi: Đăng nhập");
            let fault = Some(codes::SIGN_IN_FAILED.title);
            let page = SignInPage { frame, fault, name: &name, onward: onward.unwrap_or_default() };
            let mut response = render(StatusCode::UNAUTHORIZED, &page);
            // RFC 9110 wants a challenge with every 401; browsers ask nobody for this one.
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            Ok(response)
        }
    }
}

async fn sign_out(req: HttpRequest, db: web::Data<Db>, site: web::Data<Site>) -> Result<HttpResponse, Problem> {
    if let Some(cookie) = carried(&req) {
        session::sign_out(&db, cookie).await?;
    }
    let mut response = see_other(&site.base().path("/dang-nhap"));
    set_cookie(&mut response, &no_cookie(site.base()))?;
    Ok(response)
}

fn set_cookie(response: &mut HttpResponse, cookie: &actix_web::cookie::Cookie<'_>) -> Result<(), Problem> {
    response.add_cookie(cookie).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(())
}

async fn keys(db: web::Data<Db>, tokens: web::Data<super::Tokens>) -> Result<HttpResponse, Problem> {
    rest::key_set(&db, &tokens).await
}

#[cfg(test)]
mod tests;
