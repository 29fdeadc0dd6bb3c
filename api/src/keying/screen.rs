//! The keying screen as a page: a pass over a ballot, a third person's reading of some places, a ballot to learn on.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use survey_forms::Round;
use survey_forms::answers::Form;

use super::pages::{SCRIPT, style};
use super::scan::pages::Shown;
use super::sheet::{Sheet, Typed};
use super::training::{Exercise, PaperRow, paper};
use super::{KeyingError, Pass, Place};
use crate::access::{Desk, Signed};
use crate::ballot::{Bearer, Token, page_mark};
use crate::bundle::SheetLabel;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, render};

#[derive(Template)]
#[template(path = "keying/sheet.html")]
struct SheetPage<'p> {
    frame: Frame,
    css: String,
    code: &'p str,
    /// Tells this ballot from others in the browser's store.
    mark: String,
    work: Work<'p>,
    /// As on the paper, or the group alone.
    label: String,
    group: &'p str,
    sheet: Sheet,
    /// The paper of a ballot to learn on.
    paper: Vec<(String, Vec<PaperRow>)>,
    scans: &'p [Shown],
    trouble: Option<&'static str>,
}

/// A ballot on the keying screen.
pub(super) struct Screen<'s> {
    pub(super) ballot: &'s Bearer,
    pub(super) label: Option<SheetLabel>,
    pub(super) token: &'s Token,
    /// As it was typed.
    pub(super) code: &'s str,
    /// Page images, for the third person.
    pub(super) scans: Vec<Shown>,
}

impl Screen<'_> {
    /// As on the paper, or the group alone.
    pub(super) fn label(&self) -> String {
        self.label.as_ref().map_or_else(|| self.ballot.stratum.respondent_code.clone(), ToString::to_string)
    }
}

/// What is done on the screen.
#[derive(Clone, Copy)]
pub(super) enum Work<'w> {
    /// A pass over the whole ballot.
    Key(Pass),
    /// A third person's reading of some places.
    Read(&'w [Place]),
    /// A ballot to learn on.
    Learn,
}

impl Work<'_> {
    const fn name(self) -> &'static str {
        match self {
            Self::Key(pass) => pass.as_str(),
            Self::Read(_) => "reading",
            Self::Learn => "training",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Key(_) => "/nhap-phieu/luot",
            Self::Read(_) => "/nhap-phieu/doc",
            Self::Learn => "/nhap-phieu/luyen-tap",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Key(Pass::First) => "Lượt 1",
            Self::Key(Pass::Second) => "Lượt 2",
            Self::Key(Pass::Sample) => "Đọc lại phiếu mẫu",
            Self::Read(_) => "Phân xử: đọc phiếu",
            Self::Learn => "Luyện tập",
        }
    }

    const fn save(self) -> &'static str {
        match self {
            Self::Key(Pass::First) => "Lưu lượt 1",
            Self::Key(Pass::Second) => "Lưu lượt 2",
            Self::Key(Pass::Sample) => "Lưu bản đọc lại",
            Self::Read(_) => "Lưu bản đọc, xem hai lượt nhập",
            Self::Learn => "Xem kết quả",
        }
    }

    /// Whether what was typed is kept when one stops in the middle.
    const fn keeps(self) -> bool {
        matches!(self, Self::Key(_))
    }
}

fn status_of(faults: &BTreeMap<String, &'static str>, trouble: Option<&Problem>) -> StatusCode {
    match trouble {
        Some(problem) => StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        None if faults.is_empty() => StatusCode::OK,
        None => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn lead(status: StatusCode) -> &'static str {
    if status == StatusCode::OK { "" } else { "Lỗi: " }
}

/// The screen for a ballot in hand.
///
/// # Errors
/// When its round no longer has its form.
pub(super) fn sheet_page(
    site: &Site,
    signed: &Signed<Desk>,
    screen: &Screen<'_>,
    work: Work<'_>,
    typed: &Typed,
    faults: &BTreeMap<String, &'static str>,
    trouble: Option<Problem>,
) -> Result<HttpResponse, Problem> {
    let Screen { ballot, token, code, .. } = screen;
    let round = &ballot.round.definition;
    let form = ballot.form().map_err(KeyingError::from)?;
    let only = match work {
        Work::Read(places) => Some(places),
        Work::Key(_) | Work::Learn => None,
    };
    let respondent_code = ballot.stratum.respondent_code.as_str();
    let status = status_of(faults, trouble.as_ref());
    let title = format!("{}{respondent_code} · {}", lead(status), work.title());
    let page = SheetPage {
        frame: site.frame(&title).with_staff(signed.bar()).with_script(SCRIPT),
        css: style(site),
        code,
        mark: page_mark(token),
        work,
        label: screen.label(),
        group: round.group(respondent_code).map_or("", |g| g.name.as_str()),
        sheet: Sheet::new(round, &form, only, typed, faults),
        paper: Vec::new(),
        scans: &screen.scans,
        trouble: trouble.map(|problem| problem.code().title),
    };
    Ok(render(status, &page))
}

/// The screen for a ballot to learn on, beside its paper.
pub(super) fn exercise_page(
    site: &Site,
    signed: &Signed<Desk>,
    (round, form): (&Round, &Form<'_>),
    exercise: &Exercise,
    typed: &Typed,
    faults: &BTreeMap<String, &'static str>,
) -> HttpResponse {
    let status = status_of(faults, None);
    let label = format!("Bài {}/{}", exercise.number, super::training::EXERCISES);
    let title = format!("{}Luyện tập · {label}", lead(status));
    let page = SheetPage {
        frame: site.frame(&title).with_staff(signed.bar()).with_script(SCRIPT),
        css: style(site),
        code: &exercise.number.to_string(),
        mark: String::new(),
        work: Work::Learn,
        label,
        group: round.group(&exercise.respondent_code).map_or("", |g| g.name.as_str()),
        sheet: Sheet::new(round, form, None, typed, faults),
        paper: paper(round, form, &exercise.paper),
        scans: &[],
        trouble: None,
    };
    render(status, &page)
}
