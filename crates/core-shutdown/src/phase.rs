use std::fmt;

/// How far a stop has come. Ordered as they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// No stop has begun.
    Running,
    /// Readiness says no. Traffic is still served.
    Unready,
    /// Balancers learn of it; what can be done meanwhile is done.
    Propagation,
    /// No new connection is accepted.
    Close,
    /// Requests in flight end.
    Drain,
    /// Callbacks run, by priority.
    Callbacks,
    /// Logs and traces are written out.
    Flush,
    /// All is over but the report.
    Stopped,
}

impl Phase {
    /// The phase in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Unready => "unready",
            Self::Propagation => "propagation",
            Self::Close => "close",
            Self::Drain => "drain",
            Self::Callbacks => "callbacks",
            Self::Flush => "flush",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
