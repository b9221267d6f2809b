//! Configuration to log, metrics, health, and to what follows it: the log and the HTTP stack.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use core_config::{Catalog, Commit, Event, Generation, Live, Loaded, Problem};
use core_health::Component;
use core_http::Stack;
use core_log::Logging;
use core_metrics::{Counter, Gauge, Metrics};

use crate::{Error, Settings};

/// Under which name this is logged.
const LOG: &str = "core_app::config";

/// Makes the settings live, and tells what becomes of every reload.
pub(crate) fn live<A: core_config::Settings>(
    loaded: Loaded<Settings<A>>,
    metrics: &Metrics,
    component: Component,
    catalog: Arc<Catalog>,
) -> Result<Live<Settings<A>>, Error> {
    let told = Told::new(metrics)
        .map_err(|error| Error::Build { component: "metrics", source: error.into() })?;
    loaded.warnings.iter().for_each(warn);
    component.healthy();
    told.succeeded();
    Ok(Live::with_observer(loaded, move |event| observe(event, &told, &component, &catalog)))
}

/// Tells what refuses nothing, and was hardly meant.
pub(crate) fn warn(warning: &Problem) {
    tracing::warn!(target: LOG, problem = %warning, "configuration warning");
}

/// What metrics say of reloads, by the names that are usual.
struct Told {
    successful: Gauge,
    success_time: Gauge,
    applied: Counter,
    unchanged: Counter,
    refused: Counter,
}

impl Told {
    fn new(metrics: &Metrics) -> Result<Self, core_metrics::Error> {
        let help = "Configuration reloads, by outcome.";
        let reloads = metrics.counter_family("config_reloads_total", help, ["outcome"])?;
        Ok(Self {
            successful: metrics.gauge(
                "config_last_reload_successful",
                "Whether the last reload of the configuration was successful.",
            )?,
            success_time: metrics.gauge(
                "config_last_reload_success_timestamp_seconds",
                "When the configuration was last loaded successfully, in Unix time.",
            )?,
            applied: reloads.with(["applied"]),
            unchanged: reloads.with(["unchanged"]),
            refused: reloads.with(["refused"]),
        })
    }

    fn succeeded(&self) {
        self.successful.set(1.0);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.success_time.set(now.as_secs_f64());
    }
}

fn observe(event: &Event, told: &Told, component: &Component, catalog: &Catalog) {
    match event {
        Event::Applied(applied) => {
            told.applied.increment();
            told.succeeded();
            component.healthy();
            let text = |keys: Vec<String>| keys.join(", ");
            let changed = text(applied.changed.iter().map(ToString::to_string).collect());
            let generation = applied.generation;
            tracing::info!(target: LOG, generation, changed, "Configuration reloaded successfully");
            let keys = applied.changed.iter().filter(|key| catalog.needs_restart(key));
            let pending = text(keys.map(ToString::to_string).collect());
            if !pending.is_empty() {
                tracing::warn!(target: LOG, keys = pending, "settings changed that count only after a restart");
            }
        }
        Event::Unchanged => {
            told.unchanged.increment();
            told.succeeded();
            component.healthy();
            tracing::info!(target: LOG, "configuration is unchanged");
        }
        Event::Refused { reasons } => {
            told.refused.increment();
            told.successful.set(0.0);
            component.degraded("the last reload was refused");
            tracing::error!(target: LOG, reasons, "Configuration reload refused, the old one stays");
        }
        Event::CommitPanicked { subscriber, reason } => {
            tracing::error!(target: LOG, subscriber, reason, "a subscriber panicked while it followed a reload");
        }
        _ => {}
    }
}

/// The log follows `logging`.
pub(crate) fn to_log<A: core_config::Settings>(live: &Live<Settings<A>>, logging: &Logging) {
    let logging = logging.clone();
    live.subscribe_to(
        "logging",
        |settings| &settings.host.logging,
        move |_, new| {
            let prepared = logging.prepare(&super::log::without_noise(new));
            Ok(Commit::new(move || prepared.commit()))
        },
    );
}

/// The app's HTTP stack follows `http`.
pub(crate) fn to_http<A: core_config::Settings>(live: &Live<Settings<A>>, stack: &Stack) {
    let stack = stack.clone();
    live.subscribe_to(
        "http",
        |settings| &settings.host.http,
        move |_, new| {
            let prepared = stack.prepare(new)?;
            let stack = stack.clone();
            Ok(Commit::new(move || stack.commit(prepared)))
        },
    );
}

/// Metrics tell which configuration is in force, and how much of it is not yet.
pub(crate) fn to_metrics<A: core_config::Settings>(
    live: &Live<Settings<A>>,
    metrics: &Metrics,
    catalog: Arc<Catalog>,
) {
    let live = live.clone();
    let first = live.get();
    metrics.collect_with("config", move |samples| {
        let current: Arc<Generation<Settings<A>>> = live.get();
        let help = "The number of the configuration in force; it grows with every change.";
        samples.gauge("config_generation", help, &[], current.number as f64);
        let changed = current.effective.changed(&first.effective);
        let pending = changed.iter().filter(|key| catalog.needs_restart(key)).count();
        let help = "Settings that differ from those of the start and count only after a restart.";
        samples.gauge("config_pending_restart", help, &[], pending as f64);
        let hash = format!("{:016x}", current.effective.hash());
        let help = "The hash of the configuration in force, secrets left aside.";
        samples.gauge("config_hash_info", help, &[("hash", &hash)], 1.0);
    });
}
