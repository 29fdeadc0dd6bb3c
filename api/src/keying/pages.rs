//! `/nhap-phieu`: the code box, the keying screen, the decision screen. The code travels in the body of forms, never in
//! an address; whoever keys second is shown nothing of the first entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{HttpResponse, Responder};
use askama::Template;
use serde::Deserialize;
use survey_forms::answers::Answers;

use super::sheet::{Question, Sheet, Typed, read, read_decision};
use super::{
    Decision, Dispute, Done, KeyingError, PaperDesk, Pass, Progress, Reached, Reason, Refusal, Task, may_decide,
};
use crate::access::{Desk, Signed};
use crate::ballot::{Bearer, Casting, TOKEN_LENGTH, Token, TokenFault};
use crate::clock::Entropy;
use crate::db::Db;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, render, see_other};
use crate::round::Rounds;

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/nhap-phieu").get(start).post(open))
        .service(web::resource("/nhap-phieu/luot").get(back).post(enter))
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

const SCRIPT: &str = "keying.js";
const START: &str = "/nhap-phieu";

#[derive(Template)]
#[template(path = "keying/start.html")]
struct StartPage {
    frame: Frame,
    said: Option<(&'static str, String)>,
    fault: Option<String>,
    typed: String,
    /// By round.
    progress: Option<Vec<(String, Vec<Progress>)>>,
}

#[derive(Template)]
#[template(path = "keying/sheet.html")]
struct SheetPage<'p> {
    frame: Frame,
    code: &'p str,
    pass: Pass,
    respondent_code: &'p str,
    group: &'p str,
    sheet: Sheet,
    trouble: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "keying/decide.html")]
struct DecidePage<'p> {
    frame: Frame,
    code: &'p str,
    respondent_code: &'p str,
    questions: Vec<Question>,
    trouble: Option<&'static str>,
    faulty: bool,
}

/// The result of the form before, after its redirect: words only, no code.
#[derive(Deserialize)]
struct After {
    #[serde(default)]
    kq: String,
}

/// What a form of this room sends. No `Debug`: it carries a code and answers.
struct Sent {
    code: String,
    pass: String,
    typed: Typed,
}

impl Sent {
    fn read(fields: Vec<(String, String)>) -> Self {
        let mut typed: Typed = fields.into_iter().collect();
        let mut take = |name: &str| typed.remove(name).unwrap_or_default();
        Self { code: take("code"), pass: take("pass"), typed }
    }
}

fn said(result: &str) -> Option<(&'static str, String)> {
    Some(match result {
        "luot-1" => ("good", "Đã lưu lượt 1.".to_owned()),
        "mau" => ("good", "Khớp – phiếu được rút làm mẫu, chuyển người đọc mẫu.".to_owned()),
        "khop" => ("good", "Khớp – đã đưa vào hòm phiếu.".to_owned()),
        "phan-xu" => ("good", "Đã phân xử – đã đưa vào hòm phiếu.".to_owned()),
        "xong" => ("good", "Phiếu đã nhập xong từ trước – vừa đưa vào hòm phiếu.".to_owned()),
        _ => {
            let items: usize = result.strip_prefix("lech-")?.parse().ok()?;
            ("warn", format!("Lệch {items} mục – chuyển người thứ ba."))
        }
    })
}

fn result_of(done: Done, decided: bool) -> String {
    match done.reached {
        Reached::FirstDone => "luot-1".to_owned(),
        Reached::Mismatched(items) => format!("lech-{items}"),
        Reached::AwaitsSample => "mau".to_owned(),
        Reached::Cast if decided => "phan-xu".to_owned(),
        Reached::Cast => "khop".to_owned(),
    }
}

fn to_start(site: &Site, result: &str) -> HttpResponse {
    see_other(&site.base().path(&format!("{START}?kq={result}")))
}

async fn back(site: Data<Site>) -> impl Responder {
    see_other(&site.base().path(START))
}

/// The start page: the code box has the focus, whatever was said before.
async fn start_page(
    desk: &PaperDesk,
    site: &Site,
    signed: &Signed<Desk>,
    fault: Option<(StatusCode, String, String)>,
    said: Option<(&'static str, String)>,
) -> Result<HttpResponse, Problem> {
    let progress = if may_decide(signed.staff().role) { Some(by_round(desk.progress().await?)) } else { None };
    let (status, fault, typed) = match fault {
        Some((status, words, typed)) => (status, Some(words), typed),
        None => (StatusCode::OK, None, String::new()),
    };
    let title = if fault.is_some() { "Lỗi: Nhập phiếu giấy" } else { "Nhập phiếu giấy" };
    let frame = site.frame(title).with_staff(signed.bar()).with_script(SCRIPT);
    Ok(render(status, &StartPage { frame, said, fault, typed, progress }))
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
async fn refused(
    desk: &PaperDesk,
    site: &Site,
    signed: &Signed<Desk>,
    error: KeyingError,
) -> Result<HttpResponse, Problem> {
    let problem = Problem::from(error);
    let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
    start_page(desk, site, signed, Some((status, problem.code().title.to_owned(), String::new())), None).await
}

fn mistyped(fault: TokenFault) -> String {
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
            sheet_page(&site, &signed, &ballot, (&sent.code, pass), &Typed::new(), &BTreeMap::new(), None)
        }
        Ok((ballot, Task::Decide(disputes))) => {
            decide_page(&site, &signed, &ballot, &disputes, &sent, &BTreeMap::new(), None)
        }
        Ok((_, Task::Finished)) => Ok(to_start(&site, "xong")),
        Err(error) => refused(&desk, &site, &signed, error).await,
    }
}

