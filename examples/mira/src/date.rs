use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Duration, Month, OffsetDateTime};

/// Working days of a week: Monday to Friday.
pub(crate) const WORKING_DAYS: u32 = 5;

/// A day of the calendar, written `2026-01-05`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(time::Date);

impl Date {
    /// The day that it is in UTC. A clock that stands before 1970 is broken, and taken for 1970.
    pub fn of(time: SystemTime) -> Self {
        Self(OffsetDateTime::from(time.max(SystemTime::UNIX_EPOCH)).date())
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(Duration::days(days.into())))
    }

    /// How many days later the other is; negative if it is earlier.
    pub fn days_until(self, other: Self) -> i64 {
        (other.0 - self.0).whole_days()
    }

    /// Days since the Monday of its week: 0 to 6.
    fn weekday(self) -> u32 {
        self.0.weekday().number_days_from_monday().into()
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let parts: Vec<&str> = text.split('-').collect();
        let [year, month, day] = parts[..] else { return Err(NotADate) };
        let number = |text: &str, digits: usize| {
            let is_plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
            if is_plain { text.parse::<u16>().map_err(|_| NotADate) } else { Err(NotADate) }
        };
        let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
        // At most two digits each.
        let (month, day) = (month.to_le_bytes()[0], day.to_le_bytes()[0]);
        let month = Month::try_from(month).map_err(|_| NotADate)?;
        time::Date::from_calendar_date(year.into(), month, day).map(Self).map_err(|_| NotADate)
    }
}

/// A text is not a day that the calendar has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a day such as `2026-01-05`")]
pub struct NotADate;

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The working days of a span, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkingDays {
    pub(crate) start: Date,
    /// The first day after the span.
    pub(crate) end: Date,
    pub(crate) count: u32,
}

impl WorkingDays {
    /// So many weeks from a day on. The day itself may be any day of the week.
    pub(crate) fn new(start: Date, weeks: u32) -> Self {
        Self { start, end: start.plus_days(7 * weeks), count: WORKING_DAYS * weeks }
    }

    /// The day on which work that begins after so many working days begins.
    ///
    /// The first day of the span is 0, and the first day after it is [`count`](Self::count), also
    /// where the span begins on a weekend: so what covers all working days covers the span.
    pub(crate) fn day(&self, index: u32) -> Date {
        if index == 0 {
            return self.start;
        }
        if index >= self.count {
            return self.end;
        }
        let weekday = self.start.weekday();
        // From the Monday of the first week with working days in the span.
        let (monday, skipped) = if weekday < WORKING_DAYS {
            (self.start.0 - Duration::days(weekday.into()), weekday)
        } else {
            (self.start.0 + Duration::days((7 - weekday).into()), 0)
        };
        let days = index + skipped;
        let days = days / WORKING_DAYS * 7 + days % WORKING_DAYS;
        Date(monday + Duration::days(days.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> Date {
        text.parse().expect("a day")
    }

    #[test]
    fn only_days_of_the_calendar_are_read() {
        assert_eq!(date("2024-02-29").to_string(), "2024-02-29");
        for bad in [
            "",
            "2023-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-05",
            "26-01-05",
            "2026-01-05T00",
            "+2026-01-05",
            "2026-01-",
            "2026-01-05-01",
            "２０２６-01-05",
        ] {
            assert_eq!(bad.parse::<Date>(), Err(NotADate), "{bad:?}");
        }
    }

    #[test]
    fn a_clock_gives_the_day_in_utc() {
        let at = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        assert_eq!(Date::of(at(1_767_657_599)), date("2026-01-05"));
        assert_eq!(Date::of(at(1_767_657_600)), date("2026-01-06"));
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(Date::of(before), date("1970-01-01"));
    }

    #[test]
    fn work_is_done_from_monday_to_friday() {
        // A Wednesday.
        let days = WorkingDays::new(date("2026-01-07"), 1);
        let dates: Vec<String> = (0..=days.count).map(|day| days.day(day).to_string()).collect();
        assert_eq!(
            dates,
            ["2026-01-07", "2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13", "2026-01-14"]
        );
    }

    proptest! {
        #[test]
        fn working_days_are_in_order_and_fill_the_span(start in 0u32..80_000, weeks in 1u32..=260) {
            let start = date("2000-01-01").plus_days(start);
            let days = WorkingDays::new(start, weeks);
            prop_assert_eq!(days.day(0), start);
            prop_assert_eq!(days.day(days.count), start.plus_days(7 * weeks));
            for day in 1..days.count {
                prop_assert!(days.day(day - 1) < days.day(day));
                prop_assert!(days.day(day).weekday() < WORKING_DAYS);
            }
            prop_assert!(days.day(days.count - 1) < days.day(days.count));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<Date>();
        }
    }
}
