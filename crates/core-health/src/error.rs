use core_types::Duration;

/// Why a setting or a registration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The interval is too short to be kept, or too long to be meant.
    #[error("check interval must be 1ms to 24h, not {interval}")]
    Interval {
        /// What was asked for.
        interval: Duration,
    },
    /// The timeout is zero, or longer than the interval.
    #[error(
        "check timeout must be above zero and at most the interval of {interval}, not {timeout}"
    )]
    Timeout {
        /// What was asked for.
        timeout: Duration,
        /// The interval that it has to fit.
        interval: Duration,
    },
    /// A result would be forgotten before the next one can be there.
    #[error("time to live must be at least interval plus timeout, {least}, not {time_to_live}")]
    TimeToLive {
        /// What was asked for.
        time_to_live: Duration,
        /// The least that is possible.
        least: Duration,
    },
    /// `rise` or `fall` is zero.
    #[error("`{setting}` must be at least 1")]
    Count {
        /// `rise` or `fall`.
        setting: &'static str,
    },
    /// The limit of a heartbeat is zero.
    #[error("the limit of heartbeat `{name}` must be above zero")]
    Limit {
        /// The heartbeat.
        name: String,
    },
    /// The name cannot be part of a path, or is a part of one already.
    #[error(
        "`{name}` is no name for a check: expected 1 to 64 of `a-z`, `0-9`, `_`, `.`, `-`, and not \
         `live`, `ready`, `startup`, `.` or `..`"
    )]
    Name {
        /// What was asked for.
        name: String,
    },
    /// The name is taken, by a check of any kind or by a group.
    #[error("a check or a group named `{name}` is registered already")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A group names a check that is not there.
    #[error("group `{group}` names the check `{check}`, which is not registered")]
    Member {
        /// The group.
        group: String,
        /// The check.
        check: String,
    },
}
