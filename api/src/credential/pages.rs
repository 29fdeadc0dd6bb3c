//! `/quan-tri/ma-phieu`: a code is replaced or withdrawn, by whoever brings it, or for a person whose letters are
//! addressed. Two clicks; what a new code replaces dies in the same transaction, unless it was used.

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CredentialError, letters, replace, replace_tied, revoke, withdraw_tied};
use crate::access::{Actor, Signed, Supervising, audit};
use crate::addressee::{self, Addressee};
use crate::ballot::{Bearer, CredentialState, FindError, Token, find};
use crate::clock::Entropy;
use crate::config::BaseUrl;
use crate::db::{Conn, Db};
use crate::http::frame::{Frame, Site, page, render};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, RoundState, Rounds};

/// People that a search shows.
const FOUND_MAX: usize = 20;

/// The pages of this part of the room.
pub(crate) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/quan-tri/ma-phieu").get(start).post(look))
        .route("/quan-tri/ma-phieu/tim", web::post().to(search))
        .route("/quan-tri/ma-phieu/thay", web::post().to(exchange))
        .route("/quan-tri/ma-phieu/thu-hoi", web::post().to(withdraw))
        .service(web::resource("/quan-tri/ma-phieu/{round}/{person}").get(person).post(for_person));
}

/// A person that a search found.
struct Hit {
    round: String,
    id: String,
    name: String,
    email: String,
    unit: String,
}

