use std::fmt;

/// A signal that concerns the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGHUP, 1: read the configuration again.
    Hangup,
    /// SIGINT, 2: Ctrl-C.
    Interrupt,
    /// SIGTERM, 15: what `kill`, systemd and Kubernetes send.
    Terminate,
}

impl Signal {
    /// Its number.
    pub const fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Why a stop began.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A signal came.
    Signal(Signal),
    /// Somebody with the right to asked for it.
    Requested,
    /// The service cannot go on.
    Failed {
        /// What failed, and why.
        cause: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => f.write_str(signal.as_str()),
            Self::Requested => f.write_str("requested"),
            Self::Failed { cause } => f.write_str(cause),
        }
    }
}
