//! `/nhap-phieu/bo`: the bundles of a round, one bundle with its sheets, and what is done to it. Everything works without
//! a script.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use serde::Deserialize;

use super::claims::{self, Claim};
use super::{Act, Ballots, Bundle, BundleError, Exit, Stage, View};
use crate::access::{Desk, Role, Signed, Staff};
use crate::clock::Entropy;
use crate::db::{Conn, Db};
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page, render, see_other};
use crate::round::{LoadedRound, RoundState, Rounds};

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.configure(super::office::pages::pages)
        .service(web::resource("/nhap-phieu/bo").get(list))
        .service(web::resource("/nhap-phieu/bo/{round}/{group}/{number}").get(one))
        .service(web::resource("/nhap-phieu/bo/{round}/{group}/{number}/{act}").post(done));
}

const START: &str = "/nhap-phieu/bo";

/// Which round is looked at; the first that is open when nothing is said.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    pub(crate) dot: String,
}

/// The round that is looked at, and all of them by id and title.
type Chosen = (Option<std::sync::Arc<LoadedRound>>, Vec<(String, String)>);

/// Which round is looked at when `asked` for one, or for none.
///
/// # Errors
/// When there is no such round, or the database fails.
pub(crate) fn chosen(conn: &mut Conn, rounds: &Rounds, asked: &str) -> Result<Chosen, crate::round::RoundError> {
    let all = rounds.all(conn)?;
    let round = match asked {
        "" => all.iter().find(|r| r.state == RoundState::Open).or_else(|| all.first()).cloned(),
        id => Some(rounds.get(conn, id)?),
    };
    let names = all.iter().map(|r| (r.id().to_owned(), r.definition.title.clone())).collect();
    Ok((round, names))
}

/// A line of the list.
struct Line {
    name: String,
    path: String,
    group: String,
    office: String,
    stage: &'static str,
    good: bool,
    /// What is still to be done, in a few words.
    left: String,
    view: View,
}

#[derive(Template)]
#[template(path = "bundle/list.html")]
struct ListPage {
    frame: Frame,
    rounds: Vec<(String, String)>,
    round: String,
    title: String,
    lines: Vec<Line>,
    totals: (u32, u32, u32, u32),
}

/// A group of sheets in one place.
struct SheetLine {
    number: u32,
    custody: &'static str,
    capture: &'static str,
    marks: String,
}

#[derive(Template)]
#[template(path = "bundle/one.html")]
struct OnePage {
    frame: Frame,
    path: String,
    back: String,
    name: String,
    group: String,
    office: String,
    offices: Vec<(String, String)>,
    stage: &'static str,
    stages: Vec<(&'static str, bool)>,
    fault: Option<String>,
    said: Option<&'static str>,
    view: View,
    counted: Option<u32>,
    holder: String,
    note: Option<(String, String)>,
    first: Option<String>,
    signed: Vec<String>,
    claims: Vec<Claim>,
    sheets: Vec<SheetLine>,
    exits: [Exit; 4],
    leads: bool,
    signs: bool,
    samples: bool,
    sample_size: u32,
}

impl OnePage {
    fn is(&self, stage: Stage) -> bool {
        self.view.stage == stage
    }

    fn locked(&self) -> bool {
        self.view.stage == Stage::Locked
    }

    fn keyed(&self) -> bool {
        self.view.stage >= Stage::Balanced && !self.locked()
    }

    fn counted_in(&self) -> bool {
        self.view.stage >= Stage::HandedOver && !self.locked()
    }
}

fn path(view: &View) -> String {
    let escaped: String = view.respondent_code.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    });
    format!("{START}/{}/{escaped}/{}", view.round, view.number)
}

