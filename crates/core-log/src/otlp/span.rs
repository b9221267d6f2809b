use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use core_types::TraceContext;
use tracing::Metadata;

use crate::json;
use crate::name::Name;

/// What kind of work a span is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Inside of the service.
    #[default]
    Internal = 1,
    /// A request that was answered.
    Server,
    /// A call to another service.
    Client,
    /// A message that was sent.
    Producer,
    /// A message that was worked on.
    Consumer,
}

/// A span that has ended and that `tracing` knows nothing of, such as an HTTP request.
///
/// Its attributes are masked and scrubbed as the fields of a line are.
#[derive(Clone, Debug)]
pub struct Span {
    pub(super) trace: TraceContext,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) begun: SystemTime,
    pub(super) ended: SystemTime,
    /// `,"name":value`, one after the other.
    pub(super) fields: String,
    /// The target, or who else made it.
    pub(super) scope: &'static str,
    pub(super) has_failed: bool,
}

impl Span {
    /// One that ends now.
    #[must_use]
    pub fn new(scope: &'static str, trace: TraceContext, name: impl Into<String>) -> Self {
        let now = SystemTime::now();
        Self {
            trace,
            name: name.into(),
            kind: Kind::default(),
            begun: now,
            ended: now,
            fields: String::new(),
            scope,
            has_failed: false,
        }
    }

    pub(crate) fn is_sampled(&self) -> bool {
        self.trace.is_sampled()
    }

    /// Says what kind of work it was. Default: inside of the service.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Says how long it took. Default: no time.
    #[must_use]
    pub fn with_duration(mut self, duration: Duration) -> Self {
        self.begun = self.ended.checked_sub(duration).unwrap_or(self.begun);
        self
    }

    /// Says whether it failed. Default: no.
    #[must_use]
    pub fn with_failure(mut self, has_failed: bool) -> Self {
        self.has_failed = has_failed;
        self
    }

    /// Adds a text. Names are not to be repeated.
    #[must_use]
    pub fn with_text(mut self, name: &str, text: &str) -> Self {
        Name::new(name).write(&mut self.fields);
        json::string(&mut self.fields, text);
        self
    }

    /// Adds a whole number. Names are not to be repeated.
    #[must_use]
    pub fn with_number(mut self, name: &str, number: u64) -> Self {
        Name::new(name).write(&mut self.fields);
        json::integer(&mut self.fields, number);
        self
    }
}

/// What the export needs to know of a span while it lasts.
#[derive(Debug)]
pub(crate) struct Mark {
    begun: SystemTime,
    has_failed: AtomicBool,
}

impl Mark {
    pub(crate) fn now() -> Self {
        Self { begun: SystemTime::now(), has_failed: AtomicBool::new(false) }
    }

    /// Something inside of the span was an error.
    pub(crate) fn fail(&self) {
        self.has_failed.store(true, Ordering::Relaxed);
    }

    /// The span, which ends now.
    pub(crate) fn end(
        &self,
        metadata: &'static Metadata<'static>,
        trace: TraceContext,
        fields: String,
    ) -> Span {
        Span {
            trace,
            name: metadata.name().into(),
            kind: Kind::default(),
            begun: self.begun,
            ended: SystemTime::now(),
            fields,
            scope: metadata.target(),
            has_failed: self.has_failed.load(Ordering::Relaxed),
        }
    }
}
