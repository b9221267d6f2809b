//! HTTP to log, metrics and shutdown.

use core_health::Health;
use core_http::{Config, Event, Route, Stack};
use core_metrics::{Buckets, CounterFamily, HistogramFamily, Metrics};
use core_shutdown::InFlight;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::outcome::milliseconds;

/// Under which name this is logged.
const LOG: &str = "core_app::http";

/// What metrics say of requests, on both ports.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    /// Who exports traces, if anybody.
    #[cfg(feature = "otlp")]
    traces: Option<core_log::Logging>,
    requests: CounterFamily<4>,
    durations: HistogramFamily<3>,
}

impl RequestMetrics {
    pub(crate) fn new(
        metrics: &Metrics,
        logging: Option<&core_log::Logging>,
    ) -> Result<Self, core_metrics::Error> {
        #[cfg(not(feature = "otlp"))]
        let _ = logging;
        Ok(Self {
            #[cfg(feature = "otlp")]
            traces: logging.filter(|logging| logging.is_exporting()).cloned(),
            requests: metrics.counter_family(
                "http_requests_total",
                "HTTP requests that were answered, by port, method, route template and status.",
                ["listener", "method", "route", "status"],
            )?,
            durations: metrics.histogram_family(
                "http_request_duration_seconds",
                "From a request's head to the end of its answer.",
                ["listener", "method", "route"],
                Buckets::seconds(),
            )?,
        })
    }
}

/// A stack that logs and counts, for one of the two ports.
pub(crate) fn stack(
    config: Config,
    listener: &'static str,
    metrics: RequestMetrics,
    in_flight: Option<InFlight>,
    health: Health,
) -> Result<Stack, core_http::Error> {
    let is_exempt = |parts: &Parts| is_quiet(parts.uri.path());
    let good_news = move |parts: &Parts| {
        // Who shows a token wants details.
        let is_plain = !parts.headers.contains_key(AUTHORIZATION);
        let route = core_health::probe(parts.uri.path()).filter(|_| is_plain)?;
        Some((Route::from(route), health.respond(parts, false)?))
    };
    let stack = Stack::new(config)?
        .with_observer(move |event| observe(event, listener, &metrics))
        .with_shortcut(good_news)
        .with_never_shed(is_exempt)
        .with_never_redirected(is_exempt);
    Ok(match in_flight {
        Some(in_flight) => stack.with_in_flight(move || in_flight.guard()),
        None => stack,
    })
}

/// Probes and scrapes come all day: they are counted, and seen at the level debug.
fn is_quiet(path: &str) -> bool {
    core_health::probe(path).is_some() || path == "/metrics"
}

fn observe(event: &Event<'_>, listener: &'static str, metrics: &RequestMetrics) {
    match event {
        Event::Started { method, path, client, .. } => {
            let client = client.map(tracing::field::display);
            tracing::debug!(target: LOG, listener, method, path, client, "request started");
        }
        Event::Failed { method, path, route, failure, .. } => {
            let (error_id, error_code) = (failure.id().as_str(), failure.code());
            let (status, causes) = (failure.status().as_u16(), failure.causes());
            let cause = (!causes.is_empty()).then(|| tracing::field::display(&causes));
            if is_quiet(path) {
                // A probe that says no has not failed.
                tracing::debug!(target: LOG, method, path, status, "probe refused");
            } else if failure.status().is_server_error() {
                tracing::error!(target: LOG, method, path, route, status, error_id, error_code, cause, "request failed");
            } else {
                tracing::warn!(target: LOG, method, path, route, status, error_id, error_code, cause, "request refused");
            }
        }
        Event::Finished {
            method,
            path,
            route,
            status,
            duration,
            request_bytes,
            response_bytes,
            outcome,
            failure,
            client,
            ..
        } => {
            let code = status.map(|status| status.as_u16());
            let label = status.as_ref().map_or(outcome.as_str(), http::StatusCode::as_str);
            metrics.requests.with([listener, method, route, label]).increment();
            metrics.durations.with([listener, method, route]).observe(duration.as_secs_f64());
            let duration_ms = milliseconds(*duration);
            let outcome = outcome.as_str();
            let error_id = failure.map(|failure| failure.id().as_str());
            let client = client.map(tracing::field::display);
            #[cfg(feature = "otlp")]
            if let (Some(logging), false) = (&metrics.traces, is_quiet(path)) {
                super::traces::request(logging, event);
            }
            if is_quiet(path) {
                tracing::debug!(target: LOG, listener, method, path, status = code, duration_ms, outcome, "request finished");
            } else {
                tracing::info!(target: LOG, listener,
                    method,
                    path,
                    route,
                    status = code,
                    duration_ms,
                    request_bytes,
                    response_bytes,
                    outcome,
                    error_id,
                    client,
                    "request finished"
                );
            }
        }
        _ => {}
    }
}
