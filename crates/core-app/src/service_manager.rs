use std::time::Duration;

use core_health::{Group, Health};
use core_types::Status;
use sd_notify::NotifyState;

/// Under which name this is logged.
const LOG: &str = "core_app::systemd";

/// Who has started this process and wants to be told how it is: systemd, or what speaks its
/// protocol, `sd_notify(3)`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceManager(());

#[expect(clippy::unused_self, reason = "only who has found it may tell it something")]
impl ServiceManager {
    /// It has left its address in the environment.
    pub(crate) fn find(environment: &[(String, String)]) -> Option<Self> {
        environment.iter().any(|(name, _)| name == "NOTIFY_SOCKET").then_some(Self(()))
    }

    /// Traffic may come; also after a reload.
    pub(crate) fn ready(self) {
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again. To be followed by [`ready`](Self::ready).
    pub(crate) fn reloading(self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(target: LOG, %error, "the clock cannot be read"),
        }
    }

    /// The stop has begun.
    pub(crate) fn stopping(self) {
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
