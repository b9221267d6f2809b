use std::fmt;
use std::sync::Arc;

use prometheus::core::{Atomic as _, AtomicF64};
use prometheus::proto::Metric;

use crate::model;
use crate::name::{Kind, Scale};
use crate::series::Series;

/// A number that goes up and down: connections, sizes, temperatures.
///
/// A handle: clones stand for the same number.
///
/// ```
/// # use core_metrics::{Config, Metrics};
/// let metrics = Metrics::new(Config::default());
/// let connections = metrics.gauge("connections", "Open connections.")?;
/// connections.set(3.0);
/// connections.add(-1.0);
/// assert!(metrics.encode().contains("\nconnections 2\n"));
/// # Ok::<(), core_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct Gauge(Arc<AtomicF64>);

impl Gauge {
    /// Replaces the number. Infinity and NaN are exposed as such.
    pub fn set(&self, value: f64) {
        self.0.set(value);
    }

    /// Adds to the number; a negative amount takes from it.
    pub fn add(&self, amount: f64) {
        self.0.inc_by(amount);
    }

    /// The number.
    pub fn get(&self) -> f64 {
        self.0.get()
    }
}

impl Series for Gauge {
    const KIND: Kind = Kind::Gauge;
    type Shape = ();

    fn new((): &()) -> Self {
        Self(Arc::new(AtomicF64::new(0.0)))
    }

    fn read(&self, scale: Scale) -> Metric {
        model::gauge(scale.apply(self.get()))
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gauge").field(&self.get()).finish()
    }
}
