use std::cell::Cell;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many characters it has.
const LENGTH: usize = 27;
/// The first second.
const FIRST: [u8; LENGTH] = *b"1970-01-01T00:00:00.000000Z";
/// The seconds of a day.
const DAY: u64 = 24 * 60 * 60;

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

    /// What is written: `2026-01-15T10:30:45.123456Z`. Without a formatter and by hand, for every answer
    /// to a probe has one, and the usual library takes three times as long.
    #[must_use]
    pub fn to_bytes(self) -> [u8; LENGTH] {
        thread_local! {
            /// The second that was written last: many moments are of the same.
            static WRITTEN: Cell<(u64, [u8; LENGTH])> = const { Cell::new((0, FIRST)) };
        }
        // A clock that is so far off is a broken clock, and no reason to lose the line.
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST);
        let (second, mut text) = WRITTEN.get();
        if second != since.as_secs() {
            text = write_second(since.as_secs());
            WRITTEN.set((since.as_secs(), text));
        }
        let microsecond = since.subsec_micros();
        write_two(&mut text, 20, u64::from(microsecond / 10_000));
        write_two(&mut text, 22, u64::from(microsecond / 100 % 100));
        write_two(&mut text, 24, u64::from(microsecond % 100));
        text
    }
}

/// A second since 1970, without microseconds.
fn write_second(since: u64) -> [u8; LENGTH] {
    let (days, second) = (since / DAY, since % DAY);
    let (year, month, day) = date(days);
    let mut text = FIRST;
    write_two(&mut text, 0, year / 100);
    write_two(&mut text, 2, year % 100);
    write_two(&mut text, 5, month);
    write_two(&mut text, 8, day);
    write_two(&mut text, 11, second / 3600);
    write_two(&mut text, 14, second / 60 % 60);
    write_two(&mut text, 17, second % 60);
    text
}

/// Writes a number below 100.
#[expect(clippy::cast_possible_truncation, reason = "both are digits")]
fn write_two(text: &mut [u8; LENGTH], at: usize, number: u64) {
    text[at] = b'0' + (number / 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
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

/// Year, month and day, so many days after 1970-01-01: Howard Hinnant's `civil_from_days`, in
/// <https://howardhinnant.github.io/date_algorithms.html>. Years begin with March in it, so that
/// leap days end them; 400 of them always have as many days.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str(&self.to_bytes()))
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str(&self.to_bytes()))
    }
}

fn str(text: &[u8; LENGTH]) -> &str {
    std::str::from_utf8(text).expect("digits and what stands between them")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// LOG-1: whatever the clock says, a line has a time.
    #[test]
    fn broken_clocks_are_written_too() {
        let at = |time: SystemTime| Timestamp::from(time).to_string();
        let day = Duration::from_secs(86_400);
        assert_eq!(at(SystemTime::UNIX_EPOCH - day), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(SystemTime::UNIX_EPOCH + LAST + day), "9999-12-31T23:59:59.000000Z");
    }

    proptest! {
        /// LOG-1: times are what others write for them.
        #[test]
        fn every_moment_is_written_right(microseconds in 0..253_402_300_799_000_000_u64) {
            let moment = UNIX_EPOCH + Duration::from_micros(microseconds);
            let expected = humantime::format_rfc3339_micros(moment).to_string();
            prop_assert_eq!(Timestamp::from(moment).to_string(), expected);
        }
    }

    /// LOG-1: also one of the same second as the last, or of an earlier one.
    #[test]
    fn moments_of_one_second_differ() {
        let at = |second, microsecond: u32| {
            let since = Duration::new(second, microsecond * 1000);
            Timestamp::from(UNIX_EPOCH + since).to_string()
        };
        assert_eq!(at(61, 7), "1970-01-01T00:01:01.000007Z");
        assert_eq!(at(61, 999_999), "1970-01-01T00:01:01.999999Z");
        assert_eq!(at(0, 1), "1970-01-01T00:00:00.000001Z");
        assert_eq!(at(61, 0), "1970-01-01T00:01:01.000000Z");
    }

    /// LOG-1: and the days at which calendars go wrong, of 400 years and of the last one.
    #[test]
    fn every_day_is_written_right() {
        let last = LAST.as_secs() / DAY;
        for day in (0..=146_097).chain(last - 400..=last) {
            let moment = UNIX_EPOCH + Duration::from_secs(day * DAY);
            let expected = humantime::format_rfc3339_micros(moment).to_string();
            assert_eq!(Timestamp::from(moment).to_string(), expected);
        }
    }
}
