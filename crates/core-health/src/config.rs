use std::time;

use core_types::Duration;

use crate::Error;

/// The timer's resolution: what is shorter cannot be kept.
const LEAST_INTERVAL: Duration = Duration::from_millis(1);
/// A check that runs less than daily tells nothing about now.
const GREATEST_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How often checks run, how long they may take, and how their results are damped.
///
/// Holds for every check that does not say otherwise by [`CheckOptions`](crate::CheckOptions).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Config {
    /// Time from the start of one run of a check to the start of its next.
    ///
    /// `1ms` to `24h`. Default `10s`: the pace at which Kubernetes probes by default, and, from a
    /// hundred replicas, ten questions a second to the database that all of them check.
    pub interval: Duration,
    /// How long one run may take before it is cut and counts as unhealthy.
    ///
    /// Above zero, at most `interval`. Default `3s`: time for one lost packet (TCP asks again
    /// after one second), and as long as the probes themselves wait.
    pub timeout: Duration,
    /// Age at which a result counts no more and its check is unknown.
    ///
    /// At least `interval` plus `timeout`. Default none, which is three intervals: a healthy
    /// schedule never reaches it, so it means that the checks themselves stand still.
    pub time_to_live: Option<Duration>,
    /// Results in a row, all better than the status, that better it.
    ///
    /// At least 1. Default 1: the first good answer brings the traffic back.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub rise: u32,
    /// Results in a row, all worse than the status, that worsen it.
    ///
    /// At least 1. Default 2: one lost answer is an accident, two are a state. An outage is then
    /// seen within two intervals and a timeout.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub fall: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(3),
            time_to_live: None,
            rise: 1,
            fall: 2,
        }
    }
}

/// What a `Config` means for one check, once it was found to be possible.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) interval: time::Duration,
    pub(crate) timeout: time::Duration,
    pub(crate) time_to_live: time::Duration,
    pub(crate) rise: u32,
    pub(crate) fall: u32,
}

impl Config {
    pub(crate) fn timing(&self) -> Result<Timing, Error> {
        let &Self { interval, timeout, time_to_live, rise, fall } = self;
        if !(LEAST_INTERVAL..=GREATEST_INTERVAL).contains(&interval) {
            return Err(Error::Interval { interval });
        }
        if timeout.is_zero() || timeout > interval {
            return Err(Error::Timeout { timeout, interval });
        }
        let least = Duration::from(interval.get() + timeout.get());
        let time_to_live = time_to_live.unwrap_or_else(|| (interval.get() * 3).into());
        if time_to_live < least {
            return Err(Error::TimeToLive { time_to_live, least });
        }
        for (setting, count) in [("rise", rise), ("fall", fall)] {
            if count == 0 {
                return Err(Error::Count { setting });
            }
        }
        Ok(Timing {
            interval: interval.get(),
            timeout: timeout.get(),
            time_to_live: time_to_live.get(),
            rise,
            fall,
        })
    }
}