/// A code that somebody brought, or a person.
struct Subject {
    /// Where the next click goes, and the code that goes with it.
    action: String,
    code: Zeroizing<String>,
    rows: Vec<(&'static str, String)>,
    state: &'static str,
    may_change: bool,
    may_withdraw: bool,
    by_letter: bool,
}

#[derive(Template)]
#[template(path = "credential/codes.html")]
struct CodesPage {
    frame: Frame,
    fault: Option<&'static str>,
    said: Option<String>,
    subject: Option<Subject>,
    /// The new code and its address, this once.
    new: Option<(Zeroizing<String>, Zeroizing<String>)>,
    hits: Option<Vec<Hit>>,
}

/// What the forms send. No `Debug`: it carries a code.
#[derive(Deserialize)]
struct CodeForm {
    #[serde(default)]
    ma: String,
    #[serde(default)]
    tim: String,
    #[serde(default)]
    cach: String,
}

fn blank(site: &Site, signed: &Signed<Supervising>) -> CodesPage {
    let frame = site.frame("Thay và thu hồi mã phiếu").with_staff(signed.bar());
    CodesPage { frame, fault: None, said: None, subject: None, new: None, hits: None }
}

async fn start(signed: Signed<Supervising>, site: web::Data<Site>) -> HttpResponse {
    page(&blank(&site, &signed))
}

fn parsed(text: &str) -> Result<Token, CredentialError> {
    Token::parse_any(text).map_err(|_fault| CredentialError::Find(FindError::Unknown))
}

/// A refusal on the page itself, where it is about the code.
fn refused(page: CodesPage, error: CredentialError) -> Result<HttpResponse, Problem> {
    let problem = Problem::from(error);
    let code = problem.code();
    if code.status >= 500 {
        return Err(problem);
    }
    let status = actix_web::ResponseError::status_code(&problem);
    Ok(render(status, &CodesPage { fault: Some(code.title), ..page }))
}

async fn look(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    form: web::Form<CodeForm>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let code = Zeroizing::new(form.into_inner().ma);
    let found = match parsed(&code) {
        Ok(token) => db.read(move |conn| Ok::<_, CredentialError>(find(conn, &rounds, &token)?)).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(bearer) => Ok(page(&CodesPage { subject: Some(brought(&bearer, code)), ..blank(&site, &signed) })),
        Err(error) => refused(blank(&site, &signed), error),
    }
}

fn brought(bearer: &Bearer, code: Zeroizing<String>) -> Subject {
    let definition = &bearer.round.definition;
    let group = definition.group(&bearer.stratum.respondent_code).map_or("", |group| group.name.as_str());
    let target = |code: &String| definition.target(code).map_or(code.clone(), |target| target.name.clone());
    let targets: Vec<String> = bearer.stratum.targets.iter().take(3).map(target).collect();
    let more = bearer.stratum.targets.len().saturating_sub(3);
    let more = if more > 0 { format!(" và {more} cơ quan khác") } else { String::new() };
    let (state, issued) = match bearer.state {
        CredentialState::Issued => ("Chưa dùng", true),
        CredentialState::Used(_) => ("Đã dùng: phiếu đã nằm trong hòm, không thay hay thu hồi được", false),
        CredentialState::Revoked => ("Đã thu hồi trước đây", false),
    };
    Subject {
        action: "/quan-tri/ma-phieu".to_owned(),
        code,
        rows: vec![
            ("Đợt", definition.title.clone()),
            ("Nhóm", format!("{} · {group}", bearer.stratum.respondent_code)),
            ("Đơn vị", definition.unit(&bearer.source_unit).map_or("", |unit| unit.name.as_str()).to_owned()),
            ("Đánh giá", format!("{}{more}", targets.join(", "))),
        ],
        state,
        may_change: issued && takes(&bearer.round),
        may_withdraw: issued && takes(&bearer.round),
        by_letter: false,
    }
}

fn takes(round: &LoadedRound) -> bool {
    matches!(round.state, RoundState::Loaded | RoundState::Open)
}

async fn exchange(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    base: web::Data<BaseUrl>,
    site: web::Data<Site>,
    form: web::Form<CodeForm>,
) -> Result<HttpResponse, Problem> {
    let (rounds, entropy, clock, actor) =
        (Rounds::clone(&rounds), Entropy::clone(&entropy), db.clone(), signed.actor());
    let code = Zeroizing::new(form.into_inner().ma);
    let done = db
        .write(move |conn| {
            let token = parsed(&code)?;
            let round = find(conn, &rounds, &token)?.round;
            let new = replace(conn, &rounds, &token, &entropy)?;
            let detail = format!("group={} unit={}", new.respondent_code, new.source_unit);
            note(&clock, conn, &actor, "codes.replaced", round.id(), &detail)?;
            Ok::<_, CredentialError>(new.token)
        })
        .await;
    match done {
        Ok(token) => Ok(page(&shown(blank(&site, &signed), &token, &base))),
        Err(error) => refused(blank(&site, &signed), error),
    }
}

/// The page with a new code, this once.
fn shown(page: CodesPage, token: &Token, base: &BaseUrl) -> CodesPage {
    let code = token.expose();
    let address = Zeroizing::new(format!("{}#{}", base.url("/p"), code.as_str()));
    CodesPage { new: Some((code, address)), ..page }
}

fn note(
    db: &Db,
    conn: &mut Conn,
    actor: &Actor,
    action: &str,
    round: &str,
    detail: &str,
) -> Result<(), CredentialError> {
    let now = db.now(conn)?;
    Ok(audit::record(conn, now, actor, action, round, detail)?)
}

async fn withdraw(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    form: web::Form<CodeForm>,
) -> Result<HttpResponse, Problem> {
    let (rounds, clock, actor) = (Rounds::clone(&rounds), db.clone(), signed.actor());
    let code = Zeroizing::new(form.into_inner().ma);
    let done = db
        .write(move |conn| {
            let gone = revoke(conn, &rounds, &parsed(&code)?)?;
            let detail = format!("group={} unit={}", gone.stratum.respondent_code, gone.source_unit);
            note(&clock, conn, &actor, "codes.revoked", gone.round.id(), &detail)
        })
        .await;
    match done {
        Ok(()) => {
            let said = Some("Đã thu hồi mã. Mã ấy không gửi phiếu được nữa.".to_owned());
            Ok(page(&CodesPage { said, ..blank(&site, &signed) }))
        }
        Err(error) => refused(blank(&site, &signed), error),
    }
}

async fn search(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    form: web::Form<CodeForm>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let wanted = form.into_inner().tim.trim().to_lowercase();
    let hits = db
        .read(move |conn| {
            let mut hits = Vec::new();
            for round in rounds.all(conn)?.iter().filter(|round| takes(round)) {
                for one in addressee::all(conn, round.id())? {
                    let fits = one.name.to_lowercase().contains(&wanted) || one.email.to_lowercase().contains(&wanted);
                    if fits && hits.len() < FOUND_MAX && !wanted.is_empty() {
                        hits.push(hit(round, one));
                    }
                }
            }
            Ok::<_, Problem>(hits)
        })
        .await?;
    Ok(page(&CodesPage { hits: Some(hits), ..blank(&site, &signed) }))
}

fn hit(round: &LoadedRound, one: Addressee) -> Hit {
    let unit = round.definition.unit(&one.source_unit).map_or("", |unit| unit.name.as_str()).to_owned();
    Hit { round: round.id().to_owned(), id: one.id, name: one.name, email: one.email, unit }
}

/// What is known of a person's last letter. Not whether its code was used: nobody looks up here who has answered. Only the
/// attempt to replace or withdraw a used code tells, and the trail keeps it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// No letter with a code, and none was shown.
    None,
    /// A code, used or not.
    Code,
    /// Its code was withdrawn.
    Withdrawn,
}

