//! Review, cast, receipt.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use survey_forms::answers::Answers;

use super::super::place::Course;
use super::super::sent::Sent;
use super::super::views::{ReceiptPage, ReviewPage, RoundView, missing, reviewed};
use super::super::{Booth, RespondError, Standing, Visit};
use super::again::{self, Why};
use super::here::Here;
use super::request::Carried;
use super::{HERE, count_unknown, entry, instead, instead_of_form, of_another, renewed};
use crate::ballot::{Token, page_mark};
use crate::http::frame::{page, render, see_other};
use crate::http::{Limits, Problem};

/// The review's own path.
pub(super) const HERE_PATH: &str = "/p/xem-lai";

/// `GET /p/xem-lai`.
pub(super) async fn show(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let at = site.base().path(HERE_PATH);
    if let Some(told) = again::page(&booth, &site, &HERE, &at).await? {
        return Ok(told);
    }
    let Some(token) = carried.0 else { return entry::ask(&booth, &site).await };
    let (visit, answers) = match booth.visit(token.clone()).await {
        Ok(found) => found,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&booth, &site, error).await;
        }
    };
    match instead(&site, &visit, true) {
        Some(response) => Ok(response),
        None => {
            let told = site.tells(&at, &Why::Wanting).is_some();
            let shown = review(&site, &token, &visit, &answers, told)?;
            Ok(renewed(if told { site.told(shown) } else { shown }, &site, &token))
        }
    }
}

fn review(
    site: &Here,
    token: &Token,
    visit: &Visit,
    answers: &Answers,
    refused: bool,
) -> Result<HttpResponse, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    let course = Course::of(form, answers);
    let done = form.complete(answers);
    let frame = site.page("Xem lại trước khi gửi", "/p/xem-lai", true, &visit.bearer.round);
    let targets = reviewed(&visit.bearer.round, &course, answers, frame.is_vietnamese());
    let review = ReviewPage {
        frame: if refused { frame.failed() } else { frame },
        round: RoundView::new(&visit.bearer.round, visit.now),
        mark: page_mark(token),
        refused,
        answered: done.answered,
        blanks: done.missing.len(),
        total: done.total,
        missing: missing(&targets),
        targets,
        closing: form.questionnaire.closing.as_deref(),
        back: if form.targets.len() == 1 { "/p?phan=1".to_owned() } else { "/p".to_owned() },
    };
    Ok(render(if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &review))
}

/// `POST /p/xem-lai`: casts the draft. Twice is once.
pub(super) async fn cast(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (at, nothing) = (site.base().path(HERE_PATH), Sent::empty());
    let Some(token) = carried.0 else {
        let told = site.again(&at, Why::NoCode, &nothing);
        return Ok(again::or(told, entry::ask_again(&booth, &site, &HERE, &nothing)).await);
    };
    if Sent::read(form.into_inner())?.is_of_another(&token) {
        return Ok(again::or(site.again(&at, Why::Other, &nothing), of_another(&booth, &site, true)).await);
    }
    let (visit, mut answers) = match booth.visit(token.clone()).await {
        Ok(found) => found,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&booth, &site, error).await;
        }
    };
    if let Some(response) = instead_of_form(&site, &visit, true, &at) {
        return Ok(response);
    }
    // What is not asked any more, after a change of mind, is not cast.
    let form = visit.bearer.form().map_err(RespondError::from)?;
    form.prune(&mut answers);
    if form.check_cast(&answers).is_err() {
        let told = match site.again(&at, Why::Wanting, &nothing) {
            Some(onward) => onward,
            None => review(&site, &token, &visit, &answers, true)?,
        };
        return Ok(renewed(told, &site, &token));
    }
    booth.cast(&visit.bearer, &answers).await?;
    Ok(renewed(see_other(&site.base().path("/p/xong")), &site, &token))
}

/// `GET /p/xong`: the receipt, for whoever brings the code.
pub(super) async fn receipt(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some(token) = carried.0 else { return entry::ask(&booth, &site).await };
    let visit = match booth.visit(token.clone()).await {
        Ok((visit, _)) => visit,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&booth, &site, error).await;
        }
    };
    let Standing::Cast(receipt) = visit.standing() else { return Ok(see_other(&site.base().path("/p"))) };
    let shown = page(&ReceiptPage {
        frame: site.page("Phiếu đã vào hòm phiếu", "/p/xong", false, &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        receipt: receipt.grouped(),
    });
    Ok(renewed(shown, &site, &token))
}
