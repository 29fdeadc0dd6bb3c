//! The site as one reader sees it: in the language they chose, among those that the rounds offer.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::web::{Data, Form};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Deserialize;
use survey_forms::Round;

use super::super::{Booth, english};
use super::again::{self, Note};
use super::{SCRIPT, current_rounds, logo, request, set_cookie};
use crate::http::frame::{Frame, Site, see_other};
use crate::http::tongue::Tongue;
use crate::http::{Problem, codes};
use crate::round::LoadedRound;

const NAME: &str = "phieu_lang";
/// Longest language tag.
const TAG_MAX: usize = 35;

/// The site, and the language that somebody chose.
pub(super) struct Here {
    site: Data<Site>,
    chosen: Option<String>,
    /// A browser goes there because a person did something, not its page's script.
    pub(super) navigating: bool,
    /// This browser carries a code.
    pub(super) carries: bool,
    /// What the next page is to tell.
    pub(super) note: Option<Note>,
}

impl Deref for Here {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl FromRequest for Here {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let chosen = req.cookie(NAME).map(|cookie| cookie.value().to_owned()).filter(|tag| is_tag(tag));
        let site = req.app_data::<Data<Site>>().cloned();
        let missing = || Problem::internal(&"the room was mounted without its site");
        let navigating = req.headers().get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
        let carries = req.cookie(request::NAME).is_some();
        let note = req.cookie(again::NAME).and_then(|cookie| Note::read(cookie.value()));
        ready(site.map(|site| Self { site, chosen, navigating, carries, note }).ok_or_else(missing))
    }
}

fn is_tag(text: &str) -> bool {
    (2..=TAG_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

impl Here {
    /// The languages of these rounds; `None` when there is only Vietnamese. `path`: the page itself.
    pub(super) fn tongue<'r>(&self, rounds: impl IntoIterator<Item = &'r Arc<Round>>, path: &str) -> Option<Tongue> {
        let rounds: Vec<Arc<Round>> = rounds.into_iter().filter(|r| !r.languages.is_empty()).cloned().collect();
        let mut offered: Vec<(String, String)> = Vec::new();
        for language in rounds.iter().flat_map(|round| &round.languages) {
            if offered.iter().all(|(code, _)| *code != language.code) {
                offered.push((language.code.clone(), language.name.clone()));
            }
        }
        if offered.is_empty() {
            return None;
        }
        offered.insert(0, ("vi".to_owned(), "Tiếng Việt".to_owned()));
        let chosen = self.chosen.clone().filter(|tag| offered.iter().any(|(code, _)| code == tag));
        let code = chosen.unwrap_or_else(|| "vi".to_owned());
        Some(Tongue { code, offered, path: path.to_owned(), rounds, own: english::find })
    }

    /// The frame of a page of one round: its languages, its script, its logo.
    pub(super) fn page(&self, title: &str, path: &str, script: bool, round: &LoadedRound) -> Frame {
        let frame = self.frame(title).in_tongue(self.tongue([&round.definition], path));
        logo::on(if script { frame.with_inline(SCRIPT) } else { frame }, round)
    }

    /// The frame of a page of no round in particular. Without a chosen language nothing is asked of the database.
    pub(super) async fn plain(&self, booth: &Booth, title: &str, path: &str) -> Frame {
        let frame = self.frame(title);
        if self.chosen.is_none() {
            return frame;
        }
        match current_rounds(booth).await {
            Ok(current) => frame.in_tongue(self.tongue(&current.definitions, path)),
            Err(_) => frame,
        }
    }

    /// Makes the browser remember the language for as long as it is open.
    pub(super) fn remember(&self, response: &mut HttpResponse, tag: &str) -> Result<(), Problem> {
        if !is_tag(tag) {
            return Err(Problem::new(&codes::FIELDS_INVALID));
        }
        let base = self.base();
        let path = if base.prefix.is_empty() { "/".to_owned() } else { base.prefix.clone() };
        let cookie = Cookie::build(NAME, tag.to_owned()).path(path).http_only(true).same_site(SameSite::Strict);
        let mut cookie = cookie.secure(base.is_https()).finish();
        if tag == "vi" {
            cookie.set_max_age(Duration::ZERO);
        }
        set_cookie(response, cookie);
        Ok(())
    }
}

/// A language, and the page to come back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    ngu: String,
    ve: String,
}

/// Pages that offer languages.
const PAGES: [&str; 8] = ["/", "/p", "/p/xem-lai", "/p/xong", "/thoat", "/huong-dan", "/tro-nang", "/rieng-tu"];

/// `POST /ngon-ngu`.
pub(super) async fn choose(here: Here, form: Form<Choice>) -> Result<HttpResponse, Problem> {
    let back = PAGES.iter().find(|path| **path == form.ve).ok_or(Problem::new(&codes::FIELDS_INVALID))?;
    let mut response = see_other(&here.base().path(back));
    here.remember(&mut response, &form.ngu)?;
    Ok(response)
}
