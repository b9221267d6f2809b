use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::secrets::Secrets;
use crate::{Outcome, entry::Held};

/// How one secret is doing, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretStatus {
    /// The backend that gave the value; without a value, the one that failed to.
    pub backend: Arc<str>,
    /// The path, as it was asked for.
    pub path: Arc<str>,
    /// The key.
    pub key: Option<Arc<str>>,
    /// The time since a backend last confirmed the value. `None` without a value.
    pub age: Option<Duration>,
    /// The time until its lease ends, if it is lent.
    pub left: Option<Duration>,
    /// What the last read came to.
    pub outcome: Outcome,
    /// Whether it was not refreshed for three intervals, though it should have been, or its lease is
    /// about to end and could not be prolonged.
    pub stale: bool,
    /// Whether a subscriber refused the value, and holds on to one before it.
    pub refused: bool,
}

impl Secrets {
    /// How every secret is doing that was asked for, in the order in which they were.
    pub fn status(&self) -> Vec<SecretStatus> {
        let inner = self.inner();
        let now = Instant::now();
        let mut all = Vec::new();
        for entry in inner.table.from(0) {
            all.extend(entry.held.load().iter().map(|held: &Held| SecretStatus {
                backend: Arc::clone(&held.backend),
                path: Arc::clone(&entry.path),
                key: held.key.clone(),
                age: held.read.map(|read| now.saturating_duration_since(read)),
                left: held.until.map(|until| until.saturating_duration_since(now)),
                outcome: held.outcome,
                stale: held.is_stale(now),
                refused: inner.subscribers.refused(&entry.path, &held.key),
            }));
        }
        all
    }
}
