//! Recording by name, as in `record_counter("dht.requests.total", 1)`.

use std::sync::PoisonError;

use crate::family::UNLABELLED;
use crate::metrics::{Definition, Origin};
use crate::name::{self, Kind, Scale};
use crate::{Buckets, Counter, Error, Gauge, Histogram, Metrics, Timer};

/// What a dotted name stands for.
pub(crate) enum Named {
    Counter(Counter),
    Gauge(Gauge, Scale),
    Histogram {
        histogram: Histogram,
        scale: Scale,
        is_time: bool,
    },
    /// Nothing: it was refused, for the reason that the counter of refusals gives.
    Refused(&'static str),
}

/// By dotted names, as `dht.requests.total`, which are exposed as Prometheus wants them:
///
/// 1. Words are parted by `.`, `_`, `-`, `/`, `:`, blanks and inner capitals, and joined by `_`.
/// 2. A last word `total` or `count` goes; of a gauge, `total` becomes `known`.
/// 3. The last word that is a unit becomes its base unit at the end of the name, and values are
///    converted: `ns`, `us`, `ms`, `minutes`, `hours`, `days` to `seconds`; `kb`, `mb`, `gb`,
///    `kib`, `mib`, `gib` to `bytes`; `percent` to `ratio`. With a word `per`, units stay where
///    they are.
/// 4. Counters get `_total`.
///
/// A metric is made when its name is first seen, or registered beforehand under the exposed name to
/// give it a help text and buckets. It has no labels.
///
/// Nothing here panics or fails the caller. A name that is not allowed, that is used for two types,
/// or that would be exposed as another one already is, is refused: counted in
/// `metrics_refused_total`, and reported once as [`Event::Refused`](crate::Event::Refused).
impl Metrics {
    /// Adds to a counter.
    ///
    /// ```
    /// # let metrics = core_metrics::Metrics::new(core_metrics::Config::default());
    /// metrics.record_counter("network.bytes.sent", 512);
    /// assert!(metrics.encode().contains("network_sent_bytes_total 512"));
    /// ```
    pub fn record_counter(&self, name: &str, amount: u64) {
        self.record(Kind::Counter, name, |named| {
            if let Named::Counter(counter) = named {
                counter.add(amount);
            }
        });
    }

    /// Sets a gauge.
    ///
    /// ```
    /// # let metrics = core_metrics::Metrics::new(core_metrics::Config::default());
    /// metrics.record_gauge("system.cpu.usage_percent", 42.0);
    /// assert!(metrics.encode().contains("system_cpu_usage_ratio 0.42"));
    /// ```
    pub fn record_gauge(&self, name: &str, value: f64) {
        self.record(Kind::Gauge, name, |named| {
            if let Named::Gauge(gauge, scale) = named {
                gauge.set(scale.apply(value));
            }
        });
    }

    /// Observes a value in a histogram.
    ///
    /// ```
    /// # let metrics = core_metrics::Metrics::new(core_metrics::Config::default());
    /// metrics.record_histogram("dht.request.duration_ms", 15.3);
    /// assert!(metrics.encode().contains("dht_request_duration_seconds_bucket{le=\"0.025\"} 1"));
    /// ```
    pub fn record_histogram(&self, name: &str, value: f64) {
        self.record(Kind::Histogram, name, |named| {
            if let Named::Histogram { histogram, scale, .. } = named {
                histogram.observe(scale.apply(value));
            }
        });
    }

    /// Begins to measure a time for a histogram whose name has a unit of time.
    ///
    /// ```
    /// # let metrics = core_metrics::Metrics::new(core_metrics::Config::default());
    /// let timer = metrics.timer("operation.duration_ms");
    /// // ... do work ...
    /// timer.stop();
    /// assert!(metrics.encode().contains("operation_duration_seconds_count 1"));
    /// ```
    pub fn timer(&self, name: &str) -> Timer {
        let (mut found, mut is_other_unit) = (None, false);
        self.record(Kind::Histogram, name, |named| {
            if let Named::Histogram { histogram, is_time, .. } = named {
                found = is_time.then(|| histogram.clone());
                is_other_unit = !is_time;
            }
        });
        if is_other_unit {
            let rule = "a timer's name has a unit of time, such as `_seconds` or `_ms`";
            self.refuse(name, Error::Name { name: name.to_owned(), rule });
        }
        Timer::start(found)
    }

    /// Hands what the name stands for to `apply`, if it is of that kind.
    fn record(&self, kind: Kind, name: &str, mut apply: impl FnMut(&Named)) {
        let named = self.0.named.read().unwrap_or_else(PoisonError::into_inner);
        match named.get(name) {
            Some(found) if found.kind() == Some(kind) => return apply(found),
            Some(Named::Refused(reason)) => return self.0.refusals.count(reason),
            Some(_) => {
                drop(named);
                let why = "it is in use for another type";
                let clash = Error::Clash { name: name.to_owned(), existing: name.to_owned(), why };
                return self.refuse(name, clash);
            }
            None => drop(named),
        }
        let (entry, error) = match self.define(kind, name) {
            Ok(named) => {
                apply(&named);
                (named, None)
            }
            Err(error) => (Named::Refused(error.reason()), Some(error)),
        };
        let mut named = self.0.named.write().unwrap_or_else(PoisonError::into_inner);
        if named.len() < self.0.config.name_budget {
            named.entry(name.into()).or_insert(entry);
        }
        drop(named);
        if let Some(error) = error {
            self.refuse(name, error);
        }
    }

    fn define(&self, kind: Kind, source: &str) -> Result<Named, Error> {
        let exposed = name::translate(kind, source)?;
        let (name, scale) = (&exposed.name, exposed.scale);
        let help = format!("Recorded by name as `{source}`.");
        let definition = Definition::new(name, &help, &[], Origin::Dotted(source));
        // Gauges and histograms hold converted values. Counters hold integers, which are converted
        // when they are exposed.
        Ok(match kind {
            Kind::Counter => {
                Named::Counter(self.register(definition, (), scale)?.with(&UNLABELLED))
            }
            Kind::Gauge => {
                let family = self.register(definition, (), Scale::ONE)?;
                Named::Gauge(family.with(&UNLABELLED), scale)
            }
            Kind::Histogram => {
                let family = self.register(definition, Buckets::for_name(name), Scale::ONE)?;
                let is_time = name.rsplit('_').next() == Some("seconds");
                Named::Histogram { histogram: family.with(&UNLABELLED), scale, is_time }
            }
        })
    }
}

impl Named {
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Counter(_) => Some(Kind::Counter),
            Self::Gauge(..) => Some(Kind::Gauge),
            Self::Histogram { .. } => Some(Kind::Histogram),
            Self::Refused(_) => None,
        }
    }
}
