//! Health to log and metrics.

use core_health::{Event, Health, State};
use core_metrics::Metrics;

const TARGET: &str = "core_app::health";

/// Tells every change of a check once.
pub(crate) fn observe(event: &Event) {
    match event {
        Event::Transition { check, from, to, reason, .. } => {
            let (check, reason) = (check.as_ref(), reason.as_deref());
            let (was, is) = (from.as_str(), to.as_str());
            match (from, to) {
                // Every check begins so.
                (State::Unknown, State::Healthy) => {
                    tracing::debug!(target: TARGET, check, was, is, "health check changed");
                }
                (_, State::Healthy) => {
                    tracing::info!(target: TARGET, check, was, is, "health check changed");
                }
                // A stop is no trouble.
                _ if check == "shutdown" => {
                    tracing::debug!(target: TARGET, check, was, is, "health check changed");
                }
                _ => tracing::warn!(target: TARGET, check, was, is, reason, "health check changed"),
            }
        }
        Event::SlowCheck { check, latency, timed_out, .. } => {
            let latency_ms = crate::outcome::milliseconds(*latency);
            tracing::warn!(target: TARGET, check = check.as_ref(), latency_ms, timed_out, "health check is slow");
        }
        _ => {}
    }
}

/// Metrics tell the state of each check.
pub(crate) fn to_metrics(health: &Health, metrics: &Metrics) {
    let health = health.clone();
    metrics.collect_with("health", move |samples| {
        let help = "The state of each check: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown.";
        for check in health.snapshot().checks {
            let state = match check.state {
                State::Healthy => 0.0,
                State::Degraded => 1.0,
                State::Unhealthy => 2.0,
                State::Unknown => 3.0,
            };
            samples.gauge("health_check_state", help, &[("check", check.name.as_ref())], state);
        }
    });
}
