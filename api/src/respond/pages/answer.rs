//! Answering: the list of targets, the screens, and the draft that each POST keeps.

use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};
use survey_forms::answers::Answers;

use super::super::place::{Address, Place, Spot, encoded, is_one_screen, screens};
use super::super::sent::{Go, Sent};
use super::super::views::{RoundView, SectionPage, TasksPage, asked, target_name, tasks};
use super::super::{Booth, RespondError, Visit};
use super::request::Carried;
use super::{SCRIPT, count_unknown, entry, gone, instead, logo, of_another, renewed};
use crate::ballot::{Token, page_mark};
use crate::http::frame::{Site, page, see_other};
use crate::http::{Limits, Problem, codes};

/// `GET /p`: the list of targets, or a screen of the form.
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
        Spot::At(place) => Ok(renewed(screen(&site, &token, &visit, &answers, place)?, &site, &token)),
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

fn screen(site: &Site, token: &Token, visit: &Visit, answers: &Answers, place: Place) -> Result<HttpResponse, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    let sections = asked(&form, place, answers);
    let whole = is_one_screen(&form);
    let heading = match sections.as_slice() {
        [section] if !whole => format!("Phần {}/{}: {}", place.screen + 1, screens(&form), section.title),
        _ => form.questionnaire.title.clone(),
    };
    let alone = form.targets.len() == 1;
    Ok(page(&SectionPage {
        frame: logo::on(site.frame(&heading).with_script(SCRIPT), &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        action: site.base().path(&place.path(&form)),
        mark: page_mark(token),
        target: target_name(&visit.bearer.round, place.target(&form)),
        heading,
        whole,
        intro: (alone && place.screen == 0).then_some(form.questionnaire.intro.as_str()),
        sections,
        back: place.previous(&form).is_some(),
    }))
}

/// `POST /p`: a code, a screen's answers, or (after a session ended) both.
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
    if sent.is_of_another(&token) {
        return Ok(of_another(&site, !entered));
    }
    let (visit, blank) = match keep(&booth, token.clone(), &address, &sent).await {
        Ok(kept) => kept,
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
        None if entered => see_other(&site.base().path(&format!("/p{}", blank.unwrap_or_default()))),
        None => see_other(&site.base().path(&after(&visit, &address, &sent)?)),
    };
    Ok(if entered || sent.pressed { renewed(response, &site, &token) } else { response })
}

enum Refusal {
    Nowhere,
    Because(RespondError),
}

/// Keeps what was sent, if anything was. Beside the visit: where somebody goes on who has begun a ballot of one screen,
/// as a fragment.
async fn keep(booth: &Booth, token: Token, address: &Address, sent: &Sent) -> Result<(Visit, Option<String>), Refusal> {
    let (visit, answers) = booth.visit(token.clone()).await.map_err(Refusal::Because)?;
    let because = |error: RespondError| Refusal::Because(error);
    if !matches!(visit.standing(), super::Standing::Answering) {
        return Ok((visit, None));
    }
    let form = visit.bearer.form().map_err(|e| because(e.into()))?;
    let blank = first_blank(&form, &answers, sent);
    if sent.is_empty() {
        return Ok((visit, blank));
    }
    let Spot::At(place) = Place::find(&form, &answers, address) else { return Err(Refusal::Nowhere) };
    let target = place.target(&form).to_owned();
    let clear = sent.clear.clone().map(|item| (target.clone(), item));
    let answers: Map<String, Value> = std::iter::once((target, Value::Object(sent.answers.clone()))).collect();
    Ok((booth.keep(token, visit, &Value::Object(answers), clear).await.map_err(because)?, blank))
}

/// The first question without an answer, when others on the one screen have one.
fn first_blank(form: &survey_forms::answers::Form<'_>, answers: &Answers, sent: &Sent) -> Option<String> {
    let target = form.targets.first().filter(|_| is_one_screen(form))?;
    let blank = |code: &str| answers.get(target, code).is_none() && !sent.answers.contains_key(code);
    let item = form.questionnaire.items().find(|item| blank(&item.code))?;
    let begun = !answers.is_empty() || !sent.answers.is_empty();
    begun.then(|| format!("#c-{}", encoded(&item.code)))
}

/// Where the button leads.
fn after(visit: &Visit, address: &Address, sent: &Sent) -> Result<String, Problem> {
    let form = visit.bearer.form().map_err(RespondError::from)?;
    // Without a screen in the address there is nothing to go on from: the beginning decides.
    if address.phan.is_none() {
        return Ok("/p".to_owned());
    }
    let Spot::At(place) = Place::find(&form, &Answers::new(), address) else { return Ok("/p".to_owned()) };
    Ok(match (&sent.clear, sent.go) {
        (Some(item), _) => format!("{}#c-{}", place.path(&form), encoded(item)),
        (None, Go::Back) => place.previous(&form).unwrap_or_else(|| place.path(&form)),
        (None, Go::Review) => "/p/xem-lai".to_owned(),
        (None, Go::Next | Go::Leave) => place.next(&form),
    })
}
