//! Keeps a server that is down from being asked by everybody.

use std::future::Future;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::transport::{Extent, Fault};
use crate::BackendError;
use crate::retry::random;

/// Requests at the same time: quick, and no burden to any server.
const AT_ONCE: usize = 8;

/// The first wait after a fault; it doubles for each one after, up to the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

/// While the server is down, one request at a time asks whether it is there again, after waits that
/// double from one second to ten. All others fail at once with the reason why that one failed, and
/// are told how long to wait.
pub(super) struct Gate {
    permits: Semaphore,
    state: Mutex<State>,
    probe: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// When the server last answered anything.
    answered: Option<Instant>,
    shut: Option<Shut>,
}

struct Shut {
    until: Instant,
    faults: u32,
    error: BackendError,
}

impl Gate {
    pub(super) fn new() -> Self {
        let permits = Semaphore::new(AT_ONCE);
        Self { permits, state: Mutex::default(), probe: tokio::sync::Mutex::default() }
    }

    /// Asks, if there is hope.
    pub(super) async fn pass<T>(
        &self,
        ask: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, BackendError> {
        let _permit = self.permits.acquire().await.expect("never closed");
        let mut probe = None;
        while self.is_shut()? && probe.is_none() {
            // Whoever comes second waits for what the first one learns.
            probe = Some(self.probe.lock().await);
        }
        let began = Instant::now();
        let asked = ask.await;
        let mut state = self.state();
        match asked {
            Ok(answer) => {
                *state = State { answered: Some(Instant::now()), shut: None };
                Ok(answer)
            }
            Err(Fault { error, extent }) => {
                // One that is late while others are not is slow for reasons of its own.
                let is_only_late = state.answered.is_some_and(|answered| answered >= began);
                match extent {
                    Extent::Request => {
                        *state = State { answered: Some(Instant::now()), shut: None };
                        Err(error)
                    }
                    Extent::Late if is_only_late => Err(error),
                    Extent::Late | Extent::Server => Err(state.shut(error)),
                }
            }
        }
    }

    /// Whether the server was down when it was last asked. An error, if it is not to be asked yet.
    fn is_shut(&self) -> Result<bool, BackendError> {
        let state = self.state();
        let Some(shut) = &state.shut else { return Ok(false) };
        match shut.until.checked_duration_since(Instant::now()) {
            Some(wait) if !wait.is_zero() => Err(shut.error.clone().with_retry_after(wait)),
            _ => Ok(true),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while it is held")
    }
}

impl State {
    /// Notes a fault of the server. Of several that were asked at the same time, the first counts.
    fn shut(&mut self, error: BackendError) -> BackendError {
        let now = Instant::now();
        if self.shut.as_ref().is_none_or(|shut| now >= shut.until) {
            let faults = self.shut.as_ref().map_or(0, |shut| shut.faults) + 1;
            let wait = FIRST.saturating_mul(2_u32.saturating_pow(faults - 1)).min(LONGEST);
            let wait = wait.mul_f64(0.5 + random() / 2.0);
            let wait = wait.max(error.retry_after().unwrap_or_default());
            self.shut = Some(Shut { until: now + wait, faults, error: error.clone() });
        }
        let until = self.shut.as_ref().map_or(now, |shut| shut.until);
        error.with_retry_after(until.saturating_duration_since(now))
    }
}
