//! Check or cast: `/p/thu` commits to an envelope and shows its number; then it is cast, or opened for everybody to seal
//! again elsewhere. A side way: whoever does not want it never meets it.

use actix_web::http::header;
use actix_web::web::{Data, Form};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde::Deserialize;

use super::super::views::RoundView;
use super::super::{Booth, RespondError, Visit};
use super::again::{self, Why};
use super::here::Here;
use super::request::Carried;
use super::review::HERE_PATH;
use super::{HERE, count_unknown, entry, instead_of_form, of_another, renewed};
use crate::ballot::check::Opened;
use crate::ballot::{Receipt, Token, page_mark};
use crate::http::frame::{Frame, page, see_other};
use crate::http::{Limits, Problem};
use crate::respond::sent::Sent;
use survey_forms::answers::Answers;

/// What the forms of this room post. Without `Debug`, on purpose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    /// Whose page it is.
    cua: Option<String>,
    /// The commitment.
    #[serde(default)]
    giu: String,
    /// As a file.
    #[serde(default)]
    tep: bool,
}

#[derive(Template)]
#[template(path = "respond/challenge.html")]
struct CommittedPage {
    frame: Frame,
    round: RoundView,
    mark: String,
    receipt: String,
    held: String,
}

#[derive(Template)]
#[template(path = "respond/challenge_opened.html")]
struct OpenedPage {
    frame: Frame,
    round: RoundView,
    mark: String,
    receipt: String,
    held: String,
    file: String,
}

/// A code that can still answer, or the page to show instead.
async fn answering(
    booth: &Booth,
    carried: Carried,
    site: &Here,
    limits: &Limits,
    decision: &Decision,
    req: &HttpRequest,
) -> Result<Result<(Token, Visit, Answers), HttpResponse>, Problem> {
    let (at, nothing) = (site.base().path(HERE_PATH), Sent::empty());
    let Some(token) = carried.0 else {
        let told = site.again(&at, Why::NoCode, &nothing);
        return Ok(Err(again::or(told, entry::ask_again(booth, site, &HERE, &nothing)).await));
    };
    if decision.cua.as_ref().is_some_and(|mark| *mark != page_mark(&token)) {
        return Ok(Err(again::or(site.again(&at, Why::Other, &nothing), of_another(booth, site, true)).await));
    }
    let (visit, answers) = match booth.visit(token.clone()).await {
        Ok(found) => found,
        Err(error) => {
            count_unknown(&error, limits, req)?;
            return entry::forgotten(booth, site, error).await.map(Err);
        }
    };
    Ok(match instead_of_form(site, &visit, true, &at) {
        Some(response) => Err(response),
        None => Ok((token, visit, answers)),
    })
}

/// `GET /p/thu`: there is nothing to see without a commitment.
pub(super) async fn show(site: Here) -> HttpResponse {
    see_other(&site.base().path("/p/xem-lai"))
}

/// `POST /p/thu`: seals the draft and shows the number.
pub(super) async fn commit(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    form: Form<Decision>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (token, visit, mut answers) = match answering(&booth, carried, &site, &limits, &form, &req).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let asked = visit.bearer.form().map_err(RespondError::from)?;
    asked.prune(&mut answers);
    if asked.check_cast(&answers).is_err() {
        // The review says what is missing.
        return Ok(see_other(&site.base().path("/p/xem-lai")));
    }
    let committed = booth.casting.commit_to(&visit.bearer, &answers).map_err(RespondError::from)?;
    let shown = page(&CommittedPage {
        frame: site.page("Kiểm tra việc niêm phong", "/p/xem-lai", false, &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        mark: page_mark(&token),
        receipt: committed.receipt.grouped(),
        held: committed.held,
    });
    Ok(renewed(shown, &site, &token))
}

/// `POST /p/thu/gui`: casts the envelope whose number was shown; the review says what is left to do where it cannot be.
pub(super) async fn cast(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    form: Form<Decision>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (token, visit, _) = match answering(&booth, carried, &site, &limits, &form, &req).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let cast = booth.casting.cast_committed(&visit.bearer, &form.giu).await.map_err(RespondError::from)?;
    let next = if cast.is_some() { "/p/xong" } else { "/p/xem-lai" };
    Ok(renewed(see_other(&site.base().path(next)), &site, &token))
}

/// `POST /p/thu/mo`: opens the envelope whose number was shown, as a page or as a file.
pub(super) async fn open(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    form: Form<Decision>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (token, visit, _) = match answering(&booth, carried, &site, &limits, &form, &req).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let opened = booth.casting.open_instead(&visit.bearer, &form.giu).map_err(RespondError::from)?;
    let Some(opened) = opened else { return Ok(see_other(&site.base().path("/p/xem-lai"))) };
    let file = text(&opened)?;
    if form.tep {
        return Ok(HttpResponse::Ok()
            .content_type("application/json")
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"phieu-kiem-tra.json\""))
            .body(file));
    }
    let shown = page(&OpenedPage {
        frame: site.page("Phong bì đã mở ra", "/p/xem-lai", false, &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        mark: page_mark(&token),
        receipt: Receipt::parse(&opened.receipt).map(|r| r.grouped()).unwrap_or_default(),
        held: form.into_inner().giu,
        file,
    });
    Ok(renewed(shown, &site, &token))
}

fn text(opened: &Opened) -> Result<String, Problem> {
    serde_json::to_string_pretty(opened).map_err(|error| Problem::internal(&error))
}
