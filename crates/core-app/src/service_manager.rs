use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_health::{Group, Health};
use core_types::Status;
use sd_notify::NotifyState;

/// Under which name this is logged.
const LOG: &str = "core_app::systemd";

/// Who has started this process and wants to be told how it is: systemd, or what speaks its
/// protocol, `sd_notify(3)`.
#[derive(Clone, Debug)]
pub(crate) struct ServiceManager {
    /// Between the start and the stop: only then a reload is told.
    is_running: Arc<AtomicBool>,
}

impl ServiceManager {
    /// It has left its address in the environment.
    pub(crate) fn find(environment: &[(String, String)]) -> Option<Self> {
        let is_there = environment.iter().any(|(name, _)| name == "NOTIFY_SOCKET");
        is_there.then(|| Self { is_running: Arc::default() })
    }

    /// The service has started, and traffic may come.
    pub(crate) fn started(&self) {
        self.is_running.store(true, Ordering::Relaxed);
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again. To be followed by [`reloaded`](Self::reloaded).
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) if self.is_running() => tell(&[NotifyState::Reloading, now]),
            Ok(_) => {}
            Err(error) => tracing::warn!(target: LOG, %error, "the clock cannot be read"),
        }
    }

    /// The configuration was read, whether or not it was accepted.
    pub(crate) fn reloaded(&self) {
        if self.is_running() {
            tell(&[NotifyState::Ready]);
        }
    }

    fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    /// The stop has begun.
    pub(crate) fn stopping(&self) {
        self.is_running.store(false, Ordering::Relaxed);
        tell(&[NotifyState::Stopping]);
    }

    /// Tells twice in each period that the process lives, as long as liveness says so. Ends at once
    /// if nobody wants to know.
    pub(crate) async fn keep_alive(self, health: Health) {
        let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else {
            return;
        };
        loop {
            if health.status(Group::Liveness) != Status::Unhealthy {
                tell(&[NotifyState::Watchdog]);
            }
            tokio::time::sleep((period / 2).max(Duration::from_millis(1))).await;
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(target: LOG, %error, "the service manager cannot be told");
    }
}
