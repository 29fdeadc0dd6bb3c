//! `/nhap-phieu/su-co`: setting a paper aside, the list of those, and what is decided about them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use serde::Deserialize;

use super::{LONGEST_WORDS, Paper, Referral, Standing, Trouble, Verdict};
use crate::access::{Desk, Role, Signed};
use crate::ballot::{FindError, Token};
use crate::bundle::pages::{Asked, chosen};
use crate::http::Problem;
use crate::http::frame::{Frame, Site, render, see_other};
use crate::keying::KeyingError;
use crate::keying::pages::{Tools, desk, to_start};
use crate::round::RoundError;

/// The routes of this room that people open.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(PATH).get(list).post(refer))
        .service(web::resource("/nhap-phieu/su-co/nhap-lai").post(reopen))
        .service(web::resource("/nhap-phieu/su-co/{id}").post(judge))
        .service(web::resource("/nhap-phieu/su-co/{id}/xac-nhan").post(confirm));
}

const PATH: &str = "/nhap-phieu/su-co";

/// What was typed, to be shown again with what is wrong.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
struct Sent {
    dot: String,
    code: String,
    group: String,
    bundle: String,
    sheet: String,
    trouble: String,
    remark: String,
    verdict: String,
    /// Where the paper was in hand: not empty when it came from the keying screen.
    from: String,
}

#[derive(Template)]
#[template(path = "keying/aside.html")]
struct AsidePage {
    frame: Frame,
    rounds: Vec<(String, String)>,
    round: String,
    groups: Vec<(String, String)>,
    waiting: Vec<Referral>,
    settled: Vec<Referral>,
    troubles: [Trouble; 8],
    verdicts: [Verdict; 5],
    judges: bool,
    confirms: bool,
    leads: bool,
    me: String,
    sent: Sent,
    longest: usize,
    /// The paper in hand, as on its label.
    in_hand: Option<String>,
    said: Option<&'static str>,
    fault: Option<String>,
}

impl AsidePage {
    fn is_trouble(&self, trouble: &Trouble) -> bool {
        self.sent.trouble == trouble.as_str()
    }

    fn is_group(&self, code: &str) -> bool {
        self.sent.group == code
    }

    /// Whether this person is the second one for a proposed verdict.
    fn may_confirm(&self, referral: &Referral) -> bool {
        self.confirms
            && referral.standing == Standing::Proposed
            && referral.proposed_by.as_deref() != Some(self.me.as_str())
    }
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    dot: String,
    #[serde(default)]
    kq: String,
}

async fn list(
    site: Data<Site>,
    tools: Tools,
    after: web::Query<After>,
    signed: Signed<Desk>,
) -> Result<HttpResponse, Problem> {
    let said = match after.kq.as_str() {
        "de-rieng" => Some("Đã để riêng tờ phiếu. Xin kẹp tờ phiếu vào tập sự cố."),
        "xong" => Some("Đã ghi nhận."),
        _ => None,
    };
    let sent = Sent { dot: after.into_inner().dot, ..Sent::default() };
    page(&site, &tools, &signed, sent, said, None).await
}

/// The paper in hand comes from the keying screen: its code stands in the form, and the way back is the code box.
///
/// # Errors
/// When the database fails.
pub(in crate::keying) async fn in_hand(
    site: &Site,
    tools: &Tools,
    signed: &Signed<Desk>,
    (round, code, label): (&str, &str, String),
) -> Result<HttpResponse, Problem> {
    let (dot, code) = (round.to_owned(), code.to_owned());
    page(site, tools, signed, Sent { dot, code, from: label, ..Sent::default() }, None, None).await
}

async fn page(
    site: &Site,
    tools: &Tools,
    signed: &Signed<Desk>,
    sent: Sent,
    said: Option<&'static str>,
    fault: Option<(StatusCode, String)>,
) -> Result<HttpResponse, Problem> {
    let desk = desk(tools);
    let (rounds, asked) = (desk.rounds.clone(), Asked { dot: sent.dot.clone() });
    let (round, names) = desk.db.read(move |conn| chosen(conn, &rounds, &asked.dot)).await.map_err(from_round)?;
    let id = round.as_ref().map(|r| r.id().to_owned()).unwrap_or_default();
    let all = if round.is_some() { desk.referrals(signed.staff(), &id).await? } else { Vec::new() };
    let open = |r: &Referral| matches!(r.standing, Standing::Waiting | Standing::Proposed);
    let (waiting, settled): (Vec<Referral>, Vec<Referral>) = all.into_iter().partition(open);
    let groups = round.iter().flat_map(|r| &r.definition.groups);
    let paper = groups.filter(|g| g.channel == survey_forms::round::Channel::Paper);
    let role = signed.staff().role;
    let (status, fault) = match fault {
        Some((status, words)) => (status, Some(words)),
        None => (StatusCode::OK, None),
    };
    let lead = if fault.is_some() { "Lỗi: " } else { "" };
    let page = AsidePage {
        frame: site.frame(&format!("{lead}Sự cố của phiếu giấy")).with_staff(signed.bar()),
        rounds: names,
        round: id,
        groups: paper.map(|g| (g.code.clone(), g.name.clone())).collect(),
        waiting,
        settled,
        troubles: Trouble::ALL,
        verdicts: Verdict::ALL,
        judges: matches!(role, Role::Supervisor | Role::Adjudicator),
        confirms: matches!(role, Role::Supervisor | Role::Adjudicator | Role::Auditor),
        leads: role == Role::Supervisor,
        me: signed.staff().name.clone(),
        in_hand: Some(sent.from.clone()).filter(|label| !label.is_empty()),
        sent,
        longest: LONGEST_WORDS,
        said,
        fault,
    };
    Ok(render(status, &page))
}

