//! Entering a code. What can be told from the code alone is told without asking the database.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::super::place::{Address, encoded};
use super::super::sent::Sent;
use super::super::views::EntryPage;
use super::super::{Booth, RespondError, words};
use super::here::Here;
use super::request::{Carried, forget};
use super::{SCRIPT, answer, current_rounds, set_cookie};
use crate::ballot::TokenFault;
use crate::http::frame::{page, render};
use crate::http::tongue::filled;
use crate::http::{Limits, Problem};

/// `GET /`.
pub(super) async fn show(booth: Booth, carried: Carried, site: Here) -> Result<HttpResponse, Problem> {
    let current = current_rounds(&booth).await?;
    let action = site.base().path("/p");
    let mut entry = empty(&site, action);
    entry.frame = current.frame(&site, entry.frame, "/");
    entry.closed = current.views.is_empty();
    entry.rounds = current.views;
    entry.under_way = carried.0.is_some();
    Ok(page(&entry))
}

/// `POST /`: as `POST /p` with a code.
pub(super) async fn enter(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    answer::save(booth, carried, site, limits, Query(Address { dt: None, phan: None }), form, req).await
}

fn empty(site: &Here, action: String) -> EntryPage {
    EntryPage {
        frame: site.frame("Nhập mã phiếu").with_inline(SCRIPT),
        rounds: Vec::new(),
        closed: false,
        action,
        said: None,
        faulty: false,
        typed: String::new(),
        carried: Vec::new(),
        under_way: false,
    }
}

/// `GET /p` and its like without a code: asks for it.
pub(super) async fn ask(booth: &Booth, site: &Here) -> Result<HttpResponse, Problem> {
    let mut entry = empty(site, site.base().path("/p"));
    let current = current_rounds(booth).await?;
    entry.frame = current.frame(site, entry.frame, "/p");
    entry.closed = current.views.is_empty();
    entry.rounds = current.views;
    Ok(page(&entry))
}

/// A form came without a code (the browser was closed, or somebody left elsewhere): asks for it and loses nothing.
pub(super) async fn ask_again(booth: &Booth, site: &Here, address: &Address, sent: &Sent) -> HttpResponse {
    let mut entry = empty(site, action(site, address));
    entry.frame.tongue = site.plain(booth, "", "/p").await.tongue;
    let words = if sent.given.is_empty() {
        "Thiết bị này không còn giữ mã phiếu. Xin nhập lại mã để làm tiếp; những câu đã lưu vẫn còn."
    } else {
        "Thiết bị này không còn giữ mã phiếu. Xin nhập lại mã: những câu vừa chọn vẫn còn trong trang này và sẽ được lưu ngay sau đó."
    };
    entry.said = Some(entry.frame.a(words).to_owned());
    entry.carried = sent.carried();
    render(StatusCode::UNPROCESSABLE_ENTITY, &entry)
}

/// The code that was typed cannot be one: says where, keeps what was typed.
pub(super) async fn mistyped(
    booth: &Booth,
    site: &Here,
    address: &Address,
    sent: &Sent,
    fault: TokenFault,
) -> HttpResponse {
    let (words, values) = said(fault);
    refused(booth, site, address, sent, StatusCode::UNPROCESSABLE_ENTITY, words, &values).await
}

/// The code is well formed, and no round knows it.
pub(super) async fn unknown(booth: &Booth, site: &Here, address: &Address, sent: &Sent) -> HttpResponse {
    let words = "Không có mã phiếu này. Xin đối chiếu lại với giấy mời; nếu đúng như giấy mời, xin hỏi cơ quan tổ chức (trang Hướng dẫn).";
    let mut response = refused(booth, site, address, sent, StatusCode::NOT_FOUND, words, &[]).await;
    if sent.code.is_none() {
        set_cookie(&mut response, forget(site.base()));
    }
    response
}

async fn refused(
    booth: &Booth,
    site: &Here,
    address: &Address,
    sent: &Sent,
    status: StatusCode,
    words: &str,
    values: &[usize],
) -> HttpResponse {
    let mut entry = empty(site, action(site, address));
    entry.frame.tongue = site.plain(booth, "", "/").await.tongue;
    entry.frame = entry.frame.failed();
    entry.said = Some(filled(entry.frame.a(words), values));
    entry.faulty = true;
    entry.typed = sent.code.clone().unwrap_or_default();
    entry.carried = sent.carried();
    render(status, &entry)
}

/// The page of an unknown code for a GET.
pub(super) async fn forgotten(booth: &Booth, site: &Here, error: RespondError) -> Result<HttpResponse, Problem> {
    match error {
        RespondError::CodeUnknown => Ok(unknown(booth, site, &super::HERE, &Sent::empty()).await),
        other => Err(other.into()),
    }
}

/// The address of a place, with the site's prefix.
pub(super) fn action(site: &Here, address: &Address) -> String {
    let target = address.dt.as_ref().map(|code| format!("dt={}", encoded(code)));
    let section = address.phan.map(|number| format!("phan={number}"));
    let query: Vec<String> = target.into_iter().chain(section).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    site.base().path(&format!("/p{mark}{}", query.join("&")))
}

/// What is wrong with a code, and where. Never the code.
fn said(fault: TokenFault) -> (&'static str, Vec<usize>) {
    match fault {
        TokenFault::Length(0) => (words::EMPTY, Vec::new()),
        TokenFault::Length(count) => (words::LENGTH, vec![count]),
        TokenFault::Symbol(at) => {
            let before = at.saturating_sub(1);
            (words::SIGN, vec![at, before / 4 + 1, before % 4 + 1])
        }
        TokenFault::Check => (words::CHECK, Vec::new()),
    }
}
