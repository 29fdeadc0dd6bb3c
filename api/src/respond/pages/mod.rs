//! The respondents' pages. Each works without JavaScript; a GET changes nothing; the code travels in a cookie and the
//! answers in forms, never in an address.

mod again;
mod answer;
mod challenge;
mod entry;
mod here;
mod logo;
mod request;
mod review;

use std::sync::Arc;

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::web;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use survey_forms::Round;

use self::again::Why;
use self::here::Here;
use self::request::{Carried, carry, forget};
pub(super) use self::request::{SESSION_MINUTES, WARNING_MINUTES};
use super::kept::{Declared, PrivacyPage};
use super::place::Address;
use super::sent::Sent;
use super::views::{AccessibilityPage, HelpPage, LeftPage, OtherPage, RoundView, StopPage};
use super::{Booth, RespondError, Standing, Visit};
use crate::ballot::Token;
use crate::http::frame::{Frame, Site, page, render, see_other};
use crate::http::{Limits, Problem, codes};
use crate::round::{LoadedRound, RoundState};

/// Mounts the pages under the site's prefix.
pub fn pages(cfg: &mut web::ServiceConfig) {
    let only = |methods: &'static str| {
        web::to(move || async move { Err::<HttpResponse, _>(Problem::new(&codes::METHOD_NOT_ALLOWED).allow(methods)) })
    };
    let (read, write, both) = (|| only("GET, HEAD"), || only("POST"), || only("GET, HEAD, POST"));
    cfg.configure(super::preview::pages);
    cfg.service(web::resource(["", "/"]).get(entry::show).post(entry::enter).default_service(both()))
        .service(web::resource("/p").get(answer::show).post(answer::save).default_service(both()))
        .service(web::resource("/p/xem-lai").get(review::show).post(review::cast).default_service(both()))
        .service(web::resource("/p/thu").get(challenge::show).post(challenge::commit).default_service(both()))
        .service(web::resource("/p/thu/gui").post(challenge::cast).default_service(write()))
        .service(web::resource("/p/thu/mo").post(challenge::open).default_service(write()))
        .service(web::resource("/p/giu").post(stay).default_service(write()))
        .service(web::resource("/p/xong").get(review::receipt).default_service(read()))
        .service(web::resource("/ngon-ngu").post(here::choose).default_service(write()))
        .service(web::resource("/thoat").get(left).post(leave).default_service(both()))
        .service(web::resource("/huong-dan").get(help).default_service(read()))
        .service(web::resource("/dau-hieu/{file}").get(logo::serve).default_service(read()))
        .service(web::resource("/tro-nang").get(accessibility).default_service(read()))
        .service(web::resource("/rieng-tu").get(privacy).default_service(read()));
}

/// The one script of the respondents' pages.
const SCRIPT: &str = "respond.js";

/// The address of `/p` itself.
const HERE: Address = Address { dt: None, phan: None };

/// `POST /p/giu`: the session goes on.
async fn stay(booth: Booth, carried: Carried, site: Here) -> HttpResponse {
    match carried.0 {
        Some(token) => renewed(see_other(&site.base().path("/p")), &site, &token),
        None => entry::ask_again(&booth, &site, &HERE, &Sent::empty()).await,
    }
}

/// With the session's time begun anew. An answer that the page's script sends does not: one still on its way must not
/// bring back the code that somebody has just made a shared computer forget.
fn renewed(mut response: HttpResponse, site: &Site, token: &Token) -> HttpResponse {
    set_cookie(&mut response, carry(site.base(), token));
    response
}

/// `POST /thoat`: the browser forgets the code.
async fn leave(site: Here) -> HttpResponse {
    gone(&site)
}

fn gone(site: &Site) -> HttpResponse {
    let mut response = see_other(&site.base().path("/thoat"));
    set_cookie(&mut response, forget(site.base()));
    response
}

