//! OpenTelemetry's variables and requests to the export of traces.

use core_http::Event;
use core_log::Logging;
use core_log::otlp::{Config, Kind, Span};
use core_types::Scope;

/// Under which name this is logged, and requests are known to the collector.
const LOG: &str = "core_app::http";

/// Those of the environment's variables that say whether and how traces are exported.
pub(crate) fn variables(environment: &[(String, String)]) -> Vec<(String, String)> {
    environment.iter().filter(|(name, _)| name.starts_with("OTEL_")).cloned().collect()
}

/// Exports traces if the variables ask for it. What they say in vain is no reason not to start.
pub(crate) fn export(logging: &Logging, variables: &[(String, String)], name: &str, version: &str) {
    let variable = |wanted: &str| {
        let found = variables.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.clone())
    };
    let (config, complaints) = Config::from_variables(variable, name);
    for complaint in complaints {
        tracing::warn!("{complaint}");
    }
    let Some(mut config) = config else { return };
    if !config.resource.iter().any(|(name, _)| name == "service.version") {
        config.resource.push(("service.version".into(), version.into()));
    }
    let endpoint = config.endpoint.clone();
    match logging.export_traces(config) {
        Ok(()) => tracing::info!(endpoint, "traces are exported"),
        Err(error) => tracing::warn!(error = %core_types::Chain(&error), "traces are not exported"),
    }
}

/// A request that has ended is a span: the one that its scope names.
pub(crate) fn request(logging: &Logging, event: &Event<'_>) {
    let Event::Finished { method, path, route, status, duration, client, .. } = event else {
        return;
    };
    let Some(trace) = Scope::with_current(|scope| scope?.trace().cloned()) else { return };
    // What a client got wrong is no failure of ours; one that has left had no answer.
    let has_failed = status.is_some_and(|status| status.is_server_error());
    let mut span = Span::new(LOG, trace, format!("{method} {route}"))
        .with_kind(Kind::Server)
        .with_duration(*duration)
        .with_failure(has_failed)
        .with_text("http.request.method", method)
        .with_text("http.route", route)
        .with_text("url.path", path);
    if let Some(status) = status {
        span = span.with_number("http.response.status_code", status.as_u16().into());
    }
    if let Some(client) = client {
        span = span.with_text("client.address", &client.to_string());
    }
    logging.export_span(span);
}
