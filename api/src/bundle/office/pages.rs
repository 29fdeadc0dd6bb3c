//! `/nhap-phieu/buu-dien`: the post offices, and at which of them each member of the desk works. For whoever leads the
//! field work.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use askama::Template;
use serde::Deserialize;

use super::Worker;
use crate::access::{AccessError, SignInName, Signed, Supervising, staff};
use crate::bundle::BundleError;
use crate::db::{Conn, Db};
use crate::http::Problem;
use crate::http::frame::{Frame, Site, render, see_other};

/// The routes of this room that people open.
pub(in crate::bundle) fn pages(cfg: &mut web::ServiceConfig) {
    cfg.service(web::resource(PATH).get(list).post(add))
        .service(web::resource("/nhap-phieu/buu-dien/nguoi").post(assign));
}

const PATH: &str = "/nhap-phieu/buu-dien";

#[derive(Template)]
#[template(path = "bundle/offices.html")]
struct OfficesPage {
    frame: Frame,
    offices: Vec<(String, String)>,
    workers: Vec<Worker>,
    sent: Sent,
    said: Option<&'static str>,
    fault: Option<String>,
}

impl OfficesPage {
    /// Who works there, by name.
    fn at(&self, code: &str) -> String {
        let there = self.workers.iter().filter(|w| w.office.as_deref() == Some(code));
        there.map(|w| w.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn is_at(worker: &Worker, code: &str) -> bool {
        worker.office.as_deref() == Some(code)
    }
}

/// What the forms of the page send.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Sent {
    code: String,
    name: String,
    office: String,
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    kq: String,
}

async fn page(
    (site, db): (&Site, &Db),
    signed: &Signed<Supervising>,
    sent: Sent,
    said: Option<&'static str>,
    fault: Option<String>,
) -> Result<HttpResponse, Problem> {
    let both = |conn: &mut Conn| Ok::<_, BundleError>((super::all(conn)?, super::workers(conn)?));
    let (offices, workers) = db.read(both).await?;
    let (status, lead) =
        if fault.is_some() { (StatusCode::UNPROCESSABLE_ENTITY, "Lỗi: ") } else { (StatusCode::OK, "") };
    let frame = site.frame(&format!("{lead}Bưu điện và người nhập")).with_staff(signed.bar());
    Ok(render(status, &OfficesPage { frame, offices, workers, sent, said, fault }))
}

async fn list(
    site: Data<Site>,
    db: Data<Db>,
    after: web::Query<After>,
    signed: Signed<Supervising>,
) -> Result<HttpResponse, Problem> {
    let said = (after.kq == "xong").then_some("Đã ghi nhận.");
    page((&site, &db), &signed, Sent::default(), said, None).await
}

fn done(site: &Site) -> HttpResponse {
    see_other(&site.base().path(&format!("{PATH}?kq=xong")))
}

async fn add(
    site: Data<Site>,
    db: Data<Db>,
    signed: Signed<Supervising>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let sent = form.into_inner();
    let (clock, by) = (Db::clone(&db), signed.actor());
    let (code, name) = (sent.code.trim().to_owned(), sent.name.clone());
    let added = db
        .write(move |conn| {
            let at = clock.now(conn)?;
            super::add(conn, at, &by, &code, &name)
        })
        .await;
    let fault = match added {
        Ok(()) => return Ok(done(&site)),
        Err(BundleError::Field("/code", _)) => "Mã bưu điện gồm 1 đến 20 ký tự A-Z, 0-9 hoặc gạch nối.",
        Err(BundleError::Field(_, "text_too_long")) => "Tên bưu điện dài quá 200 ký tự.",
        Err(BundleError::Field(..)) => "Xin ghi tên bưu điện.",
        Err(error) => return Err(error.into()),
    };
    page((&site, &db), &signed, sent, None, Some(fault.to_owned())).await
}

async fn assign(
    site: Data<Site>,
    db: Data<Db>,
    signed: Signed<Supervising>,
    form: web::Form<Sent>,
) -> Result<HttpResponse, Problem> {
    let Sent { name, office, .. } = form.into_inner();
    let (clock, by, name) = (Db::clone(&db), signed.actor(), SignInName::parse(&name)?);
    let office = Some(office).filter(|office| !office.is_empty());
    let assigned = db
        .write(move |conn| {
            // Whoever leads has no office, and a temporary clerk's ends with the day: neither is on the page.
            if !super::workers(conn)?.iter().any(|worker| worker.name == name.as_str()) {
                return Err(BundleError::Access(AccessError::StaffUnknown));
            }
            let at = clock.now(conn)?;
            staff::set_office(conn, at, &by, &name, office.as_deref())?;
            Ok(())
        })
        .await;
    match assigned {
        Ok(()) => Ok(done(&site)),
        Err(BundleError::Access(AccessError::OfficeUnknown)) => {
            page((&site, &db), &signed, Sent::default(), None, Some("Không có bưu điện này.".to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}
