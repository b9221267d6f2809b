//! The stop to log and metrics, and to what it stops.

use core_metrics::Metrics;
use core_shutdown::{Event, Shutdown, StepOutcome};

use crate::outcome::milliseconds;
use crate::service_manager::ServiceManager;
use crate::watchdog::Leash;

/// Under which name this is logged.
const LOG: &str = "core_app::shutdown";

/// Tells how the stop goes, and arms the watchdog when it begins.
pub(crate) fn observe(
    event: &Event<'_>,
    leash: Option<&Leash>,
    service_manager: Option<&ServiceManager>,
    timeout: std::time::Duration,
) {
    match event {
        Event::Began { reason } => {
            if let Some(leash) = leash {
                leash.arm(timeout, reason.to_string());
            }
            if let Some(service_manager) = service_manager {
                service_manager.stopping();
            }
            tracing::info!(target: LOG, %reason, "stopping");
        }
        Event::Entered { phase } => {
            tracing::debug!(target: LOG, phase = phase.as_str(), "stop phase");
        }
        Event::Waiting { name, in_flight, left } => {
            let left_ms = milliseconds(*left);
            tracing::warn!(target: LOG, step = name, in_flight, left_ms, "still waiting for a step of the stop");
        }
        Event::Ended { step } => {
            if let Some(leash) = leash {
                leash.ended(step);
            }
            let duration_ms = milliseconds(step.duration);
            let (name, outcome) = (step.name.as_str(), step.outcome.as_str());
            if step.outcome == StepOutcome::Done {
                tracing::debug!(target: LOG, step = name, outcome, duration_ms, "stop step ended");
            } else {
                let error = step.error.as_deref();
                tracing::warn!(target: LOG, step = name, outcome, duration_ms, error, "stop step ended");
            }
        }
        _ => {}
    }
}

/// Metrics tell how far the stop is.
pub(crate) fn to_metrics(shutdown: &Shutdown, metrics: &Metrics) {
    let shutdown = shutdown.clone();
    metrics.collect_with("shutdown", move |samples| {
        let progress = shutdown.progress();
        let help = "How far the stop is; the label tells the phase.";
        samples.gauge("shutdown_phase_info", help, &[("phase", progress.phase.as_str())], 1.0);
        let help = "Requests in flight on the app's port.";
        samples.gauge("http_requests_in_flight", help, &[], progress.in_flight as f64);
        if let Some(left) = progress.left {
            let help = "The time until the stop's deadline.";
            samples.gauge("shutdown_left_seconds", help, &[], left.as_secs_f64());
        }
    });
}
