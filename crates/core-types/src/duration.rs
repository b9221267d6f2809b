use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A span of time as people write it: `30s`, `5m`, `1h 30m`, `250ms`, or a number of seconds.
///
/// ```
/// # use core_types::Duration;
/// assert_eq!("1m 30s".parse::<Duration>()?, Duration::from_secs(90));
/// assert_eq!("0.25".parse::<Duration>()?, Duration::from_millis(250));
/// assert_eq!(Duration::from_secs(90).to_string(), "1m 30s");
/// # Ok::<(), core_types::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Duration(std::time::Duration);

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(std::time::Duration::from_millis(milliseconds))
    }

    /// The standard library's form.
    pub const fn get(self) -> std::time::Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    fn from_seconds(seconds: f64) -> Result<Self, Error> {
        std::time::Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| Error::Duration)
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self(duration)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Ok(Self::from_secs(seconds));
        }
        if let Ok(seconds) = text.parse::<f64>() {
            return Self::from_seconds(seconds);
        }
        humantime::parse_duration(text).map(Self).map_err(|_| Error::Duration)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&humantime::format_duration(self.0), f)
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as `30s`, or a number of seconds")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Duration, E> {
                Ok(Duration::from_secs(seconds))
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Duration, E> {
                let seconds = u64::try_from(seconds).map_err(|_| E::custom(Error::Duration))?;
                Ok(Duration::from_secs(seconds))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Duration, E> {
                Duration::from_seconds(seconds).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "number"],
            "format": "duration-text",
            "minimum": 0,
            "examples": ["30s", "1h 30m", 30]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(nanoseconds in 0..u64::MAX) {
            let duration = Duration(std::time::Duration::from_nanos(nanoseconds));
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<Duration>();
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for bad in
            ["", "-1", "-1s", "30x", "s", "1h30", "NaN", "inf", "1e40", "99999999999999999999h"]
        {
            assert_eq!(bad.parse::<Duration>(), Err(Error::Duration), "{bad:?}");
        }
    }
}
