//! `/ket-qua`: published results, for anyone. Only what is in the released document; the table is the truth, the bar
//! beside it draws the same number.

mod told;

use std::sync::Arc;

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use askama::Template;
use serde::Deserialize;
use survey_forms::scoring::{self, ScoreDocument, Standing};

use super::charts::{self, Dots};
use super::rest::{JWS_TYPE, signer};
use super::view::{self, CellRow, GroupRow, ItemView, KindView, ScoreRow, TargetRow};
use super::{AsOf, Choice, Publication, Publications, ScoreError, export, report, sheets};
use crate::clock::{Entropy, local};
use crate::db::{Conn, Db};
use crate::http::frame::{Frame, Site, page};
use crate::http::{Problem, codes};
use crate::round::{LoadedRound, Rounds};

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/ket-qua", web::get().to(latest))
        .route("/ket-qua/{round}", web::get().to(one))
        .route("/ket-qua/{round}/tai-ve/{file}", web::get().to(download))
        .route("/ket-qua/{round}/{target}", web::get().to(target))
        .route("/ket-qua/{round}/{target}/{item}", web::get().to(told::item))
        .route("/do-nhay/{round}", web::get().to(told::other_rules));
}

#[derive(Template)]
#[template(path = "score/none.html")]
struct NonePage {
    frame: Frame,
}

/// What both pages say about the release.
struct Head {
    id: String,
    title: String,
    organiser: String,
    legal_basis: String,
    sample: bool,
    published_at: String,
    k: u32,
    distribution_n: u32,
    release: u32,
    /// In the address of pages of an old release, to stay with it.
    asked: String,
    /// The latest release, when this is an older one.
    newer: Option<u32>,
    /// Why there is a release after the first.
    reason: Option<String>,
    left_out: Vec<String>,
}

/// One line of the list of releases.
struct ReleaseRow {
    release: u32,
    at: String,
    reason: Option<String>,
    is_this: bool,
}

/// A total or rank that the release before had otherwise.
struct ChangeRow {
    name: String,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "score/results.html")]
struct ResultsPage<'d> {
    frame: Frame,
    head: Head,
    valid: u64,
    void: u64,
    kinds: Vec<(KindView, Dots)>,
    releases: Vec<ReleaseRow>,
    changes: Vec<ChangeRow>,
    groups: Vec<GroupRow>,
    others: Vec<(String, String)>,
    rules_hash: &'d str,
    log_root: &'d str,
    sha256: &'d str,
}

#[derive(Template)]
#[template(path = "score/target.html")]
struct TargetPage {
    frame: Frame,
    head: Head,
    kind: String,
    of_kind: usize,
    row: TargetRow,
    profile: Dots,
    fields: Vec<ScoreRow>,
    cells: Vec<CellRow>,
    items: Vec<ItemView>,
}

#[derive(Deserialize)]
struct Asked {
    /// A release by its number.
    ban: Option<i64>,
}

impl Asked {
    const fn as_of(&self) -> AsOf {
        match self.ban {
            Some(release) => AsOf::Release(release),
            None => AsOf::Latest,
        }
    }
}

/// A release on its page: the round, all its releases, and the latest of every round.
struct Shown {
    publication: Arc<Publication>,
    round: Arc<LoadedRound>,
    releases: Vec<Arc<Publication>>,
    asked: Option<i64>,
    /// Id and title.
    others: Vec<(String, String)>,
}

/// The release of a round; of the round that was published last, if none is named. `None` when there is none at all.
async fn shown(
    db: &Db,
    rounds: &Rounds,
    publications: &Publications,
    round: Option<String>,
    asked: Asked,
) -> Result<Option<Shown>, Problem> {
    let (rounds, publications) = (rounds.clone(), publications.clone());
    let read = move |conn: &mut Conn| {
        let published = publications.all(conn, &rounds)?;
        let Some(id) = round.or_else(|| published.first().map(|p| p.document.round.clone())) else { return Ok(None) };
        let publication = publications.of(conn, &rounds, &id, asked.as_of())?;
        let mut others = Vec::new();
        for other in published.iter().filter(|other| other.document.round != id) {
            let other = rounds.get(conn, &other.document.round)?;
            others.push((other.id().to_owned(), other.definition.title.clone()));
        }
        let releases = publications.releases(conn, &rounds, &id)?;
        let round = rounds.get(conn, &id)?;
        Ok::<_, ScoreError>(Some(Shown { publication, round, releases, asked: asked.ban, others }))
    };
    Ok(db.read(read).await?)
}

async fn latest(
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    Ok(match shown(&db, &rounds, &publications, None, Asked { ban: None }).await? {
        Some(shown) => results(&site, &shown),
        None => page(&NonePage { frame: site.frame("Kết quả") }),
    })
}

async fn one(
    round: web::Path<String>,
    asked: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let shown = shown(&db, &rounds, &publications, Some(round.into_inner()), asked.into_inner()).await?;
    Ok(results(&site, &shown.ok_or(ScoreError::NotPublished)?))
}

async fn target(
    path: web::Path<(String, String)>,
    asked: web::Query<Asked>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let (round, target) = path.into_inner();
    let shown = shown(&db, &rounds, &publications, Some(round), asked.into_inner()).await?;
    let shown = shown.ok_or(ScoreError::NotPublished)?;
    let (document, definition) = (&shown.publication.document, &shown.round.definition);
    let found = document.targets.iter().find(|t| t.target == target).ok_or(ScoreError::TargetUnknown)?;
    let kind = definition.target_kinds.iter().find(|k| k.code == found.kind).map(|k| k.name.clone());
    Ok(page(&TargetPage {
        frame: site.frame(&found.name),
        head: head(&shown),
        kind: kind.unwrap_or_default(),
        of_kind: document.targets.iter().filter(|t| t.kind == found.kind && t.rank.is_some()).count(),
        row: view::target_row(found),
        profile: charts::profile(document, found),
        fields: view::fields(document, found),
        items: view::items(definition, found),
        cells: view::cells(found),
    }))
}

