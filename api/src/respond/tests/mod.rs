//! The respondents' pages and calls, as people and programs see them, on each database at hand. A [`Place`] is the
//! service, a [`Browser`] somebody's device: cookies, no scripts.

mod again;
mod journey;
mod kinds;
mod naughty;
mod refusals;
mod rest_calls;
mod walks;

use std::collections::BTreeMap;
use std::rc::Rc;

use actix_web::body::to_bytes;
use actix_web::cookie::Cookie;
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{self, Data};
use actix_web::{App, dev::Service as _, http::header};
use diesel::prelude::*;
use serde_json::Value;
use utoipa_actix_web::AppExt as _;

use crate::ballot::seal::BoxSecret;
use crate::ballot::{Casting, Keys, Token};
use crate::clock::{Clock, Entropy};
use crate::config::{BaseUrl, Config};
use crate::db::schema::{credential, draft, envelope};
use crate::db::{Conn, Db};
use crate::http::frame::Site;
use crate::http::{Limits, extractors, head_as_get, problems_as_pages, refuse_cross_site, security_headers};
use crate::round::{RoundState, Rounds, advance, load, set_box_key};
use crate::testing::{TestDb, databases_at};

const ROUND: &str = "quang-nam-2023";
/// Within the round's dates.
const FIELDWORK: &str = "2023-09-20T03:00:00Z";
const HOST: &str = "http://127.0.0.1:8080";

/// The plan's round with `more` right under the heading `under` of `round.toml`.
fn with(under: &str, more: &str) -> survey_forms::RoundFiles {
    let mut files = survey_forms::quang_nam_2023();
    let text = String::from_utf8(files["round.toml"].clone()).unwrap();
    files.insert("round.toml".to_owned(), text.replacen(under, &format!("{under}\n{more}"), 1).into_bytes());
    files
}

/// What came back.
struct Answer {
    status: StatusCode,
    location: String,
    cookie: Option<Cookie<'static>>,
    headers: header::HeaderMap,
    bytes: Vec<u8>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The action of the page's main form, and the radio groups on it with their options and what is checked.
    fn form(&self) -> (String, BTreeMap<String, Vec<(String, bool)>>) {
        let start = self.body.split("data-keep").next().unwrap().rfind("action=\"").unwrap() + 8;
        let action = self.body[start..].split('"').next().unwrap().to_owned();
        let mut groups: BTreeMap<String, Vec<(String, bool)>> = BTreeMap::new();
        for input in self.body.split("<input type=\"radio\" ").skip(1) {
            let input = input.split('>').next().unwrap();
            let attribute = |name: &str| {
                let rest = input.split(&format!("{name}=\"")).nth(1).unwrap();
                rest.split('"').next().unwrap().to_owned()
            };
            groups.entry(attribute("name")).or_default().push((attribute("value"), input.contains(" checked")));
        }
        (action, groups)
    }

    /// Whose page it is.
    fn mark(&self) -> String {
        let after = self.body.split("name=\"cua\" value=\"").nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    }

    /// How many radios are checked.
    fn checked(&self) -> usize {
        self.form().1.values().flatten().filter(|(_, checked)| *checked).count()
    }
}

type Call = Rc<dyn Fn(TestRequest) -> std::pin::Pin<Box<dyn Future<Output = Answer>>>>;

/// The service on one database.
struct Place {
    test: TestDb,
    clock: Clock,
    rounds: Rounds,
    call: Call,
    seed: std::cell::Cell<u64>,
}

/// Every database at hand with the plan's round open, and the service on it.
async fn places() -> Vec<Place> {
    places_at(HOST).await
}

async fn places_at(base: &str) -> Vec<Place> {
    places_of(base, &survey_forms::quang_nam_2023()).await
}

async fn places_of(base: &str, files: &survey_forms::RoundFiles) -> Vec<Place> {
    let clock = Clock::set_to(FIELDWORK.parse().unwrap());
    let mut all = Vec::new();
    for test in databases_at(&clock) {
        let (_, public) = BoxSecret::generate(&Entropy::seeded(1)).unwrap();
        test.db.write_here(|conn| load(conn, files).map(|_| ())).unwrap();
        test.db.write_here(|conn| set_box_key(conn, ROUND, public.bytes())).unwrap();
        test.db.write_here(|conn| advance(conn, ROUND, RoundState::Loaded, RoundState::Open)).unwrap();
        let rounds = Rounds::new();
        let call = service(&test.db, &rounds, base).await;
        all.push(Place { test, clock: clock.clone(), rounds, call, seed: std::cell::Cell::new(100) });
    }
    all
}

