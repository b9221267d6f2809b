use std::sync::Arc;

use core_types::SecretRef;

use crate::{BackendError, ErrorKind};

/// Why there is no secret, or no [`Secrets`](crate::Secrets).
///
/// Names paths, keys and backends, never a value. Cheap to clone: callers that waited for the same
/// read get the same error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration names no backend.
    #[error("no secrets backend is configured")]
    NoBackend,
    /// The configuration names a backend that nobody has handed in.
    #[error(
        "no secrets backend is registered as `{name}` (registered: {}): build it in, or hand it in \
         by `with_backend`",
        in_quotes(available)
    )]
    UnknownBackend {
        /// The name in the configuration.
        name: String,
        /// The names that would have been understood.
        available: Vec<String>,
    },
    /// The configuration names a backend that was not compiled in.
    #[error("the secrets backend `{name}` was not compiled in: build with the feature `{name}`")]
    NotCompiledIn {
        /// The name of the backend, and of the feature.
        name: String,
    },
    /// A setting is outside of its range.
    #[error("`{field}` must be {range}")]
    OutOfRange {
        /// The name of the setting.
        field: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// The path or the key is malformed. It is not shown, for it may be a secret in the wrong place.
    #[error("malformed path or key")]
    Reference(#[source] core_types::Error),
    /// No backend has the secret.
    #[error("{reference} was not found: {}", in_words(tried))]
    NotFound {
        /// What was asked for.
        reference: SecretRef,
        /// The backends that were asked, in order, each with what it did not find.
        tried: Vec<(Arc<str>, BackendError)>,
    },
    /// A backend could not or would not answer. Those after it were not asked.
    #[error("backend `{backend}` did not give {reference}")]
    Backend {
        /// What was asked for.
        reference: SecretRef,
        /// The backend that failed.
        backend: Arc<str>,
        /// Why.
        source: BackendError,
    },
    /// A lease was not prolonged. The value is in use until its end.
    #[error("backend `{backend}` did not prolong the lease of {reference}")]
    Lease {
        /// What the lease is of.
        reference: SecretRef,
        /// The backend that failed.
        backend: Arc<str>,
        /// Why.
        source: BackendError,
    },
}

impl Error {
    /// What kind of trouble ended a read, and the backend that decided it.
    pub(crate) fn decided(&self) -> (ErrorKind, Arc<str>) {
        match self {
            Self::Backend { source, backend, .. } | Self::Lease { source, backend, .. } => {
                (source.kind(), Arc::clone(backend))
            }
            Self::NotFound { tried, .. } => {
                let (backend, error) = tried.last().expect("at least one backend is configured");
                (error.kind(), Arc::clone(backend))
            }
            _ => unreachable!("reads end in no other error"),
        }
    }
}

fn in_quotes(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn in_words(tried: &[(Arc<str>, BackendError)]) -> String {
    tried.iter().map(|(name, error)| format!("`{name}`: {error}")).collect::<Vec<_>>().join("; ")
}