/// A page that another code opened was sent: nothing is kept, and whoever sent it is told how to go on.
async fn of_another(booth: &Booth, site: &Here, carried: bool) -> HttpResponse {
    let frame = site.plain(booth, "Trang này thuộc về một mã phiếu khác", "/").await;
    render(StatusCode::CONFLICT, &OtherPage { frame, carried })
}

/// `GET /thoat`: says that it is forgotten.
async fn left(booth: Booth, site: Here) -> HttpResponse {
    page(&LeftPage { frame: site.plain(&booth, "Đã thoát", "/thoat").await })
}

/// `GET /huong-dan`.
async fn help(booth: Booth, site: Here) -> Result<HttpResponse, Problem> {
    let current = current_rounds(&booth).await?;
    Ok(page(&HelpPage {
        frame: current.frame(&site, site.frame("Hướng dẫn"), "/huong-dan"), rounds: current.views
    }))
}

/// `GET /tro-nang`.
async fn accessibility(booth: Booth, site: Here) -> Result<HttpResponse, Problem> {
    let current = current_rounds(&booth).await?;
    Ok(page(&AccessibilityPage {
        frame: current.frame(&site, site.frame("Trợ năng"), "/tro-nang"),
        rounds: current.views,
    }))
}

/// `GET /rieng-tu`.
async fn privacy(booth: Booth, site: Here) -> Result<HttpResponse, Problem> {
    let current = current_rounds(&booth).await?;
    let frame = current.frame(&site, site.frame("Chúng tôi lưu gì về ông/bà"), "/rieng-tu");
    Ok(page(&PrivacyPage { frame, rounds: current.views, declared: current.declared }))
}

/// The rounds that respondents may have a code for.
struct Current {
    views: Vec<RoundView>,
    /// What each declares about its respondents' data.
    declared: Vec<Declared>,
    /// The round, when there is one.
    only: Option<Arc<LoadedRound>>,
    definitions: Vec<Arc<Round>>,
}

impl Current {
    /// With the languages of the rounds, and the logo, when it is clear whose.
    fn frame(&self, site: &Here, frame: Frame, path: &str) -> Frame {
        let frame = frame.in_tongue(site.tongue(&self.definitions, path));
        match &self.only {
            Some(round) => logo::on(frame, round),
            None => frame,
        }
    }
}

async fn current_rounds(booth: &Booth) -> Result<Current, RespondError> {
    let (rounds, now) = booth.rounds().await?;
    let current: Vec<_> = rounds.iter().filter(|r| matches!(r.state, RoundState::Loaded | RoundState::Open)).collect();
    let declared = current.iter().map(|r| Declared::of(&r.definition)).collect();
    let only = if let [one] = current.as_slice() { Some(Arc::clone(one)) } else { None };
    let definitions = current.iter().map(|r| Arc::clone(&r.definition)).collect();
    Ok(Current { definitions, views: current.into_iter().map(|r| RoundView::new(r, now)).collect(), declared, only })
}

/// A code that no round knows costs its origin a bit of its allowance; codes that exist cost nothing.
fn count_unknown(error: &RespondError, limits: &Limits, req: &HttpRequest) -> Result<(), Problem> {
    match error {
        RespondError::CodeUnknown => limits.unknown_code(limits.origin(req)),
        _ => Ok(()),
    }
}

fn set_cookie(response: &mut HttpResponse, cookie: Cookie<'_>) {
    // Name and value are of our own alphabet; the error, were there one, is not printed: it may hold the value.
    if response.add_cookie(&cookie).is_err() {
        tracing::error!("cookie not set");
    }
}

/// Why a code cannot answer now.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Stop {
    Revoked,
    Paper,
    NotYet,
    /// Closed, with a draft that was not sent.
    OverDrafted,
    Over,
}