async fn opened(desk: &PaperDesk, signed: &Signed<Desk>, token: &Token) -> Result<(Arc<Bearer>, Task), KeyingError> {
    let ballot = desk.find(token).await?;
    let task = desk.open(signed.staff(), &ballot).await?;
    Ok((ballot, task))
}

fn sheet_page(
    site: &Site,
    signed: &Signed<Desk>,
    ballot: &Bearer,
    (code, pass): (&str, Pass),
    typed: &Typed,
    faults: &BTreeMap<String, &'static str>,
    trouble: Option<Problem>,
) -> Result<HttpResponse, Problem> {
    let round = &ballot.round.definition;
    let form = ballot.form().map_err(KeyingError::from)?;
    let sheet = Sheet::new(round, &form, typed, faults);
    let respondent_code = ballot.stratum.respondent_code.as_str();
    let group = round.group(respondent_code).map_or("", |g| g.name.as_str());
    let status = match &trouble {
        Some(problem) => StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        None if faults.is_empty() => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let lead = if status == StatusCode::OK { "" } else { "Lỗi: " };
    let title = format!("{lead}{respondent_code} · Lượt {}", pass.number());
    let frame = site.frame(&title).with_staff(signed.bar()).with_script(SCRIPT);
    let trouble = trouble.map(|problem| problem.code().title);
    Ok(render(status, &SheetPage { frame, code, pass, respondent_code, group, sheet, trouble }))
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
    let form = ballot.form().map_err(KeyingError::from)?;
    let answers = match read(&form, &sent.typed) {
        Ok(answers) => answers,
        Err(faults) => {
            return sheet_page(&site, &signed, &ballot, (&sent.code, pass), &sent.typed, &faults, None);
        }
    };
    match desk.enter(signed.staff(), &ballot, pass, answers).await {
        Ok(done) => Ok(to_start(&site, &result_of(done, false))),
        Err(error) => {
            let problem = Problem::from(error);
            if problem.code().status < 500 {
                let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
                let fault = (status, problem.code().title.to_owned(), String::new());
                return start_page(&desk, &site, &signed, Some(fault), None).await;
            }
            // The same entry may be sent again: it counts once.
            let code = (sent.code.as_str(), pass);
            sheet_page(&site, &signed, &ballot, code, &sent.typed, &BTreeMap::new(), Some(problem))
        }
    }
}

fn decide_page(
    site: &Site,
    signed: &Signed<Desk>,
    ballot: &Bearer,
    disputes: &[Dispute],
    sent: &Sent,
    faults: &BTreeMap<String, &'static str>,
    trouble: Option<Problem>,
) -> Result<HttpResponse, Problem> {
    let form = ballot.form().map_err(KeyingError::from)?;
    let questions = Question::all(&ballot.round.definition, &form, disputes, &sent.typed, faults);
    let faulty = !faults.is_empty();
    let status = match &trouble {
        Some(problem) => StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        None if faulty => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let respondent_code = ballot.stratum.respondent_code.as_str();
    let lead = if status == StatusCode::OK { "" } else { "Lỗi: " };
    let frame = site.frame(&format!("{lead}{respondent_code} · Phân xử")).with_staff(signed.bar()).with_script(SCRIPT);
    let trouble = trouble.map(|problem| problem.code().title);
    Ok(render(status, &DecidePage { frame, code: &sent.code, respondent_code, questions, trouble, faulty }))
}

async fn decide(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(&tools);
    let sent = Sent::read(form.into_inner());
    let Ok(token) = Token::parse_any(&sent.code) else { return Ok(see_other(&site.base().path(START))) };
    let (ballot, disputes) = match opened(&desk, &signed, &token).await {
        Ok((ballot, Task::Decide(disputes))) => (ballot, disputes),
        // A decision repeated after a crash has just been cast by this very scan.
        Ok((_, Task::Finished)) => return Ok(to_start(&site, "xong")),
        Ok((_, Task::Key(_))) => {
            return refused(&desk, &site, &signed, Refusal::NotDisputed.into()).await;
        }
        Err(KeyingError::Refused(Refusal::AlreadyCast)) => return decided_before(&desk, &site, &signed, &token).await,
        Err(error) => return refused(&desk, &site, &signed, error).await,
    };
    let form = ballot.form().map_err(KeyingError::from)?;
    let decision = match read_decision(&form, &disputes, &sent.typed) {
        Ok(decision) => decision,
        Err(faults) => return decide_page(&site, &signed, &ballot, &disputes, &sent, &faults, None),
    };
    match desk.adjudicate(signed.staff(), &ballot, decision).await {
        Ok(done) => Ok(to_start(&site, &result_of(done, true))),
        Err(error) => {
            let problem = Problem::from(error);
            if problem.code().status < 500 {
                let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
                let fault = (status, problem.code().title.to_owned(), String::new());
                return start_page(&desk, &site, &signed, Some(fault), None).await;
            }
            decide_page(&site, &signed, &ballot, &disputes, &sent, &BTreeMap::new(), Some(problem))
        }
    }
}

/// The decision's answer was lost on its way: whoever decided is told again.
async fn decided_before(
    desk: &PaperDesk,
    site: &Site,
    signed: &Signed<Desk>,
    token: &Token,
) -> Result<HttpResponse, Problem> {
    let again = async {
        let ballot = desk.find(token).await?;
        let nothing = Decision { answers: Answers::new(), reasons: BTreeMap::new() };
        desk.adjudicate(signed.staff(), &ballot, nothing).await
    };
    match again.await {
        Ok(done) => Ok(to_start(site, &result_of(done, true))),
        Err(error) => refused(desk, site, signed, error).await,
    }
}

#[cfg(test)]
mod tests;
