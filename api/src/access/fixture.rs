//! Staff and clients for the tests of this room, made through its own use cases.

use actix_web::App;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::dev::Service as _;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service, read_body};
use actix_web::web::{self, Data};
use chrono::{DateTime, Utc};

use super::scopes::Scopes;
use super::{AccessError, Actor, NewPassword, Passwords, Role, Secret, SignInName, Staff, Tokens, client, staff};
use super::{extract, pages, rest};
use crate::clock::{Clock, Entropy};
use crate::config::BaseUrl;
use crate::http::frame::Site;
use crate::http::{self, Limits};
use crate::testing::{TestDb, databases_at};

/// The password of every member of staff in these tests.
pub(super) const PASSWORD: &str = "mật khẩu của tôi";

/// A working morning.
pub(super) fn morning() -> DateTime<Utc> {
    "2026-11-23T01:00:00Z".parse().unwrap()
}

/// Each database at hand at [`morning`], and the clock that they share.
pub(super) fn places() -> (Clock, Vec<TestDb>) {
    let clock = Clock::set_to(morning());
    let all = databases_at(&clock);
    (clock, all)
}

pub(super) fn name(text: &str) -> SignInName {
    SignInName::parse(text).unwrap()
}

pub(super) fn hire(test: &TestDb, who: &str, role: Role) -> Staff {
    let entropy = Entropy::System;
    let hash = NewPassword::parse(PASSWORD).unwrap().hash_here(&entropy).unwrap();
    test.db
        .write_here(|conn| {
            let at = test.db.now(conn)?;
            staff::add(conn, at, &entropy, &Actor::Command, &name(who), role, &hash)
        })
        .unwrap()
}

pub(super) fn enrol(test: &TestDb, scopes: &str) -> (client::Client, Secret) {
    let scopes = Scopes::parse(scopes).unwrap();
    test.db
        .write_here(|conn| {
            let at = test.db.now(conn)?;
            client::add(conn, at, &Entropy::System, &Actor::Command, "Phần mềm chấm điểm", scopes)
        })
        .unwrap()
}

pub(super) async fn sign_in(test: &TestDb, passwords: &Passwords, who: &str, password: &str) -> Option<Secret> {
    let given = Secret::new(password.to_owned());
    let done = staff::sign_in(&test.db, passwords, &Entropy::System, who, &given, None).await.unwrap();
    done.map(|(_, cookie)| cookie)
}

pub(super) fn write<T>(
    test: &TestDb,
    act: impl FnOnce(&mut crate::db::Conn, DateTime<Utc>) -> Result<T, AccessError>,
) -> Result<T, AccessError> {
    test.db.write_here(|conn| {
        let at = test.db.now(conn)?;
        act(conn, at)
    })
}

/// The public address in the tests of routes: https, under a prefix.
pub(super) const BASE: &str = "https://cchc.example/khao-sat";

/// This room's routes as the server mounts them, with `more_pages` and `more_rest` beside them.
pub(super) async fn app(
    test: &TestDb,
    base: &str,
    more_pages: fn(&mut web::ServiceConfig),
    more_rest: fn(&mut web::ServiceConfig),
) -> Served {
    let entropy = Entropy::System;
    let base = BaseUrl::parse(base).unwrap();
    let prefix = base.prefix.clone();
    let app = App::new()
        .app_data(Data::new(test.db.clone()))
        .app_data(Data::new(Tokens::new(&base, &entropy)))
        .app_data(Data::new(Passwords::new(&entropy).unwrap()))
        .app_data(Data::new(Limits::new(&entropy, false)))
        .app_data(Data::new(Site::new(base)))
        .app_data(Data::new(entropy))
        .configure(http::extractors)
        .wrap(from_fn(http::security_headers))
        .service(web::scope(&format!("{prefix}/api/v1")).configure(more_rest).configure(|cfg| {
            rest::rest(&mut utoipa_actix_web::service_config::ServiceConfig::new(cfg));
        }))
        .service(
            web::scope(&prefix)
                .wrap(from_fn(http::refuse_cross_site))
                .wrap(from_fn(http::problems_as_pages))
                .configure(more_pages)
                .configure(pages::pages),
        );
    let service = Rc::new(init_service(app).await);
    Served(Box::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            // Refusals of the outermost middleware come back as errors, which the server itself would render.
            let (status, headers, body) = match service.call(request.to_request()).await {
                Ok(res) => (res.status(), res.headers().clone(), read_body(res).await),
                Err(error) => {
                    let res = error.error_response();
                    (res.status(), res.headers().clone(), to_bytes(res.into_body()).await.unwrap())
                }
            };
            Answer { status: status.as_u16(), headers, body: String::from_utf8(body.to_vec()).unwrap() }
        })
    }))
}

/// A running app that answers requests.
pub(super) struct Served(Box<dyn Fn(TestRequest) -> Answering>);

type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// No further routes.
pub(super) fn none(_: &mut web::ServiceConfig) {}

/// What came back, read to the end.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(super) async fn call(app: &Served, request: TestRequest) -> Answer {
    (app.0)(request).await
}

/// A session's cookie on a request.
pub(super) fn carrying(request: TestRequest, session: &Secret) -> TestRequest {
    request.cookie(Cookie::new(extract::COOKIE, session.reveal().to_owned()))
}