async fn service(db: &Db, rounds: &Rounds, base: &str) -> Call {
    let entropy = Entropy::System;
    let (casting, _thread) = Casting::start(db, &Config::default(), &entropy).unwrap();
    let base = BaseUrl::parse(base).unwrap();
    let prefix = base.prefix.clone();
    let (app, _) = App::new()
        .app_data(Data::new(db.clone()))
        .app_data(Data::new(rounds.clone()))
        .app_data(Data::new(casting))
        .app_data(Data::new(entropy.clone()))
        .app_data(Data::new(Site::new(base.clone())))
        .app_data(Data::new(base))
        .app_data(Data::new(Limits::new(&entropy, false)))
        .configure(extractors)
        .into_utoipa_app()
        .service(utoipa_actix_web::scope(format!("{prefix}/api/v1").as_str()).configure(super::rest))
        .split_for_parts();
    let app = app
        .service(web::scope(&prefix).wrap(from_fn(problems_as_pages)).configure(super::pages))
        .wrap(from_fn(refuse_cross_site))
        .wrap(from_fn(head_as_get))
        .wrap(from_fn(security_headers));
    let service = Rc::new(init_service(app).await);
    Rc::new(move |request: TestRequest| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let response = match service.call(request.to_request()).await {
                Ok(response) => response.into_parts().1.map_into_boxed_body(),
                Err(error) => error.error_response(),
            };
            let status = response.status();
            let location = response.headers().get(header::LOCATION);
            let location = location.map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
            let cookie = response.cookies().find(|c| c.name() == "phieu_code").map(|c| c.into_owned());
            let headers = response.headers().clone();
            let bytes = to_bytes(response.into_body()).await.ok().unwrap().to_vec();
            let body = String::from_utf8_lossy(&bytes).into_owned();
            Answer { status, location, cookie, headers, bytes, body }
        })
    })
}

impl Place {
    /// A code of this stratum, `CC-CT/SNV`, in this channel and state.
    fn code(&self, stratum: &str, channel: &str, state: &str) -> String {
        self.seed.set(self.seed.get() + 1);
        let token = Token::generate(&Entropy::seeded(self.seed.get()));
        let keys = Keys::derive(&token, ROUND);
        let (group, targets) = stratum.split_once('/').unwrap();
        let row = (
            credential::public_key.eq(keys.public.as_slice()),
            credential::round.eq(ROUND),
            credential::respondent_code.eq(group),
            credential::source_unit.eq("SNV"),
            credential::targets.eq(targets),
            credential::channel.eq(channel),
            credential::state.eq(state),
        );
        self.write(|conn| diesel::insert_into(credential::table).values(row).execute(conn));
        token.expose().to_string()
    }

    fn online(&self) -> String {
        self.code("CC-CT/SNV", "online", "issued")
    }

    fn write<T>(&self, act: impl FnOnce(&mut Conn) -> QueryResult<T>) -> T {
        self.test.db.write_here(|conn| act(conn).map_err(crate::db::DbError::from)).unwrap()
    }

    fn envelopes(&self) -> i64 {
        self.write(|conn| envelope::table.count().get_result(conn))
    }

    fn drafts(&self) -> i64 {
        self.write(|conn| draft::table.count().get_result(conn))
    }

    fn browser(&self) -> Browser {
        Browser { call: Rc::clone(&self.call), cookie: None }
    }

    async fn rest(&self, path: &str, body: &Value) -> Answer {
        let request = TestRequest::post().uri(&format!("/api/v1{path}")).set_json(body);
        (self.call)(request).await
    }

    /// Moves the time; the rounds are read again at once.
    fn at(&self, time: &str) {
        let now = self.clock.fixed().unwrap();
        self.clock.advance(time.parse::<chrono::DateTime<chrono::Utc>>().unwrap() - now);
    }
}

/// Somebody's device, with its cookies and without scripts.
struct Browser {
    call: Call,
    cookie: Option<Cookie<'static>>,
}

impl Browser {
    async fn send(&mut self, request: TestRequest) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.cookie(cookie.clone()),
            None => request,
        };
        let answer = (self.call)(request).await;
        if let Some(cookie) = &answer.cookie {
            self.cookie = (!cookie.value().is_empty()).then(|| cookie.clone());
        }
        answer
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = TestRequest::default().method(Method::POST).uri(path).set_form(fields);
        self.send(request.insert_header(("sec-fetch-site", "same-origin"))).await
    }

    /// Answers the page that is shown: in each radio group the option that `pick` names by its place.
    async fn fill(&mut self, page: &Answer, pick: impl Fn(usize) -> Option<usize>, button: &str) -> Answer {
        let (action, groups) = page.form();
        let mut fields = vec![("cua".to_owned(), page.mark()), ("di".to_owned(), button.to_owned())];
        for (at, (name, options)) in groups.into_iter().enumerate() {
            let already = options.iter().find(|(_, checked)| *checked).map(|(value, _)| value.clone());
            if let Some(value) = pick(at).map(|n| options[n].0.clone()).or(already) {
                fields.push((name, value));
            }
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        self.post(&action, &fields).await
    }
}
