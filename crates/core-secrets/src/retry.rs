//! One question to one backend, repeated while it makes sense.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::backend::Asked;
use crate::{Backend, BackendError, ErrorKind, SecretData};

/// However often a read is repeated, it waits no longer than this, unless its first wait is longer.
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
pub(crate) struct Retry<'p> {
    /// What only so many may do at the same time, if any.
    pub(crate) permits: Option<&'p Semaphore>,
    pub(crate) retries: u32,
    /// The longest wait before the first repetition.
    pub(crate) delay: Duration,
    /// The longest time that everything may take.
    pub(crate) budget: Duration,
}

impl Retry<'_> {
    pub(crate) async fn ask(
        &self,
        backend: &dyn Backend,
        path: &str,
        key: Option<&str>,
        deadline: &mut Instant,
    ) -> Result<(SecretData, Instant), BackendError> {
        let mut attempt = 0;
        loop {
            // The wait for a turn is no part of the budget.
            let waiting = Instant::now();
            let permit = match self.permits {
                Some(permits) => Some(permits.acquire().await.expect("never closed")),
                None => None,
            };
            *deadline += waiting.elapsed();
            let asked = Instant::now();
            let answer = timeout_at(*deadline, isolated(|| backend.get(path, key))).await;
            drop(permit);
            let error = match answer {
                Ok(Ok(data)) => return data.answer(key).map(|data| (data, asked)),
                Ok(Err(error)) => error,
                Err(_) => return Err(BackendError::unavailable("no answer within the budget")),
            };
            if error.kind() != ErrorKind::Unavailable || attempt == self.retries {
                return Err(error);
            }
            // A wait past the end of the budget would be for nothing.
            match self.next_attempt(attempt, &error) {
                Some(moment) if moment < *deadline => sleep_until(moment).await,
                _ => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Exponential backoff with full jitter, after what the backend itself asked for.
    fn next_attempt(&self, attempt: u32, error: &BackendError) -> Option<Instant> {
        let longest = self.delay.saturating_mul(2_u32.saturating_pow(attempt));
        let longest = longest.min(self.delay.max(LONGEST)).min(self.budget);
        let jitter = longest.mul_f64(random());
        Instant::now().checked_add(error.retry_after().unwrap_or_default().checked_add(jitter)?)
    }
}

/// A backend that panics fails its own read, not the refresh of all.
pub(crate) async fn isolated<'a, T>(ask: impl FnOnce() -> Asked<'a, T>) -> Result<T, BackendError> {
    let asked = AssertUnwindSafe(async { ask().await });
    asked.catch_unwind().await.unwrap_or_else(|_| Err(BackendError::invalid("it panicked")))
}

/// An even spread over 0..1. Every `RandomState` has a key of its own, seeded from the operating
/// system: enough for a jitter, without a dependency.
pub(crate) fn random() -> f64 {
    (RandomState::new().hash_one(()) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    #[test]
    fn draws_are_spread_over_the_whole_range() {
        let draws: Vec<f64> = (0..10_000).map(|_| super::random()).collect();
        assert!(draws.iter().all(|draw| (0.0..1.0).contains(draw)));
        for tenth in 0..10 {
            let low = f64::from(tenth) / 10.0;
            let share = draws.iter().filter(|draw| (low..low + 0.1).contains(*draw)).count();
            assert!((800..1200).contains(&share), "{share} of 10000 in {low}..");
        }
    }
}
