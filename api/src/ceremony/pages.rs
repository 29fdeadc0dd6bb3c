//! `/quan-tri`: the rounds and where each is on its way, who may sign in, which programs have access, and the audit
//! trail. Acts are done by command on the server; their traces are here.

use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::release;
use crate::access::audit::{self, Entry};
use crate::access::client::{self, Client};
use crate::access::staff::{self, Listed};
use crate::access::{AdministrationReading, Signed};
use crate::clock::local;
use crate::db::Db;
use crate::http::Problem;
use crate::http::frame::{Frame, Site, page};
use crate::round::{Custody, LoadedRound, Rounds};

/// Lines of the audit trail on the page.
const TRAIL_LINES: u32 = 100;

/// The pages of this room.
pub fn pages(cfg: &mut web::ServiceConfig) {
    cfg.route("/quan-tri", web::get().to(administration)).configure(release::pages);
}

#[derive(Template)]
#[template(path = "ceremony/administration.html")]
struct AdministrationPage {
    frame: Frame,
    rounds: Vec<RoundRow>,
    staff: Vec<Listed>,
    clients: Vec<Client>,
    trail: Vec<(String, Entry)>,
}

struct RoundRow {
    id: String,
    title: String,
    state: &'static str,
    dates: [(&'static str, String); 4],
    hash: String,
    has_box_key: bool,
    custody: Custody,
}

async fn administration(
    signed: Signed<AdministrationReading>,
    db: web::Data<Db>,
    rounds: web::Data<Rounds>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Problem> {
    let rounds = Rounds::clone(&rounds);
    let (rounds, staff, clients, trail) = db
        .read(move |conn| {
            let rounds = rounds.all(conn).map_err(Problem::from)?;
            let (staff, clients) = (staff::list(conn)?, client::list(conn)?);
            Ok::<_, Problem>((rounds, staff, clients, audit::read(conn, None, TRAIL_LINES)?))
        })
        .await?;
    Ok(page(&AdministrationPage {
        frame: site.frame("Quản trị").with_staff(signed.bar()),
        rounds: rounds.iter().map(|r| round_row(r)).collect(),
        staff,
        clients,
        trail: trail.into_iter().map(|entry| (moment(entry.at), entry)).collect(),
    }))
}

fn round_row(round: &LoadedRound) -> RoundRow {
    let definition = &round.definition;
    RoundRow {
        id: definition.id.clone(),
        title: definition.title.clone(),
        state: round.state.name(),
        dates: [
            ("Mở", moment(round.opens_at)),
            ("Hết hạn trực tuyến", moment(round.closes_at)),
            ("Hết hạn nhập phiếu giấy", moment(round.keying_closes_at)),
            ("Công bố từ", moment(definition.dates.publishes.to_utc())),
        ],
        hash: definition.hash.clone(),
        has_box_key: round.box_public.is_some(),
        custody: round.custody.clone(),
    }
}

fn moment(at: DateTime<Utc>) -> String {
    local(at).format("%H:%M ngày %d/%m/%Y").to_string()
}
