use core_metrics::{Buckets, Snapshot, Value};

use crate::metrics;

/// MET-6: count, sum and quantiles, read in process.
#[test]
fn a_histogram_can_be_read() {
    let metrics = metrics();
    let buckets = Buckets::new([1.0, 2.0, 4.0]);
    let sizes = metrics.histogram("x_sizes", "Help.", buckets).unwrap();
    assert_eq!(sizes.snapshot().quantile(0.5), None);
    for value in [0.5, 1.5, 1.5, 3.0] {
        sizes.observe(value);
    }
    let snapshot = sizes.snapshot();
    assert_eq!((snapshot.count, snapshot.sum), (4, 6.5));
    assert_eq!(snapshot.buckets, [(1.0, 1), (2.0, 3), (4.0, 4)]);
    for (share, expected) in
        [(0.0, 0.0), (0.25, 1.0), (0.5, 1.5), (0.75, 2.0), (0.875, 3.0), (1.0, 4.0)]
    {
        assert_eq!(snapshot.quantile(share), Some(expected), "{share}");
    }
    assert_eq!(snapshot.quantile(1.1), None);
    assert_eq!(snapshot.quantile(f64::NAN), None);
    // Past the last bound there is nothing to tell it by.
    sizes.observe(100.0);
    assert_eq!(sizes.snapshot().quantile(1.0), Some(4.0));
}

/// MET-6: all metrics, as a scrape would see them.
#[test]
fn everything_can_be_read() {
    let metrics = metrics();
    metrics.counter_family("x_total", "Help.", ["a"]).unwrap().with(["1"]).add(2);
    metrics.record_gauge("y", 3.0);
    metrics.record_histogram("z.duration_ms", 15.0);
    metrics.collect_with("w", |samples| samples.gauge("w", "Help.", &[], 4.0));
    let snapshots = metrics.snapshot();
    let of = |name: &str| snapshots.iter().find(|s| s.name == name).expect("a snapshot");
    let Snapshot { labels, value, .. } = of("x_total");
    assert_eq!(labels, &[("a".to_owned(), "1".to_owned())]);
    assert_eq!(value, &Value::Counter(2.0));
    assert_eq!(of("y").value, Value::Gauge(3.0));
    assert_eq!(of("w").value, Value::Gauge(4.0));
    let Value::Histogram(durations) = &of("z_duration_seconds").value else {
        panic!("a histogram")
    };
    assert_eq!((durations.count, durations.sum), (1, 0.015));
}