async fn list(
    signed: Signed<Desk>,
    asked: web::Query<Asked>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let (rounds, asked, staff) = (Rounds::clone(&rounds), asked.into_inner().dot, signed.staff().clone());
    let (round, names, views, offices) = db
        .read(move |conn| {
            let (round, names) = chosen(conn, &rounds, &asked)?;
            let views = match &round {
                Some(round) => super::all_for(conn, &staff, round.id())?,
                None => Vec::new(),
            };
            Ok::<_, BundleError>((round, names, views, super::office::all(conn)?))
        })
        .await?;
    let offices: BTreeMap<String, String> = offices.into_iter().collect();
    let mut totals = (0, 0, 0, 0);
    for view in &views {
        totals.0 += view.sheets.printed;
        totals.1 += view.ballots.here;
        totals.2 += view.ballots.cast;
        totals.3 += u32::from(view.stage == Stage::Locked);
    }
    let group = |code: &str| {
        let found = round.as_ref().and_then(|r| r.definition.group(code));
        found.map(|g| g.name.clone()).unwrap_or_default()
    };
    let lines = views.into_iter().map(|view| Line {
        name: view.name(),
        path: path(&view),
        group: group(&view.respondent_code),
        office: view.office.as_ref().and_then(|code| offices.get(code)).cloned().unwrap_or_default(),
        stage: view.stage.words(),
        good: view.stage == Stage::Locked,
        left: left(view.ballots),
        view,
    });
    Ok(page(&ListPage {
        frame: site.frame("Bó phiếu").with_staff(signed.bar()),
        rounds: names,
        round: round.as_ref().map(|r| r.id().to_owned()).unwrap_or_default(),
        title: round.as_ref().map(|r| r.definition.title.clone()).unwrap_or_default(),
        lines: lines.collect(),
        totals,
    }))
}

/// What waits of a bundle's ballots.
fn left(ballots: Ballots) -> String {
    let waiting = [
        ("chờ lượt 1", ballots.awaiting_first),
        ("chờ lượt 2", ballots.awaiting_second),
        ("chờ phân xử", ballots.mismatched),
        ("chờ đọc mẫu", ballots.awaiting_sample),
        ("có sự cố", ballots.referred),
    ];
    let told = waiting.into_iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{n} {what}"));
    told.collect::<Vec<_>>().join(", ")
}

/// One bundle.
#[derive(Deserialize)]
struct Which {
    round: String,
    group: String,
    number: u32,
}

/// The result of the form before, after its redirect.
#[derive(Deserialize)]
struct After {
    #[serde(default)]
    kq: String,
}

async fn one(
    signed: Signed<Desk>,
    which: web::Path<Which>,
    after: web::Query<After>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let said = (after.kq == "xong").then_some("Đã ghi nhận.");
    one_page(&db, &rounds, &site, &signed, which.into_inner(), (said, None)).await
}

