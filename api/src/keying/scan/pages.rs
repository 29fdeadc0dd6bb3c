//! `/nhap-phieu/quet`: attach page images to a ballot, see one of them. The code travels in the body of forms.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY};
use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::upload::{Received, received};
use super::{PAGE_BYTES_MAX, PAGES_MAX, SENT_BYTES_MAX, Scan, ScanFault, ScanKind};
use crate::access::{Adjudicating, Desk, RoleSet as _, Signed};
use crate::ballot::Token;
use crate::http::frame::{Frame, Site, render};
use crate::http::{Problem, codes};
use crate::keying::pages::{Sent, Tools, desk, mistyped};
use crate::keying::{KeyingError, PaperDesk, may_decide};

const PATH: &str = "/nhap-phieu/quet";
/// Pages shown on the page itself; larger ones are opened one by one.
const SHOWN_BYTES_MAX: usize = 12 << 20;

pub(in crate::keying) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(PATH).get(start).post(upload))
        .service(web::resource("/nhap-phieu/quet/trang").post(page));
}

#[derive(Template)]
#[template(path = "keying/scans.html")]
struct ScansPage {
    frame: Frame,
    typed: String,
    fault: Option<String>,
    done: Option<String>,
    /// Whether this person sees pages: otherwise they only attach them.
    decides: bool,
}

/// A page of the ballot, beside what is disputed.
pub(in crate::keying) struct Shown {
    /// From 1.
    pub(in crate::keying) number: usize,
    /// A `data:` address, for images that are not too large.
    pub(in crate::keying) image: Option<String>,
}

/// The pages as the third person's pages show them.
pub(in crate::keying) fn shown(scans: &[Scan]) -> Vec<Shown> {
    let mut room = SHOWN_BYTES_MAX;
    let one = |(scan, number): (&Scan, usize)| {
        let fits = scan.kind != ScanKind::Pdf && scan.bytes.len() <= room;
        if fits {
            room -= scan.bytes.len();
        }
        let address =
            || format!("data:{};base64,{}", scan.kind.media_type(), data_encoding::BASE64.encode(&scan.bytes));
        Shown { number, image: fits.then(address) }
    };
    scans.iter().zip(1..).map(one).collect()
}

fn scans_page(
    site: &Site,
    signed: &Signed<Desk>,
    status: StatusCode,
    (typed, fault, done): (String, Option<String>, Option<String>),
) -> HttpResponse {
    let lead = if fault.is_some() { "Lỗi: " } else { "" };
    let frame = site.frame(&format!("{lead}Trang quét của phiếu")).with_staff(signed.bar());
    let decides = Adjudicating::admits(signed.staff().role) || may_decide(signed.staff().role);
    render(status, &ScansPage { frame, typed, fault, done, decides })
}

async fn start(site: Data<Site>, signed: Signed<Desk>) -> HttpResponse {
    scans_page(&site, &signed, StatusCode::OK, (String::new(), None, None))
}

fn words(fault: ScanFault) -> String {
    match fault {
        ScanFault::Empty => "Chưa chọn tệp nào, hoặc tệp rỗng.".to_owned(),
        ScanFault::Kind => "Chỉ nhận tệp JPEG, PNG hoặc PDF. Chưa có gì được lưu.".to_owned(),
        ScanFault::Cut => "Có tệp bị thiếu phần cuối. Chưa có gì được lưu; xin quét lại trang ấy.".to_owned(),
        ScanFault::TooLarge => format!(
            "Mỗi trang nhiều nhất {} MiB, mỗi lần gửi nhiều nhất {} MiB. Chưa có gì được lưu; xin quét ở độ phân giải thấp \
             hơn (200 dpi là đủ) hoặc gửi làm nhiều lần.",
            PAGE_BYTES_MAX >> 20,
            SENT_BYTES_MAX >> 20
        ),
        ScanFault::TooMany => format!("Mỗi phiếu nhiều nhất {PAGES_MAX} trang. Chưa có gì được lưu."),
    }
}

async fn upload(
    req: HttpRequest,
    payload: web::Payload,
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
) -> Result<HttpResponse, Problem> {
    let received = received(&req, payload, "tep").await?;
    let typed = received.code.clone();
    let refuse = |status, words: String| scans_page(&site, &signed, status, (typed.clone(), Some(words), None));
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if received.too_large {
        return Ok(refuse(StatusCode::PAYLOAD_TOO_LARGE, words(ScanFault::TooLarge)));
    }
    let token = match Token::parse_any(&received.code) {
        Ok(token) => token,
        Err(fault) => return Ok(refuse(unprocessable, mistyped(fault))),
    };
    match done(&desk(&tools), &signed, &token, received).await {
        Ok(words) => Ok(scans_page(&site, &signed, StatusCode::OK, (String::new(), None, Some(words)))),
        Err(KeyingError::Scan(fault)) => Ok(refuse(unprocessable, words(fault))),
        Err(error) => {
            let code = Problem::from(error).code();
            let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::CONFLICT);
            Ok(refuse(status, code.title.to_owned()))
        }
    }
}

async fn done(
    desk: &PaperDesk,
    signed: &Signed<Desk>,
    token: &Token,
    received: Received,
) -> Result<String, KeyingError> {
    let ballot = desk.find(token).await?;
    let label = desk.label(&ballot).await?.map_or_else(String::new, |label| format!("{label}: "));
    if received.removes {
        let gone = desk.detach(signed.staff(), &ballot).await?;
        return Ok(format!("{label}đã xóa {gone} trang."));
    }
    let sent = received.files.len();
    let there = desk.attach(signed.staff(), &ballot, received.files).await?;
    Ok(format!("{label}đã nhận {sent} trang, phiếu có {there} trang."))
}

/// One page of a ballot, for whoever decides about it; `trang` counts from 1.
async fn page(
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let mut sent = Sent::read(form.into_inner());
    let number: usize = sent.typed.remove("trang").and_then(|n| n.parse().ok()).unwrap_or_default();
    let token = Token::parse_any(&sent.code).map_err(|_mistyped| Problem::new(&codes::CODE_UNKNOWN))?;
    let desk = desk(&tools);
    let ballot = desk.find(&token).await?;
    let scans = desk.scans(signed.staff(), &ballot).await?;
    let scan = number.checked_sub(1).and_then(|place| scans.into_iter().nth(place));
    let scan = scan.ok_or(Problem::new(&codes::NOT_FOUND))?;
    Ok(HttpResponse::Ok()
        .content_type(scan.kind.media_type())
        .insert_header((CONTENT_DISPOSITION, "inline"))
        // The browser's own reader of PDF styles itself.
        .insert_header((
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'",
        ))
        .body(scan.bytes))
}
