//! Review, cast, receipt.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use survey_forms::answers::Answers;

use super::super::sent::Sent;
use super::super::views::{ReceiptPage, ReviewPage, RoundView, reviewed};
use super::super::{Booth, RespondError, Standing, Visit};
use super::request::Carried;
use super::{HERE, SCRIPT, count_unknown, entry, instead, logo, of_another, renewed};
use crate::ballot::{Token, page_mark};
use crate::http::frame::{Site, page, render, see_other};
use crate::http::{Limits, Problem};

/// `GET /p/xem-lai`.
pub(super) async fn show(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some(token) = carried.0 else { return entry::ask(&booth, &site).await };
    let (visit, answers) = match booth.visit(token.clone()).await {
        Ok(found) => found,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&site, error);
        }
    };
    match instead(&site, &visit, true) {
        Some(response) => Ok(response),
        None => Ok(renewed(review(&site, &token, &visit, &answers, false)?, &site, &token)),
    }
}

fn review(
    site: &Site,
    token: &Token,
    visit: &Visit,
    answers: &Answers,
    refused: bool,
) -> Result<HttpResponse, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    let done = form.complete(answers);
    let (title, status) = if refused {
        ("Lỗi: Xem lại trước khi gửi", StatusCode::UNPROCESSABLE_ENTITY)
    } else {
        ("Xem lại trước khi gửi", StatusCode::OK)
    };
    let review = ReviewPage {
        frame: logo::on(site.frame(title).with_script(SCRIPT), &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        mark: page_mark(token),
        refused,
        answered: done.answered,
        blanks: done.missing.len(),
        total: done.total,
        targets: reviewed(&visit.bearer.round, &form, answers),
        back: if form.targets.len() == 1 { "/p?phan=1".to_owned() } else { "/p".to_owned() },
    };
    Ok(render(status, &review))
}

/// `POST /p/xem-lai`: casts the draft. Twice is once.
pub(super) async fn cast(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some(token) = carried.0 else { return Ok(entry::ask_again(&site, &HERE, &Sent::empty())) };
    if Sent::read(form.into_inner())?.is_of_another(&token) {
        return Ok(of_another(&site, true));
    }
    let (visit, answers) = match booth.visit(token.clone()).await {
        Ok(found) => found,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&site, error);
        }
    };
    if let Some(response) = instead(&site, &visit, true) {
        return Ok(response);
    }
    if answers.is_empty() {
        return Ok(renewed(review(&site, &token, &visit, &answers, true)?, &site, &token));
    }
    booth.cast(&visit.bearer, &answers).await?;
    Ok(renewed(see_other(&site.base().path("/p/xong")), &site, &token))
}

/// `GET /p/xong`: the receipt, for whoever brings the code.
pub(super) async fn receipt(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Some(token) = carried.0 else { return entry::ask(&booth, &site).await };
    let visit = match booth.visit(token.clone()).await {
        Ok((visit, _)) => visit,
        Err(error) => {
            count_unknown(&error, &limits, &req)?;
            return entry::forgotten(&site, error);
        }
    };
    let Standing::Cast(receipt) = visit.standing() else { return Ok(see_other(&site.base().path("/p"))) };
    let shown = page(&ReceiptPage {
        frame: logo::on(site.frame("Phiếu đã vào hòm phiếu"), &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        receipt: receipt.grouped(),
    });
    Ok(renewed(shown, &site, &token))
}
