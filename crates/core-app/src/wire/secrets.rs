//! Secrets to log, metrics and configuration.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use core_log::Logging;
use core_metrics::{CounterFamily, Metrics};
use core_secrets::{Event, Secrets};
use core_types::Secret;
use tokio::sync::Notify;

use crate::Error;
use crate::reload::Reload;

/// Under which name this is logged.
const LOG: &str = "core_app::secrets";

/// Hears of secrets from the first reading on, and counts when there are metrics.
#[derive(Clone, Default)]
pub(crate) struct SecretsWire {
    connected: Arc<OnceLock<Connected>>,
    changed: Arc<Notify>,
}

struct Connected {
    refreshes: CounterFamily<2>,
    rotations: core_metrics::Counter,
    reload: Reload,
}

impl SecretsWire {
    pub(crate) fn observe(&self, event: &Event) {
        let connected = self.connected.get();
        match event {
            Event::Refreshed { backend, outcome, .. } => {
                if let Some(connected) = connected {
                    connected.refreshes.with([backend, outcome.as_str()]).increment();
                }
            }
            Event::RefreshFailed { backend, path, key, outcome, error, cached, .. } => {
                if let Some(connected) = connected {
                    connected.refreshes.with([backend, outcome.as_str()]).increment();
                }
                let error = core_types::Chain(error).to_string();
                tracing::warn!(target: LOG, path = &**path, key = key.as_deref(), cached, error, "secret cannot be read");
            }
            Event::Rotated { path, key, hold, .. } => {
                tracing::info!(target: LOG, path = &**path, key = key.as_deref(), "secret rotated");
                if let Some(connected) = connected {
                    connected.rotations.increment();
                    connected.reload.ask_for_rotation(hold.clone());
                }
            }
            Event::Refused { path, key, reason, .. } => {
                tracing::warn!(target: LOG, path = &**path, key = key.as_deref(), reason = &**reason, "a rotated secret was refused");
            }
            Event::Stale { path, key, .. } => {
                tracing::warn!(target: LOG, path = &**path, key = key.as_deref(), "secret is stale");
            }
            Event::Revoked { error, .. } => match error {
                None => tracing::debug!(target: LOG, "an old lease was given back"),
                Some(error) => {
                    let error = core_types::Chain(error).to_string();
                    tracing::warn!(target: LOG, error, "a lease was not given back, and ends by itself");
                }
            },
            _ => {}
        }
        self.changed.notify_one();
    }

    /// Told whenever something happened to a secret.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    pub(crate) fn connect(&self, metrics: &Metrics, reload: Reload) -> Result<(), Error> {
        let build = |error: core_metrics::Error| Error::Build {
            component: "metrics",
            source: error.into(),
        };
        let help = "Readings of secrets, by backend and outcome.";
        let connected = Connected {
            refreshes: metrics
                .counter_family("secret_refreshes_total", help, ["backend", "outcome"])
                .map_err(build)?,
            rotations: metrics
                .counter("secret_rotations_total", "Secrets that were found to have another value.")
                .map_err(build)?,
            reload,
        };
        // Called once, by the host that made it.
        let _ = self.connected.set(connected);
        Ok(())
    }
}

/// The log never shows a value that secrets or settings hold.
pub(crate) struct Scrub {
    logging: Logging,
    secrets: Secrets,
    /// Those of the settings that are in force, and those of the ones before: a request may still
    /// hold them.
    settings: Mutex<[Vec<Secret<String>>; 2]>,
}

impl Scrub {
    pub(crate) fn new(logging: Logging, secrets: Secrets, known: Vec<Secret<String>>) -> Self {
        let scrub = Self { logging, secrets, settings: Mutex::default() };
        scrub.learn(known);
        scrub
    }

    /// Learns the secrets of new settings, before anybody uses them.
    pub(crate) fn learn(&self, new: Vec<Secret<String>>) {
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        settings.swap(0, 1);
        settings[0] = new;
        let mut known = self.secrets.known_values();
        known.extend(settings.iter().flatten().cloned());
        self.logging.scrub(&known);
    }
}
