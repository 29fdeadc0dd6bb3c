//! What handlers take from a request: the room's tools, and the code between two requests, in a session cookie that
//! scripts cannot read and other sites cannot send.

use std::future::{Ready, ready};

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::super::Booth;
use crate::ballot::{Casting, Token};
use crate::config::BaseUrl;
use crate::db::Db;
use crate::http::Problem;
use crate::round::Rounds;

pub(super) const NAME: &str = "phieu_code";

/// How long the browser keeps the code when nothing is pressed and no page opened.
pub(in crate::respond) const SESSION_MINUTES: i64 = 60;
/// How long before that the page's script warns.
pub(in crate::respond) const WARNING_MINUTES: i64 = 5;

/// The code that came with the request, if one that can be a code did.
pub(super) struct Carried(pub(super) Option<Token>);

impl FromRequest for Carried {
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(req.cookie(NAME).and_then(|cookie| Token::parse(cookie.value()).ok()))))
    }
}

fn cookie(base: &BaseUrl, value: String) -> Cookie<'static> {
    let path = if base.prefix.is_empty() { "/".to_owned() } else { base.prefix.clone() };
    Cookie::build(NAME, value).path(path).http_only(true).same_site(SameSite::Strict).secure(base.is_https()).finish()
}

/// Lets the browser carry the code for the time of a session, from now.
pub(super) fn carry(base: &BaseUrl, token: &Token) -> Cookie<'static> {
    let mut cookie = cookie(base, token.expose().replace('-', ""));
    cookie.set_max_age(Duration::minutes(SESSION_MINUTES));
    cookie
}

/// Makes the browser forget the code.
pub(super) fn forget(base: &BaseUrl) -> Cookie<'static> {
    let mut cookie = cookie(base, String::new());
    cookie.set_max_age(Duration::ZERO);
    cookie
}

impl FromRequest for Booth {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let given = || {
            Some(Self {
                db: Db::clone(req.app_data::<Data<Db>>()?),
                rounds: Rounds::clone(req.app_data::<Data<Rounds>>()?),
                casting: Casting::clone(req.app_data::<Data<Casting>>()?),
            })
        };
        ready(given().ok_or_else(|| Problem::internal(&"the room was mounted without its data")))
    }
}
