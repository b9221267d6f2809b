use std::time::{Duration, Instant};

use crate::Histogram;

/// A time that is being measured, for a histogram of seconds.
///
/// It records when it is stopped. Dropped before, as by an early return or a cancelled future, it
/// records nothing: that would not be the time which the operation takes.
#[derive(Debug)]
#[must_use = "a time is recorded when the timer is stopped"]
pub struct Timer {
    // None when nobody wants to know: no default is installed, or the name was refused.
    histogram: Option<Histogram>,
    start: Instant,
}

impl Timer {
    pub(crate) fn start(histogram: Option<Histogram>) -> Self {
        Self { histogram, start: Instant::now() }
    }

    /// Records the time since the start, and returns it.
    pub fn stop(self) -> Duration {
        let elapsed = self.start.elapsed();
        if let Some(histogram) = self.histogram {
            histogram.observe(elapsed.as_secs_f64());
        }
        elapsed
    }
}
