use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What becomes of lines on their way out. Reported on the log's own threads, or on the one that
/// configures or closes it; whoever listens must return soon.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A destination cannot be opened or written. Lines for it are counted as dropped.
    SinkFailed {
        /// `stdout` or `file`; `rotation` if the file can be written, and not put aside.
        sink: &'static str,
        /// What went wrong.
        error: &'a std::io::Error,
    },
    /// A destination that had failed works again, or is not wanted any more.
    SinkRecovered {
        /// `stdout`, `file` or `rotation`.
        sink: &'static str,
    },
    /// Lines were dropped.
    Dropped {
        /// `stdout` or `file`.
        sink: &'static str,
        /// `buffer_full`, `write_failed` or, of one place in the code, `rate_limited`.
        reason: &'static str,
        /// How many, since the last report.
        lines: u64,
    },
    /// Spans were not exported.
    #[cfg(feature = "otlp")]
    SpansDropped {
        /// `queue_full`, `export_failed`, `refused` (by the collector) or `stopped`.
        reason: &'static str,
        /// How many, since the last report.
        spans: u64,
    },
}

/// Who listens.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Fn(&Event<'_>) + Send + Sync>);

impl Observer {
    pub(crate) fn new(observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    /// Reports; a panic of the listener is a line of its own, and no reason to write no other.
    pub(crate) fn report(&self, event: &Event<'_>) {
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0)(event)));
    }
}
