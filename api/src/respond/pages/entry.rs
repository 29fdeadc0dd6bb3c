//! Entering a code. What can be told from the code alone is told without asking the database.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};

use super::super::place::{Address, encoded};
use super::super::sent::Sent;
use super::super::views::EntryPage;
use super::super::{Booth, RespondError, words};
use super::request::{Carried, forget};
use super::{SCRIPT, answer, current_rounds, set_cookie};
use crate::ballot::TokenFault;
use crate::http::frame::{Site, page, render};
use crate::http::{Limits, Problem};

/// `GET /`.
pub(super) async fn show(booth: Booth, carried: Carried, site: Data<Site>) -> Result<HttpResponse, Problem> {
    let current = current_rounds(&booth).await?;
    let action = site.base().path("/p");
    let mut entry = empty(&site, action);
    entry.frame = current.frame(entry.frame);
    entry.closed = current.views.is_empty();
    entry.rounds = current.views;
    entry.under_way = carried.0.is_some();
    Ok(page(&entry))
}

/// `POST /`: as `POST /p` with a code.
pub(super) async fn enter(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    answer::save(booth, carried, site, limits, Query(Address { dt: None, phan: None }), form, req).await
}

fn empty(site: &Site, action: String) -> EntryPage {
    EntryPage {
        frame: site.frame("Nhập mã phiếu").with_script(SCRIPT),
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
pub(super) async fn ask(booth: &Booth, site: &Site) -> Result<HttpResponse, Problem> {
    let mut entry = empty(site, site.base().path("/p"));
    let current = current_rounds(booth).await?;
    entry.frame = current.frame(entry.frame);
    entry.closed = current.views.is_empty();
    entry.rounds = current.views;
    Ok(page(&entry))
}

/// A form came without a code (the browser was closed, or somebody left elsewhere): asks for it and loses nothing.
pub(super) fn ask_again(site: &Site, address: &Address, sent: &Sent) -> HttpResponse {
    let mut entry = empty(site, action(site, address));
    let words = if sent.answers.is_empty() {
        "Thiết bị này không còn giữ mã phiếu. Xin nhập lại mã để làm tiếp; những câu đã lưu vẫn còn."
    } else {
        "Thiết bị này không còn giữ mã phiếu. Xin nhập lại mã: những câu vừa chọn vẫn còn trong trang này và sẽ được lưu ngay sau đó."
    };
    entry.said = Some(words.to_owned());
    entry.carried = sent.carried();
    render(StatusCode::UNPROCESSABLE_ENTITY, &entry)
}

/// The code that was typed cannot be one: says where, keeps what was typed.
pub(super) fn mistyped(site: &Site, address: &Address, sent: &Sent, fault: TokenFault) -> HttpResponse {
    refused(site, address, sent, StatusCode::UNPROCESSABLE_ENTITY, said(fault))
}

/// The code is well formed, and no round knows it.
pub(super) fn unknown(site: &Site, address: &Address, sent: &Sent) -> HttpResponse {
    let words = "Không có mã phiếu này. Xin đối chiếu lại với giấy mời; nếu đúng như giấy mời, xin hỏi cơ quan tổ chức (trang Hướng dẫn).";
    let mut response = refused(site, address, sent, StatusCode::NOT_FOUND, words.to_owned());
    if sent.code.is_none() {
        set_cookie(&mut response, forget(site.base()));
    }
    response
}

fn refused(site: &Site, address: &Address, sent: &Sent, status: StatusCode, words: String) -> HttpResponse {
    let mut entry = empty(site, action(site, address));
    entry.frame.title = format!("Lỗi: {}", entry.frame.title);
    entry.said = Some(words);
    entry.faulty = true;
    entry.typed = sent.code.clone().unwrap_or_default();
    entry.carried = sent.carried();
    render(status, &entry)
}

/// The page of an unknown code for a GET.
pub(super) fn forgotten(site: &Site, error: RespondError) -> Result<HttpResponse, Problem> {
    match error {
        RespondError::CodeUnknown => Ok(unknown(site, &super::HERE, &Sent::empty())),
        other => Err(other.into()),
    }
}

fn action(site: &Site, address: &Address) -> String {
    let target = address.dt.as_ref().map(|code| format!("dt={}", encoded(code)));
    let section = address.phan.map(|number| format!("phan={number}"));
    let query: Vec<String> = target.into_iter().chain(section).collect();
    let mark = if query.is_empty() { "" } else { "?" };
    site.base().path(&format!("/p{mark}{}", query.join("&")))
}

/// What is wrong with a code, and where. Never the code.
fn said(fault: TokenFault) -> String {
    match fault {
        TokenFault::Length(0) => words::EMPTY.to_owned(),
        TokenFault::Length(count) => words::filled(words::LENGTH, &[count]),
        TokenFault::Symbol(at) => {
            let before = at.saturating_sub(1);
            words::filled(words::SIGN, &[at, before / 4 + 1, before % 4 + 1])
        }
        TokenFault::Check => words::CHECK.to_owned(),
    }
}
