use std::fmt;
use std::sync::Arc;

use prometheus::core::{Atomic as _, AtomicU64};
use prometheus::proto::Metric;

use crate::model;
use crate::name::{Kind, Scale};
use crate::series::Series;

/// A number that only grows: requests, bytes, failures.
///
/// A handle: clones count together. Keep it where the counting happens; one atomic addition is all
/// that a call costs.
///
/// ```
/// # use core_metrics::{Config, Metrics};
/// let metrics = Metrics::new(Config::default());
/// let requests = metrics.counter("requests_total", "Requests received.")?;
/// requests.increment();
/// assert!(metrics.encode().contains("\nrequests_total 1\n"));
/// # Ok::<(), core_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds so many.
    pub fn add(&self, amount: u64) {
        self.0.inc_by(amount);
    }

    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// How many there were so far.
    pub fn get(&self) -> u64 {
        self.0.get()
    }
}

impl Series for Counter {
    const KIND: Kind = Kind::Counter;
    type Shape = ();

    fn new((): &()) -> Self {
        Self(Arc::new(AtomicU64::new(0)))
    }

    fn read(&self, scale: Scale) -> Metric {
        model::counter(scale.apply(self.get() as f64))
    }
}

impl fmt::Debug for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Counter").field(&self.get()).finish()
    }
}
