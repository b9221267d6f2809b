use crate::Priority;

/// Why a stop could not be prepared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The phases do not fit the time.
    #[error("the stop's {key} {rule}")]
    Budget {
        /// The field of [`Config`](crate::Config).
        key: &'static str,
        /// What it breaks.
        rule: String,
    },
    /// Not a priority.
    #[error("a priority is from {} to {}, not {priority}", Priority::FIRST.value(), Priority::LAST.value())]
    Priority {
        /// What was given.
        priority: u8,
    },
    /// The stop has begun; nothing can join it any more.
    #[error("the stop has begun: `{name}` came too late")]
    Stopping {
        /// What was to be registered.
        name: String,
    },
    /// A signal cannot be received.
    #[error("cannot listen for signals")]
    Signals {
        /// What the operating system said.
        source: std::io::Error,
    },
}
