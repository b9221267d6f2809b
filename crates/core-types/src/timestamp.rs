use std::fmt;
use std::time::SystemTime;

/// A moment as it is written everywhere: RFC 3339, UTC, microseconds, `Z`.
///
/// ```
/// # use core_types::Timestamp;
/// let start = Timestamp::from(std::time::UNIX_EPOCH);
/// assert_eq!(start.to_string(), "1970-01-01T00:00:00.000000Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(SystemTime);

impl Timestamp {
    /// This moment, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(SystemTime::now())
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A clock before 1970 is a broken clock, and no reason to lose the line.
        let time = self.0.max(SystemTime::UNIX_EPOCH);
        fmt::Display::fmt(&humantime::format_rfc3339_micros(time), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
