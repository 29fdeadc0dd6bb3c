//! The frame around every page: title, header, navigation, footer. One visual language for the whole service.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use askama::Template;

use super::assets;
use super::codes;
use super::problem::Problem;
use super::tongue::Tongue;
use crate::config::BaseUrl;

/// What pages need to know about the place they live in.
pub struct Site {
    base: BaseUrl,
    css: String,
}

impl Site {
    /// A site at this public address.
    #[must_use]
    pub fn new(base: BaseUrl) -> Self {
        let css = base.path(&format!("/assets/{}", assets::hashed("phieu.css")));
        Self { base, css }
    }

    /// The public address.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// A page's frame.
    #[must_use]
    pub fn frame(&self, title: &str) -> Frame {
        Frame {
            title: title.to_owned(),
            prefix: self.base.prefix.clone(),
            css: self.css.clone(),
            staff: None,
            script: None,
            inline: None,
            logo: None,
            tongue: None,
        }
    }

    /// Whether `origin` is this site: the public one, or the host that was asked.
    #[must_use]
    pub fn is_own_origin(&self, origin: &str, host: Option<&str>) -> bool {
        origin == self.base.origin || origin.split_once("://").is_some_and(|(_, o)| Some(o) == host)
    }
}

/// The frame of one page, for the templates.
pub struct Frame {
    /// Title of the page, before the service's name.
    pub title: String,
    /// Path prefix of every link.
    pub prefix: String,
    /// Path of the style sheet.
    pub css: String,
    /// Who is signed in, for the header; respondents never are.
    pub staff: Option<StaffBar>,
    /// Path of the page's own script, if it has one.
    pub script: Option<String>,
    /// A script that stands in the page itself.
    pub inline: Option<&'static str>,
    /// Address of the organiser's logo, if the page shows one.
    pub logo: Option<String>,
    /// The languages of the page, if it is offered in more than Vietnamese.
    pub tongue: Option<Tongue>,
}

/// The signed-in member of staff, as the header shows it.
pub struct StaffBar {
    /// Sign-in name.
    pub name: String,
    /// The role's name in Vietnamese.
    pub role: &'static str,
    /// Links to the pages this role may open: path (without prefix) and words.
    pub links: Vec<(&'static str, &'static str)>,
    /// Whether they lead or audit the paper desk.
    pub oversees: bool,
}

impl Frame {
    /// With a module of `assets/`, which only adds to what the page does without it.
    #[must_use]
    pub fn with_script(mut self, name: &str) -> Self {
        self.script = Some(format!("{}/assets/{}", self.prefix, assets::hashed(name)));
        self
    }

    /// With a module of `assets/` that stands in the page itself ([`assets::inline`]).
    #[must_use]
    pub fn with_inline(mut self, name: &str) -> Self {
        self.inline = assets::inline(name);
        self
    }

    /// With the organiser's logo in the header.
    #[must_use]
    pub fn with_logo(mut self, source: Option<String>) -> Self {
        self.logo = source;
        self
    }

    /// With the signed-in member of staff in the header.
    #[must_use]
    pub fn with_staff(mut self, staff: StaffBar) -> Self {
        self.staff = Some(staff);
        self
    }
}

/// A refusal, as a page.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The frame.
    pub frame: Frame,
    /// What to tell.
    pub title: &'static str,
    /// The stable name, for whoever is asked for help.
    pub code: &'static str,
}

/// A template as an answer.
pub fn render(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status).insert_header((CONTENT_TYPE, "text/html; charset=utf-8")).body(html),
        Err(error) => {
            tracing::error!(%error, "template failed");
            HttpResponse::from_error(Problem::new(&codes::INTERNAL))
        }
    }
}

/// A template as a 200.
pub fn page(page: &impl Template) -> HttpResponse {
    render(StatusCode::OK, page)
}

/// 303 to `path` (with prefix), after a POST.
#[must_use]
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, path)).finish()
}
