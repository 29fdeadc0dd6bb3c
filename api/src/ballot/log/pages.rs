//! `/kiem-tra`: is my ballot in the box? The receipt travels in a form, never in an address: proxies write those down.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form};
use askama::Template;
use serde::Deserialize;

use super::{Found, Inclusion};
use crate::ballot::Receipt;
use crate::db::Db;
use crate::http::frame::{Frame, Site, page, render};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, Rounds};

/// Mounts the page under the site's prefix.
pub fn pages(cfg: &mut web::ServiceConfig) {
    let wrong_method = || web::to(|| async { Err::<HttpResponse, _>(Problem::new(&codes::METHOD_NOT_ALLOWED)) });
    cfg.service(web::resource("/kiem-tra").get(show).post(look_up).default_service(wrong_method()));
}

/// Ask for a receipt, and say where it is.
#[derive(Template)]
#[template(path = "ballot/check.html")]
struct CheckPage {
    frame: Frame,
    /// What was typed, to be mended.
    typed: String,
    /// The same in groups of four, to be compared with the receipt, when it has the shape of one.
    grouped: Option<String>,
    /// Why it is no receipt.
    fault: Option<&'static str>,
    answer: Option<Answer>,
}

struct Answer {
    receipt: String,
    round: String,
    /// From here the round takes no more ballots; the waiting ones are in the log then.
    closes: String,
    proved: Option<Proved>,
}

struct Proved {
    /// From 1, as people count.
    place: u64,
    size: u64,
    checkpoint: String,
    log_key: String,
    command: String,
    url: String,
}

#[derive(Deserialize)]
struct Sent {
    #[serde(default, rename = "bien-nhan")]
    receipt: String,
}

/// Longest text that is shown again.
const LONGEST: usize = 200;
const UNKNOWN: &str = "Không có trong hòm phiếu. Xin ông/bà kiểm tra lại từng ký tự của số biên nhận.";
const SHAPE: &str =
    "Số biên nhận có 64 ký tự, chỉ gồm chữ số và các chữ từ a đến f. Xin ông/bà kiểm tra lại từng ký tự.";

/// `GET /kiem-tra`.
async fn show(site: Data<Site>) -> HttpResponse {
    let frame = site.frame("Kiểm tra biên nhận");
    page(&CheckPage { frame, typed: String::new(), grouped: None, fault: None, answer: None })
}

/// `POST /kiem-tra`. Changes nothing.
async fn look_up(
    sent: Form<Sent>,
    site: Data<Site>,
    db: Data<Db>,
    rounds: Data<Rounds>,
) -> Result<HttpResponse, Problem> {
    let typed: String = sent.receipt.chars().take(LONGEST).collect();
    let refused = |status: StatusCode, grouped: Option<String>, fault: &'static str| {
        let frame = site.frame("Lỗi: Kiểm tra biên nhận");
        render(status, &CheckPage { frame, typed, grouped, fault: Some(fault), answer: None })
    };
    let Some(receipt) = Receipt::parse(&sent.receipt) else {
        return Ok(refused(StatusCode::UNPROCESSABLE_ENTITY, None, SHAPE));
    };
    let asked = receipt.clone();
    let found = db
        .read(move |conn| {
            let found = super::find(conn, &asked)?;
            let round = match &found {
                Found::InLog(inclusion) => Some(rounds.get(conn, &inclusion.round)?),
                Found::Waiting(round) => Some(rounds.get(conn, round)?),
                Found::Unknown => None,
            };
            Ok::<_, Problem>(round.map(|round| (round, found)))
        })
        .await?;
    let Some((round, found)) = found else {
        return Ok(refused(StatusCode::NOT_FOUND, Some(receipt.grouped()), UNKNOWN));
    };
    let proved = match found {
        Found::InLog(inclusion) => Some(proved(&site, &receipt, *inclusion)),
        _ => None,
    };
    let title = if proved.is_some() { "Phiếu có trong hòm phiếu" } else { "Phiếu đã được nhận" };
    let answer =
        Answer { receipt: receipt.grouped(), round: round.definition.title.clone(), closes: closes(&round), proved };
    let frame = site.frame(title);
    Ok(page(&CheckPage { frame, typed: String::new(), grouped: None, fault: None, answer: Some(answer) }))
}

fn closes(round: &Arc<LoadedRound>) -> String {
    let at = round.keying_closes_at.max(round.grace_ends_at());
    crate::clock::local(at).format("%H:%M ngày %d/%m/%Y").to_string()
}

fn proved(site: &Site, receipt: &Receipt, inclusion: Inclusion) -> Proved {
    let base = site.base();
    Proved {
        place: inclusion.place + 1,
        size: inclusion.head.checkpoint.size,
        command: format!("phieu verify --url {} --round {} --receipt {receipt}", base.url(""), inclusion.round),
        url: base.url(&format!("/api/v1/receipts/{receipt}")),
        checkpoint: inclusion.head.note,
        log_key: inclusion.head.vkey.to_string(),
    }
}
