//! `/nhap-phieu`: the code box, the keying screen, the decision screen. The code travels in the body of forms, never in
//! an address; whoever keys second is shown nothing of the first entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;

use super::aside::pages::in_hand;
use super::screen::{Screen, Work, sheet_page};
use super::sheet::{Typed, read};
use super::third::{decide, decide_page, for_third, read_paper};
use super::{
    Circumstances, Done, Effort, KeyingError, PaperDesk, Pass, Progress, Reached, Task, desk_number, may_decide,
};
use super::{scan, training_pages};
use crate::access::{Desk, RoleSet as _, Signed, Supervising};
use crate::ballot::{Bearer, Casting, TOKEN_LENGTH, Token, TokenFault};
use crate::bundle::claims::Claim;
use crate::clock::Entropy;
use crate::db::Db;
use crate::http::assets;
use crate::http::frame::{Frame, Site, render, see_other};
use crate::http::{Problem, codes};
use crate::round::Rounds;

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/nhap-phieu").get(start).post(open))
        .service(web::resource("/nhap-phieu/luot").get(back).post(enter))
        .service(web::resource("/nhap-phieu/doc").get(back).post(read_paper))
        .service(web::resource("/nhap-phieu/may").get(back).post(give_up))
        .configure(training_pages::pages)
        .configure(scan::pages::pages)
        .service(web::resource("/nhap-phieu/phan-xu").get(back).post(decide));
}

/// What the desk is made of; see [`desk`].
pub(super) type Tools = (Data<Db>, Data<Rounds>, Data<Casting>, Data<Entropy>);

pub(super) fn desk((db, rounds, casting, entropy): &Tools) -> PaperDesk {
    PaperDesk {
        db: Db::clone(db),
        rounds: Rounds::clone(rounds),
        casting: Casting::clone(casting),
        entropy: Entropy::clone(entropy),
    }
}

pub(super) const SCRIPT: &str = "desk/main.js";
const STYLE: &str = "desk/desk.css";
pub(super) const START: &str = "/nhap-phieu";

