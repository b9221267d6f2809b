use prometheus::proto::{self, MetricFamily, MetricType};

use crate::Metrics;

/// One series at one moment, as it would be exposed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The metric's name.
    pub name: String,
    /// Label names and values.
    pub labels: Vec<(String, String)>,
    /// The value.
    pub value: Value,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Of a counter.
    Counter(f64),
    /// Of a gauge.
    Gauge(f64),
    /// Of a histogram.
    Histogram(HistogramSnapshot),
}

/// What a histogram holds at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistogramSnapshot {
    /// How many values were observed.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Upper bounds, and how many values are at most so great; without `+Inf`, which has them all.
    pub buckets: Vec<(f64, u64)>,
}

impl HistogramSnapshot {
    /// Estimates the value that a share of the observations does not exceed; `quantile(0.95)` is
    /// the 95th percentile.
    ///
    /// As Prometheus' `histogram_quantile` does, it takes the values to be spread evenly in their
    /// bucket, the first bucket to begin at 0, and whatever is past the last bound to be there.
    /// `None` without observations, or if the share is not within 0 and 1.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        if self.count == 0 || !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = share * self.count as f64;
        let reached = self.buckets.iter().position(|(_, below)| *below as f64 >= rank);
        let Some(at) = reached else {
            return self.buckets.last().map(|(bound, _)| *bound);
        };
        let (upper, below_upper) = self.buckets[at];
        let (lower, below_lower) = if at == 0 { (upper.min(0.0), 0) } else { self.buckets[at - 1] };
        let inside = (below_upper - below_lower) as f64;
        let part = if inside > 0.0 { (rank - below_lower as f64) / inside } else { 0.0 };
        Some(lower + (upper - lower) * part)
    }
}

impl From<&proto::Histogram> for HistogramSnapshot {
    fn from(histogram: &proto::Histogram) -> Self {
        let buckets = histogram.get_bucket().iter();
        Self {
            count: histogram.get_sample_count(),
            sum: histogram.get_sample_sum(),
            buckets: buckets.map(|b| (b.upper_bound(), b.cumulative_count())).collect(),
        }
    }
}

impl Metrics {
    /// Every series at this moment, as the next scrape would see it, sorted by name and labels.
    pub fn snapshot(&self) -> Vec<Snapshot> {
        self.gather().iter().flat_map(of_family).collect()
    }
}

fn of_family(family: &MetricFamily) -> impl Iterator<Item = Snapshot> {
    family.get_metric().iter().map(|metric| {
        let labels = metric.get_label().iter();
        Snapshot {
            name: family.name().to_owned(),
            labels: labels.map(|l| (l.name().to_owned(), l.value().to_owned())).collect(),
            value: match family.get_field_type() {
                MetricType::HISTOGRAM => Value::Histogram(metric.get_histogram().into()),
                MetricType::GAUGE => Value::Gauge(metric.get_gauge().get_value()),
                // Of the others, only counters are ever made here.
                _ => Value::Counter(metric.get_counter().get_value()),
            },
        }
    })
}
