//! Answering: the list of targets, the screens, and the draft that each POST keeps.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use survey_forms::answers::{AnswerFault, Answers};

use super::super::given::{Faulty, Given};
use super::super::place::{Address, Course, Place, Spot, encoded, is_one_screen, screens};
use super::super::sent::{Go, Sent};
use super::super::views::{RoundView, SectionPage, TasksPage, asked, target_name, tasks};
use super::super::{Booth, RespondError, Visit};
use super::again::{self, Note, Why};
use super::here::Here;
use super::request::Carried;
use super::{Stop, count_unknown, entry, gone, instead, instead_of_form, of_another, renewed};
use crate::ballot::draft::Change;
use crate::ballot::{Token, page_mark};
use crate::http::frame::{page, render, see_other};
use crate::http::tongue::filled;
use crate::http::{Limits, Problem, codes};

/// `GET /p`: the list of targets, or a screen of the form.
pub(super) async fn show(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    address: Query<Address>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let at = entry::action(&site, &address);
    if let Some(told) = again::page(&booth, &site, &address, &at).await? {
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
    if let Some(response) = instead(&site, &visit, true) {
        return Ok(response);
    }
    let course = course(&visit, &answers)?;
    match Place::find(&course, &answers, &address) {
        Spot::Nowhere => Err(Problem::new(&codes::NOT_FOUND)),
        Spot::Review => Ok(see_other(&site.base().path("/p/xem-lai"))),
        Spot::Tasks => Ok(renewed(task_list(&site, &visit, &course, &answers), &site, &token)),
        // Somebody's answers have taken every question off this screen.
        Spot::At(place) if !course.holds(place) => Ok(see_other(&site.base().path(&place.next(&course)))),
        Spot::At(place) => {
            let sent = site.tells(&at, &Why::Faulty).and_then(Note::sent).filter(|sent| !sent.is_of_another(&token));
            let faulty = sent.as_ref().map(|sent| faulty(sent, &course, place)).unwrap_or_default();
            let again = sent.as_ref().filter(|_| !faulty.is_empty()).map(|sent| (sent, faulty.as_slice()));
            let shown = screen(&site, &token, &visit, &course, &answers, place, again);
            Ok(renewed(if sent.is_some() { site.told(shown) } else { shown }, &site, &token))
        }
    }
}

/// What of it does not fit, among what is asked here.
fn faulty(sent: &Sent, course: &Course<'_>, place: Place) -> Vec<Faulty> {
    let target = place.target(&course.form);
    let here = |fault: &Faulty| {
        let mut items = place.sections(&course.form).iter().flat_map(|section| course.items(section, target));
        items.any(|item| item.code == fault.item)
    };
    let given = Given::read(sent, &course.form, target);
    given.map(|given| given.faulty.into_iter().filter(here).collect()).unwrap_or_default()
}

fn course<'v>(visit: &'v Visit, answers: &Answers) -> Result<Course<'v>, RespondError> {
    Ok(Course::of(visit.bearer.form()?, answers))
}

fn task_list(site: &Here, visit: &Visit, course: &Course<'_>, answers: &Answers) -> HttpResponse {
    let done = course.form.complete(answers);
    page(&TasksPage {
        frame: site.page("Chọn cơ quan để đánh giá", "/p", true, &visit.bearer.round),
        round: RoundView::new(&visit.bearer.round, visit.now),
        title: &course.form.questionnaire.title,
        intro: &course.form.questionnaire.intro,
        answered: done.answered,
        total: done.total,
        tasks: tasks(&visit.bearer.round, course, answers),
    })
}