fn known(
    conn: &mut Conn,
    rounds: &Rounds,
    round: &str,
    id: &str,
) -> Result<(Arc<LoadedRound>, Addressee, Sent), Problem> {
    let round = rounds.get(conn, round)?;
    let person = addressee::one(conn, round.id(), id)?.ok_or_else(|| Problem::new(&codes::NOT_FOUND))?;
    let sent = match addressee::tied(conn, &person.id)? {
        None => Sent::None,
        Some(key) if super::store::state(conn, &key)?.as_deref() == Some("revoked") => Sent::Withdrawn,
        Some(_) => Sent::Code,
    };
    Ok((round, person, sent))
}

async fn person(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let (round, id) = path.into_inner();
    let (round, person, sent) = db.read(move |conn| known(conn, &rounds, &round, &id)).await?;
    let unit = round.definition.unit(&person.source_unit).map_or("", |unit| unit.name.as_str());
    let subject = Subject {
        action: format!("/quan-tri/ma-phieu/{}/{}", round.id(), person.id),
        code: Zeroizing::default(),
        state: match sent {
            Sent::None => "Không có mã nào đang dùng được: thư chưa gửi, hoặc mã đã thu hồi",
            Sent::Withdrawn => "Đã thu hồi",
            Sent::Code => "Đã có mã. Trang này không cho biết mã đã dùng hay chưa",
        },
        may_change: takes(&round),
        may_withdraw: sent == Sent::Code,
        by_letter: true,
        rows: vec![
            ("Đợt", round.definition.title.clone()),
            ("Họ và tên", person.name),
            ("Thư điện tử", person.email),
            ("Nhóm", person.respondent_code),
            ("Đơn vị", unit.to_owned()),
        ],
    };
    Ok(page(&CodesPage { subject: Some(subject), ..blank(&site, &signed) }))
}

#[expect(clippy::too_many_arguments, reason = "each is what the service hands to a handler")]
async fn for_person(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    base: web::Data<BaseUrl>,
    site: web::Data<Site>,
    path: web::Path<(String, String)>,
    form: web::Form<CodeForm>,
) -> Result<HttpResponse, Problem> {
    let (rounds, entropy, clock, actor) =
        (Rounds::clone(&rounds), Entropy::clone(&entropy), db.clone(), signed.actor());
    let ((round, id), how) = (path.into_inner(), form.into_inner().cach);
    if !["thu", "hien", "thu-hoi"].contains(&how.as_str()) {
        return Err(Problem::new(&codes::BODY_MALFORMED));
    }
    let by_letter = how == "thu";
    let (attempt_by, attempt_on) = (actor.clone(), round.clone());
    let done = db
        .write(move |conn| {
            let round = rounds.get(conn, &round).map_err(FindError::from)?;
            let person = addressee::one(conn, round.id(), &id)?.ok_or(CredentialError::NothingSelected)?;
            let (action, token) = match how.as_str() {
                "thu" => {
                    let now = clock.now(conn)?;
                    letters::replace(conn, now, &round, &person.id, &entropy)?;
                    ("codes.replaced_by_letter", None)
                }
                "hien" => ("codes.replaced", Some(replace_tied(conn, &round, &person, &entropy)?.token)),
                _ => {
                    withdraw_tied(conn, round.id(), &person)?;
                    ("codes.revoked", None)
                }
            };
            let detail = format!("group={} unit={}", person.respondent_code, person.source_unit);
            note(&clock, conn, &actor, action, round.id(), &detail)?;
            Ok::<_, CredentialError>(token)
        })
        .await;
    match done {
        Ok(Some(token)) => Ok(page(&shown(blank(&site, &signed), &token, &base))),
        Ok(None) => {
            let said = if by_letter {
                "Mã cũ đã hết hiệu lực. Thư có mã mới nằm trong hàng chờ."
            } else {
                "Đã thu hồi mã của người này."
            };
            Ok(page(&CodesPage { said: Some(said.to_owned()), ..blank(&site, &signed) }))
        }
        Err(error) => {
            if matches!(error, CredentialError::Used) {
                // Whoever was told so knows now that this person has answered.
                let clock = db.clone();
                db.write(move |conn| note(&clock, conn, &attempt_by, "codes.refused_used", &attempt_on, "")).await?;
            }
            refused(blank(&site, &signed), error)
        }
    }
}
