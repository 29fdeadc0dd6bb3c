//! The service: every route by name, and the listeners.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use metrics_exporter_prometheus::PrometheusHandle;
use tracing_actix_web::TracingLogger;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt as _;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

use crate::access::openapi::security_schemes;
use crate::access::{self, PasswordError, Passwords, Tokens};
use crate::ballot::{self, Casting};
use crate::bundle;
use crate::ceremony;
use crate::clock::Entropy;
use crate::config::{BaseUrl, Config};
use crate::credential;
use crate::credential::letters::{MailSettings, Post};
use crate::db::{Conn, Db, DbError};
use crate::http::frame::Site;
use crate::http::{Limits, Methods, Problem, assets, codes, extractors};
use crate::http::{head_as_get, problems_as_pages, refuse_cross_site, security_headers};
use crate::keying;
use crate::mail::{Mail, MailError};
use crate::monitor;
use crate::print;
use crate::respond;
use crate::round::{self, RoundError, Rounds};
use crate::score::{self, Publications};
use crate::telemetry::{self, RouteSpan, count_answers};
use crate::webhook::{self, Sender};

/// Longest time for one request, body and all: a body that trickles in is cut off.
const REQUEST_DEADLINE: Duration = Duration::from_secs(20);
/// Longest time for the headers of a request.
const HEADER_DEADLINE: Duration = Duration::from_secs(5);

/// How often limits forget origins that have been quiet.
const HOUSEKEEPING: Duration = Duration::from_secs(600);

/// The OpenAPI document's head; the routes add themselves.
#[derive(OpenApi)]
#[openapi(info(
    title = "phieu",
    description = "Codes, ballots, response rates and scores of a province's sociological survey. Errors are \
                   `application/problem+json` with a stable `code`; the text is for people, in Vietnamese.",
    license(name = "MIT")
))]
struct Document;

