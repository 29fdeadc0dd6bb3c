//! Answering: the list of targets, one screen a section, and the draft that each POST keeps.

use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use survey_forms::answers::Answers;

use super::super::place::{Address, Place, Spot};
use super::super::sent::{Go, Sent};
use super::super::views::{RoundView, SectionPage, TasksPage, items, target_name, tasks};
use super::super::{Booth, Change, RespondError, Visit};
use super::request::Carried;
use super::{SCRIPT, count_unknown, entry, gone, instead, logo, renewed};
use crate::ballot::Token;
use crate::http::frame::{Site, page, see_other};
use crate::http::{Limits, Problem, codes};

/// `GET /p`: the list of targets, or a section of the form.
pub(super) async fn show(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    address: Query<Address>,
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
    if let Some(response) = instead(&site, &visit, true) {
        return Ok(response);
    }
    let form = visit.bearer.form().map_err(RespondError::from)?;
    match Place::find(&form, &answers, &address) {
        Spot::Nowhere => Err(Problem::new(&codes::NOT_FOUND)),
        Spot::Review => Ok(see_other(&site.base().path("/p/xem-lai"))),
        Spot::Tasks => Ok(renewed(task_list(&site, &visit, &answers)?, &site, &token)),
        Spot::At(place) => Ok(renewed(section(&site, &visit, &answers, place)?, &site, &token)),
    }
}

fn task_list(site: &Site, visit: &Visit, answers: &Answers) -> Result<HttpResponse, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    let done = form.complete(answers);
    Ok(page(&TasksPage {
        frame: logo::on(site.frame("Chọn cơ quan để đánh giá").with_script(SCRIPT), &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        title: &form.questionnaire.title,
        intro: &form.questionnaire.intro,
        answered: done.answered,
        total: done.total,
        tasks: tasks(&visit.bearer.round, &form, answers),
    }))
}

fn section(site: &Site, visit: &Visit, answers: &Answers, place: Place) -> Result<HttpResponse, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    let section = place.section(&form).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let (part, parts) = (place.section + 1, form.questionnaire.sections.len());
    let frame = site.frame(&format!("Phần {part}/{parts}: {}", section.title)).with_script(SCRIPT);
    let alone = form.targets.len() == 1;
    Ok(page(&SectionPage {
        frame: logo::on(frame, &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        action: site.base().path(&place.path(&form)),
        target: target_name(&visit.bearer.round, place.target(&form)),
        title: &section.title,
        part,
        parts,
        intro: (alone && place.section == 0).then_some(form.questionnaire.intro.as_str()),
        items: items(&form, place, answers),
        back: place.previous(&form).is_some(),
    }))
}

/// `POST /p`: a code, a section's answers, or (after a session ended) both.
pub(super) async fn save(
    booth: Booth,
    carried: Carried,
    site: Data<Site>,
    limits: Data<Limits>,
    address: Query<Address>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::read(form.into_inner())?;
    let (token, entered) = match &sent.code {
        Some(typed) => match Token::parse_any(typed) {
            Ok(token) => (token, true),
            Err(fault) => return Ok(entry::mistyped(&site, &address, &sent, fault)),
        },
        None => match carried.0 {
            Some(token) => (token, false),
            None => return Ok(entry::ask_again(&site, &address, &sent)),
        },
    };
    let visit = match keep(&booth, token.clone(), &address, &sent).await {
        Ok(visit) => visit,
        Err(Refusal::Nowhere) => return Err(Problem::new(&codes::NOT_FOUND)),
        Err(Refusal::Because(error)) => {
            count_unknown(&error, &limits, &req)?;
            return match error {
                RespondError::CodeUnknown => Ok(entry::unknown(&site, &address, &sent)),
                other => Err(other.into()),
            };
        }
    };
    if sent.go == Go::Leave {
        return Ok(gone(&site));
    }
    let response = match instead(&site, &visit, !entered) {
        // A refusal is told at once and the code is not kept; a receipt needs it.
        Some(response) if !response.status().is_redirection() => return Ok(response),
        Some(response) => response,
        None => see_other(&site.base().path(&after(&visit, &address, &sent, entered)?)),
    };
    Ok(if entered || sent.pressed { renewed(response, &site, &token) } else { response })
}

enum Refusal {
    Nowhere,
    Because(RespondError),
}

/// Keeps what was sent, if anything was.
async fn keep(booth: &Booth, token: Token, address: &Address, sent: &Sent) -> Result<Visit, Refusal> {
    let (visit, answers) = booth.visit(token.clone()).await.map_err(Refusal::Because)?;
    if sent.is_empty() || !matches!(visit.standing(), super::Standing::Answering) {
        return Ok(visit);
    }
    let form = visit.bearer.form().map_err(|e| Refusal::Because(e.into()))?;
    let Spot::At(place) = Place::find(&form, &answers, address) else { return Err(Refusal::Nowhere) };
    let target = place.target(&form).to_owned();
    let clear = sent.clear.clone().map(|item| (target.clone(), item));
    let answers: Map<String, Value> = std::iter::once((target, Value::Object(sent.answers.clone()))).collect();
    booth.keep(token, Change { answers: Value::Object(answers), clear }).await.map_err(Refusal::Because)
}

/// Where the button leads.
fn after(visit: &Visit, address: &Address, sent: &Sent, entered: bool) -> Result<String, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    // Without a section in the address there is nothing to go on from: the beginning decides.
    let known = address.phan.is_some();
    let Spot::At(place) = Place::find(&form, &Answers::new(), address) else { return Ok("/p".to_owned()) };
    if entered || !known {
        return Ok("/p".to_owned());
    }
    Ok(match (&sent.clear, sent.go) {
        (Some(item), _) => {
            let fragment = super::super::place::encoded(item);
            format!("{}#c-{fragment}", place.path(&form))
        }
        (None, Go::Back) => place.previous(&form).unwrap_or_else(|| place.path(&form)),
        (None, Go::Review) => "/p/xem-lai".to_owned(),
        (None, Go::Next | Go::Leave) => place.next(&form),
    })
}
