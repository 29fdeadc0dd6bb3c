//! A form that cannot be taken is answered with the address of a page that says why (post/redirect/get), so that neither
//! Back nor Reload asks somebody whether to send a form again. What was typed goes to that page in a cookie that the page
//! takes away. A browser says that it is a person who goes there (Fetch Metadata, `Sec-Fetch-Mode: navigate`); the page's
//! script and other programs, and whatever does not fit into a cookie, get the page itself with its status.

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::{HttpResponse, ResponseError as _};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::super::Booth;
use super::super::place::Address;
use super::super::sent::Sent;
use super::super::views::RoundView;
use super::here::Here;
use super::{Stop, entry, of_another, set_cookie, stopped};
use crate::ballot::Token;
use crate::config::BaseUrl;
use crate::http::frame::{ErrorPage, render, see_other};
use crate::http::{Problem, codes};

pub(super) const NAME: &str = "phieu_loi";
/// Browsers keep 4,096 bytes of a cookie with its name and attributes.
const LONGEST: usize = 3_600;
/// The page follows at once; a browser that never asks for it forgets.
const SECONDS: i64 = 120;

/// Why a form was not taken.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Why {
    /// What was typed cannot be a code.
    Mistyped,
    /// No round knows the code.
    Unknown,
    /// Too many codes that no round knows.
    Many,
    /// The device had forgotten the code.
    NoCode,
    /// Some answers do not fit.
    Faulty,
    /// The ballot lacks answers.
    Wanting,
    /// The page belongs to another code.
    Other,
    /// This code, of this round, cannot answer.
    Stopped(String, Stop),
}

/// What the next page tells. It has no `Debug`: there are answers in it.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    /// The page, with the site's prefix.
    at: String,
    why: Why,
    fields: Vec<(String, String)>,
}

impl Note {
    pub(super) fn read(value: &str) -> Option<Self> {
        serde_json::from_slice(&BASE64URL_NOPAD.decode(value.as_bytes()).ok()?).ok()
    }

    /// As a cookie, if it fits into one.
    fn cookie(&self, base: &BaseUrl) -> Option<Cookie<'static>> {
        let value = BASE64URL_NOPAD.encode(&serde_json::to_vec(self).ok()?);
        let mut cookie = cookie(base, value);
        cookie.set_max_age(Duration::seconds(SECONDS));
        (cookie.value().len() <= LONGEST).then_some(cookie)
    }

    /// What was sent.
    pub(super) fn sent(&self) -> Option<Sent> {
        Sent::read(self.fields.clone()).ok()
    }
}

fn cookie(base: &BaseUrl, value: String) -> Cookie<'static> {
    let path = if base.prefix.is_empty() { "/".to_owned() } else { base.prefix.clone() };
    Cookie::build(NAME, value).path(path).http_only(true).same_site(SameSite::Strict).secure(base.is_https()).finish()
}

impl Here {
    /// Sends a person on to the page at `at` that tells why; `None` when it is to be told in this answer.
    pub(super) fn again(&self, at: &str, why: Why, sent: &Sent) -> Option<HttpResponse> {
        if !self.navigating {
            return None;
        }
        // A code that is one is not written down.
        let faulty = matches!(why, Why::Mistyped | Why::Unknown);
        let typed = sent.code.iter().filter(|_| faulty).map(|code| ("ma".to_owned(), code.clone()));
        let note = Note { at: at.to_owned(), why, fields: typed.chain(sent.carried()).collect() };
        let cookie = note.cookie(self.base())?;
        let mut response = see_other(at);
        set_cookie(&mut response, cookie);
        Some(response)
    }

    fn note(&self, at: &str) -> Option<&Note> {
        self.note.as_ref().filter(|note| note.at == at)
    }

    /// Whether it has to tell this.
    pub(super) fn tells(&self, at: &str, why: &Why) -> Option<&Note> {
        self.note(at).filter(|note| note.why == *why)
    }

    /// Told.
    pub(super) fn told(&self, mut response: HttpResponse) -> HttpResponse {
        let mut gone = cookie(self.base(), String::new());
        gone.set_max_age(Duration::ZERO);
        set_cookie(&mut response, gone);
        response
    }
}

/// The page for a form that could not be taken, whoever holds this device's code; `None` when there is nothing to tell,
/// or nothing without the code.
pub(super) async fn page(
    booth: &Booth,
    site: &Here,
    address: &Address,
    at: &str,
) -> Result<Option<HttpResponse>, Problem> {
    let Some(note) = site.note(at) else { return Ok(None) };
    let Some(sent) = note.sent() else { return Ok(None) };
    let shown = match &note.why {
        Why::Mistyped => match Token::parse_any(sent.code.as_deref().unwrap_or_default()) {
            Err(fault) => entry::mistyped(booth, site, address, &sent, fault).await,
            Ok(_) => return Ok(None),
        },
        Why::Unknown => entry::unknown(booth, site, address, &sent).await,
        Why::Many => {
            let (code, frame) = (&codes::TOO_MANY_REQUESTS, site.frame("Không thực hiện được"));
            let shown = ErrorPage { frame, title: code.title, code: code.name };
            render(Problem::new(code).status_code(), &shown)
        }
        Why::NoCode => entry::ask_again(booth, site, address, &sent).await,
        Why::Other => of_another(booth, site, site.carries).await,
        Why::Stopped(round, stop) => {
            let (rounds, now) = booth.rounds().await?;
            let Some(round) = rounds.iter().find(|loaded| loaded.id() == round) else { return Ok(None) };
            stopped(site, round, RoundView::new(round, now), *stop, false)
        }
        Why::Faulty | Why::Wanting => return Ok(None),
    };
    Ok(Some(site.told(shown)))
}

/// Sends on, or tells here.
pub(super) async fn or(onward: Option<HttpResponse>, here: impl Future<Output = HttpResponse>) -> HttpResponse {
    match onward {
        Some(response) => response,
        None => here.await,
    }
}

/// Too many unknown codes from here, told by a page; any other error as it is.
pub(super) fn refused(site: &Here, at: &str, problem: Problem) -> Result<HttpResponse, Problem> {
    let many = problem.code() == &codes::TOO_MANY_REQUESTS;
    many.then(|| site.again(at, Why::Many, &Sent::empty())).flatten().ok_or(problem)
}
