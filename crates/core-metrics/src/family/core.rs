use std::collections::HashMap;
use std::iter;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use foldhash::quality::RandomState;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::key::{Key, Values};
use crate::event::Observer;
use crate::label::OVERFLOW;
use crate::model;
use crate::name::Scale;
use crate::series::Series;
use crate::{Counter, Event};

/// All series of one metric. An unlabelled metric is a family of one.
pub(crate) struct Core<S: Series> {
    /// Name and labels. Its help is what is exposed until somebody writes a better one.
    desc: Desc,
    help: OnceLock<String>,
    shape: S::Shape,
    /// From the unit of what is recorded to the one that is exposed.
    scale: Scale,
    /// Hashed quickly, not against an attacker: there are never more than the budget.
    series: RwLock<HashMap<Key, S, RandomState>>,
    /// The most series, the overflow series among them.
    budget: usize,
    overflow_series: OnceLock<S>,
    overflow: Option<Overflow>,
}

/// Who learns that the budget is spent.
pub(crate) struct Overflow {
    pub(crate) counter: Counter,
    pub(crate) observer: Arc<Observer>,
}

impl<S: Series> Core<S> {
    pub(crate) fn new(desc: Desc, shape: S::Shape, scale: Scale) -> Self {
        Self {
            desc,
            help: OnceLock::new(),
            shape,
            scale,
            series: RwLock::default(),
            budget: usize::MAX,
            overflow_series: OnceLock::new(),
            overflow: None,
        }
    }

    pub(crate) fn with_budget(self, budget: usize, overflow: Overflow) -> Self {
        Self { budget, overflow: Some(overflow), ..self }
    }

    pub(crate) fn name(&self) -> &str {
        &self.desc.fq_name
    }

    pub(crate) fn labels(&self) -> &[String] {
        &self.desc.variable_labels
    }

    pub(crate) fn shape(&self) -> &S::Shape {
        &self.shape
    }

    pub(crate) fn scale(&self) -> Scale {
        self.scale
    }

    /// The help text: the first that was written in code, and this one if there was none.
    pub(crate) fn help_or(&self, help: &str) -> &str {
        self.help.get_or_init(|| help.to_owned())
    }

    pub(crate) fn with(&self, values: &dyn Values) -> S {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = series.get(values) {
            return found.clone();
        }
        // Nothing is ever taken out, so that full is full: no writer has to wait for this.
        let full = self.is_full(series.len());
        drop(series);
        if full { self.overflowing() } else { self.make(values) }
    }

    /// Makes a series, unless another thread has made it, or taken the last place, meanwhile.
    fn make(&self, values: &dyn Values) -> S {
        let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = series.get(values) {
            return found.clone();
        }
        if self.is_full(series.len()) {
            drop(series);
            return self.overflowing();
        }
        let made = S::new(&self.shape);
        series.insert(Key::new(values.iter()), made.clone());
        made
    }

    /// Whether only the place of the overflow series is left. Without labels there is none.
    fn is_full(&self, series: usize) -> bool {
        !self.labels().is_empty() && series.saturating_add(1) >= self.budget
    }

    fn overflowing(&self) -> S {
        let mut first = false;
        let made = self.overflow_series.get_or_init(|| {
            first = true;
            // Among the others, because somebody may have asked for just these values.
            let key = Key::new(iter::repeat_n(OVERFLOW, self.labels().len()));
            let mut series = self.series.write().unwrap_or_else(PoisonError::into_inner);
            series.entry(key).or_insert_with(|| S::new(&self.shape)).clone()
        });
        if let Some(overflow) = &self.overflow {
            overflow.counter.increment();
            if first {
                let metric = self.name().to_owned();
                overflow.observer.report(&Event::SeriesOverflow { metric, budget: self.budget });
            }
        }
        made.clone()
    }

    fn collect(&self) -> MetricFamily {
        let series = self.series.read().unwrap_or_else(PoisonError::into_inner);
        let metrics = series.iter().map(|(key, series)| {
            let labels = iter::zip(self.labels().iter().map(String::as_str), key.iter());
            model::labelled(series.read(self.scale), labels)
        });
        let help = self.help.get().unwrap_or(&self.desc.help);
        model::family(S::KIND, self.name(), help, metrics.collect())
    }
}

/// A family as the registry sees it.
pub(crate) struct Collected<S: Series>(pub(crate) Arc<Core<S>>);

impl<S: Series> Collector for Collected<S> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        vec![self.0.collect()]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap as Map;

    use super::*;

    fn counters(budget: usize) -> Core<Counter> {
        let desc = Desc::new("x_total".into(), "Help.".into(), vec!["a".into()], Map::new());
        let overflow = Overflow { counter: Counter::new(&()), observer: Arc::default() };
        Core::new(desc.unwrap(), (), Scale::ONE).with_budget(budget, overflow)
    }

    /// MET-2: as when two threads miss the same series at once: nothing is lost.
    #[test]
    fn a_series_is_made_once() {
        let core = counters(10);
        core.make(&["1"]).increment();
        core.make(&["1"]).increment();
        assert_eq!(core.with(&["1"]).get(), 2);
    }

    /// MET-2: as when two threads see the last place free at once.
    #[test]
    fn the_last_place_is_given_once() {
        let core = counters(2);
        core.make(&["1"]);
        core.make(&["2"]).increment();
        assert_eq!(core.with(&[OVERFLOW]).get(), 1);
        assert_eq!(core.collect().get_metric().len(), 2);
    }
}
