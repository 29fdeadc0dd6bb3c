//! `/quan-tri/in`: lists of codes as slips and ballots, this once, and the sheets that go with bundles. Each answer is the
//! file itself, or a page with the files in it: they are whole before a code of them counts, and there is no second copy.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpResponse, http::header};
use askama::Template;
use phieu_print::{Paper, PrintError};
use serde::Deserialize;
use survey_forms::round::{Channel, IssueMode};

use super::job::{Halt, Job};
use super::{PressError, Sheet, progress, sheet, specimen};
use crate::access::{AdministrationReading, Signed, Supervising, audit};
use crate::clock::Entropy;
use crate::credential::{CredentialError, Selection, Standing, standings};
use crate::db::{Conn, Db};
use crate::http::frame::{Frame, Site, StaffBar, page, render};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, RoundState, Rounds, proposal};

/// Most codes that the page makes at a time. Commands have no such limit.
pub(super) const MOST: u64 = 10_000;
/// Most codes that are drawn well within the time of a request; more are drawn while the page tells how far it is.
const AT_ONCE: usize = 500;

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/quan-tri/in", web::get().to(rounds_page))
        .route("/quan-tri/in/{round}", web::get().to(round_page))
        .route("/quan-tri/in/{round}/ma", web::post().to(codes_file))
        .route("/quan-tri/in/{round}/to", web::post().to(sheet_file))
        .route("/quan-tri/dot/{round}/xem/{respondent_code}/ban-in.pdf", web::get().to(specimen_loaded))
        .route("/quan-tri/de-xuat/{id}/xem/{respondent_code}/ban-in.pdf", web::get().to(specimen_proposed));
}