async fn one_page(
    db: &Db,
    rounds: &Rounds,
    site: &Site,
    signed: &Signed<Desk>,
    which: Which,
    (said, fault): (Option<&'static str>, Option<(StatusCode, String)>),
) -> Result<HttpResponse, Problem> {
    let (rounds, staff) = (rounds.clone(), signed.staff().clone());
    let (view, group, names, offices, claims) = db
        .read(move |conn| {
            let view = super::find_for(conn, &staff, &which.round, &which.group, which.number)?;
            let round = rounds.get(conn, &which.round)?;
            let group = round.definition.group(&which.group).map(|g| g.name.clone()).unwrap_or_default();
            let claims = claims::held(conn, &view.id)?;
            Ok::<_, BundleError>((view, group, super::names(conn)?, super::office::all(conn)?, claims))
        })
        .await?;
    let name_of = |id: &str| names.get(id).cloned().unwrap_or_default();
    let (holder, note, both) = match &view.bundle {
        Bundle::Planned => (String::new(), None, Vec::new()),
        Bundle::HandedOver { holder } | Bundle::Received { holder, .. } | Bundle::Balanced { holder, .. } => {
            (holder.clone(), None, Vec::new())
        }
        Bundle::Discrepancy { holder, note, .. } => (holder.clone(), note.clone(), Vec::new()),
        Bundle::Locked { holder, note, signed, .. } => {
            (holder.clone(), note.clone(), signed.iter().map(|id| name_of(id)).collect())
        }
    };
    let role = signed.staff().role;
    let (status, fault) = match fault {
        Some((status, words)) => (status, Some(words)),
        None => (StatusCode::OK, None),
    };
    let lead = if fault.is_some() { "Lỗi: " } else { "" };
    let frame = site.frame(&format!("{lead}{}", view.name())).with_staff(signed.bar());
    let page = OnePage {
        frame,
        path: path(&view),
        back: format!("{START}?dot={}", view.round),
        name: view.name(),
        group,
        office: view
            .office
            .as_ref()
            .and_then(|code| offices.iter().find(|(known, _)| known == code))
            .map(|(_, name)| name.clone())
            .unwrap_or_default(),
        offices,
        stage: view.stage.words(),
        stages: steps(view.stage),
        fault,
        said,
        counted: view.bundle.counted(),
        holder,
        note: note.map(|(by, words)| (name_of(&by), words)),
        first: view.signed_first.as_deref().map(name_of),
        signed: both,
        claims,
        sheets: view.numbers.iter().map(sheet_line).collect(),
        exits: Exit::ALL,
        leads: role == Role::Supervisor,
        signs: matches!(role, Role::Supervisor | Role::Adjudicator | Role::Auditor),
        samples: matches!(role, Role::Supervisor | Role::Auditor),
        sample_size: super::sample_size(view.ballots.here),
        view,
    };
    Ok(render(status, &page))
}

/// The way of a bundle, and how much of it is behind.
fn steps(stage: Stage) -> Vec<(&'static str, bool)> {
    let way = [
        ("Bàn giao", Stage::HandedOver),
        ("Thu về, kiểm đếm", Stage::Balanced),
        ("Xong lượt 1", Stage::FirstComplete),
        ("Xong lượt 2", Stage::SecondComplete),
        ("Phân xử xong", Stage::Adjudicated),
        ("Kiểm tra mẫu", Stage::Audited),
        ("Khóa", Stage::Locked),
    ];
    way.into_iter().map(|(words, at)| (words, stage >= at)).collect()
}

fn sheet_line(sheet: &super::SheetView) -> SheetLine {
    let mut marks = Vec::new();
    if sheet.replaced {
        marks.push("đã thay bằng tờ khác");
    }
    if sheet.sampled {
        marks.push("mẫu kiểm tra");
    }
    let gone = matches!(sheet.custody, super::Custody::Gone(_));
    let capture = if gone && sheet.capture == super::Reached::Awaiting { "" } else { sheet.capture.words() };
    SheetLine { number: sheet.number, custody: sheet.custody.words(), capture, marks: marks.join(", ") }
}

/// What a form of this room sends.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent {
    holder: String,
    office: String,
    counted: String,
    sheet: String,
    exit: String,
    spoiled: String,
    undeliverable: String,
    lost: String,
    not_returned: String,
    words: String,
}

/// Numbers that a person wrote one after the other: `3, 7 12`.
fn numbers(text: &str, field: &'static str) -> Result<Vec<u32>, BundleError> {
    let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_err(|_number| BundleError::Field(field, "number_malformed"))).collect()
}

fn number(text: &str, field: &'static str) -> Result<Option<u32>, BundleError> {
    match numbers(text, field)?.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        _ => Err(BundleError::Field(field, "number_malformed")),
    }
}

