//! The last line of the log: what the stop did.

use std::time::Duration;

use core_log::Record;
use core_shutdown::{Outcome, Reason, Report, StepReport};
use serde_json::{Value, json};
use tracing::Level;

/// Under which name the host speaks.
pub(crate) const TARGET: &str = "core_app";

/// The report of a stop that came to its end.
pub(crate) fn of(report: &Report) -> Record {
    let is_failure = matches!(report.reason, Reason::Failed { .. });
    let outcome = if is_failure { "failed" } else { report.outcome().as_str() };
    let level = match report.outcome() {
        _ if is_failure => Level::ERROR,
        Outcome::Clean => Level::INFO,
        _ => Level::WARN,
    };
    stopped(level, outcome, report.duration, &report.reason.to_string(), &report.steps)
}

/// The report of a stop that was cut off: the steps are those that had ended.
pub(crate) fn cut(outcome: &str, duration: Duration, reason: &str, steps: &[StepReport]) -> Record {
    stopped(Level::ERROR, outcome, duration, reason, steps)
}

fn stopped(
    level: Level,
    outcome: &str,
    duration: Duration,
    reason: &str,
    steps: &[StepReport],
) -> Record {
    let steps: Vec<Value> = steps.iter().map(step).collect();
    Record::new(level, TARGET, "stopped")
        .with_text("outcome", outcome)
        .with_number("duration_ms", milliseconds(duration))
        .with_json("steps", &Value::Array(steps).to_string())
        .with_text("reason", reason)
}

fn step(step: &StepReport) -> Value {
    let mut value = json!({
        "name": step.name,
        "priority": step.priority.map(core_shutdown::Priority::value),
        "phase": step.phase.as_str(),
        "outcome": step.outcome.as_str(),
        "duration_ms": milliseconds(step.duration),
    });
    if let Some(error) = &step.error {
        value["error"] = error.as_str().into();
    }
    value
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
