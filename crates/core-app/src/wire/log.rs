//! The log's own trouble to metrics and health.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use core_health::{Component, Health};
use core_log::Event;
use core_metrics::{CounterFamily, Metrics};

use crate::Error;

/// What they tell of every edit is nobody's trouble; an operator who wants it names them.
const NOISY: [&str; 2] = ["notify", "notify_debouncer_full"];

/// Quiets what is of no use to an operator, unless its level was given.
pub(crate) fn without_noise(config: &core_log::Config) -> core_log::Config {
    let mut config = config.clone();
    for noisy in NOISY {
        let is_given = config.level.targets().any(|(target, _)| target.starts_with(noisy));
        if !is_given {
            config.level = config.level.with_target(noisy, core_log::Level::ERROR);
        }
    }
    config
}

/// Hears of the log from the first line on, and tells it when there is somebody to tell.
#[derive(Clone, Default)]
pub(crate) struct LogWire(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// The destinations that fail now, and why.
    failing: BTreeMap<&'static str, String>,
    component: Option<Component>,
    dropped: Option<CounterFamily<2>>,
    #[cfg(feature = "otlp")]
    spans: Option<CounterFamily<1>>,
}

impl LogWire {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called on the log's own threads, and by whoever configures or closes it.
    pub(crate) fn observe(&self, event: &Event<'_>) {
        let mut state = self.lock();
        match event {
            Event::SinkFailed { sink, error } => {
                state.failing.insert(sink, error.to_string());
            }
            Event::SinkRecovered { sink } => {
                state.failing.remove(sink);
            }
            Event::Dropped { sink, reason, lines } => {
                if let Some(dropped) = &state.dropped {
                    dropped.with([sink, reason]).add(*lines);
                }
            }
            #[cfg(feature = "otlp")]
            Event::SpansDropped { reason, spans } => {
                if let Some(dropped) = &state.spans {
                    dropped.with([reason]).add(*spans);
                }
            }
            _ => {}
        }
        state.tell();
    }

    pub(crate) fn connect(&self, health: &Health, metrics: &Metrics) -> Result<(), Error> {
        let component = health
            .component("log")
            .map_err(|error| Error::Build { component: "health", source: error.into() })?;
        let help = "Log lines that were dropped, by destination and reason.";
        let dropped =
            metrics
                .counter_family("log_lines_dropped_total", help, ["sink", "reason"])
                .map_err(|error| Error::Build { component: "metrics", source: error.into() })?;
        #[cfg(feature = "otlp")]
        let spans = metrics
            .counter_family(
                "trace_spans_dropped_total",
                "Spans that were not exported, by reason.",
                ["reason"],
            )
            .map_err(|error| Error::Build { component: "metrics", source: error.into() })?;
        let mut state = self.lock();
        #[cfg(feature = "otlp")]
        {
            state.spans = Some(spans);
        }
        state.component = Some(component);
        state.dropped = Some(dropped);
        state.tell();
        Ok(())
    }
}

impl State {
    fn tell(&self) {
        let Some(component) = &self.component else { return };
        match self.failing.iter().next() {
            Some((&"rotation", error)) => {
                component.degraded(&format!("cannot put log files aside: {error}"));
            }
            Some((sink, error)) => component.degraded(&format!("cannot write to {sink}: {error}")),
            None => component.healthy(),
        }
    }
}
