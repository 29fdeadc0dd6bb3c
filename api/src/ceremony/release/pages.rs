//! `/quan-tri/cong-bo/{round}`: one person proposes a release of scores, another reads it and releases it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use survey_forms::Round;
use survey_forms::scoring::{self, LeftOut, ScoreDocument, Standing};

use super::{Draft, Prepared, Proposal, REASON_CHARACTERS, ReleaseError};
use crate::access::{Administration, AdministrationReading, Role, Signed};
use crate::ceremony::{ActError, Ceremony, Timing};
use crate::clock::{Entropy, local};
use crate::db::Db;
use crate::http::frame::{Frame, Site, StaffBar, page, render, see_other};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, RoundState, Rounds};

/// Ranges that the form has room for; a longer list is made by command.
const RANGES: usize = 4;
/// Numbers that a refused correction would give away, on the page.
const REVEALED_SHOWN: usize = 20;

/// The pages of releases.
pub(in crate::ceremony) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource("/quan-tri/cong-bo/{round}").get(standing).post(propose))
        .route("/quan-tri/de-xuat-cong-bo/{id}/xac-nhan", web::post().to(confirm))
        .route("/quan-tri/de-xuat-cong-bo/{id}/rut-lai", web::post().to(withdraw));
}

#[derive(Template)]
#[template(path = "ceremony/release.html")]
struct ReleasePage {
    frame: Frame,
    id: String,
    title: String,
    said: Option<&'static str>,
    fault: Option<Fault>,
    state: &'static str,
    /// Nothing can be released before the box is open.
    ready: bool,
    releases: Vec<ReleaseRow>,
    publishes: String,
    too_early: bool,
    waiting: Option<Waiting>,
    may_propose: bool,
    form: Form,
}

struct Fault {
    words: &'static str,
    details: Vec<String>,
}

struct ReleaseRow {
    release: u32,
    at: String,
    reason: String,
    ranges: Vec<String>,
}

struct Waiting {
    id: String,
    release: i64,
    digest: String,
    proposed: String,
    reason: String,
    ranges: Vec<String>,
    is_own: bool,
    facts: Option<Facts>,
    /// Why it can no longer be made.
    broken: Option<&'static str>,
}

/// What the document would say, without a score before the first release.
struct Facts {
    valid: u64,
    void: u64,
    targets: usize,
    hidden: usize,
    /// Target, before, after.
    changed: Vec<(String, String, String)>,
    others: usize,
}

struct Form {
    reason: String,
    least: usize,
    most: usize,
    rows: Vec<usize>,
    /// Code and name.
    groups: Vec<(String, String)>,
    targets: Vec<(String, String)>,
    items: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    kq: String,
}

fn words_of(result: &str) -> Option<&'static str> {
    match result {
        "de-xuat" => Some("Đã ghi đề nghị công bố. Một người khác phải xác nhận."),
        "cong-bo" => Some("Đã công bố."),
        "rut" => Some("Đã rút lại đề nghị công bố."),
        _ => None,
    }
}