/// A screen; `again` with what was sent, when some of it does not fit.
fn screen(
    site: &Here,
    token: &Token,
    visit: &Visit,
    course: &Course<'_>,
    answers: &Answers,
    place: Place,
    again: Option<(&Sent, &[Faulty])>,
) -> HttpResponse {
    let form = &course.form;
    let mut frame = site.page("", "/p", true, &visit.bearer.round);
    let sections = asked(course, place, answers, again, frame.is_vietnamese());
    let whole = is_one_screen(form);
    let heading = match sections.as_slice() {
        [section] if !whole => {
            let title = frame.a(section.title);
            let values = [(place.screen + 1).to_string(), screens(form).to_string(), title.to_owned()];
            filled(frame.a("Phần #/#: #"), &values)
        }
        _ => frame.a(&form.questionnaire.title).to_owned(),
    };
    frame.title.clone_from(&heading);
    let alone = form.targets.len() == 1;
    let conditional: Vec<&str> =
        sections.iter().flat_map(|s| &s.items).filter(|item| item.conditional).map(|item| item.code).collect();
    let shown = SectionPage {
        frame: if again.is_some() { frame.failed() } else { frame },
        round: RoundView::new(&visit.bearer.round, visit.now),
        action: site.base().path(&place.path(form)),
        mark: page_mark(token),
        target: target_name(&visit.bearer.round, place.target(form)),
        heading,
        whole,
        intro: (alone && place.screen == 0).then_some(form.questionnaire.intro.as_str()),
        required: sections.iter().flat_map(|s| &s.items).any(|item| item.required),
        sections,
        shown: form.questionnaire.has_conditions().then(|| conditional.join(",")),
        back: place.previous(course).is_some(),
        faulty: again.is_some(),
    };
    render(if again.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &shown)
}

/// `POST /p`: a code, a screen's answers, or (after a session ended) both.
pub(super) async fn save(
    booth: Booth,
    carried: Carried,
    site: Here,
    limits: Data<Limits>,
    address: Query<Address>,
    form: Form<Vec<(String, String)>>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let sent = Sent::read(form.into_inner())?;
    let at = entry::action(&site, &address);
    let (token, entered) = match &sent.code {
        Some(typed) => match Token::parse_any(typed) {
            Ok(token) => (token, true),
            Err(fault) => {
                let told = site.again(&at, Why::Mistyped, &sent);
                return Ok(again::or(told, entry::mistyped(&booth, &site, &address, &sent, fault)).await);
            }
        },
        None => match carried.0 {
            Some(token) => (token, false),
            None => {
                let told = site.again(&at, Why::NoCode, &sent);
                return Ok(again::or(told, entry::ask_again(&booth, &site, &address, &sent)).await);
            }
        },
    };
    if sent.is_of_another(&token) {
        let told = site.again(&at, Why::Other, &Sent::empty());
        return Ok(again::or(told, of_another(&booth, &site, !entered)).await);
    }
    let saved = match keep(&booth, token.clone(), &address, &sent).await {
        Ok(saved) => saved,
        Err(Refusal::Nowhere) => return Err(Problem::new(&codes::NOT_FOUND)),
        Err(Refusal::Because(error)) => {
            if let Err(problem) = count_unknown(&error, &limits, &req) {
                return again::refused(&site, &at, problem);
            }
            return match error {
                RespondError::CodeUnknown => {
                    let told = site.again(&at, Why::Unknown, &sent);
                    Ok(again::or(told, entry::unknown(&booth, &site, &address, &sent)).await)
                }
                other => Err(other.into()),
            };
        }
    };
    let stopped = instead_of_form(&site, &saved.visit, !entered, &at);
    if let (None, [_, ..], Some(place)) = (&stopped, saved.faulty.as_slice(), saved.place) {
        let course = course(&saved.visit, &saved.answers)?;
        let again = Some((&sent, saved.faulty.as_slice()));
        let told = site.again(&site.base().path(&place.path(&course.form)), Why::Faulty, &sent);
        let shown = told.unwrap_or_else(|| screen(&site, &token, &saved.visit, &course, &saved.answers, place, again));
        return Ok(if entered || sent.pressed { renewed(shown, &site, &token) } else { shown });
    }
    if sent.go == Go::Leave {
        return Ok(gone(&site));
    }
    let mut response = match stopped {
        // A refusal is told and the code is not kept; a receipt needs it.
        Some(response) if Stop::of(&saved.visit).is_some() => return Ok(response),
        Some(response) => response,
        None => {
            let path = match first_blank(&saved).filter(|_| entered) {
                Some(blank) => format!("/p{blank}"),
                None if entered => "/p".to_owned(),
                None => after(&saved, &address, &sent)?,
            };
            see_other(&site.base().path(&path))
        }
    };
    if let Some(tag) = &sent.language {
        site.remember(&mut response, tag)?;
    }
    Ok(if entered || sent.pressed { renewed(response, &site, &token) } else { response })
}

enum Refusal {
    Nowhere,
    Because(RespondError),
}

/// What has become of what was sent.
struct Saved {
    visit: Visit,
    /// As they are now in the draft.
    answers: Answers,
    /// What does not fit, and was not saved.
    faulty: Vec<Faulty>,
    place: Option<Place>,
    /// Not asked of everybody, and not asked before this was sent.
    fresh: Option<String>,
}

