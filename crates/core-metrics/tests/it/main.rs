//! What users of `core-metrics` see.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "metrics are exact where no time is measured")]

mod budget;
mod config;
mod exposition;
mod handles;
mod naming;
mod on_scrape;
mod process;
mod promtool;
mod snapshot;
mod strict;

use std::sync::{Arc, Mutex};

use core_metrics::{Config, Event, Metrics};

fn metrics() -> Metrics {
    Metrics::new(Config::default())
}

/// Metrics, and what they report, in words.
fn observed(config: Config) -> (Metrics, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&reports);
    let metrics = Metrics::new(config).with_observer(move |event| {
        sink.lock().unwrap().push(match event {
            Event::Refused { error, .. } => error.to_string(),
            other => format!("{other:?}"),
        });
    });
    (metrics, reports)
}

fn reports(reports: &Mutex<Vec<String>>) -> Vec<String> {
    reports.lock().unwrap().clone()
}

/// The value of one sample.
#[track_caller]
fn value(metrics: &Metrics, sample: &str) -> f64 {
    let text = metrics.encode();
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in\n{text}")).parse().unwrap()
}
