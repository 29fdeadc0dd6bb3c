//! `/quan-tri/../xem/{respondent_code}`: a questionnaire as its respondents see it, drawn by the form's own templates,
//! for a loaded round and for one that waits to be loaded. Nothing can be sent from it and nothing is saved.

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use survey_forms::Round;
use survey_forms::answers::Form;
use survey_forms::questionnaire::{Condition, Holds, Item};
use survey_forms::ratio::to_exact;

use super::item_view::{AskedView, ItemView};
use super::place::{is_one_screen, screens};
use super::words::{Phrase, decimal};
use crate::access::{AdministrationReading, Signed};
use crate::db::Db;
use crate::http::frame::{Frame, Site, page};
use crate::http::{Problem, codes};
use crate::round::{Rounds, proposal};

/// Kinds of ballot that are written out.
const ROUTES_MAX: usize = 60;

/// Mounts the previews.
pub(super) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/quan-tri/dot/{round}/xem/{respondent_code}", web::get().to(loaded))
        .route("/quan-tri/de-xuat/{id}/xem/{respondent_code}", web::get().to(proposed));
}

#[derive(Template)]
#[template(path = "respond/preview.html")]
struct PreviewPage<'f> {
    frame: Frame,
    /// Where somebody came from, without the prefix.
    back: String,
    round: &'f str,
    code: &'f str,
    title: &'f str,
    intro: &'f str,
    closing: Option<&'f str>,
    /// The whole ballot is one screen.
    whole: bool,
    several: bool,
    screens: usize,
    sections: Vec<AskedView<'f>>,
    /// Whose people rate what.
    routes: Vec<(&'f str, String)>,
    routes_more: usize,
}

async fn loaded(
    signed: Signed<AdministrationReading>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, code) = path.into_inner();
    let back = format!("/quan-tri/dot/{id}");
    let rounds = Rounds::clone(&rounds);
    let round = db.read(move |conn| rounds.get(conn, &id)).await?;
    shown(site.frame("Xem trước phiếu").with_staff(signed.bar()), back, &round.definition, &code)
}

async fn proposed(
    signed: Signed<AdministrationReading>,
    db: Data<Db>,
    site: Data<Site>,
    req: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let of = |name: &str| req.match_info().query(name).to_owned();
    let (id, code) = (of("id"), of("respondent_code"));
    let back = format!("/quan-tri/de-xuat/{id}");
    let (_, upload) = db.read(move |conn| proposal::read(conn, &id)).await?;
    let round = upload.as_ref().and_then(proposal::Upload::round).ok_or(Problem::new(&codes::NOT_FOUND))?;
    shown(site.frame("Xem trước phiếu").with_staff(signed.bar()), back, round, &code)
}

fn shown(frame: Frame, back: String, round: &Round, code: &str) -> Result<HttpResponse, Problem> {
    let routes: Vec<_> = round.assignments().into_iter().filter(|route| route.respondent_code == code).collect();
    let targets = routes.first().map(|route| route.targets.clone()).unwrap_or_default();
    let form = round.form(code, &targets).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let item = |item| {
        let mut view = ItemView::new(&form, item, None, true);
        view.only_if = conditions(&form, item);
        view
    };
    let sections = form.questionnaire.sections.iter().map(|section| AskedView {
        title: &section.title,
        intro: section.intro.as_deref(),
        items: section.items.iter().map(item).collect(),
    });
    let name = |code: &str| round.target(code).map_or_else(|| code.to_owned(), |target| target.name.clone());
    let route = |route: &survey_forms::round::Assignment| {
        let unit = route.source_unit.as_deref().and_then(|unit| round.unit(unit));
        let targets: Vec<String> = route.targets.iter().map(|target| name(target)).collect();
        (unit.map_or("", |unit| unit.name.as_str()), targets.join(", "))
    };
    Ok(page(&PreviewPage {
        frame,
        back,
        round: &round.title,
        code: &form.questionnaire.respondent_code,
        title: &form.questionnaire.title,
        intro: &form.questionnaire.intro,
        closing: form.questionnaire.closing.as_deref(),
        whole: is_one_screen(&form),
        several: form.targets.len() > 1,
        screens: screens(&form),
        sections: sections.collect(),
        routes: routes.iter().take(ROUTES_MAX).map(route).collect(),
        routes_more: routes.len().saturating_sub(ROUTES_MAX),
    }))
}

/// When an item is asked, in words.
fn conditions(form: &Form<'_>, item: &Item) -> Vec<Phrase> {
    let words = |condition: &Condition| {
        let of = form.questionnaire.item(&condition.item);
        let offered = of.map(|of| of.options(form.scales, form.choices)).unwrap_or_default();
        let label = |code: &String| {
            let option = offered.iter().find(|option| option.code == code);
            format!("“{}”", option.map_or(code.as_str(), |option| option.label))
        };
        let any = |options: &[String]| options.iter().map(label).collect::<Vec<_>>().join(" hoặc ");
        let what = match &condition.holds {
            Holds::Is(options) => format!("trả lời {}", any(options)),
            Holds::IsNot(options) => format!("không trả lời {}", any(options)),
            Holds::Between { at_least, at_most } => {
                let bound = |words: &str, bound: &Option<survey_forms::Ratio>| {
                    bound.as_ref().map(|bound| format!("{words} {}", decimal(&to_exact(bound), true)))
                };
                let bounds = bound("từ", at_least).into_iter().chain(bound("đến", at_most));
                format!("trả lời một số {}", bounds.collect::<Vec<_>>().join(" "))
            }
            Holds::Answered(true) => "có trả lời".to_owned(),
            Holds::Answered(false) => "để trống".to_owned(),
        };
        format!("câu {} {what}", of.map_or(0, |of| of.number))
    };
    if item.only_if.is_empty() {
        return Vec::new();
    }
    let all: Vec<String> = item.only_if.iter().map(words).collect();
    vec![Phrase::new("Chỉ hỏi nếu #.", [all.join(", và ")])]
}
