//! `/quan-tri/dot`: a round's folder is uploaded, its faults are read, and a second person loads it.

use std::collections::BTreeMap;
use std::time::Duration;

use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use serde::Deserialize;
use survey_forms::round::diff;
use survey_forms::{Fault, Severity};

use super::archive::{self, ARCHIVE_BYTES_MAX, ArchiveError};
use super::proposal::{self, Proposal, ProposalError, ProposalState, Proposed, Upload};
use super::review::Review;
use super::{RoundError, Rounds, Standing, change_words, fault_words, standing};
use crate::access::{Administration, AdministrationReading, Role, Signed, Staff};
use crate::clock::{Entropy, local};
use crate::db::{Conn, Db};
use crate::http::frame::{Frame, Site, StaffBar, page, render, see_other};
use crate::http::{Problem, codes};

/// Name of the field with the file.
const FIELD: &str = "tep";
/// Longest time for an upload to arrive, below the service's own limit so that the answer is still a page.
const UPLOAD_WITHIN: Duration = Duration::from_secs(18);
/// What is read of an upload that is too large, so that the browser gets to see the answer.
const DRAIN_MAX: usize = 8 * ARCHIVE_BYTES_MAX;
/// Faults of each severity on the page.
const FAULTS_SHOWN: usize = 300;
/// Differences from the loaded version on the page.
const CHANGES_SHOWN: usize = 200;

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/quan-tri/dot").get(rounds_page).post(upload))
        .route("/quan-tri/dot/{round}", web::get().to(loaded))
        .route("/quan-tri/de-xuat/{id}", web::get().to(proposal_page))
        .route("/quan-tri/de-xuat/{id}/xac-nhan", web::post().to(confirm))
        .route("/quan-tri/de-xuat/{id}/rut-lai", web::post().to(withdraw));
}