fn from_round(error: RoundError) -> Problem {
    KeyingError::from(error).into()
}

/// The paper that a form names: by its code, by bundle and number, or not at all.
fn paper(sent: &Sent, round: String) -> Result<Paper, String> {
    if !sent.code.trim().is_empty() {
        return match Token::parse_any(&sent.code) {
            Ok(token) => Ok(Paper::Code(token)),
            Err(_mistyped) => {
                Err("Mã phiếu bị gõ nhầm. Xin đối chiếu lại từng ký tự; nếu mã rách thì để trống ô mã và \
                                   ghi số bó, số phiếu in trên tờ."
                    .to_owned())
            }
        };
    }
    if sent.bundle.trim().is_empty() && sent.sheet.trim().is_empty() {
        return Ok(Paper::Nameless { round });
    }
    let number = |text: &str, what: &str| {
        text.trim().parse::<u32>().map_err(|_number| format!("{what} phải là một số, như in trên tờ phiếu."))
    };
    let (bundle, sheet) = (number(&sent.bundle, "Số bó")?, number(&sent.sheet, "Số phiếu")?);
    if sent.group.is_empty() {
        return Err("Xin chọn mẫu phiếu của bó.".to_owned());
    }
    Ok(Paper::Sheet { round, respondent_code: sent.group.clone(), bundle, sheet })
}

/// A refusal of this room in the words of its page.
fn words(error: &KeyingError) -> Option<String> {
    Some(match error {
        KeyingError::SheetUnknown => "Đợt này không có tờ phiếu của bó và số ấy. Xin xem lại số in trên tờ.".to_owned(),
        KeyingError::WordsTooLong => format!("Ghi chú dài quá {LONGEST_WORDS} chữ."),
        KeyingError::Find(FindError::Unknown) => {
            "Đợt này không có mã ấy. Xin để trống ô mã, chọn “Mã hoặc số không có trong đợt” và gửi lại.".to_owned()
        }
        _ => return None,
    })
}

async fn refused(
    site: &Site,
    tools: &Tools,
    signed: &Signed<Desk>,
    sent: Sent,
    error: KeyingError,
) -> Result<HttpResponse, Problem> {
    let own = words(&error);
    let problem = Problem::from(error);
    let code = problem.code();
    if code.status >= 500 || code.status == 403 || code.status == 404 && own.is_none() {
        return Err(problem);
    }
    let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::CONFLICT);
    page(site, tools, signed, sent, None, Some((status, own.unwrap_or_else(|| code.title.to_owned())))).await
}

fn to_list(site: &Site, round: &str, result: &str) -> HttpResponse {
    see_other(&site.base().path(&format!("{PATH}?dot={round}&kq={result}")))
}

async fn refer(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let sent = form.into_inner();
    let unfit = |words: String| Some((StatusCode::UNPROCESSABLE_ENTITY, words));
    let Some(trouble) = Trouble::parse(&sent.trouble) else {
        let words = unfit("Xin chọn sự cố của tờ phiếu.".to_owned());
        return page(&site, &tools, &signed, sent, None, words).await;
    };
    let paper = match paper(&sent, sent.dot.clone()) {
        Ok(paper) => paper,
        Err(words) => return page(&site, &tools, &signed, sent, None, unfit(words)).await,
    };
    match desk(&tools).refer(signed.staff(), paper, trouble, &sent.remark).await {
        Ok(_) if !sent.from.is_empty() => Ok(to_start(&site, "de-rieng")),
        Ok(referral) => Ok(to_list(&site, &referral.round, "de-rieng")),
        Err(error) => refused(&site, &tools, &signed, sent, error).await,
    }
}

async fn judge(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    id: web::Path<String>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let sent = form.into_inner();
    let back = Sent { dot: sent.dot.clone(), ..Sent::default() };
    let Some(verdict) = Verdict::parse(&sent.verdict) else {
        let fault = Some((StatusCode::UNPROCESSABLE_ENTITY, "Xin chọn cách giải quyết.".to_owned()));
        return page(&site, &tools, &signed, back, None, fault).await;
    };
    match desk(&tools).judge(signed.staff(), &id, verdict, &sent.remark).await {
        Ok(referral) => Ok(to_list(&site, &referral.round, "xong")),
        Err(error) => refused(&site, &tools, &signed, back, error).await,
    }
}

async fn confirm(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    id: web::Path<String>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let back = Sent { dot: form.into_inner().dot, ..Sent::default() };
    match desk(&tools).confirm(signed.staff(), &id).await {
        Ok(referral) => Ok(to_list(&site, &referral.round, "xong")),
        Err(error) => refused(&site, &tools, &signed, back, error).await,
    }
}

async fn reopen(
    site: Data<Site>,
    tools: Tools,
    signed: Signed<Desk>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let sent = form.into_inner();
    let round = sent.dot.clone();
    let at = match paper(&Sent { code: String::new(), ..sent.clone() }, round.clone()) {
        Ok(Paper::Sheet { round, respondent_code, bundle, sheet }) => Ok((round, respondent_code, bundle, sheet)),
        Ok(_) => Err("Xin ghi số bó và số phiếu in trên tờ.".to_owned()),
        Err(words) => Err(words),
    };
    match at {
        Err(words) => {
            let fault = Some((StatusCode::UNPROCESSABLE_ENTITY, words));
            page(&site, &tools, &signed, sent, None, fault).await
        }
        Ok(at) => match desk(&tools).reopen(signed.staff(), at, &sent.remark).await {
            Ok(()) => Ok(to_list(&site, &round, "xong")),
            Err(error) => refused(&site, &tools, &signed, sent, error).await,
        },
    }
}