#[derive(Template)]
#[template(path = "keying/start.html")]
struct StartPage {
    frame: Frame,
    css: String,
    said: Option<(&'static str, String)>,
    fault: Option<String>,
    typed: String,
    /// By round.
    progress: Option<Vec<(String, Vec<Progress>)>>,
    /// Browsers that hold ballots, for whoever leads the desk.
    devices: Vec<Claim>,
}

/// The result of the form before, after its redirect: words only, no code.
#[derive(Deserialize)]
struct After {
    #[serde(default)]
    kq: String,
}

/// What a form of this room sends. No `Debug`: it carries a code and answers.
pub(super) struct Sent {
    pub(super) code: String,
    pass: String,
    /// The browser's number, when it keeps entries.
    desk: Option<String>,
    /// Stops here and keeps what was typed.
    pub(super) stops: bool,
    /// Sets the paper aside, with what was typed kept.
    aside: bool,
    pub(super) typed: Typed,
    /// What it took, when a script counted.
    pub(super) effort: Option<Effort>,
}

impl Sent {
    pub(super) fn read(fields: Vec<(String, String)>) -> Self {
        let mut typed: Typed = fields.into_iter().collect();
        let mut take = |name: &str| typed.remove(name).unwrap_or_default();
        let (code, pass, desk, act) = (take("code"), take("pass"), desk_number(&take("desk")), take("viec"));
        let effort = effort(&take("suc"));
        Self { code, pass, desk, stops: act == "giu", aside: act == "su-co", typed, effort }
    }
}

pub(super) fn style(site: &Site) -> String {
    site.base().path(&format!("/assets/{}", assets::hashed(STYLE)))
}

/// `keys,refused,seconds`, as the script writes it.
fn effort(text: &str) -> Option<Effort> {
    let mut parts = text.split(',').map(|part| part.parse::<u32>().ok().filter(|n| *n <= 100_000));
    let (keystrokes, refused, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    Some(Effort { keystrokes, refused, seconds })
}

fn said(result: &str) -> Option<(&'static str, String)> {
    Some(match result {
        "de-rieng" => ("good", "Đã để riêng tờ phiếu. Xin kẹp tờ phiếu vào tập sự cố.".to_owned()),
        "giu" => ("good", "Đã dừng, dữ liệu được giữ. Quét lại mã phiếu để làm tiếp.".to_owned()),
        "luot-1" => ("good", "Đã lưu lượt 1.".to_owned()),
        "mau" => ("good", "Khớp – phiếu được rút làm mẫu, chuyển người đọc mẫu.".to_owned()),
        "khop" => ("good", "Khớp – đã đưa vào hòm phiếu.".to_owned()),
        "phan-xu" => ("good", "Đã phân xử – đã đưa vào hòm phiếu.".to_owned()),
        "xong" => ("good", "Phiếu đã nhập xong từ trước – vừa đưa vào hòm phiếu.".to_owned()),
        _ if result.starts_with("may-") => {
            let held: usize = result.strip_prefix("may-")?.parse().ok()?;
            ("good", format!("Máy ấy không còn giữ phiếu nào ({held} phiếu được bỏ giữ)."))
        }
        _ => {
            let items: usize = result.strip_prefix("lech-")?.parse().ok()?;
            ("warn", format!("Lệch {items} mục – chuyển người thứ ba."))
        }
    })
}

pub(super) fn result_of(done: Done, decided: bool) -> String {
    match done.reached {
        Reached::FirstDone => "luot-1".to_owned(),
        Reached::Mismatched(items) => format!("lech-{items}"),
        Reached::AwaitsSample => "mau".to_owned(),
        Reached::Cast if decided => "phan-xu".to_owned(),
        Reached::Cast => "khop".to_owned(),
    }
}

pub(super) fn to_start(site: &Site, result: &str) -> HttpResponse {
    see_other(&site.base().path(&format!("{START}?kq={result}")))
}

/// A browser that will not come back.
#[derive(Deserialize)]
struct Gone {
    may: String,
}

async fn give_up(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Supervising>,
    form: web::Form<Gone>,
) -> Result<HttpResponse, Problem> {
    let number = desk_number(&form.may).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let held = desk(&tools).give_up(signed.staff(), number).await?;
    Ok(to_start(&site, &format!("may-{held}")))
}

async fn back(site: Data<Site>) -> impl Responder {
    see_other(&site.base().path(START))
}

/// The start page: the code box has the focus, whatever was said before.
pub(super) async fn start_page(
    desk: &PaperDesk,
    site: &Site,
    signed: &Signed<Desk>,
    fault: Option<(StatusCode, String, String)>,
    said: Option<(&'static str, String)>,
) -> Result<HttpResponse, Problem> {
    let progress = if may_decide(signed.staff().role) { Some(by_round(desk.progress().await?)) } else { None };
    let devices = if Supervising::admits(signed.staff().role) { desk.devices().await? } else { Vec::new() };
    let (status, fault, typed) = match fault {
        Some((status, words, typed)) => (status, Some(words), typed),
        None => (StatusCode::OK, None, String::new()),
    };
    let title = if fault.is_some() { "Lỗi: Nhập phiếu giấy" } else { "Nhập phiếu giấy" };
    let frame = site.frame(title).with_staff(signed.bar()).with_script(SCRIPT);
    Ok(render(status, &StartPage { frame, css: style(site), said, fault, typed, progress, devices }))
}

fn by_round(lines: Vec<Progress>) -> Vec<(String, Vec<Progress>)> {
    let mut rounds: Vec<(String, Vec<Progress>)> = Vec::new();
    for line in lines {
        match rounds.last_mut() {
            Some((round, of)) if *round == line.round => of.push(line),
            _ => rounds.push((line.round.clone(), vec![line])),
        }
    }
    rounds
}

async fn start(
    site: Data<Site>,
    tools: Tools,
    after: web::Query<After>,
    signed: Signed<Desk>,
) -> Result<HttpResponse, Problem> {
    start_page(&desk(&tools), &site, &signed, None, said(&after.kq)).await
}

/// A refusal that ends the work on this ballot: said above an empty code box.
pub(super) async fn refused(
    desk: &PaperDesk,
    site: &Site,
    signed: &Signed<Desk>,
    error: KeyingError,
) -> Result<HttpResponse, Problem> {
    let problem = Problem::from(error);
    let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
    start_page(desk, site, signed, Some((status, problem.code().title.to_owned(), String::new())), None).await
}

pub(super) fn mistyped(fault: TokenFault) -> String {
    match fault {
        TokenFault::Length(signs) => format!("Mã phiếu có {TOKEN_LENGTH} ký tự; đã nhận được {signs}."),
        TokenFault::Symbol(place) => format!("Ký tự thứ {place} không dùng trong mã phiếu."),
        TokenFault::Check => "Mã phiếu bị gõ nhầm. Xin đối chiếu lại từng ký tự trên phiếu.".to_owned(),
    }
}

async fn open(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(&tools);
    let sent = Sent::read(form.into_inner());
    let token = match Token::parse_any(&sent.code) {
        Ok(token) => token,
        Err(fault) => {
            // What a person typed stays to be mended; what a scanner typed would only stand in its own way.
            let scanned = sent.code.chars().all(|c| c.is_ascii_digit());
            let typed = if scanned { String::new() } else { sent.code };
            let fault = (StatusCode::UNPROCESSABLE_ENTITY, mistyped(fault), typed);
            return start_page(&desk, &site, &signed, Some(fault), None).await;
        }
    };
    match opened(&desk, &signed, &token).await {
        Ok((ballot, Task::Key(pass))) => {
            if let Some(number) = sent.desk.clone() {
                desk.claim(signed.staff(), &ballot, number).await?;
            }
            let typed = desk.unfinished(signed.staff(), &ballot, pass).await?;
            let screen = Screen {
                ballot: &ballot,
                label: desk.label(&ballot).await?,
                token: &token,
                code: &sent.code,
                scans: Vec::new(),
            };
            sheet_page(&site, &signed, &screen, Work::Key(pass), &typed, &BTreeMap::new(), None)
        }
        Ok((ballot, Task::Read(places))) => {
            let screen = for_third(&desk, &signed, &ballot, (&token, &sent.code)).await?;
            sheet_page(&site, &signed, &screen, Work::Read(&places), &Typed::new(), &BTreeMap::new(), None)
        }
        Ok((ballot, Task::Decide { disputes, reading })) => {
            let screen = for_third(&desk, &signed, &ballot, (&token, &sent.code)).await?;
            decide_page(&site, &signed, &screen, (&disputes, &reading), &Typed::new(), &BTreeMap::new(), None)
        }
        Ok((_, Task::Finished)) => Ok(to_start(&site, "xong")),
        Err(error) => refused(&desk, &site, &signed, error).await,
    }
}

pub(super) async fn opened(
    desk: &PaperDesk,
    signed: &Signed<Desk>,
    token: &Token,
) -> Result<(Arc<Bearer>, Task), KeyingError> {
    let ballot = desk.find(token).await?;
    let task = desk.open(signed.staff(), &ballot).await?;
    Ok((ballot, task))
}

async fn enter(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(&tools);
    let sent = Sent::read(form.into_inner());
    let pass = Pass::parse(&sent.pass).unwrap_or(Pass::First);
    let Ok(token) = Token::parse_any(&sent.code) else { return Ok(see_other(&site.base().path(START))) };
    let ballot = match desk.find(&token).await {
        Ok(ballot) => ballot,
        Err(error) => return refused(&desk, &site, &signed, error).await,
    };
    let screen = Screen {
        ballot: &ballot,
        label: desk.label(&ballot).await?,
        token: &token,
        code: &sent.code,
        scans: Vec::new(),
    };
    if sent.stops || sent.aside {
        let kept = desk.keep_unfinished(signed.staff(), &ballot, pass, sent.typed.clone(), sent.desk.clone()).await;
        return match kept.map_err(Problem::from) {
            Ok(()) if sent.stops => Ok(to_start(&site, "giu")),
            // A pass that is no longer theirs is no reason to keep the paper.
            Err(problem) if sent.stops || problem.code().status >= 500 => {
                sheet_page(&site, &signed, &screen, Work::Key(pass), &sent.typed, &BTreeMap::new(), Some(problem))
            }
            _ => in_hand(&site, &tools, &signed, (ballot.round.id(), &sent.code, screen.label())).await,
        };
    }
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = match read(&form, &sent.typed) {
        Ok(answers) => answers,
        Err(faults) => return sheet_page(&site, &signed, &screen, Work::Key(pass), &sent.typed, &faults, None),
    };
    let with = Circumstances { key: None, effort: sent.effort };
    match desk.enter_with(signed.staff(), &ballot, pass, answers, with).await {
        Ok(done) => Ok(to_start(&site, &result_of(done, false))),
        Err(error) => {
            let problem = Problem::from(error);
            if problem.code().status < 500 {
                let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
                let fault = (status, problem.code().title.to_owned(), String::new());
                return start_page(&desk, &site, &signed, Some(fault), None).await;
            }
            // The same entry may be sent again: it counts once.
            sheet_page(&site, &signed, &screen, Work::Key(pass), &sent.typed, &BTreeMap::new(), Some(problem))
        }
    }
}

#[cfg(test)]
mod tests;
