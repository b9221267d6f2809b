use std::fmt;

use prometheus::core::Metric as _;
use prometheus::{HistogramOpts, proto};

use crate::name::{Kind, Scale};
use crate::series::Series;
use crate::{Buckets, HistogramSnapshot, Timer};

/// How observed values are spread: durations, sizes.
///
/// A handle: clones observe together. What is exposed is consistent: a scrape sees an observation
/// in its bucket, in the sum and in the count, or in none of them.
///
/// ```
/// # use core_metrics::{Buckets, Config, Metrics};
/// let metrics = Metrics::new(Config::default());
/// let help = "Time to answer a query.";
/// let durations = metrics.histogram("query_duration_seconds", help, Buckets::seconds())?;
/// durations.observe(0.0153);
/// assert!(metrics.encode().contains("\nquery_duration_seconds_count 1\n"));
/// # Ok::<(), core_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct Histogram(prometheus::Histogram);

impl Histogram {
    /// Takes a value in. Infinity and NaN are left out: one would make the sum useless for ever.
    pub fn observe(&self, value: f64) {
        if value.is_finite() {
            self.0.observe(value);
        }
    }

    /// Begins to measure a time, to be observed in seconds.
    pub fn start_timer(&self) -> Timer {
        Timer::start(Some(self.clone()))
    }

    /// Count, sum and buckets at this moment.
    pub fn snapshot(&self) -> HistogramSnapshot {
        self.0.metric().get_histogram().into()
    }
}

impl Series for Histogram {
    const KIND: Kind = Kind::Histogram;
    type Shape = Buckets;

    fn new(buckets: &Buckets) -> Self {
        // Name and help are the family's; a copy in each series would only take memory.
        let options = HistogramOpts::new("series", "series").buckets(buckets.bounds().to_vec());
        let histogram = prometheus::Histogram::with_opts(options);
        Self(histogram.expect("the name is valid and the buckets were checked"))
    }

    fn read(&self, _: Scale) -> proto::Metric {
        self.0.metric()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.0.get_sample_count())
            .finish_non_exhaustive()
    }
}
