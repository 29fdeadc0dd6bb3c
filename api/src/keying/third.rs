//! The third person's pages: read what is disputed, blind; then see both entries and decide.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use survey_forms::answers::Answers;

use super::pages::{SCRIPT, START, Sent, Tools, desk, opened, refused, result_of, start_page, style, to_start};
use super::scan::pages::{Shown, shown};
use super::screen::{Screen, Work, sheet_page};
use super::sheet::{Question, Typed, read_decision, read_places};
use super::{Decision, Dispute, KeyingError, PaperDesk, Reason, Refusal, Task};
use crate::access::{Desk, Signed};
use crate::ballot::{Bearer, Token};
use crate::http::Problem;
use crate::http::frame::{Frame, Site, render, see_other};

#[derive(Template)]
#[template(path = "keying/decide.html")]
struct DecidePage<'p> {
    frame: Frame,
    css: String,
    code: &'p str,
    /// As on the paper.
    label: String,
    questions: Vec<Question>,
    scans: &'p [Shown],
    trouble: Option<&'static str>,
    faulty: bool,
}

/// The ballot on the third person's pages, with its page images.
pub(super) async fn for_third<'s>(
    desk: &PaperDesk,
    signed: &Signed<Desk>,
    ballot: &'s Arc<Bearer>,
    (token, code): (&'s Token, &'s str),
) -> Result<Screen<'s>, KeyingError> {
    let scans = shown(&desk.scans(signed.staff(), ballot).await?);
    Ok(Screen { ballot, label: desk.label(ballot).await?, token, code, scans })
}

/// A third person's reading: what the two entries have is shown only once it is kept.
pub(super) async fn read_paper(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(&tools);
    let sent = Sent::read(form.into_inner());
    let Ok(token) = Token::parse_any(&sent.code) else { return Ok(see_other(&site.base().path(START))) };
    if sent.stops {
        return Ok(see_other(&site.base().path(START)));
    }
    let (ballot, places) = match opened(&desk, &signed, &token).await {
        Ok((ballot, Task::Read(places))) => (ballot, places),
        // The page was sent twice: what was read stays.
        Ok((ballot, Task::Decide { disputes, reading })) => {
            let screen = for_third(&desk, &signed, &ballot, (&token, &sent.code)).await?;
            return decide_page(&site, &signed, &screen, (&disputes, &reading), &Typed::new(), &BTreeMap::new(), None);
        }
        Ok((_, Task::Finished)) => return Ok(to_start(&site, "xong")),
        Ok((_, Task::Key(_))) => return refused(&desk, &site, &signed, Refusal::NotDisputed.into()).await,
        Err(error) => return refused(&desk, &site, &signed, error).await,
    };
    let screen = for_third(&desk, &signed, &ballot, (&token, &sent.code)).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let reading = match read_places(&form, &places, &sent.typed) {
        Ok(reading) => reading,
        Err(faults) => return sheet_page(&site, &signed, &screen, Work::Read(&places), &sent.typed, &faults, None),
    };
    match desk.read_blind(signed.staff(), &ballot, reading.clone()).await {
        Ok(disputes) => {
            decide_page(&site, &signed, &screen, (&disputes, &reading), &Typed::new(), &BTreeMap::new(), None)
        }
        Err(error) => refused(&desk, &site, &signed, error).await,
    }
}

pub(super) fn decide_page(
    site: &Site,
    signed: &Signed<Desk>,
    screen: &Screen<'_>,
    (disputes, reading): (&[Dispute], &Answers),
    typed: &Typed,
    faults: &BTreeMap<String, &'static str>,
    trouble: Option<Problem>,
) -> Result<HttpResponse, Problem> {
    let Screen { ballot, code, .. } = screen;
    let form = ballot.form().map_err(KeyingError::from)?;
    let questions = Question::all(&ballot.round.definition, &form, disputes, reading, typed, faults);
    let faulty = !faults.is_empty();
    let status = match &trouble {
        Some(problem) => StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        None if faulty => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let lead = if status == StatusCode::OK { "" } else { "Lỗi: " };
    let title = format!("{lead}{} · Phân xử", ballot.stratum.respondent_code);
    let frame = site.frame(&title).with_staff(signed.bar()).with_script(SCRIPT);
    let trouble = trouble.map(|problem| problem.code().title);
    let (css, label) = (style(site), screen.label());
    Ok(render(status, &DecidePage { frame, css, code, label, questions, scans: &screen.scans, trouble, faulty }))
}

pub(super) async fn decide(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(&tools);
    let sent = Sent::read(form.into_inner());
    let Ok(token) = Token::parse_any(&sent.code) else { return Ok(see_other(&site.base().path(START))) };
    let (ballot, disputes, reading) = match opened(&desk, &signed, &token).await {
        Ok((ballot, Task::Decide { disputes, reading })) => (ballot, disputes, reading),
        // A decision repeated after a crash has just been cast by this very scan.
        Ok((_, Task::Finished)) => return Ok(to_start(&site, "xong")),
        Ok((_, Task::Read(_))) => return refused(&desk, &site, &signed, KeyingError::ReadingMissing).await,
        Ok((_, Task::Key(_))) => {
            return refused(&desk, &site, &signed, Refusal::NotDisputed.into()).await;
        }
        Err(KeyingError::Refused(Refusal::AlreadyCast)) => return decided_before(&desk, &site, &signed, &token).await,
        Err(error) => return refused(&desk, &site, &signed, error).await,
    };
    let screen = for_third(&desk, &signed, &ballot, (&token, &sent.code)).await?;
    let form = ballot.form().map_err(KeyingError::from)?;
    let decision = match read_decision(&form, &disputes, &sent.typed) {
        Ok(decision) => decision,
        Err(faults) => return decide_page(&site, &signed, &screen, (&disputes, &reading), &sent.typed, &faults, None),
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
            let both = (disputes.as_slice(), &reading);
            decide_page(&site, &signed, &screen, both, &sent.typed, &BTreeMap::new(), Some(problem))
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