/// What a page needs of the round.
struct Read {
    round: std::sync::Arc<LoadedRound>,
    releases: Vec<ScoreDocument>,
    waiting: Option<(Proposal, Result<Prepared, &'static str>)>,
    now: DateTime<Utc>,
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActError> + Send + 'static,
) -> Result<Result<T, ActError>, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

fn read(ceremony: &Ceremony, id: &str) -> Result<Read, ActError> {
    let (round, documents, waiting, now) = ceremony.db.read_here(|conn| {
        let round = ceremony.rounds.get(conn, id)?;
        let documents = crate::ceremony::store::releases(conn, id)?;
        Ok::<_, ActError>((round, documents, Ceremony::waiting_release(conn, id)?, ceremony.db.now(conn)?))
    })?;
    let parse = |text: &String| serde_json::from_str(text).map_err(|_json| crate::round::RoundError::Unreadable.into());
    let releases = documents.iter().map(parse).collect::<Result<_, ActError>>()?;
    let waiting = waiting
        .map(|proposal| match ceremony.prepare(id, &proposal.draft, proposal.proposed_at) {
            Ok(prepared) if prepared.digest() == proposal.digest => Ok((proposal, Ok(prepared))),
            Ok(_) => Ok((proposal, Err(codes::RELEASE_CHANGED.title))),
            Err(ActError::Release(error)) => Ok((proposal, Err(error.code().title))),
            Err(other) => Err(other),
        })
        .transpose()?;
    Ok(Read { round, releases, waiting, now })
}

async fn standing(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    id: web::Path<String>,
    said: web::Query<Said>,
) -> Result<HttpResponse, Problem> {
    let ceremony = Ceremony::new(&db, &rounds, &entropy);
    let read = blocking(move || read(&ceremony, &id)).await??;
    let mine = signed.actor().to_string();
    Ok(page(&shown(&site, signed.bar(), signed.staff().role, &mine, &read, None, words_of(&said.kq), String::new())))
}

#[expect(clippy::too_many_arguments, reason = "one page, each thing that it shows")]
fn shown(
    site: &Site,
    bar: StaffBar,
    role: Role,
    mine: &str,
    read: &Read,
    fault: Option<Fault>,
    said: Option<&'static str>,
    reason: String,
) -> ReleasePage {
    let definition = &read.round.definition;
    let title = if fault.is_some() { "Lỗi: Công bố kết quả" } else { "Công bố kết quả" };
    let release = |document: &ScoreDocument| ReleaseRow {
        release: document.release,
        at: moment(document.published_at.to_utc()),
        reason: document.correction.as_ref().map(|c| c.reason.clone()).unwrap_or_default(),
        ranges: ranges(definition, document.correction.as_ref().map(|c| c.left_out.as_slice()).unwrap_or_default()),
    };
    let waiting = read.waiting.as_ref().map(|(proposal, prepared)| Waiting {
        id: proposal.id.clone(),
        release: proposal.release,
        digest: proposal.digest.clone(),
        proposed: format!("{}, {}", person(&proposal.proposed_by), moment(proposal.proposed_at)),
        reason: proposal.draft.reason.clone(),
        ranges: ranges(definition, &proposal.draft.left_out),
        is_own: proposal.proposed_by == mine,
        facts: prepared.as_ref().ok().map(facts),
        broken: prepared.as_ref().err().copied(),
    });
    let named = |code: &str, name: &str| (code.to_owned(), format!("{code}: {name}"));
    ReleasePage {
        frame: site.frame(title).with_staff(bar),
        id: definition.id.clone(),
        title: definition.title.clone(),
        said,
        fault,
        state: read.round.state.name(),
        ready: read.round.state >= RoundState::Opened,
        releases: read.releases.iter().map(release).collect(),
        publishes: moment(definition.dates.publishes.to_utc()),
        too_early: read.releases.is_empty() && read.now < definition.dates.publishes.to_utc(),
        waiting,
        may_propose: role == Role::Administrator,
        form: Form {
            reason,
            least: *REASON_CHARACTERS.start(),
            most: *REASON_CHARACTERS.end(),
            rows: (1..=RANGES).collect(),
            groups: definition.groups.iter().map(|g| named(&g.code, &g.name)).collect(),
            targets: definition.targets.iter().map(|t| named(&t.code, &t.name)).collect(),
            items: definition.criteria.iter().map(|c| named(&c.item_code, &c.name)).collect(),
        },
    }
}

fn facts(prepared: &Prepared) -> Facts {
    let document = &prepared.document;
    let cells = || document.targets.iter().flat_map(|t| &t.items).flat_map(|item| &item.groups);
    let latest = prepared.earlier.last();
    let (changed, others) = latest.map(|latest| scoring::changes(latest, document)).unwrap_or_default();
    Facts {
        valid: document.ballots.iter().map(|group| group.valid).sum(),
        void: document.ballots.iter().flat_map(|group| &group.void).map(|v| v.count).sum(),
        targets: document.targets.iter().filter(|t| t.percent.is_some()).count(),
        hidden: cells().filter(|cell| cell.n > 0 && cell.mean.is_none()).count(),
        changed: changed.into_iter().map(|one| (one.name, told(&one.before), told(&one.after))).collect(),
        others,
    }
}

/// Percent and rank, as people here write them.
fn told((_, percent, rank): &Standing) -> String {
    let percent = percent.as_ref().map_or_else(|| "–".to_owned(), |percent| percent.replace('.', ","));
    rank.map_or_else(|| percent.clone(), |rank| format!("{percent}, hạng {rank}"))
}

/// What is left out, each in words.
fn ranges(round: &Round, left_out: &[LeftOut]) -> Vec<String> {
    let words = |out: &LeftOut| {
        let group = out.respondent_code.as_deref().map_or("mọi nhóm".to_owned(), |code| format!("nhóm {code}"));
        let target = out.target.as_deref().map_or("mọi cơ quan".to_owned(), |code| {
            round.target(code).map_or_else(|| code.to_owned(), |target| target.name.clone())
        });
        let item = out.item_code.as_deref().map_or("mọi tiêu chí".to_owned(), |code| format!("tiêu chí {code}"));
        format!("{group}; {target}; {item}")
    };
    left_out.iter().map(words).collect()
}

/// As the trail names people, shortened for staff.
fn person(actor: &str) -> &str {
    match actor {
        "command" => "lệnh trên máy chủ",
        other => other.strip_prefix("staff:").unwrap_or(other),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    local(at).format("%H:%M ngày %d/%m/%Y").to_string()
}

fn draft(fields: &[(String, String)]) -> Draft {
    let field = |name: &str| {
        let value = fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let range = |row: usize| LeftOut {
        respondent_code: field(&format!("nhom-{row}")),
        target: field(&format!("co-quan-{row}")),
        item_code: field(&format!("tieu-chi-{row}")),
    };
    Draft {
        reason: field("ly-do").unwrap_or_default(),
        left_out: (1..=RANGES).map(range).filter(|out| *out != LeftOut::default()).collect(),
    }
}

async fn propose(
    signed: Signed<Administration>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    id: web::Path<String>,
    fields: web::Form<Vec<(String, String)>>,
) -> Result<HttpResponse, Problem> {
    let ceremony = Ceremony::new(&db, &rounds, &entropy);
    let (by, draft, id) = (signed.actor(), draft(&fields), id.into_inner());
    let (acting, round, proposed) = (ceremony.clone(), id.clone(), draft.clone());
    match blocking(move || acting.propose_release(&by, &round, &proposed)).await? {
        Ok(_) => Ok(see_other(&site.base().path(&format!("/quan-tri/cong-bo/{id}?kq=de-xuat")))),
        Err(ActError::Release(error)) => {
            let read = blocking(move || read(&ceremony, &id)).await??;
            let mine = signed.actor().to_string();
            let fault = Fault { words: error.code().title, details: revealed(&error, &read.round.definition) };
            let status = StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::CONFLICT);
            let role = signed.staff().role;
            let page = shown(&site, signed.bar(), role, &mine, &read, Some(fault), None, draft.reason);
            Ok(render(status, &page))
        }
        Err(other) => Err(other.into()),
    }
}

fn revealed(error: &ReleaseError, round: &Round) -> Vec<String> {
    let ReleaseError::Reveals(revealed) = error else { return Vec::new() };
    let words = |one: &scoring::Revealed| {
        let target = round.target(&one.target).map_or(one.target.as_str(), |target| target.name.as_str());
        match (&one.item_code, &one.respondent_code) {
            (Some(item), Some(group)) => format!("{target}: tiêu chí {item}, nhóm {group}"),
            (Some(item), None) => format!("{target}: tiêu chí {item}"),
            _ => format!("{target}: điểm lĩnh vực hoặc tổng điểm"),
        }
    };
    let mut lines: Vec<String> = revealed.iter().take(REVEALED_SHOWN).map(words).collect();
    if revealed.len() > REVEALED_SHOWN {
        lines.push(format!("và {} chỗ khác", revealed.len() - REVEALED_SHOWN));
    }
    lines
}

#[derive(Deserialize)]
struct ConfirmForm {
    digest: String,
}

async fn confirm(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    id: web::Path<String>,
    form: web::Form<ConfirmForm>,
) -> Result<HttpResponse, Problem> {
    let ceremony = Ceremony::new(&db, &rounds, &entropy);
    let (by, digest) = (signed.actor(), form.into_inner().digest);
    let round = blocking(move || {
        let (proposal, _) = ceremony.read_release(&id)?;
        ceremony.confirm_release(&by, &id, &digest, Timing::OnTime)?;
        Ok(proposal.round)
    })
    .await??;
    Ok(see_other(&site.base().path(&format!("/quan-tri/cong-bo/{round}?kq=cong-bo"))))
}

async fn withdraw(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    entropy: web::Data<Entropy>,
    site: web::Data<Site>,
    id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let ceremony = Ceremony::new(&db, &rounds, &entropy);
    let by = signed.actor();
    let proposal = blocking(move || ceremony.withdraw_release(&by, &id)).await??;
    Ok(see_other(&site.base().path(&format!("/quan-tri/cong-bo/{}?kq=rut", proposal.round))))
}
