//! Logs, the root span and the counters. A line says which route answered with which class of status, and how long it took; never
//! an address, a user agent, a path with parameters, a body or a code.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::Span;
use tracing_actix_web::RootSpanBuilder;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::clock::Stopwatch;
use crate::config::LogFormat;

/// Starts logging to standard error; `PHIEU_LOG` filters (default `info`).
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("PHIEU_LOG").unwrap_or_else(|_unset| EnvFilter::new("info,actix_server=warn"));
    let registry = tracing_subscriber::registry().with(filter);
    let started = match format {
        LogFormat::Json => {
            registry.with(tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr)).try_init()
        }
        LogFormat::Text => registry.with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr)).try_init(),
    };
    // A second start (tests) keeps the first one's subscriber.
    drop(started);
}

/// Upper bounds of the request histogram, in seconds.
const DURATION_BUCKETS_S: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// Starts counting; the handle renders the counters in Prometheus' text format. `None` when counting has started
/// before in this process.
#[must_use]
pub fn count() -> Option<PrometheusHandle> {
    let builder = PrometheusBuilder::new().set_buckets(&DURATION_BUCKETS_S).ok()?;
    builder.install_recorder().ok()
}

/// Counts answers by route pattern and class of status, and how long they took: no path, no parameter, no address.
pub async fn count_answers<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let route = req.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let watch = Stopwatch::start();
    let outcome = next.call(req).await;
    let class = status_class(&outcome);
    metrics::counter!("phieu_http_answers_total", "route" => route, "status_class" => class).increment(1);
    metrics::histogram!("phieu_http_answer_seconds").record(watch.elapsed());
    outcome
}

fn status_class<B>(outcome: &Result<ServiceResponse<B>, actix_web::Error>) -> &'static str {
    let status = match outcome {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}

/// The span of one request: method, route pattern, status class.
pub struct RouteSpan;

impl RootSpanBuilder for RouteSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let method = match *request.method() {
            Method::GET | Method::HEAD => "GET",
            Method::POST => "POST",
            _ => "other",
        };
        let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
        tracing::info_span!(
            "request",
            http.method = method,
            http.route = route,
            http.status_class = tracing::field::Empty
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        span.record("http.status_class", status_class(outcome));
        tracing::debug!(parent: &span, "answered");
    }
}