fn read(act: &str, sent: Sent) -> Result<Option<Act>, BundleError> {
    let sheet = |text: &str| number(text, "/sheet")?.ok_or(BundleError::Field("/sheet", "number_missing"));
    Ok(Some(match act {
        "ban-giao" => {
            let office = Some(sent.office.trim().to_owned()).filter(|office| !office.is_empty());
            Act::HandOver { holder: sent.holder, office }
        }
        "phat" => Act::Deliver,
        "thu-ve" => {
            let mut missing = Vec::new();
            for (text, exit) in [
                (&sent.spoiled, Exit::Spoiled),
                (&sent.undeliverable, Exit::Undeliverable),
                (&sent.lost, Exit::Lost),
                (&sent.not_returned, Exit::NotReturned),
            ] {
                missing.extend(numbers(text, "/missing")?.into_iter().map(|number| (number, exit)));
            }
            let counted = number(&sent.counted, "/counted")?.ok_or(BundleError::Field("/counted", "number_missing"))?;
            Act::Receive { counted: Some(counted), missing }
        }
        "to-roi" => {
            let exit = Exit::parse(&sent.exit).ok_or(BundleError::Field("/exit", "exit_unknown"))?;
            Act::Leave { sheet: sheet(&sent.sheet)?, exit }
        }
        "tim-thay" => Act::Find { sheet: sheet(&sent.sheet)? },
        "giai-trinh" => Act::Note { note: sent.words },
        "rut-mau" => Act::Sample { ballots: number(&sent.counted, "/ballots")? },
        "mien-mau" => Act::Waive { why: sent.words },
        "ky" => Act::Sign,
        _ => return Ok(None),
    }))
}

/// What stands before the words of a refusal, or in their place.
fn detail(error: &BundleError) -> (String, bool) {
    match error {
        BundleError::NoSheet(number) => (format!("Bó này không có tờ số {number}."), true),
        BundleError::Keyed(number) | BundleError::Sheet(number, _) => (format!("Tờ số {number}: "), false),
        BundleError::OfficeUnknown => ("Không có bưu điện này.".to_owned(), true),
        BundleError::OnDevices(entries) => (format!("Còn {entries} lượt nhập. "), false),
        BundleError::Field(field, code) => {
            let what = match *field {
                "/holder" => "Người nhận",
                "/counted" => "Số tờ đếm được",
                "/sheet" => "Số thứ tự của tờ",
                "/missing" => "Số thứ tự các tờ thiếu",
                "/ballots" => "Số phiếu rút mẫu",
                "/exit" => "Lý do",
                "/note" => "Giải trình",
                _ => "Nội dung",
            };
            let fault = match *code {
                "text_missing" | "number_missing" => "chưa được điền",
                "text_too_long" => "quá dài",
                "exit_unknown" => "chưa được chọn",
                _ => "phải là số, các số cách nhau bằng dấu phẩy",
            };
            (format!("{what}: {fault}."), true)
        }
        _ => (String::new(), false),
    }
}

#[derive(Deserialize)]
struct Doing {
    round: String,
    group: String,
    number: u32,
    act: String,
}

async fn done(
    signed: Signed<Desk>,
    doing: web::Path<Doing>,
    form: web::Form<Sent>,
    tools: (Data<Db>, Data<Rounds>, Data<Site>, Data<Entropy>),
) -> Result<HttpResponse, Problem> {
    let (db, rounds, site, entropy) = tools;
    let Doing { round, group, number, act } = doing.into_inner();
    let which = Which { round: round.clone(), group: group.clone(), number };
    let staff: &Staff = signed.staff();
    let outcome = match read(&act, form.into_inner()) {
        Ok(Some(act)) => super::act_for(&db, &entropy, staff, (round, group, number), act).await,
        Ok(None) => return Err(Problem::new(&crate::http::codes::NOT_FOUND)),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(view) => Ok(see_other(&site.base().path(&format!("{}?kq=xong", path(&view))))),
        Err(error @ (BundleError::Db(_) | BundleError::Round(_) | BundleError::Unknown | BundleError::RoleMissing)) => {
            Err(error.into())
        }
        Err(error) => {
            let (before, whole) = detail(&error);
            let problem = Problem::from(error);
            let status = StatusCode::from_u16(problem.code().status).unwrap_or(StatusCode::CONFLICT);
            let words = if whole { before } else { format!("{before}{}", problem.code().title) };
            one_page(&db, &rounds, &site, &signed, which, (None, Some((status, words)))).await
        }
    }
}

#[cfg(test)]
mod tests;
