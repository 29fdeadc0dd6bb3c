//! `/dang-nhap/tam`: a temporary clerk asks for their digits and comes in. `/nhap-phieu/nguoi-tam`: a supervisor confirms
//! them, sees who is there today, and ends their access.

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderValue};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;
use validator::Validate;

use super::{Temporary, Waiting};
use crate::access::extract::cookie as session_cookie;
use crate::access::{AccessError, Leading, Passwords, Secret, SignInName, Signed};
use crate::clock::{Entropy, local};
use crate::config::BaseUrl;
use crate::db::Db;
use crate::http::frame::{Frame, Site, render, see_other};
use crate::http::{Limits, Problem};

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(ASK).get(waiting).post(ask))
        .service(web::resource("/dang-nhap/tam/vao").get(to_ask).post(enter))
        .service(web::resource(CONFIRM).get(list).post(confirm))
        .service(web::resource("/nhap-phieu/nguoi-tam/ket-thuc").post(end));
}

const ASK: &str = "/dang-nhap/tam";
const CONFIRM: &str = "/nhap-phieu/nguoi-tam";
/// Holds what makes a browser the one that asked.
const COOKIE: &str = "phieu_tam";

#[derive(Template)]
#[template(path = "access/temporary_ask.html")]
struct AskPage {
    frame: Frame,
    /// In two groups of three.
    short: Option<String>,
    over: bool,
    /// Asked to come in before anybody confirmed.
    early: bool,
}

#[derive(Template)]
#[template(path = "access/temporary.html")]
struct ConfirmPage {
    frame: Frame,
    clerks: Vec<(Temporary, String)>,
    offices: Vec<(String, String)>,
    sent: Sent,
    said: Option<String>,
    fault: Option<String>,
}

fn cookie(base: &BaseUrl, value: &Secret) -> Cookie<'static> {
    Cookie::build(COOKIE, value.reveal().to_owned())
        .path(base.path(ASK))
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(base.is_https())
        .finish()
}