/// Keeps what was sent, if anything was.
async fn keep(booth: &Booth, token: Token, address: &Address, sent: &Sent) -> Result<Saved, Refusal> {
    let (visit, mut answers) = booth.visit(token.clone()).await.map_err(Refusal::Because)?;
    let because = |error: RespondError| Refusal::Because(error);
    let nothing = |visit, answers| Saved { visit, answers, faulty: Vec::new(), place: None, fresh: None };
    if !matches!(visit.standing(), super::Standing::Answering) {
        return Ok(nothing(visit, answers));
    }
    if sent.is_empty() {
        return Ok(nothing(visit, answers));
    }
    let before = course(&visit, &answers).map_err(because)?;
    let form = before.form;
    let Spot::At(place) = Place::find(&before, &answers, address) else { return Err(Refusal::Nowhere) };
    let target = place.target(&form).to_owned();
    let mut given = Given::read(sent, &form, &target).map_err(|faults| because(RespondError::Answers(faults)))?;
    let here = |code: &str| place.sections(&form).iter().any(|s| s.items.iter().any(|item| item.code == code));
    if let Some(fault) = given.faulty.iter().find(|fault| !here(&fault.item)) {
        let fault = AnswerFault { pointer: String::new(), code: fault.code };
        return Err(because(RespondError::Answers(vec![fault])));
    }
    let clear: Vec<(String, String)> =
        given.empty.iter().chain(&sent.clear).map(|item| (target.clone(), item.clone())).collect();
    for (target, item, answer) in given.answers.iter() {
        answers.insert(target, item, answer.clone());
    }
    for (target, item) in &clear {
        answers.remove(target, item);
    }
    let after = Course::of(form, &answers);
    // Nobody can mend what the other answers have taken off the screen.
    given.faulty.retain(|fault| after.asks(&target, &fault.item));
    let is_fresh = |code: &str| {
        let shown = sent.was_shown(code).unwrap_or_else(|| before.asks(&target, code));
        !shown && answers.get(&target, code).is_none()
    };
    let items = place.sections(&form).iter().flat_map(|section| after.items(section, &target));
    let fresh = items.filter(|item| !item.only_if.is_empty()).map(|item| &item.code).find(|code| is_fresh(code));
    let fresh = fresh.cloned();
    // Empty fields of somebody who has answered nothing are no draft.
    let change = Change { answers: given.answers, clear };
    let visit = if change.answers.is_empty() && !visit.drafted && sent.clear.is_none() {
        visit
    } else {
        booth.keep(token, visit, change).await.map_err(because)?
    };
    Ok(Saved { visit, answers, faulty: given.faulty, place: Some(place), fresh })
}

/// Where somebody goes on who has begun a ballot of one screen, as a fragment: the first question without an answer.
fn first_blank(saved: &Saved) -> Option<String> {
    let form = saved.visit.bearer.form().ok()?;
    let course = Course::of(form, &saved.answers);
    let target = form.targets.first().filter(|_| is_one_screen(&form))?;
    let blank = |code: &str| course.asks(target, code) && saved.answers.get(target, code).is_none();
    let item = form.questionnaire.items().find(|item| blank(&item.code))?;
    (!saved.answers.is_empty()).then(|| format!("#c-{}", encoded(&item.code)))
}

/// Where the button leads.
fn after(saved: &Saved, address: &Address, sent: &Sent) -> Result<String, Problem> {
    let course = course(&saved.visit, &saved.answers)?;
    // Without a screen in the address there is nothing to go on from: the beginning decides.
    if address.phan.is_none() {
        return Ok("/p".to_owned());
    }
    let Spot::At(place) = Place::find(&course, &saved.answers, address) else { return Ok("/p".to_owned()) };
    let here = place.path(&course.form);
    Ok(match (&sent.clear, sent.go) {
        (Some(item), _) => format!("{here}#c-{}", encoded(item)),
        (None, Go::Language) => here,
        (None, Go::Back) => place.previous(&course).unwrap_or(here),
        (None, Go::Review) => "/p/xem-lai".to_owned(),
        (None, Go::Next | Go::Leave) => match &saved.fresh {
            Some(item) => format!("{here}#m-{}", encoded(item)),
            None => place.next(&course),
        },
    })
}
