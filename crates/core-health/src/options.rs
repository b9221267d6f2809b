use core_types::Duration;

use crate::Config;

/// What one check does otherwise than [`Config`] says.
///
/// ```
/// use core_health::CheckOptions;
/// use std::time::Duration;
///
/// let slow_and_for_information = CheckOptions::new()
///     .interval(Duration::from_secs(60))
///     .timeout(Duration::from_secs(20))
///     .diagnostic();
/// # let _ = slow_and_for_information;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct CheckOptions {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    time_to_live: Option<Duration>,
    rise: Option<u32>,
    fall: Option<u32>,
    diagnostic: bool,
}

impl CheckOptions {
    /// Nothing otherwise: a check that gates readiness, timed as [`Config`] says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces [`Config::interval`].
    pub fn interval(mut self, interval: impl Into<Duration>) -> Self {
        self.interval = Some(interval.into());
        self
    }

    /// Replaces [`Config::timeout`].
    pub fn timeout(mut self, timeout: impl Into<Duration>) -> Self {
        self.timeout = Some(timeout.into());
        self
    }

    /// Replaces [`Config::time_to_live`].
    pub fn time_to_live(mut self, time_to_live: impl Into<Duration>) -> Self {
        self.time_to_live = Some(time_to_live.into());
        self
    }

    /// Replaces [`Config::rise`].
    pub fn rise(mut self, rise: u32) -> Self {
        self.rise = Some(rise);
        self
    }

    /// Replaces [`Config::fall`].
    pub fn fall(mut self, fall: u32) -> Self {
        self.fall = Some(fall);
        self
    }

    /// Keeps the check out of readiness: shown under `/health`, where it counts at most as degraded.
    ///
    /// For what the service can do without, and for what every replica shares: when that fails,
    /// taking all of them out of the balancer at once helps nobody.
    pub fn diagnostic(mut self) -> Self {
        self.diagnostic = true;
        self
    }

    pub(crate) fn gates(&self) -> bool {
        !self.diagnostic
    }

    pub(crate) fn over(self, config: &Config) -> Config {
        Config {
            interval: self.interval.unwrap_or(config.interval),
            timeout: self.timeout.unwrap_or(config.timeout),
            time_to_live: self.time_to_live.or(config.time_to_live),
            rise: self.rise.unwrap_or(config.rise),
            fall: self.fall.unwrap_or(config.fall),
        }
    }
}
