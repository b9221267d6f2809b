/// What becomes of lines on their way out. Reported on the writer's thread; must return soon.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A destination cannot be opened or written. Lines for it are counted as dropped.
    SinkFailed {
        /// `stdout` or `file`.
        sink: &'static str,
        /// What went wrong.
        error: &'a std::io::Error,
    },
    /// A destination that had failed works again.
    SinkRecovered {
        /// `stdout` or `file`.
        sink: &'static str,
    },
    /// Lines were dropped.
    Dropped {
        /// `stdout` or `file`.
        sink: &'static str,
        /// `buffer_full` or `write_failed`.
        reason: &'static str,
        /// How many, since the last report.
        lines: u64,
    },
}