/// Why the service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The settings name no usable public address.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A stored round does not read.
    #[error(transparent)]
    Round(#[from] RoundError),
    /// The password hash could not be set up.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The settings name no usable way for letters.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// The service, bound to its port and not yet running.
pub struct Service {
    server: Server,
    admin: Option<Server>,
    limits: Data<Limits>,
    batches: Option<Batches>,
    post: Option<Post>,
    webhooks: Option<Webhooks>,
    port: u16,
    queue: std::thread::JoinHandle<()>,
}

/// What handlers are given.
#[derive(Clone)]
struct State {
    db: Data<Db>,
    rounds: Data<Rounds>,
    casting: Data<Casting>,
    entropy: Data<Entropy>,
    site: Data<Site>,
    limits: Data<Limits>,
    base: Data<BaseUrl>,
    tokens: Data<Tokens>,
    passwords: Data<Passwords>,
    publications: Data<Publications>,
    mail: Data<MailSettings>,
}

impl Service {
    /// Builds the service on an open database.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn build(config: &Config, db: &Db, entropy: &Entropy, listener: TcpListener) -> Result<Self, StartError> {
        let casting = Casting::start(db, config, entropy).map_err(StartError::Thread)?;
        Self::build_with(config, db, entropy, listener, casting)
    }

    /// [`Service::build`] with a cast queue of one's own, to measure its parts.
    ///
    /// # Errors
    /// [`StartError`].
    #[doc(hidden)]
    pub fn build_with(
        config: &Config,
        db: &Db,
        entropy: &Entropy,
        listener: TcpListener,
        (casting, queue): (Casting, std::thread::JoinHandle<()>),
    ) -> Result<Self, StartError> {
        db.check_schema()?;
        let base = config.base()?;
        let rounds = Rounds::new();
        db.read_here(|conn| rounds.reread(conn).map(|_| ()))?;
        db.write_here(|conn| bundle::make_missing(conn, &rounds, entropy).map(|_| ()))?;
        let state = State {
            db: Data::new(db.clone()),
            rounds: Data::new(rounds),
            casting: Data::new(casting),
            entropy: Data::new(entropy.clone()),
            site: Data::new(Site::new(base.clone())),
            limits: Data::new(Limits::new(entropy, config.trust_forwarded_for)),
            tokens: Data::new(Tokens::new(&base, entropy)),
            passwords: Data::new(Passwords::new(entropy)?),
            publications: Data::new(Publications::new()),
            mail: Data::new(Mail::of(config)?),
            base: Data::new(base),
        };
        let limits = Data::clone(&state.limits);
        let batches = Batches::of(config, db, &state.rounds);
        let post = Post::of(config, db, &state.rounds, entropy, &state.base)?;
        let webhooks = Webhooks::of(config, db)?;
        let address = listener.local_addr().map_err(|e| StartError::Listen(config.listen, e))?;
        let mut server = HttpServer::new(move || app(state.clone()))
            .client_request_timeout(HEADER_DEADLINE)
            .tcp_nodelay(true)
            .shutdown_timeout(10)
            .server_hostname("phieu");
        if let Some(workers) = config.workers {
            server = server.workers(workers);
        }
        let server = server.listen(listener).map_err(|e| StartError::Listen(address, e))?.run();
        let admin = config.admin_listen.map(|at| admin(at, db)).transpose()?;
        Ok(Self { server, admin, limits, batches, post, webhooks, port: address.port(), queue })
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until it is told to stop; ballots in the queue are written before it returns.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run_until_stopped(self) -> std::io::Result<()> {
        let admin = self.admin.map(|server| {
            let handle = server.handle();
            (handle, actix_web::rt::spawn(server))
        });
        let limits = self.limits;
        let housekeeping = actix_web::rt::spawn(async move {
            loop {
                tokio::time::sleep(HOUSEKEEPING).await;
                limits.forget_quiet();
            }
        });
        let batches = self.batches.map(|batches| actix_web::rt::spawn(batches.run()));
        let postmen = self.post.map(|post| post.start()).transpose()?;
        let webhooks = self.webhooks.map(|webhooks| actix_web::rt::spawn(webhooks.run()));
        self.server.await?;
        if let Some(postmen) = postmen {
            // Letters on the wire are finished; the others go back into the outbox.
            drop(tokio::task::spawn_blocking(move || postmen.stop()).await);
        }
        housekeeping.abort();
        if let Some(task) = batches {
            // A batch under way is one transaction: it is whole or not there.
            task.abort();
        }
        if let Some(task) = webhooks {
            // What was taken and not written down is due again when its lease ends.
            task.abort();
        }
        if let Some((handle, task)) = admin {
            handle.stop(false).await;
            // It was told to stop; how it ended does not matter any more.
            drop(task.await);
        }
        // The workers are gone, and with them the last senders: the queue drains and its thread ends.
        let drained = tokio::task::spawn_blocking(move || self.queue.join()).await;
        if !matches!(drained, Ok(Ok(()))) {
            tracing::error!("the cast queue did not end cleanly");
        }
        Ok(())
    }
}

/// The batch move in the background.
struct Batches {
    every: Duration,
    db: Db,
    rounds: Rounds,
}

impl Batches {
    fn of(config: &Config, db: &Db, rounds: &Rounds) -> Option<Self> {
        let every = Duration::from_secs(config.batch_seconds);
        (!every.is_zero()).then(|| Self { every, db: db.clone(), rounds: rounds.clone() })
    }

    async fn run(self) {
        loop {
            tokio::time::sleep(self.every).await;
            let (db, rounds) = (self.db.clone(), self.rounds.clone());
            match tokio::task::spawn_blocking(move || ballot::log::batch::move_waiting(&db, &rounds)).await {
                Ok(Ok(0)) => {}
                Ok(Ok(moved)) => tracing::info!(envelopes.moved = moved, "batch moved"),
                Ok(Err(error)) => tracing::error!(%error, "envelopes were not moved; the next batch takes them"),
                Err(error) => tracing::error!(%error, "the batch ended without an answer"),
            }
        }
    }
}

/// Webhooks, sent in the background.
struct Webhooks {
    every: Duration,
    db: Db,
    sender: Sender,
}

impl Webhooks {
    fn of(config: &Config, db: &Db) -> Result<Option<Self>, StartError> {
        let every = Duration::from_secs(config.webhook_seconds);
        let sender = Sender::new(config.inside()?);
        Ok((!every.is_zero()).then(|| Self { every, db: db.clone(), sender }))
    }

    async fn run(self) {
        loop {
            tokio::time::sleep(self.every).await;
            let (db, sender) = (self.db.clone(), self.sender.clone());
            match tokio::task::spawn_blocking(move || webhook::worker::deliver_due(&db, &sender)).await {
                Ok(Ok(0)) => {}
                Ok(Ok(attempts)) => tracing::info!(webhook.attempts = attempts, "webhooks sent"),
                Ok(Err(error)) => tracing::error!(%error, "webhooks were not sent; the next look takes them"),
                Err(error) => tracing::error!(%error, "the look for webhooks ended without an answer"),
            }
        }
    }
}

/// The operators' listener: counters and health, never in reach of the public.
fn admin(at: SocketAddr, db: &Db) -> Result<Server, StartError> {
    let counters = Data::new(telemetry::count());
    let db = Data::new(db.clone());
    let server = HttpServer::new(move || {
        App::new()
            .app_data(counters.clone())
            .app_data(db.clone())
            .route("/healthz", web::get().to(healthy))
            .route("/readyz", web::get().to(ready))
            .route("/metrics", web::get().to(metrics))
    });
    Ok(server.workers(1).bind(at).map_err(|e| StartError::Listen(at, e))?.run())
}

/// The counters, in Prometheus' text format.
async fn metrics(counters: Data<Option<PrometheusHandle>>) -> HttpResponse {
    let text = counters.as_ref().as_ref().map(PrometheusHandle::render).unwrap_or_default();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text)
}

