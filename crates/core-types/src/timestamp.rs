use std::fmt;
use std::time::{Duration, SystemTime};

/// The last second that RFC 3339 can write: `9999-12-31T23:59:59Z`.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// A moment as it is written everywhere: RFC 3339, UTC, microseconds, `Z`. A moment before 1970 or
/// after 9999 is written as the first or the last that can be.
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
        // A clock that is so far off is a broken clock, and no reason to lose the line.
        let time = self.0.clamp(SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH + LAST);
        fmt::Display::fmt(&humantime::format_rfc3339_micros(time), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-1: whatever the clock says, a line has a time.
    #[test]
    fn broken_clocks_are_written_too() {
        let at = |time: SystemTime| Timestamp::from(time).to_string();
        let day = Duration::from_secs(86_400);
        assert_eq!(at(SystemTime::UNIX_EPOCH - day), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(SystemTime::UNIX_EPOCH + LAST + day), "9999-12-31T23:59:59.000000Z");
    }
}