fn ask_page(site: &Site, short: Option<&str>, over: bool, early: bool) -> HttpResponse {
    let grouped = short.map(|digits| digits.split_at_checked(3).map_or(digits.to_owned(), |(a, b)| format!("{a} {b}")));
    let frame = site.frame("Vào làm trong ngày");
    let mut response = render(StatusCode::OK, &AskPage { frame, short: grouped, over, early });
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn held(req: &HttpRequest) -> Option<Secret> {
    req.cookie(COOKIE).map(|c| Secret::new(c.value().to_owned()))
}

/// The browser's digits, if it has asked.
async fn waiting(req: HttpRequest, site: Data<Site>, db: Data<Db>) -> Result<HttpResponse, Problem> {
    let Some(held) = held(&req) else { return Ok(ask_page(&site, None, false, false)) };
    let clock = Db::clone(&db);
    let digits = db
        .read(move |conn| {
            let at = clock.now(conn)?;
            super::digits(conn, at, &held)
        })
        .await?;
    Ok(ask_page(&site, digits.as_deref(), digits.is_none(), false))
}

async fn to_ask(site: Data<Site>) -> HttpResponse {
    see_other(&site.base().path(ASK))
}

/// Comes in, if a supervisor has confirmed the digits.
async fn enter(
    req: HttpRequest,
    site: Data<Site>,
    db: Data<Db>,
    entropy: Data<Entropy>,
) -> Result<HttpResponse, Problem> {
    let Some(held) = held(&req) else { return Ok(ask_page(&site, None, false, false)) };
    let (clock, entropy) = (Db::clone(&db), Entropy::clone(&entropy));
    let found = db
        .write(move |conn| {
            let at = clock.now(conn)?;
            super::enter(conn, at, &entropy, &held)
        })
        .await?;
    match found {
        Waiting::For(short) => Ok(ask_page(&site, Some(&short), false, true)),
        Waiting::Over => Ok(ask_page(&site, None, true, false)),
        Waiting::In(staff, session) => {
            let mut response = see_other(&site.base().path(staff.role.first_page()));
            let cookie = session_cookie(site.base(), &Secret::new(session.into()));
            response.add_cookie(&cookie).map_err(|error| Problem::internal(&error))?;
            Ok(response)
        }
    }
}

async fn ask(
    req: HttpRequest,
    site: Data<Site>,
    db: Data<Db>,
    entropy: Data<Entropy>,
    limits: Data<Limits>,
) -> Result<HttpResponse, Problem> {
    limits.sign_in(limits.origin(&req), COOKIE)?;
    let (clock, entropy) = (Db::clone(&db), Entropy::clone(&entropy));
    let asked = db
        .write(move |conn| {
            let at = clock.now(conn)?;
            super::ask(conn, at, &entropy)
        })
        .await?;
    let mut response = see_other(&site.base().path(ASK));
    response.add_cookie(&cookie(site.base(), &asked.cookie)).map_err(|error| Problem::internal(&error))?;
    Ok(response)
}

/// What the supervisor's form sends.
#[derive(Deserialize, Validate, Default)]
#[serde(default)]
struct Sent {
    #[validate(length(max = 40))]
    short: String,
    #[validate(length(max = 80))]
    name: String,
    #[validate(length(max = 40))]
    office: String,
}

async fn confirm_page(
    site: &Site,
    db: &Db,
    signed: &Signed<Leading>,
    sent: Sent,
    said: Option<String>,
    fault: Option<(StatusCode, String)>,
) -> Result<HttpResponse, Problem> {
    let clock = db.clone();
    let (clerks, offices) = db
        .read(move |conn| {
            let at = clock.now(conn)?;
            Ok::<_, AccessError>((super::list(conn, at)?, crate::access::store::offices(conn)?))
        })
        .await?;
    let (status, fault) = match fault {
        Some((status, words)) => (status, Some(words)),
        None => (StatusCode::OK, None),
    };
    let lead = if fault.is_some() { "Lỗi: " } else { "" };
    let clerks = clerks.into_iter().map(|one| {
        let until = local(one.ends_at).format("%H:%M ngày %d/%m/%Y").to_string();
        (one, until)
    });
    let frame = site.frame(&format!("{lead}Người nhập trong ngày")).with_staff(signed.bar());
    Ok(render(status, &ConfirmPage { frame, clerks: clerks.collect(), offices, sent, said, fault }))
}

async fn list(site: Data<Site>, db: Data<Db>, signed: Signed<Leading>) -> Result<HttpResponse, Problem> {
    confirm_page(&site, &db, &signed, Sent::default(), None, None).await
}

type ConfirmTools = (Data<Site>, Data<Db>, Data<Passwords>, Data<Entropy>, Data<Limits>);

async fn confirm(
    req: HttpRequest,
    tools: ConfirmTools,
    signed: Signed<Leading>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let (site, db, passwords, entropy, limits) = tools;
    form.validate()?;
    let sent = form.into_inner();
    limits.sign_in(limits.origin(&req), &signed.staff().id)?;
    let office = Some(sent.office.as_str()).filter(|office| !office.is_empty());
    let asked = (sent.short.as_str(), sent.name.as_str(), office);
    let words = match super::confirm(&db, &passwords, &entropy, signed.staff(), asked).await {
        Ok(clerk) => {
            let said = format!("Đã xác nhận {}. Người ấy bấm “Vào làm việc” trên máy của mình.", clerk.name);
            return confirm_page(&site, &db, &signed, Sent::default(), Some(said), None).await;
        }
        Err(AccessError::PassUnknown) => "Không có ai đang chờ với mã này. Mã chỉ dùng được 15 phút; xin hỏi lại.",
        Err(AccessError::NameTaken) => "Tên này đã có người dùng, kể cả trước đây. Xin đặt tên khác.",
        Err(AccessError::NameInvalid) => {
            "Tên gồm 2 đến 40 ký tự a-z, 0-9, dấu chấm hoặc gạch nối, bắt đầu bằng chữ, không dấu."
        }
        Err(AccessError::OfficeUnknown) => "Không có bưu điện này.",
        Err(error) => return Err(error.into()),
    };
    let fault = Some((StatusCode::UNPROCESSABLE_ENTITY, words.to_owned()));
    confirm_page(&site, &db, &signed, sent, None, fault).await
}

async fn end(
    site: Data<Site>,
    db: Data<Db>,
    signed: Signed<Leading>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let name = SignInName::parse(&form.name)?;
    let (clock, by) = (Db::clone(&db), signed.actor());
    db.write(move |conn| {
        let at = clock.now(conn)?;
        super::end(conn, at, &by, &name)
    })
    .await?;
    Ok(see_other(&site.base().path(CONFIRM)))
}
