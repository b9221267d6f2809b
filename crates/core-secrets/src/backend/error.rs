use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What kind of trouble a backend had, which decides what is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is no such secret: the next backend is asked.
    NotFound,
    /// Access is refused: the read ends.
    Denied,
    /// A passing fault: the read is repeated, then ends.
    Unavailable,
    /// The request or what was found makes no sense: the read ends.
    Invalid,
}

impl ErrorKind {
    /// The kind in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a backend gave no secret.
///
/// The text and the source are logged: whoever writes a backend keeps values out of both. Beware of
/// parsers, whose errors like to quote what they could not read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct BackendError {
    kind: ErrorKind,
    text: Cow<'static, str>,
    retry_after: Option<Duration>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl BackendError {
    pub(super) fn new(kind: ErrorKind, text: Cow<'static, str>) -> Self {
        Self { kind, text, retry_after: None, source: None }
    }

    /// There is no such secret.
    pub fn not_found(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::NotFound, text.into())
    }

    /// Access is refused.
    pub fn denied(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Denied, text.into())
    }

    /// A passing fault.
    pub fn unavailable(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Unavailable, text.into())
    }

    /// The request or what was found makes no sense.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, text.into())
    }

    /// Says how long to wait at least before the next attempt, as `Retry-After` does.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds the error beneath this one. It must not quote a value.
    #[must_use]
    pub fn with_source(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// How long to wait at least before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}
