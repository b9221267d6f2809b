use std::fmt;
use std::sync::Arc;

use crate::{BackendError, Error, ErrorKind, Hold};

/// What reading a secret came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Read for the first time.
    New,
    /// The same value as before.
    Unchanged,
    /// Another value than before: a rotation.
    Changed,
    /// The same value, whose lease was prolonged.
    Renewed,
    /// No value. One that was read before stays in use.
    Failed(ErrorKind),
}

impl Outcome {
    /// The outcome in one lower-case word, fit for a metric's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Renewed => "renewed",
            Self::Failed(kind) => kind.as_str(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something of interest, for the host's log and metrics. Never a value.
///
/// Paths are as they were asked for, the backend's name included if there was one.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A secret was read, for the first time or again, or its lease prolonged. One event for each
    /// key.
    #[non_exhaustive]
    Refreshed {
        /// The backend that gave it.
        backend: Arc<str>,
        /// The path.
        path: Arc<str>,
        /// The key.
        key: Option<Arc<str>>,
        /// New, unchanged, changed or renewed.
        outcome: Outcome,
    },
    /// A secret could not be read, with all repetitions, or its lease not prolonged. One event for
    /// each key.
    #[non_exhaustive]
    RefreshFailed {
        /// The backend that failed; the last one, if none has the secret.
        backend: Arc<str>,
        /// The path.
        path: Arc<str>,
        /// The key.
        key: Option<Arc<str>>,
        /// Why, as [`Outcome::Failed`].
        outcome: Outcome,
        /// Why, in full.
        error: Error,
        /// Whether a value that was read before stays in use.
        cached: bool,
    },
    /// A secret has another value now. Subscribers are called next.
    #[non_exhaustive]
    Rotated {
        /// The path.
        path: Arc<str>,
        /// The key.
        key: Option<Arc<str>>,
        /// Keeps the old value's lease for as long as it is kept, for who takes the new one into use
        /// elsewhere.
        hold: Hold,
    },
    /// A subscriber refused a new value, or panicked. It is offered again at the next refresh.
    #[non_exhaustive]
    Refused {
        /// The path.
        path: Arc<str>,
        /// The key.
        key: Option<Arc<str>>,
        /// What the subscriber said, with both values masked where it quoted them.
        reason: Arc<str>,
    },
    /// A secret was not refreshed for three intervals, or its lease could not be prolonged and is
    /// about to end. Told once, until it is refreshed again.
    #[non_exhaustive]
    Stale {
        /// The path.
        path: Arc<str>,
        /// The key.
        key: Option<Arc<str>>,
    },
    /// The lease of a value that is no longer used was given back; or it was not, and is left to its
    /// end.
    #[non_exhaustive]
    Revoked {
        /// The reason why it was not.
        error: Option<BackendError>,
    },
}
