use std::fmt;

use core_types::Status;

/// What is known of one check. Ordered: the greatest is the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// All is well.
    Healthy,
    /// It works, but somebody should look.
    Degraded,
    /// It does not work.
    Unhealthy,
    /// Nobody knows: there is no result yet, or the last one is too old. Counts as unhealthy.
    Unknown,
}

impl State {
    /// The state in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }

    /// What the state is worth to the whole: unknown is as bad as unhealthy.
    pub fn counts_as(self) -> Status {
        match self {
            Self::Healthy => Status::Healthy,
            Self::Degraded => Status::Degraded,
            Self::Unhealthy | Self::Unknown => Status::Unhealthy,
        }
    }

    /// What it counts in a group. One that does not gate is worth a look, and never worth taking the
    /// traffic away.
    pub(crate) fn weight(self, gates: bool) -> Status {
        self.counts_as().min(if gates { Status::Unhealthy } else { Status::Degraded })
    }
}

impl From<Status> for State {
    fn from(status: Status) -> Self {
        match status {
            Status::Healthy => Self::Healthy,
            Status::Degraded => Self::Degraded,
            Status::Unhealthy => Self::Unhealthy,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a check comes by its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It is run in the background, again and again.
    Check,
    /// Its [`Component`](crate::Component) is told.
    Component,
    /// Its [`Latch`](crate::Latch) is released once.
    Latch,
    /// Its [`Heartbeat`](crate::Heartbeat) beats.
    Heartbeat,
}

impl Kind {
    /// The kind in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Component => "component",
            Self::Latch => "latch",
            Self::Heartbeat => "heartbeat",
        }
    }
}

/// The checks that answer one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Group {
    /// How is it? Every check there is; `/health`.
    Everything,
    /// Should it be restarted? The heartbeats; `/health/live`.
    Liveness,
    /// Should it get traffic? Latches, components and checks but the diagnostic; `/health/ready`.
    Readiness,
    /// Has it started? The latches; `/health/startup`.
    Startup,
}

impl Group {
    /// The group in one lower-case word: `health`, `live`, `ready` or `startup`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everything => "health",
            Self::Liveness => "live",
            Self::Readiness => "ready",
            Self::Startup => "startup",
        }
    }

    /// Whether checks of a kind belong to it.
    pub(crate) fn has(self, kind: Kind, gates: bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Liveness => kind == Kind::Heartbeat,
            Self::Readiness => kind != Kind::Heartbeat && gates,
            Self::Startup => kind == Kind::Latch,
        }
    }
}
