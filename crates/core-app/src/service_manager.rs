use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
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
    /// Where it listens: a path, or the name of an abstract socket behind `@`.
    address: Arc<str>,
    /// Between the start and the stop: only then a reload is told.
    is_running: Arc<AtomicBool>,
}

impl ServiceManager {
    /// It has left its address in the environment.
    pub(crate) fn find(environment: &[(String, String)]) -> Option<Self> {
        let (_, address) = environment.iter().find(|(name, _)| name == "NOTIFY_SOCKET")?;
        Some(Self { address: address.as_str().into(), is_running: Arc::default() })
    }

    /// The service has started, and traffic may come.
    pub(crate) fn started(&self) {
        self.is_running.store(true, Ordering::Relaxed);
        self.tell(&[NotifyState::Ready]);
    }

    /// The configuration is read again. To be followed by [`reloaded`](Self::reloaded).
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) if self.is_running() => self.tell(&[NotifyState::Reloading, now]),
            Ok(_) => {}
            Err(error) => tracing::warn!(target: LOG, %error, "the clock cannot be read"),
        }
    }

    /// The configuration was read, whether or not it was accepted.
    pub(crate) fn reloaded(&self) {
        if self.is_running() {
            self.tell(&[NotifyState::Ready]);
        }
    }

    fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    /// The stop has begun.
    pub(crate) fn stopping(&self) {
        self.is_running.store(false, Ordering::Relaxed);
        self.tell(&[NotifyState::Stopping]);
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = send(&self.address, states) {
            tracing::warn!(target: LOG, %error, "the service manager cannot be told");
        }
    }

    /// Tells twice in each period that the process lives, as long as liveness says so. Ends at once
    /// if nobody wants to know.
    pub(crate) async fn keep_alive(self, health: Health) {
        let Some(period) = sd_notify::watchdog_enabled().filter(|period| !period.is_zero()) else {
            return;
        };
        loop {
            if health.status(Group::Liveness) != Status::Unhealthy {
                // The next one comes soon.
                let _ = send(&self.address, &[NotifyState::Watchdog]);
            }
            tokio::time::sleep((period / 2).max(Duration::from_millis(1))).await;
        }
    }
}

/// Sends one message, and waits for nobody: a service manager that hangs, and whose queue is full,
/// must not stop the probes. That is why the library does not send it.
fn send(address: &str, states: &[NotifyState<'_>]) -> io::Result<()> {
    let message: String = states.iter().map(|state| format!("{state}\n")).collect();
    let address = match address.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message.as_bytes(), &address).map(|_| ())
}
