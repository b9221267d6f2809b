use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use prometheus::proto::MetricFamily;

use crate::name::{self, Kind};
use crate::names::Taken;
use crate::{Config, Error, Metrics, label, model};

pub(crate) type Producer = Arc<dyn Fn(&mut Samples) + Send + Sync>;

/// What is produced for one scrape, by [`Metrics::collect_with`].
///
/// Several calls with one name are one metric; the first help text counts. What is not allowed is
/// left out, counted in `metrics_refused_total` and reported as
/// [`Event::Refused`](crate::Event::Refused): a name as for registered metrics, a series that is
/// there already, series past the label budget.
#[derive(Debug)]
pub struct Samples {
    config: Arc<Config>,
    metrics: BTreeMap<String, Produced>,
    refused: Vec<(String, Error)>,
}

#[derive(Debug)]
struct Produced {
    kind: Kind,
    help: String,
    series: BTreeMap<Labels, f64>,
}

/// Names and values, sorted by name, so that the order in a call makes no other series.
type Labels = Vec<(String, String)>;

impl Samples {
    /// Produces one series of a gauge.
    pub fn gauge(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.produce(Kind::Gauge, name, help, labels, value);
    }

    /// Produces one series of a counter: its whole value, which must never sink.
    pub fn counter(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        self.produce(Kind::Counter, name, help, labels, value);
    }

    fn produce(&mut self, kind: Kind, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        if let Err(error) = self.add(kind, name, help, labels, value) {
            self.refused.push((name.to_owned(), error));
        }
    }

    fn add(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: f64,
    ) -> Result<(), Error> {
        name::check(kind, name)?;
        name::check_help(name, help)?;
        label::check(name, labels.iter().map(|(label, _)| *label))?;
        let owned = |(name, value): &(&str, &str)| (String::from(*name), label::cut(value).into());
        let mut labels: Labels = labels.iter().map(owned).collect();
        labels.sort();
        let named = || name.to_owned();
        let metric = self.metrics.entry(named()).or_insert_with(|| Produced {
            kind,
            help: help.to_owned(),
            series: BTreeMap::new(),
        });
        let budget = self.config.budget_of(name);
        let full = metric.series.len() >= budget;
        match metric.series.entry(labels) {
            Entry::Occupied(_) => Err(Error::Duplicate { name: named() }),
            Entry::Vacant(_) if full => Err(Error::TooManySeries { name: named(), budget }),
            Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
        }
    }
}

impl Metrics {
    /// Has a closure produce series whenever metrics are read: states, ages, what is in flight.
    ///
    /// The closure runs on the scraping thread, with every lock of this crate free, and so must be
    /// quick and must not block. `name` names it in events; a second closure of that name takes the
    /// place of the first. If it panics, the other series are exposed all the same. A closure that
    /// holds a `Metrics` of its own keeps that alive for ever.
    ///
    /// ```
    /// # let metrics = core_metrics::Metrics::new(core_metrics::Config::default());
    /// metrics.collect_with("health", |samples| {
    ///     let help = "Whether a check passes: 1 or 0.";
    ///     samples.gauge("health_check_passing", help, &[("check", "db")], 1.0);
    /// });
    /// assert!(metrics.encode().contains("health_check_passing{check=\"db\"} 1"));
    /// ```
    pub fn collect_with(&self, name: &str, produce: impl Fn(&mut Samples) + Send + Sync + 'static) {
        let mut producers = self.0.producers.lock().unwrap_or_else(PoisonError::into_inner);
        producers.retain(|(other, _)| other != name);
        producers.push((name.to_owned(), Arc::new(produce)));
    }

    /// Runs the producers, and keeps what does not clash with registered metrics.
    pub(crate) fn produce(&self) -> Vec<MetricFamily> {
        let producers = self.0.producers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let config = Arc::clone(&self.0.config);
        let mut samples = Samples { config, metrics: BTreeMap::new(), refused: Vec::new() };
        for (name, produce) in producers {
            // Nothing of `samples` is ever half done while foreign code runs.
            if catch_unwind(AssertUnwindSafe(|| produce(&mut samples))).is_err() {
                let error = Error::Panicked { producer: name.clone() };
                samples.refused.push((name, error));
            }
        }
        let mut families = Vec::with_capacity(samples.metrics.len());
        for (name, produced) in samples.metrics {
            match self.claim(&name, produced.kind) {
                Ok(()) => families.push(produced.family(&name)),
                Err(error) => samples.refused.push((name, error)),
            }
        }
        for (name, error) in samples.refused {
            self.refuse(&name, error);
        }
        families
    }

    /// Takes a name for metrics that are produced on scrape.
    fn claim(&self, name: &str, kind: Kind) -> Result<(), Error> {
        let mut names = self.names();
        match names.get(name) {
            Some(taken) if taken.family.is_none() && taken.kind == kind => Ok(()),
            Some(taken) => Err(Error::Clash {
                name: name.to_owned(),
                existing: name.to_owned(),
                why: if taken.kind == kind {
                    "that one is registered"
                } else {
                    "that one is of another type"
                },
            }),
            None => {
                names.check(kind, name, name)?;
                names.check_budget(self.0.config.name_budget, name)?;
                names.take(name, Taken { kind, source: None, family: None });
                Ok(())
            }
        }
    }
}

impl Produced {
    fn family(&self, name: &str) -> MetricFamily {
        let series = self.series.iter().map(|(labels, value)| {
            let labels = labels.iter().map(|(label, value)| (&**label, &**value));
            let metric = match self.kind {
                Kind::Counter => model::counter(*value),
                _ => model::gauge(*value),
            };
            model::labelled(metric, labels)
        });
        model::family(self.kind, name, &self.help, series.collect())
    }
}
