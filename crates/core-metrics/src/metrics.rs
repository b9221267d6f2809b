mod register;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use prometheus::Registry;

pub(crate) use self::register::{Definition, Origin};
use crate::by_name::Named;
use crate::error::REASONS;
use crate::event::Observer;
use crate::family::Core;
use crate::name::Scale;
use crate::names::Names;
use crate::refusals::Refusals;
use crate::samples::Producer;
use crate::{
    Buckets, Config, Counter, CounterFamily, Error, Event, Gauge, GaugeFamily, Histogram,
    HistogramFamily,
};

/// A set of metrics: what is recorded, and what a scrape gets.
///
/// A handle: clones are one set. It opens no port and starts no task.
///
/// Registering what is there already, with the same type, help, labels and buckets, gives the same
/// series again; anything else of that name is an error.
///
/// ```
/// # use core_metrics::{Config, Metrics};
/// let metrics = Metrics::new(Config::default());
/// let labels = ["method", "status"];
/// let requests = metrics.counter_family("http_requests_total", "Requests answered.", labels)?;
/// requests.with(["GET", "200"]).increment();
/// metrics.record_gauge("dht.peers.active", 42.0);
///
/// let text = metrics.encode();
/// assert!(text.contains("http_requests_total{method=\"GET\",status=\"200\"} 1"));
/// assert!(text.contains("dht_peers_active 42"));
/// # Ok::<(), core_metrics::Error>(())
/// ```
#[derive(Clone)]
pub struct Metrics(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) config: Arc<Config>,
    pub(crate) observer: Arc<Observer>,
    pub(crate) registry: Registry,
    pub(crate) names: Mutex<Names>,
    /// What is known about each dotted name, so that recording by name is one look-up.
    pub(crate) named: RwLock<HashMap<Box<str>, Named>>,
    pub(crate) producers: Mutex<Vec<(String, Producer)>>,
    pub(crate) refusals: Refusals,
    /// `metrics_series_overflow_total`, by metric.
    overflows: Arc<Core<Counter>>,
}

impl Metrics {
    /// Makes an empty set, but for what it says about itself:
    ///
    /// - `metrics_series_overflow_total{metric}`: how often a labelled metric's overflow series was
    ///   given out in the place of a new one;
    /// - `metrics_refused_total{reason}`: how often something was not recorded, because of the
    ///   `budget` for names or sampled series, a `clash` with another metric, an `invalid` name,
    ///   label or help, or a `panic` of a producer.
    pub fn new(config: Config) -> Self {
        let (registry, mut names) = (Registry::new(), Names::default());
        let mut counter = |name: &str, help: &str, label: &str| {
            let labels = [label];
            let definition = Definition::new(name, help, &labels, Origin::Code);
            // Their values are the names of metrics and of reasons, and so already bounded.
            let unbounded = |desc| Core::new(desc, (), Scale::ONE);
            definition.add(&registry, &mut names, unbounded).expect("valid, and the first")
        };
        let overflows = counter(
            "metrics_series_overflow_total",
            "Times that a metric's overflow series stood in for a new one.",
            "metric",
        );
        let refused = counter(
            "metrics_refused_total",
            "Times that something was not recorded, by reason.",
            "reason",
        );
        // There from the start, so that the first refusal is an increase.
        for reason in REASONS {
            refused.with(&[reason]);
        }
        Self(Arc::new(Inner {
            config: Arc::new(config),
            observer: Arc::default(),
            registry,
            names: Mutex::new(names),
            named: RwLock::default(),
            producers: Mutex::default(),
            refusals: Refusals::new(refused),
            overflows,
        }))
    }

    /// Tells a closure what happens, instead of the one before. Default: nobody is told.
    #[must_use]
    pub fn with_observer(self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.0.observer.replace(observer);
        self
    }

    /// Registers a counter. It is exposed at 0 until it counts.
    ///
    /// The name is exposed as it stands: lower-case words joined by `_`, a base unit, `_total`.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Help`] if those are not allowed, [`Error::Clash`] if another
    /// metric stands in the way.
    pub fn counter(&self, name: &str, help: &str) -> Result<Counter, Error> {
        Ok(self.counter_family(name, help, [])?.with([]))
    }

    /// Registers a gauge. It is exposed at 0 until it is set.
    ///
    /// The name is exposed as it stands: lower-case words joined by `_`, a base unit last.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Help`] if those are not allowed, [`Error::Clash`] if another
    /// metric stands in the way.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge, Error> {
        Ok(self.gauge_family(name, help, [])?.with([]))
    }

    /// Registers a histogram. It is exposed empty until it observes.
    ///
    /// The name is exposed as it stands: lower-case words joined by `_`, a base unit last.
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Help`] and [`Error::Buckets`] if those are not allowed,
    /// [`Error::Clash`] if another metric stands in the way.
    pub fn histogram(&self, name: &str, help: &str, buckets: Buckets) -> Result<Histogram, Error> {
        Ok(self.histogram_family(name, help, [], buckets)?.with([]))
    }

    /// Registers a counter with labels. Nothing is exposed of it until a series is asked for.
    ///
    /// # Errors
    /// As [`counter`](Self::counter), and [`Error::Label`] if a label's name is not allowed.
    pub fn counter_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
    ) -> Result<CounterFamily<N>, Error> {
        let definition = Definition::new(name, help, &labels, Origin::Code);
        self.register(definition, (), Scale::ONE).map(CounterFamily)
    }

    /// Registers a gauge with labels. Nothing is exposed of it until a series is asked for.
    ///
    /// # Errors
    /// As [`gauge`](Self::gauge), and [`Error::Label`] if a label's name is not allowed.
    pub fn gauge_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
    ) -> Result<GaugeFamily<N>, Error> {
        let definition = Definition::new(name, help, &labels, Origin::Code);
        self.register(definition, (), Scale::ONE).map(GaugeFamily)
    }

    /// Registers a histogram with labels. Nothing is exposed of it until a series is asked for.
    ///
    /// # Errors
    /// As [`histogram`](Self::histogram), and [`Error::Label`] if a label's name is not allowed.
    pub fn histogram_family<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; N],
        buckets: Buckets,
    ) -> Result<HistogramFamily<N>, Error> {
        buckets.check(name)?;
        let definition = Definition::new(name, help, &labels, Origin::Code);
        self.register(definition, buckets, Scale::ONE).map(HistogramFamily)
    }

    /// Counts a refusal, and reports the first of each name.
    pub(crate) fn refuse(&self, name: &str, error: Error) {
        if self.0.refusals.count_first(name, &error, self.0.config.name_budget) {
            self.0.observer.report(&Event::Refused { name: name.to_owned(), error });
        }
    }

    pub(crate) fn names(&self) -> MutexGuard<'_, Names> {
        self.0.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("config", &self.0.config).finish_non_exhaustive()
    }
}
