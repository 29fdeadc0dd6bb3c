//! `/ket-qua`: published results, for anyone. Only what is in the released document; the table is the truth, the bar
//! beside it draws the same number.

mod told;

use std::sync::Arc;

use actix_web::{HttpResponse, web};
use askama::Template;

use super::view::{self, GroupRow, ItemView, KindView, ScoreRow, TargetRow};
use super::{Publication, Publications, ScoreError};
use crate::clock::local;
use crate::db::Db;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page};
use crate::round::{LoadedRound, Rounds};

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/ket-qua", web::get().to(latest))
        .route("/ket-qua/{round}", web::get().to(one))
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
}

#[derive(Template)]
#[template(path = "score/results.html")]
struct ResultsPage<'d> {
    frame: Frame,
    head: Head,
    valid: u64,
    void: u64,
    kinds: Vec<KindView>,
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
    fields: Vec<ScoreRow>,
    items: Vec<ItemView>,
}

type Releases = Vec<(Arc<Publication>, Arc<LoadedRound>)>;

async fn releases(db: &Db, rounds: &Rounds, publications: &Publications) -> Result<Releases, Problem> {
    let (rounds, publications) = (rounds.clone(), publications.clone());
    let found = db
        .read(move |conn| {
            let all = publications.all(conn, &rounds)?;
            all.into_iter()
                .map(|publication| {
                    let round = rounds.get(conn, &publication.document.round)?;
                    Ok((publication, round))
                })
                .collect::<Result<Releases, ScoreError>>()
        })
        .await?;
    Ok(found)
}

async fn latest(
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let all = releases(&db, &rounds, &publications).await?;
    Ok(match all.first() {
        Some((publication, round)) => results(&site, &all, publication, round),
        None => page(&NonePage { frame: site.frame("Kết quả") }),
    })
}

async fn one(
    round: web::Path<String>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let all = releases(&db, &rounds, &publications).await?;
    let (publication, loaded) = find(&all, &db, &rounds, &round).await?;
    Ok(results(&site, &all, publication, loaded))
}

async fn target(
    path: web::Path<(String, String)>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    publications: web::Data<Publications>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let (round, target) = path.into_inner();
    let all = releases(&db, &rounds, &publications).await?;
    let (publication, loaded) = find(&all, &db, &rounds, &round).await?;
    let document = &publication.document;
    let found = document.targets.iter().find(|t| t.target == target).ok_or(ScoreError::TargetUnknown)?;
    let kind = loaded.definition.target_kinds.iter().find(|k| k.code == found.kind).map(|k| k.name.clone());
    Ok(page(&TargetPage {
        frame: site.frame(&found.name),
        head: head(publication, loaded),
        kind: kind.unwrap_or_default(),
        of_kind: document.targets.iter().filter(|t| t.kind == found.kind && t.rank.is_some()).count(),
        row: view::target_row(found),
        fields: view::fields(found),
        items: view::items(&loaded.definition, found),
    }))
}

/// The release of a round; a round that is there but not released is told apart from one that is not.
async fn find<'r>(
    all: &'r Releases,
    db: &Db,
    rounds: &Rounds,
    id: &str,
) -> Result<(&'r Publication, &'r LoadedRound), Problem> {
    if let Some((publication, round)) = all.iter().find(|(_, round)| round.id() == id) {
        return Ok((publication, round));
    }
    let (rounds, id) = (rounds.clone(), id.to_owned());
    db.read(move |conn| rounds.get(conn, &id)).await?;
    Err(ScoreError::NotPublished.into())
}

fn results(site: &Site, all: &Releases, publication: &Publication, round: &LoadedRound) -> HttpResponse {
    let document = &publication.document;
    let others = all.iter().filter(|(_, other)| other.id() != round.id());
    let groups = view::groups(&round.definition, document);
    page(&ResultsPage {
        frame: site.frame("Kết quả"),
        head: head(publication, round),
        valid: groups.iter().map(|g| g.valid).sum(),
        void: groups.iter().map(|g| g.void).sum(),
        kinds: view::kinds(&round.definition, document),
        groups,
        others: others.map(|(_, r)| (r.id().to_owned(), r.definition.title.clone())).collect(),
        rules_hash: &document.rules_hash,
        log_root: &document.log_root,
        sha256: &publication.sha256,
    })
}

fn head(publication: &Publication, round: &LoadedRound) -> Head {
    let definition = &round.definition;
    let at = local(publication.document.published_at.to_utc());
    Head {
        id: definition.id.clone(),
        title: definition.title.clone(),
        organiser: definition.organiser.name.clone(),
        legal_basis: definition.legal_basis.clone(),
        sample: definition.sample,
        published_at: at.format("%H:%M ngày %d/%m/%Y").to_string(),
        k: definition.disclosure.k,
        distribution_n: definition.disclosure.distribution_n,
    }
}