#[derive(Template)]
#[template(path = "print/rounds.html")]
struct RoundsPage {
    frame: Frame,
    /// Id, title and state.
    rounds: Vec<(String, String, &'static str)>,
}

#[derive(Template)]
#[template(path = "print/round.html")]
struct RoundPage {
    frame: Frame,
    id: String,
    title: String,
    takes_codes: bool,
    fault: Option<String>,
    ask: Option<Ask>,
    groups: Vec<GroupRow>,
    sheets: Vec<(&'static str, &'static str)>,
    most: u64,
}

struct GroupRow {
    code: String,
    name: String,
    is_paper: bool,
    /// Its ballots are about many bodies.
    is_matrix: bool,
    /// Its codes go by letter to named people.
    by_letter: bool,
    standing: Standing,
}

/// What must be confirmed: the list was handed over before.
struct Ask {
    wanted: CodesForm,
    unused: u64,
    settled: u64,
}

#[derive(Deserialize, Clone)]
pub(super) struct CodesForm {
    pub(super) nhom: String,
    #[serde(default)]
    pub(super) don_vi: String,
    #[serde(default)]
    so_ma: String,
    #[serde(default)]
    pub(super) kho: String,
    #[serde(default)]
    pub(super) hai_mat: String,
    #[serde(default)]
    pub(super) lai: String,
}

#[derive(Deserialize)]
struct SheetForm {
    to: String,
    #[serde(default)]
    nhom: String,
}

async fn rounds_page(
    signed: Signed<Supervising>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let all = db.read(move |conn| rounds.all(conn).map_err(Problem::from)).await?;
    let rounds = all.iter().map(|r| (r.id().to_owned(), r.definition.title.clone(), r.state.name())).collect();
    Ok(page(&RoundsPage { frame: site.frame("In ấn").with_staff(signed.bar()), rounds }))
}

async fn round_page(
    signed: Signed<Supervising>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    Ok(page(&shown(&db, &rounds, &site, signed.bar(), id.into_inner(), None, None).await?))
}

async fn shown(
    db: &Db,
    rounds: &Rounds,
    site: &Site,
    bar: StaffBar,
    id: String,
    fault: Option<String>,
    ask: Option<Ask>,
) -> Result<RoundPage, Problem> {
    let rounds = rounds.clone();
    let all = Selection { respondent_code: None, source_unit: None, count: None };
    let read = move |conn: &mut Conn| {
        let round = rounds.get(conn, &id)?;
        let standings = standings(conn, &round, all)?;
        Ok::<_, Problem>((round, standings))
    };
    let (round, mut standings) = db.read(read).await?;
    let matrix = |code: &str| {
        let kinds = round.definition.assignments();
        kinds.iter().any(|kind| kind.respondent_code == code && kind.targets.len() > 1)
    };
    let groups = round.definition.groups.iter().map(|group| GroupRow {
        code: group.code.clone(),
        name: group.name.clone(),
        is_paper: group.channel == Channel::Paper,
        is_matrix: group.channel == Channel::Paper && matrix(&group.code),
        by_letter: group.issue == IssueMode::Addressed,
        standing: standings.remove(&group.code).unwrap_or_default(),
    });
    let title = if fault.is_some() { "Lỗi: In ấn" } else { "In ấn" };
    Ok(RoundPage {
        frame: site.frame(title).with_staff(bar),
        id: round.id().to_owned(),
        title: round.definition.title.clone(),
        takes_codes: matches!(round.state, RoundState::Loaded | RoundState::Open),
        fault,
        ask,
        groups: groups.collect(),
        sheets: Sheet::ALL.map(|sheet| (sheet.as_str(), sheet.vietnamese())).to_vec(),
        most: MOST,
    })
}

/// A refusal that the page explains.
pub(super) fn words(error: &PressError) -> Option<(StatusCode, String)> {
    let conflict = |words: String| Some((StatusCode::CONFLICT, words));
    match error {
        PressError::Credential(CredentialError::Used) => conflict(
            "Mọi mã của lựa chọn này đều đã được dùng hoặc phiếu giấy đã về; không còn mã nào để in.".to_owned(),
        ),
        PressError::Credential(CredentialError::HowMany { .. }) => {
            conflict("Nhóm này không có chỉ tiêu và chưa có danh sách; xin ghi số mã cho mỗi loại phiếu.".to_owned())
        }
        PressError::Credential(CredentialError::OverQuota { source_unit, allowed, issued, asked, .. }) => {
            let unit = if source_unit.is_empty() { String::new() } else { format!("{source_unit}: ") };
            conflict(format!(
                "{unit}được phép {allowed} mã, đã phát {issued}, yêu cầu thêm {asked}. Chưa có mã nào được phát."
            ))
        }
        PressError::Credential(CredentialError::TooMany) => {
            conflict(format!("Mỗi lần tối đa {MOST} mã. Xin in từng đơn vị, hoặc dùng lệnh phieu codes issue."))
        }
        PressError::Credential(CredentialError::Closed) => {
            conflict("Đợt điều tra đã chốt, không phát thêm mã.".to_owned())
        }
        PressError::Credential(CredentialError::NothingSelected) | PressError::GroupUnknown => {
            Some((StatusCode::NOT_FOUND, codes::GROUP_UNKNOWN.title.to_owned()))
        }
        PressError::Print(PrintError::Empty) => conflict("Không có gì để in với lựa chọn này.".to_owned()),
        _ => None,
    }
}

impl From<PressError> for Problem {
    fn from(error: PressError) -> Self {
        match error {
            PressError::GroupUnknown => Self::new(&codes::GROUP_UNKNOWN),
            PressError::Credential(error) => error.into(),
            PressError::Round(error) => error.into(),
            PressError::Db(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

async fn codes_file(
    signed: Signed<Supervising>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
    entropy: Data<Entropy>,
    id: Path<String>,
    form: Form<CodesForm>,
) -> Result<HttpResponse, Problem> {
    let (id, wanted) = (id.into_inner(), form.into_inner());
    let count = match wanted.so_ma.trim() {
        "" => Ok(None),
        text => text.parse::<u32>().ok().filter(|n| *n > 0).map(Some).ok_or("Số mã phải là một số từ 1 trở lên."),
    };
    let refuse = async |status: StatusCode, words: String| {
        let shown = shown(&db, &rounds, &site, signed.bar(), id.clone(), Some(words), None).await?;
        Ok::<_, Problem>(render(status, &shown))
    };
    let count = match count {
        Ok(count) => count,
        Err(fault) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, fault.to_owned()).await,
    };
    let job = Job {
        db: Db::clone(&db),
        rounds: Rounds::clone(&rounds),
        entropy: Entropy::clone(&entropy),
        actor: signed.actor(),
        base: site.base().clone(),
        id: id.clone(),
        count,
        wanted: wanted.clone(),
    };
    let begun = web::block(move || job.begin().map(|begun| (job, begun)));
    let handed = match begun.await.map_err(|cancelled| Problem::internal(&cancelled))? {
        Ok((job, begun)) if begun.made().codes.len() <= AT_ONCE => {
            let drawn = web::block(move || job.finish(begun, AT_ONCE, &mut |_| true));
            drawn.await.map_err(|cancelled| Problem::internal(&cancelled))?
        }
        Ok((job, begun)) => return progress::answer(site.frame("Đang in mã").with_staff(signed.bar()), job, begun),
        Err(halt) => Err(halt),
    };
    match handed {
        Ok((_, files)) => {
            let file = files.into_iter().next().ok_or(Problem::new(&codes::INTERNAL))?;
            Ok(attachment(&format!("{id}-{}.pdf", wanted.nhom), file))
        }
        Err(Halt::Gone) => Err(Problem::new(&codes::INTERNAL)),
        Err(Halt::Confirm(standing)) => {
            let ask = Ask { wanted, unused: standing.unused, settled: standing.settled };
            let shown = shown(&db, &rounds, &site, signed.bar(), id, None, Some(ask)).await?;
            Ok(render(StatusCode::CONFLICT, &shown))
        }
        Err(Halt::Press(error)) => match words(&error) {
            Some((status, words)) => refuse(status, words).await,
            None => Err(error.into()),
        },
    }
}

async fn sheet_file(
    signed: Signed<Supervising>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    site: Data<Site>,
    id: Path<String>,
    form: Form<SheetForm>,
) -> Result<HttpResponse, Problem> {
    let (id, form) = (id.into_inner(), form.into_inner());
    let which = Sheet::parse(&form.to).ok_or(Problem::new(&codes::NOT_FOUND))?;
    let work = {
        let (handle, rounds, actor, id) = (Db::clone(&db), Rounds::clone(&rounds), signed.actor(), id.clone());
        move |conn: &mut Conn| {
            let round: std::sync::Arc<LoadedRound> = rounds.get(conn, &id)?;
            let at = handle.now(conn)?;
            let group = Some(form.nhom.as_str()).filter(|group| !group.is_empty());
            let bytes = sheet(conn, &round, which, group, at)?;
            let detail = format!("sheet={} group={}", which.as_str(), group.unwrap_or("*"));
            audit::record(conn, at, &actor, "print.sheet", &id, &detail)?;
            Ok::<_, PressError>(bytes)
        }
    };
    match db.write(work).await {
        Ok(bytes) => Ok(attachment(&format!("{id}-{}.pdf", which.as_str()), bytes)),
        Err(error) => match words(&error) {
            Some((status, words)) => {
                Ok(render(status, &shown(&db, &rounds, &site, signed.bar(), id, Some(words), None).await?))
            }
            None => Err(error.into()),
        },
    }
}

async fn specimen_loaded(
    _signed: Signed<AdministrationReading>,
    db: Data<Db>,
    rounds: Data<Rounds>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, group) = path.into_inner();
    let (handle, rounds) = (Db::clone(&db), Rounds::clone(&rounds));
    let name = format!("{id}-{group}-xem-thu.pdf");
    let work = move |conn: &mut Conn| {
        let round = rounds.get(conn, &id)?;
        let at = handle.now(conn)?;
        Ok::<_, PressError>(specimen(&round.definition, &group, at, Paper::A4)?.bytes)
    };
    Ok(attachment(&name, db.read(work).await?))
}

async fn specimen_proposed(
    _signed: Signed<AdministrationReading>,
    db: Data<Db>,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, group) = path.into_inner();
    let handle = Db::clone(&db);
    let name = format!("{group}-xem-thu.pdf");
    let work = move |conn: &mut Conn| {
        let (_, upload) = proposal::read(conn, &id)?;
        let round = upload.as_ref().and_then(proposal::Upload::round).ok_or(Problem::new(&codes::NOT_FOUND))?;
        let at = handle.now(conn)?;
        Ok::<_, Problem>(specimen(round, &group, at, Paper::A4).map_err(Problem::from)?.bytes)
    };
    Ok(attachment(&name, db.read(work).await?))
}

/// A file to keep. Its name may hold Vietnamese letters.
fn attachment(name: &str, bytes: Vec<u8>) -> HttpResponse {
    let disposition = header::ContentDisposition {
        disposition: header::DispositionType::Attachment,
        parameters: vec![header::DispositionParam::FilenameExt(header::ExtendedValue {
            charset: header::Charset::Ext("UTF-8".to_owned()),
            language_tag: None,
            value: name.as_bytes().to_vec(),
        })],
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/pdf"))
        .insert_header((CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(bytes)
}
