//! `/quan-tri/thu`: plan letters, try one, watch them go, see what did not arrive.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::{Plan, Status, Template, Undelivered, plan, status, undelivered};
use crate::access::{Signed, Supervising, audit};
use crate::clock::{Entropy, local};
use crate::config::BaseUrl;
use crate::credential::CredentialError;
use crate::db::{Conn, Db};
use crate::http::frame::{Frame, Site, page, see_other};
use crate::http::{Problem, codes};
use crate::mail::{Carrier, Mail, Outcome};
use crate::round::{LoadedRound, RoundState, Rounds};

const AT: &str = "/quan-tri/thu";
/// Undelivered letters on the page.
const SHOWN: usize = 200;

/// The pages of this part of the room.
pub(crate) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route(AT, web::get().to(overview)).route("/quan-tri/thu/{round}/{act}", web::post().to(act));
}

/// What letters are sent with; none when the settings name nothing.
pub type MailSettings = Option<Mail>;

struct RoundLetters {
    id: String,
    title: String,
    status: Status,
    next: String,
    trouble: String,
    hours: String,
    rows: Vec<(&'static str, [u64; 5])>,
    undelivered: Vec<(Undelivered, String)>,
    undelivered_more: usize,
    planned: (u64, u64),
    paused: bool,
}

#[derive(askama::Template)]
#[template(path = "credential/letters.html")]
struct LettersPage {
    frame: Frame,
    said: Option<String>,
    fault: Option<&'static str>,
    mail_on: bool,
    rounds: Vec<RoundLetters>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    kq: String,
    #[serde(default)]
    so: u64,
}

/// What may be said after an act: words, and whether they tell of a failure.
fn words_of(said: &Said) -> Option<Result<String, &'static str>> {
    let so = said.so;
    Some(Ok(match said.kq.as_str() {
        "len" => format!("Đã đưa {so} thư vào hàng chờ."),
        "khong" => {
            return Some(Err("Không thêm thư nào: chưa có ai được gửi thư, hoặc đợt nhắc trước còn trong hàng chờ."));
        }
        "dung" => "Đã tạm dừng gửi thư.".to_owned(),
        "tiep" => "Thư lại được gửi.".to_owned(),
        "lai" => format!("{so} thư sẽ được gửi lại."),
        "tra" => format!("Đã ghi {so} địa chỉ có thư bị trả lại."),
        "thu" => "Đã gửi thư thử.".to_owned(),
        "thu-loi" => return Some(Err("Thư thử chưa gửi được: máy chủ thư từ chối hoặc không trả lời.")),
        _ => return None,
    }))
}

async fn overview(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    mail: web::Data<MailSettings>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    said: web::Query<Said>,
) -> Result<HttpResponse, Problem> {
    let (rounds, clock, entropy) = (Rounds::clone(&rounds), db.clone(), Entropy::clone(&entropy));
    let rounds = db
        .read(move |conn| {
            let now = clock.now(conn)?;
            let mut shown = Vec::new();
            for round in rounds.all(conn)?.iter() {
                let addressed =
                    round.definition.groups.iter().any(|g| g.issue == survey_forms::round::IssueMode::Addressed);
                if addressed && matches!(round.state, RoundState::Loaded | RoundState::Open) {
                    shown.push(letters_of(conn, now, round, &entropy)?);
                }
            }
            Ok::<_, Problem>(shown)
        })
        .await?;
    let (said, fault) = match words_of(&said) {
        Some(Ok(words)) => (Some(words), None),
        Some(Err(fault)) => (None, Some(fault)),
        None => (None, None),
    };
    let frame = site.frame("Thư mời và thư nhắc").with_staff(signed.bar());
    Ok(page(&LettersPage { frame, said, fault, mail_on: mail.is_some(), rounds }))
}

fn letters_of(
    conn: &mut Conn,
    now: chrono::DateTime<chrono::Utc>,
    round: &LoadedRound,
    entropy: &Entropy,
) -> Result<RoundLetters, Problem> {
    let status = status(conn, now, round)?;
    let planned = match plan(conn, now, round, Plan::Declared, entropy, true) {
        Ok(planned) => (planned.invitations, planned.reminders),
        Err(CredentialError::NothingSelected) => (0, 0),
        Err(error) => return Err(error.into()),
    };
    let states = ["waiting", "sending", "sent", "failed", "bounced"];
    let rows = Template::ALL.into_iter().map(|t| (t.vietnamese(), states.map(|state| status.of(t, state)))).collect();
    let mut lost = undelivered(conn, round.id(), "failed")?;
    lost.extend(undelivered(conn, round.id(), "bounced")?);
    let unit = |code: &str| round.definition.unit(code).map_or("", |unit| unit.name.as_str()).to_owned();
    let moment = |at| local(at).format("%H:%M ngày %d/%m/%Y").to_string();
    let letters = round.definition.letters.clone().unwrap_or_default();
    let clock = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let days: Vec<&str> = letters.days.iter().map(|day| day_name(*day)).collect();
    Ok(RoundLetters {
        id: round.id().to_owned(),
        title: round.definition.title.clone(),
        next: status.next.map(moment).unwrap_or_default(),
        trouble: status.trouble.as_ref().map(|(why, at)| format!("{why}, {}", moment(*at))).unwrap_or_default(),
        hours: format!("{}, từ {} đến {}", days.join(", "), clock(letters.from_minute), clock(letters.until_minute)),
        rows,
        undelivered_more: lost.len().saturating_sub(SHOWN),
        undelivered: lost
            .into_iter()
            .take(SHOWN)
            .map(|one| {
                let unit = unit(&one.source_unit);
                (one, unit)
            })
            .collect(),
        planned,
        paused: status.paused_by.is_some(),
        status,
    })
}