#[derive(Template)]
#[template(path = "round/rounds.html")]
struct RoundsPage {
    frame: Frame,
    fault: Option<String>,
    said: Option<&'static str>,
    may_upload: bool,
    limit_mib: usize,
    proposals: Vec<Row>,
    /// Id, title and state.
    rounds: Vec<(String, String, &'static str)>,
}

/// A proposal as it is shown.
struct Row {
    id: String,
    title: String,
    round: String,
    hash: String,
    state: &'static str,
    proposed: String,
    settled: String,
    faults: String,
    is_own: bool,
}

#[derive(Template)]
#[template(path = "round/proposal.html")]
struct ProposalPage {
    frame: Frame,
    heading: String,
    row: Row,
    open: Option<Open>,
}

/// What is shown of a proposal that waits.
struct Open {
    errors: usize,
    warnings: usize,
    /// Each under its heading.
    lists: [(&'static str, FaultList); 2],
    review: Option<Review>,
    replaces: bool,
    /// What differs from the loaded version, and how much more does.
    differences: Vec<String>,
    differences_more: usize,
    frozen: Option<&'static str>,
    may_confirm: bool,
}

/// Faults by file; those beyond what anybody reads are counted.
struct FaultList {
    count: usize,
    more: usize,
    files: Vec<(String, Vec<FaultLine>)>,
}

struct FaultLine {
    place: String,
    sentence: String,
    code: &'static str,
}

#[derive(Template)]
#[template(path = "round/loaded.html")]
struct LoadedPage {
    frame: Frame,
    state: &'static str,
    review: Review,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    kq: String,
}

/// What may be said after an act, by its name in the address.
fn words_of(result: &str) -> Option<&'static str> {
    match result {
        "trung" => Some("Bộ tệp này giống hệt bản đã nạp; không có gì thay đổi."),
        "nap" => Some("Đã nạp đợt điều tra."),
        "rut" => Some("Đã rút lại đề nghị."),
        _ => None,
    }
}

async fn rounds_page(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    said: web::Query<Said>,
) -> Result<HttpResponse, Problem> {
    let said = words_of(&said.kq);
    Ok(page(&rounds_shown(&db, &rounds, &site, signed.staff(), signed.bar(), None, said).await?))
}

async fn rounds_shown(
    db: &Db,
    rounds: &Rounds,
    site: &Site,
    staff: &Staff,
    bar: StaffBar,
    fault: Option<String>,
    said: Option<&'static str>,
) -> Result<RoundsPage, Problem> {
    let rounds = rounds.clone();
    let read = move |conn: &mut Conn| Ok::<_, Problem>((proposal::list(conn)?, rounds.all(conn)?));
    let (proposals, rounds) = db.read(read).await?;
    let title = if fault.is_some() { "Lỗi: Nạp đợt điều tra" } else { "Nạp đợt điều tra" };
    Ok(RoundsPage {
        frame: site.frame(title).with_staff(bar),
        fault,
        said,
        may_upload: staff.role == Role::Administrator,
        limit_mib: ARCHIVE_BYTES_MAX >> 20,
        proposals: proposals.iter().map(|one| row(one, staff)).collect(),
        rounds: rounds.iter().map(|r| (r.id().to_owned(), r.definition.title.clone(), r.state.name())).collect(),
    })
}

fn row(proposal: &Proposal, staff: &Staff) -> Row {
    let title = if proposal.title.is_empty() { "Bộ tệp chưa đọc được" } else { &proposal.title };
    Row {
        id: proposal.id.clone(),
        title: title.to_owned(),
        hash: proposal.hash.clone(),
        state: match proposal.state {
            ProposalState::Waiting if proposal.errors > 0 => "Còn lỗi",
            state => state.name(),
        },
        round: proposal.round.clone(),
        proposed: format!("{}, {}", proposal.proposed_by, moment(proposal.proposed_at)),
        settled: proposal.settled.as_ref().map(|(by, at)| format!("{by}, {}", moment(*at))).unwrap_or_default(),
        faults: format!("{} lỗi, {} điểm nên xem", proposal.errors, proposal.warnings),
        is_own: proposal.proposed_by == staff.name,
    }
}

fn moment(at: DateTime<Utc>) -> String {
    local(at).format("%H:%M ngày %d/%m/%Y").to_string()
}

async fn upload(
    req: HttpRequest,
    signed: Signed<Administration>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let received = tokio::time::timeout(UPLOAD_WITHIN, receive(Multipart::new(req.headers(), payload))).await;
    let zip = received.map_err(|_elapsed| Problem::new(&codes::TOO_SLOW))??;
    let checked = match zip {
        Received::TooLarge => Err(ArchiveError::TooLarge),
        Received::Whole(zip) => web::block(move || archive::read(&zip).map(Upload::of))
            .await
            .map_err(|cancelled| Problem::internal(&cancelled))?,
    };
    let refuse = async |status: StatusCode, words: String| {
        let shown = rounds_shown(&db, &rounds, &site, signed.staff(), signed.bar(), Some(words), None).await?;
        Ok(render(status, &shown))
    };
    let upload = match checked {
        Ok(upload) => upload,
        Err(error @ ArchiveError::TooLarge) => return refuse(StatusCode::PAYLOAD_TOO_LARGE, refusal(&error)).await,
        Err(error) => return refuse(StatusCode::UNPROCESSABLE_ENTITY, refusal(&error)).await,
    };
    let (clock, staff, entropy) = (db.clone(), signed.staff().clone(), Entropy::clone(&entropy));
    let keep = move |conn: &mut Conn| {
        let at = clock.now(conn)?;
        proposal::propose(conn, at, &entropy, &staff, &upload)
    };
    match db.write(keep).await {
        Ok(Proposed::Waiting(id)) => Ok(see_other(&site.base().path(&format!("/quan-tri/de-xuat/{id}")))),
        Ok(Proposed::Same(_)) => Ok(see_other(&site.base().path("/quan-tri/dot?kq=trung"))),
        Err(ProposalError::Round(RoundError::FolderFrozen(_))) => {
            refuse(StatusCode::CONFLICT, codes::ROUND_FROZEN.title.to_owned()).await
        }
        Err(other) => Err(other.into()),
    }
}

/// The file of an upload.
enum Received {
    Whole(Vec<u8>),
    TooLarge,
}

/// Reads the form's file, never more than may be kept.
async fn receive(mut form: Multipart) -> Result<Received, Problem> {
    let mut found = None;
    while let Some(field) = form.try_next().await.map_err(|error| broken(&error))? {
        let is_file = field.name() == Some(FIELD);
        let content = receive_field(field).await?;
        if is_file {
            found = Some(content);
        }
    }
    found.ok_or_else(|| Problem::new(&codes::BODY_MALFORMED))
}

async fn receive_field(mut field: Field) -> Result<Received, Problem> {
    let mut kept = Vec::new();
    let mut read = 0_usize;
    while let Some(piece) = field.try_next().await.map_err(|error| broken(&error))? {
        read += piece.len();
        if read > DRAIN_MAX {
            return Err(Problem::new(&codes::BODY_TOO_LARGE));
        }
        if read <= ARCHIVE_BYTES_MAX {
            kept.extend_from_slice(&piece);
        } else {
            kept = Vec::new();
        }
    }
    Ok(if read > ARCHIVE_BYTES_MAX { Received::TooLarge } else { Received::Whole(kept) })
}

fn broken(error: &MultipartError) -> Problem {
    match error {
        MultipartError::ContentTypeMissing
        | MultipartError::ContentTypeParse
        | MultipartError::ContentTypeIncompatible
        | MultipartError::BoundaryMissing => Problem::new(&codes::MEDIA_TYPE_UNSUPPORTED),
        MultipartError::Incomplete | MultipartError::Payload(_) => Problem::new(&codes::UPLOAD_INCOMPLETE),
        _ => Problem::new(&codes::BODY_MALFORMED),
    }
}

/// Why a zip was refused, in Vietnamese.
fn refusal(error: &ArchiveError) -> String {
    match error {
        ArchiveError::TooLarge => {
            format!("Tệp lớn hơn {} MiB. Bộ tệp của một đợt nhỏ hơn nhiều; xin kiểm tra lại.", ARCHIVE_BYTES_MAX >> 20)
        }
        ArchiveError::NotZip => {
            "Đây không phải tệp .zip. Xin nén thư mục của đợt thành một tệp .zip rồi gửi lại.".to_owned()
        }
        ArchiveError::Damaged => "Tệp .zip bị hỏng hoặc thiếu. Xin nén lại và gửi lại.".to_owned(),
        ArchiveError::Empty => "Trong tệp .zip không có tệp nào.".to_owned(),
        ArchiveError::TooManyFiles => "Tệp .zip có quá nhiều tệp (tối đa 300). Xin chỉ nén thư mục của đợt.".to_owned(),
        ArchiveError::FileTooLarge(name) => format!("{name}: tệp quá lớn sau khi giải nén."),
        ArchiveError::TotalTooLarge => "Các tệp quá lớn sau khi giải nén.".to_owned(),
        ArchiveError::Bomb(name) => format!("{name}: tệp phình quá lớn khi giải nén nên không được nhận."),
        ArchiveError::Overlap => {
            "Các mục trong tệp .zip chồng lên nhau nên không được nhận. Xin nén lại từ thư mục gốc.".to_owned()
        }
        ArchiveError::Path(name) => {
            format!("{name}: đường dẫn đi ra ngoài thư mục hoặc không hợp lệ. Xin nén lại từ thư mục gốc.")
        }
        ArchiveError::Link(name) => format!("{name}: đây là liên kết, không phải tệp. Xin thay bằng chính tệp đó."),
        ArchiveError::Encrypted(name) => format!("{name}: tệp được đặt mật khẩu. Xin nén lại không dùng mật khẩu."),
        ArchiveError::Nested(name) => {
            format!("{name}: đây là tệp nén hoặc tài liệu Office. Xin giải nén, hoặc lưu bảng thành .tsv hay .csv.")
        }
        ArchiveError::Method(name) => {
            format!("{name}: cách nén không được hỗ trợ. Xin nén theo cách thông thường (Deflate).")
        }
        ArchiveError::Double(name) => format!("{name}: có hai tệp trùng tên trong tệp .zip."),
    }
}

async fn proposal_page(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (rounds, staff) = (Rounds::clone(&rounds), signed.staff().clone());
    let read = move |conn: &mut Conn| {
        let (proposal, upload) = proposal::read(conn, &id)?;
        let open = upload.map(|upload| opened(conn, &rounds, &proposal, &upload, &staff)).transpose()?;
        Ok::<_, ProposalError>((row(&proposal, &staff), proposal.title, open))
    };
    let (row, title, open) = db.read(read).await?;
    let heading = if title.is_empty() {
        "Đề nghị nạp đợt điều tra".to_owned()
    } else {
        format!("Đề nghị nạp: {title}")
    };
    let frame = site.frame(&heading).with_staff(signed.bar());
    Ok(page(&ProposalPage { frame, heading, row, open }))
}

fn opened(
    conn: &mut Conn,
    rounds: &Rounds,
    proposal: &Proposal,
    upload: &Upload,
    staff: &Staff,
) -> Result<Open, ProposalError> {
    let standing = upload.round().map(|round| standing(conn, round)).transpose()?;
    let loaded = match (standing, upload.round()) {
        (Some(Standing::Replaces), Some(round)) => Some(rounds.get(conn, &round.id)?),
        _ => None,
    };
    let differences = loaded.as_ref().zip(upload.round()).map(|(loaded, new)| diff(&loaded.definition, new));
    let differences = differences.unwrap_or_default();
    let waits = proposal.state == ProposalState::Waiting && proposal.proposed_by != staff.name;
    let (errors, warnings) = (faults(upload.faults(), Severity::Error), faults(upload.faults(), Severity::Warning));
    Ok(Open {
        errors: errors.count,
        warnings: warnings.count,
        lists: [("Lỗi phải sửa", errors), ("Nên xem lại", warnings)],
        review: upload.round().map(Review::of),
        replaces: loaded.is_some(),
        differences_more: differences.len().saturating_sub(CHANGES_SHOWN),
        differences: differences.iter().take(CHANGES_SHOWN).map(change_words::sentence).collect(),
        frozen: matches!(standing, Some(Standing::Frozen(_))).then_some(codes::ROUND_FROZEN.title),
        may_confirm: waits && matches!(standing, Some(Standing::New | Standing::Replaces | Standing::Same(_))),
    })
}

fn faults(all: &[Fault], severity: Severity) -> FaultList {
    let own: Vec<&Fault> = all.iter().filter(|fault| fault.severity == severity).collect();
    let mut files: BTreeMap<&str, Vec<FaultLine>> = BTreeMap::new();
    for fault in own.iter().take(FAULTS_SHOWN) {
        let place = fault_words::place(&fault.place);
        let line = FaultLine { place, sentence: fault_words::sentence(fault), code: fault.code };
        files.entry(if fault.file == "." { "Thư mục" } else { &fault.file }).or_default().push(line);
    }
    FaultList {
        count: own.len(),
        more: own.len().saturating_sub(FAULTS_SHOWN),
        files: files.into_iter().map(|(file, lines)| (file.to_owned(), lines)).collect(),
    }
}

#[derive(Deserialize)]
struct ConfirmForm {
    hash: String,
}

async fn confirm(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    id: web::Path<String>,
    form: web::Form<ConfirmForm>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    // The check takes its time: before the transaction, on files that no longer change.
    let read = db.read(move |conn| proposal::read(conn, &id)).await?;
    let (clock, staff, rounds) = (db.clone(), signed.staff().clone(), Rounds::clone(&rounds));
    db.write(move |conn| {
        let at = clock.now(conn)?;
        proposal::confirm(conn, at, &staff, &read, &form.hash)
    })
    .await?;
    db.read(move |conn| rounds.reread(conn).map(drop)).await?;
    Ok(see_other(&site.base().path("/quan-tri/dot?kq=nap")))
}

async fn withdraw(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (clock, staff) = (db.clone(), signed.staff().clone());
    db.write(move |conn| {
        let at = clock.now(conn)?;
        proposal::withdraw(conn, at, &staff, &id)
    })
    .await?;
    Ok(see_other(&site.base().path("/quan-tri/dot?kq=rut")))
}

/// A round that is there, in the same words.
async fn loaded(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let round = db.read(move |conn| rounds.get(conn, &id)).await?;
    let frame = site.frame(&round.definition.title).with_staff(signed.bar());
    Ok(page(&LoadedPage { frame, state: round.state.name(), review: Review::of(&round.definition) }))
}

#[cfg(test)]
mod tests;
