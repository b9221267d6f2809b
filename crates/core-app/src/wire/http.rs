//! HTTP to log, metrics and shutdown.

use std::sync::{PoisonError, RwLock};

use core_health::{GoodNews, Health};
use core_http::{Config, Event, Shortcut, Stack};
use core_metrics::{Buckets, Counter, CounterFamily, Histogram, HistogramFamily, Metrics};
use core_shutdown::InFlight;
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::outcome::milliseconds;

/// Under which name this is logged.
const LOG: &str = "core_app::http";

/// Where metrics are scraped.
const METRICS: &str = "/metrics";

/// What metrics say of requests, on both ports.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    /// Who exports traces, if anybody.
    #[cfg(feature = "otlp")]
    traces: Option<core_log::Logging>,
    requests: CounterFamily<4>,
    durations: HistogramFamily<3>,
}

/// What metrics say of one port's requests.
struct PortMetrics {
    listener: &'static str,
    all: RequestMetrics,
    /// What probes have asked for, which is little and is asked for all day.
    probes: RwLock<Vec<Probe>>,
}

/// The series of those who ask for one probe by one method, and get 200.
struct Probe {
    method: String,
    route: String,
    requests: Counter,
    durations: Histogram,
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

impl PortMetrics {
    fn series(&self, method: &str, route: &str, status: &str) -> (Counter, Histogram) {
        let requests = self.all.requests.with([self.listener, method, route, status]);
        (requests, self.all.durations.with([self.listener, method, route]))
    }

    fn count(&self, method: &str, route: &str, status: &str, seconds: f64) {
        let (requests, durations) = self.series(method, route, status);
        requests.increment();
        durations.observe(seconds);
    }

    /// As `count`, of a probe that got 200.
    fn count_probe(&self, method: &str, route: &str, seconds: f64) {
        let known = self.probes.read().unwrap_or_else(PoisonError::into_inner);
        let probe = known.iter().find(|probe| probe.route == route && probe.method == method);
        if let Some(Probe { requests, durations, .. }) = probe {
            requests.increment();
            return durations.observe(seconds);
        }
        drop(known);
        let (requests, durations) = self.series(method, route, StatusCode::OK.as_str());
        requests.increment();
        durations.observe(seconds);
        let probe = Probe { method: method.into(), route: route.into(), requests, durations };
        // Perhaps a second time, by another thread: the series are the same.
        self.probes.write().unwrap_or_else(PoisonError::into_inner).push(probe);
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
        if parts.headers.contains_key(AUTHORIZATION) {
            return None;
        }
        let GoodNews { probe, content_type, body } = health.good_news(parts)?;
        Some(Shortcut { route: probe, content_type, body })
    };
    let metrics = PortMetrics { listener, all: metrics, probes: RwLock::default() };
    let stack = Stack::new(config)?
        .with_observer(move |event| observe(event, &metrics))
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
    core_health::probe(path).is_some() || path == METRICS
}

fn observe(event: &Event<'_>, metrics: &PortMetrics) {
    let listener = metrics.listener;
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
            let probe = core_health::probe(path);
            let is_quiet = probe.is_some() || *path == METRICS;
            let seconds = duration.as_secs_f64();
            // The names of our own routes are few; an app may make up any number.
            if probe == Some(*route) && *status == Some(StatusCode::OK) {
                metrics.count_probe(method, route, seconds);
            } else {
                let label = status.as_ref().map_or(outcome.as_str(), StatusCode::as_str);
                metrics.count(method, route, label, seconds);
            }
            let duration_ms = milliseconds(*duration);
            let outcome = outcome.as_str();
            let error_id = failure.map(|failure| failure.id().as_str());
            let client = client.map(tracing::field::display);
            #[cfg(feature = "otlp")]
            if let (Some(logging), false) = (&metrics.all.traces, is_quiet) {
                super::traces::request(logging, event);
            }
            if is_quiet {
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