fn day_name(day: survey_forms::round::Day) -> &'static str {
    use survey_forms::round::Day;
    match day {
        Day::Mon => "thứ Hai",
        Day::Tue => "thứ Ba",
        Day::Wed => "thứ Tư",
        Day::Thu => "thứ Năm",
        Day::Fri => "thứ Sáu",
        Day::Sat => "thứ Bảy",
        Day::Sun => "Chủ nhật",
    }
}

/// What the forms of the page send.
#[derive(Deserialize)]
struct ActForm {
    /// Where a letter to look at goes.
    #[serde(default)]
    dia_chi: String,
    /// Addresses or delivery reports.
    #[serde(default)]
    thu_tra: String,
}

#[expect(clippy::too_many_arguments, reason = "each is what the service hands to a handler")]
async fn act(
    signed: Signed<Supervising>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    mail: web::Data<MailSettings>,
    entropy: web::Data<Entropy>,
    base: web::Data<BaseUrl>,
    site: web::Data<Site>,
    path: web::Path<(String, String)>,
    form: web::Form<ActForm>,
) -> Result<HttpResponse, Problem> {
    let (round, act) = path.into_inner();
    let back = |result: &str, count: usize| Ok(see_other(&site.base().path(&format!("{AT}?kq={result}&so={count}"))));
    let reader = Rounds::clone(&rounds);
    let id = round.clone();
    let loaded = db.read(move |conn| reader.get(conn, &id)).await?;
    if act == "thu" {
        let done = try_one(&loaded, &mail, &entropy, &base, &db, form.dia_chi.clone()).await?;
        return back(if done { "thu" } else { "thu-loi" }, 0);
    }
    let (clock, actor, by) = (db.clone(), signed.actor(), signed.staff().name.clone());
    let (entropy, form) = (Entropy::clone(&entropy), form.into_inner());
    let (result, count) = db
        .write(move |conn| {
            let now = clock.now(conn)?;
            let id = loaded.id();
            let (result, action, count) = match act.as_str() {
                "len" | "nhac" => {
                    let what = if act == "len" { Plan::Declared } else { Plan::ReminderNow };
                    let planned = plan(conn, now, &loaded, what, &entropy, false)?;
                    let count = usize::try_from(planned.invitations + planned.reminders).unwrap_or(0);
                    (if count == 0 && act == "nhac" { "khong" } else { "len" }, "letters.planned", count)
                }
                "dung" => {
                    super::pause(conn, id, Some(&by))?;
                    ("dung", "letters.paused", 0)
                }
                "tiep" => {
                    super::pause(conn, id, None)?;
                    ("tiep", "letters.resumed", 0)
                }
                "lai" => ("lai", "letters.sent_again", super::send_again(conn, now, id)?),
                "tra" => ("tra", "letters.bounced", super::bounced(conn, id, &form.thu_tra)?),
                _ => return Err(Problem::new(&codes::NOT_FOUND)),
            };
            audit::record(conn, now, &actor, action, id, &format!("letters={count}"))?;
            Ok::<_, Problem>((result, count))
        })
        .await?;
    back(result, count)
}

/// Sends a letter to look at; whether the server took it.
async fn try_one(
    round: &std::sync::Arc<LoadedRound>,
    mail: &web::Data<MailSettings>,
    entropy: &Entropy,
    base: &BaseUrl,
    db: &Db,
    address: String,
) -> Result<bool, Problem> {
    let Some(mail) = mail.as_ref().clone() else { return Ok(false) };
    let clock = db.clone();
    let now = db.read(move |conn| clock.now(conn)).await?;
    let (round, entropy, base) = (std::sync::Arc::clone(round), entropy.clone(), base.clone());
    let carried = web::block(move || {
        let person = ["Người nhận thử", address.trim()];
        let draft = super::sample(&round, Template::Invitation, &base, person);
        let sealed = mail.seal(&draft.letter(&entropy, now)).ok()?;
        Some(Carrier::new(&mail).ok()?.carry(&sealed))
    });
    let outcome = carried.await.map_err(|cancelled| Problem::internal(&cancelled))?;
    Ok(matches!(outcome, Some(Outcome::HandedOver)))
}