fn app(
    state: State,
) -> App<
    impl actix_web::dev::ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let base = BaseUrl::clone(&state.base);
    let prefix = base.prefix.clone();
    let (app, mut document) = App::new()
        .app_data(state.db)
        .app_data(state.rounds)
        .app_data(state.casting)
        .app_data(state.entropy)
        .app_data(state.site)
        .app_data(state.limits)
        .app_data(state.base)
        .app_data(state.tokens)
        .app_data(state.passwords)
        .app_data(state.publications)
        .app_data(state.mail)
        .configure(extractors)
        .into_utoipa_app()
        .openapi(Document::openapi())
        .service(scope(format!("{prefix}/api/v1").as_str()).wrap(from_fn(refuse_cross_site)).configure(rest))
        .split_for_parts();
    security_schemes(&mut document, &base);
    let methods = Data::new(Methods::of(&document));
    let docs = SwaggerUi::new(format!("{prefix}/docs/{{_:.*}}")).url(format!("{prefix}/openapi.json"), document);
    app.app_data(methods)
        .service(docs)
        .service(web::redirect(format!("{prefix}/docs"), format!("{prefix}/docs/")))
        .service(web::scope(&prefix).wrap(from_fn(refuse_cross_site)).wrap(from_fn(problems_as_pages)).configure(pages))
        .default_service(web::to(not_found))
        .wrap(from_fn(head_as_get))
        .wrap(from_fn(deadline))
        .wrap(from_fn(security_headers))
        .wrap(Compress::default())
        .wrap(from_fn(count_answers))
        .wrap(TracingLogger::<RouteSpan>::new())
}

/// REST, under `/api/v1`.
fn rest(config: &mut ServiceConfig<'_>) {
    config
        .configure(access::rest::rest)
        .configure(round::rest::rest)
        .configure(ballot::log::rest)
        .configure(credential::rest)
        .configure(respond::rest)
        .configure(keying::rest::rest)
        .configure(bundle::rest::rest)
        .configure(keying::aside::rest::rest)
        .configure(keying::statistics::rest::rest)
        .configure(monitor::rest)
        .configure(score::rest);
}

/// Pages and what stands beside them.
fn pages(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(healthy))
        .route("/readyz", web::get().to(ready))
        .route("/assets/{file:.*}", web::get().to(assets::serve))
        .configure(access::pages::pages)
        .configure(respond::pages)
        .configure(ballot::log::pages)
        .configure(keying::pages::pages)
        .configure(bundle::pages::pages)
        .configure(keying::aside::pages::pages)
        .configure(keying::statistics::pages::pages)
        .configure(round::pages)
        .configure(credential::pages)
        .configure(ceremony::pages)
        .configure(print::pages)
        .configure(monitor::pages)
        .configure(score::pages)
        .default_service(web::to(not_found));
}

/// No such route, or not with this method.
async fn not_found(req: HttpRequest, methods: Data<Methods>) -> Result<HttpResponse, Problem> {
    Err(match methods.of_path(req.path()) {
        Some(known) => Problem::new(&codes::METHOD_NOT_ALLOWED).allow(known),
        None => Problem::new(&codes::NOT_FOUND),
    })
}

/// The process answers.
async fn healthy() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The database answers, and its schema is this program's.
async fn ready(db: Data<Db>) -> Result<HttpResponse, Problem> {
    let probe = db.clone();
    db.read(move |conn: &mut Conn| probe.now(conn)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain").body("ready\n"))
}

async fn deadline<B: MessageBody>(req: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, actix_web::Error> {
    match tokio::time::timeout(REQUEST_DEADLINE, next.call(req)).await {
        Ok(done) => done,
        Err(_elapsed) => Err(Problem::new(&codes::TOO_SLOW).into()),
    }
}
