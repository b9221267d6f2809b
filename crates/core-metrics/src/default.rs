//! Recording by name from anywhere, for code that is not handed a [`Metrics`].
//!
//! Until `main` installs a default, nothing is recorded.

use std::sync::OnceLock;

use crate::{Error, Metrics, Timer};

static DEFAULT: OnceLock<Metrics> = OnceLock::new();

/// Makes these the metrics of the free functions, for the rest of the process.
///
/// Only `main` should call it; libraries take a [`Metrics`].
///
/// # Errors
/// [`Error::DefaultInstalled`] if there is a default already; it stays.
pub fn install_default(metrics: Metrics) -> Result<(), Error> {
    DEFAULT.set(metrics).map_err(|_| Error::DefaultInstalled)
}

/// Adds to a counter of the default, as [`Metrics::record_counter`]; without one, does nothing.
pub fn record_counter(name: &str, amount: u64) {
    if let Some(metrics) = DEFAULT.get() {
        metrics.record_counter(name, amount);
    }
}

/// Sets a gauge of the default, as [`Metrics::record_gauge`]; without one, does nothing.
pub fn record_gauge(name: &str, value: f64) {
    if let Some(metrics) = DEFAULT.get() {
        metrics.record_gauge(name, value);
    }
}

/// Observes a value in a histogram of the default, as [`Metrics::record_histogram`]; without one,
/// does nothing.
pub fn record_histogram(name: &str, value: f64) {
    if let Some(metrics) = DEFAULT.get() {
        metrics.record_histogram(name, value);
    }
}

/// Begins to measure a time for the default, as [`Metrics::timer`]; without one, for nobody.
pub fn timer(name: &str) -> Timer {
    DEFAULT.get().map_or_else(|| Timer::start(None), |metrics| metrics.timer(name))
}

impl Timer {
    /// The same as the function [`timer`]: begins to measure a time for the default.
    pub fn new(name: &str) -> Self {
        timer(name)
    }
}