impl Stop {
    fn of(visit: &Visit) -> Option<Self> {
        match visit.standing() {
            Standing::Answering | Standing::Cast(_) => None,
            Standing::Revoked => Some(Self::Revoked),
            Standing::Paper => Some(Self::Paper),
            Standing::NotYet => Some(Self::NotYet),
            Standing::Over if visit.drafted => Some(Self::OverDrafted),
            Standing::Over => Some(Self::Over),
        }
    }
}

/// The page for whoever cannot answer now, or the receipt; `None` when answering goes on.
fn instead(site: &Here, visit: &Visit, carried: bool) -> Option<HttpResponse> {
    let round = &visit.bearer.round;
    match Stop::of(visit) {
        Some(stop) => Some(stopped(site, round, RoundView::new(round, visit.now), stop, carried)),
        None if matches!(visit.standing(), Standing::Cast(_)) => Some(see_other(&site.base().path("/p/xong"))),
        None => None,
    }
}

/// The answer to a form of somebody who cannot answer now: a person is sent on to the page that says so.
fn instead_of_form(site: &Here, visit: &Visit, carried: bool, at: &str) -> Option<HttpResponse> {
    let response = instead(site, visit, carried)?;
    let onward = match Stop::of(visit) {
        // With the code in hand, any page of the form says it.
        Some(_) if carried && site.navigating => Some(see_other(&site.base().path("/p"))),
        Some(stop) if !carried => {
            site.again(at, Why::Stopped(visit.bearer.round.id().to_owned(), stop), &Sent::empty())
        }
        _ => None,
    };
    Some(onward.unwrap_or(response))
}

fn stopped(site: &Here, loaded: &LoadedRound, round: RoundView, stop: Stop, carried: bool) -> HttpResponse {
    let (status, title, said, dates): (_, _, &'static [&'static str], _) = match stop {
        Stop::Revoked => (
            StatusCode::GONE,
            "Mã phiếu này đã được thay",
            &[
                "Mã phiếu này đã bị thu hồi nên không dùng được nữa.",
                "Nếu ông/bà đã nhận mã mới, xin nhập mã mới. Nếu chưa, xin hỏi cơ quan tổ chức theo địa chỉ bên dưới.",
                "Những câu đã lưu dưới mã cũ (nếu có) không chuyển sang mã mới được, vì máy chủ không đọc được chúng.",
            ],
            false,
        ),
        Stop::Paper => (
            StatusCode::CONFLICT,
            "Đây là mã của phiếu giấy",
            &[
                "Mã này in trên một phiếu giấy. Xin ông/bà trả lời trên chính phiếu giấy đó và gửi lại như ghi trên phiếu.",
                "Phiếu giấy được nhập vào cùng một hòm niêm phong như phiếu trực tuyến.",
            ],
            false,
        ),
        Stop::NotYet => (
            StatusCode::CONFLICT,
            "Chưa đến ngày nhận phiếu",
            &["Mã phiếu của ông/bà đúng và vẫn còn hiệu lực. Xin giữ giấy mời và quay lại khi đợt điều tra mở."],
            true,
        ),
        Stop::OverDrafted => (
            StatusCode::CONFLICT,
            "Đã hết hạn nhận phiếu",
            &[
                "Phiếu nháp của ông/bà chưa được gửi trước giờ đóng, nên không vào hòm phiếu và không được tính.",
                "Không ai đọc được phiếu nháp: nó khóa bằng mã phiếu, và bị xóa khi chốt số phiếu. Ông/bà không phải làm gì thêm.",
            ],
            true,
        ),
        Stop::Over => (
            StatusCode::CONFLICT,
            "Đã hết hạn nhận phiếu",
            &[
                "Đợt điều tra không nhận thêm phiếu trực tuyến, nên mã này không gửi phiếu được nữa.",
                "Phiếu nháp chưa gửi không được tính và không ai đọc được.",
            ],
            true,
        ),
    };
    let frame = site.page(title, "/p", false, loaded);
    render(status, &StopPage { frame, round, said, dates, carried })
}