/// The release as a file: `ban-1.json`, `.csv`, `.xlsx`, `.pdf`, or `.jws`.
async fn download(
    path: web::Path<(String, String)>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    entropy: web::Data<Entropy>,
) -> Result<HttpResponse, Problem> {
    let (round, file) = path.into_inner();
    let asked = file.strip_prefix("ban-").and_then(|rest| rest.split_once('.'));
    let asked = asked.and_then(|(release, kind)| Some((release.parse::<i64>().ok()?, Kind::of(kind)?)));
    let (release, kind) = asked.ok_or(Problem::new(&codes::NOT_FOUND))?;
    let (id, known, rounds) = (round.clone(), Publications::clone(&publications), Rounds::clone(&rounds));
    let read = move |conn: &mut Conn| {
        let publication = known.of(conn, &rounds, &id, AsOf::Release(release))?;
        let body: Bytes = match kind {
            Kind::Json => publication.canonical.clone(),
            Kind::Csv => {
                let mut table = Vec::new();
                export::scores(&mut table, &Choice::default().of(&publication)?, export::For::Spreadsheet)?;
                table.into()
            }
            Kind::Xlsx => sheets::workbook(&rounds.get(conn, &id)?.definition, &publication)?.into(),
            Kind::Pdf => report::report(&rounds.get(conn, &id)?.definition, &publication)?.into(),
            Kind::Jws => publication.canonical.clone(),
        };
        Ok::<_, ScoreError>(body)
    };
    let mut body = db.read(read).await?;
    if matches!(kind, Kind::Jws) {
        body = signer(&db, &entropy).await?.jws(JWS_TYPE, &body).into();
    }
    let name = format!("attachment; filename=\"{round}-{file}\"");
    let mut answer = HttpResponse::Ok();
    Ok(answer.content_type(kind.media()).insert_header((CONTENT_DISPOSITION, name)).body(body))
}

/// What a release can be downloaded as.
#[derive(Clone, Copy)]
enum Kind {
    Json,
    Csv,
    Xlsx,
    Pdf,
    Jws,
}

impl Kind {
    fn of(ending: &str) -> Option<Self> {
        [(Self::Json, "json"), (Self::Csv, "csv"), (Self::Xlsx, "xlsx"), (Self::Pdf, "pdf"), (Self::Jws, "jws")]
            .into_iter()
            .find_map(|(kind, name)| (name == ending).then_some(kind))
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Pdf => "application/pdf",
            Self::Jws => "application/jose",
        }
    }
}

fn results(site: &Site, shown: &Shown) -> HttpResponse {
    let (publication, round) = (&shown.publication, &shown.round);
    let document = &publication.document;
    let groups = view::groups(&round.definition, document);
    let kinds = view::kinds(&round.definition, document).into_iter().enumerate();
    let release = |one: &Arc<Publication>| ReleaseRow {
        release: one.document.release,
        at: moment(&one.document),
        reason: one.document.correction.as_ref().map(|c| c.reason.clone()),
        is_this: one.release == publication.release,
    };
    page(&ResultsPage {
        frame: site.frame("Kết quả"),
        head: head(shown),
        valid: groups.iter().map(|g| g.valid).sum(),
        void: groups.iter().map(|g| g.void).sum(),
        kinds: kinds
            .map(|(place, kind)| {
                let chart = charts::ranking(place, &kind.name, &kind.rows);
                (kind, chart)
            })
            .collect(),
        releases: shown.releases.iter().rev().map(release).collect(),
        changes: changes(shown),
        groups,
        others: shown.others.clone(),
        rules_hash: &document.rules_hash,
        log_root: &document.log_root,
        sha256: &publication.sha256,
    })
}

/// What the release tells otherwise than the one before it.
fn changes(shown: &Shown) -> Vec<ChangeRow> {
    let before = shown.releases.iter().find(|one| one.release + 1 == shown.publication.release);
    let Some(before) = before else { return Vec::new() };
    let told = |(_, percent, rank): &Standing| {
        let percent = percent.as_deref().map_or_else(|| "–".to_owned(), view::decimal);
        rank.map_or_else(|| percent.clone(), |rank| format!("{percent}, hạng {rank}"))
    };
    let (totals, _) = scoring::changes(&before.document, &shown.publication.document);
    totals
        .iter()
        .map(|one| ChangeRow { name: one.name.clone(), before: told(&one.before), after: told(&one.after) })
        .collect()
}

fn moment(document: &ScoreDocument) -> String {
    local(document.published_at.to_utc()).format("%H:%M ngày %d/%m/%Y").to_string()
}

fn head(shown: &Shown) -> Head {
    let (document, definition) = (&shown.publication.document, &shown.round.definition);
    let latest = shown.releases.last().map_or(document.release, |latest| latest.document.release);
    let correction = document.correction.as_ref();
    Head {
        id: definition.id.clone(),
        title: definition.title.clone(),
        organiser: definition.organiser.name.clone(),
        legal_basis: definition.legal_basis.clone(),
        sample: definition.sample,
        published_at: moment(document),
        k: definition.disclosure.k,
        release: document.release,
        asked: shown.asked.map(|release| format!("?ban={release}")).unwrap_or_default(),
        newer: (latest > document.release).then_some(latest),
        reason: correction.map(|correction| correction.reason.clone()),
        left_out: correction.map(|c| view::left_out(definition, &c.left_out)).unwrap_or_default(),
        distribution_n: definition.disclosure.distribution_n,
    }
}
