use std::thread;
use std::time::Duration;

use core_metrics::{Buckets, Config, Error, Metrics};

use crate::{metrics, observed, reports, strict, value};

/// MET-1: what is not allowed says what is.
#[test]
fn mistakes_are_explained() {
    let metrics = metrics();
    let said = |error: Option<Error>| error.expect("refused").to_string();
    let counter = |name: &str, help: &str| said(metrics.counter(name, help).err());
    let label = |label: &str| said(metrics.gauge_family("x", "Help.", [label]).err());
    expect_test::expect![[r"
        metric name `foo` is not allowed: the name of a counter ends in `_total`
        metric name `Foo_total` is not allowed: lower-case letters, digits and `_`, a letter first, at most 200 bytes
        metric name `foo_ms_total` is not allowed: `b`, `d`, `h`, `m`, `s`, `ms` and the like read as units; write them out
        metric name `foo_hours_total` is not allowed: units are base units, such as `seconds`, `bytes` and `ratio`
        metric name `foo_counter_total` is not allowed: the type of a metric is not part of its name
        metric `foo_total` needs a help text that is not blank
        metric name `foo_total` is not allowed: only the name of a counter ends in `_total`
        metric name `foo_count` is not allowed: `_total`, `_bucket`, `_sum` and `_count` are endings of samples
        label name `le` of metric `x` is not allowed: `le` and `quantile` belong to histograms and summaries
        label name `quantile` of metric `x` is not allowed: `le` and `quantile` belong to histograms and summaries
        label name `__name` of metric `x` is not allowed: lower-case letters, digits and `_`, a letter first
        label name `camelCase` of metric `x` is not allowed: lower-case letters, digits and `_`, a letter first
        label name `` of metric `x` is not allowed: lower-case letters, digits and `_`, a letter first
        label name `a` of metric `x` is not allowed: each label has a name of its own
        the buckets of histogram `x` are not allowed: 1 to 100 finite numbers, each greater than the one before
    "]]
    .assert_eq(&(
        [
            counter("foo", "Help."),
            counter("Foo_total", "Help."),
            counter("foo_ms_total", "Help."),
            counter("foo_hours_total", "Help."),
            counter("foo_counter_total", "Help."),
            counter("foo_total", " "),
            said(metrics.gauge("foo_total", "Help.").err()),
            said(metrics.gauge("foo_count", "Help.").err()),
            label("le"),
            label("quantile"),
            label("__name"),
            label("camelCase"),
            label(""),
            said(metrics.gauge_family("x", "Help.", ["a", "b", "a"]).err()),
            said(metrics.histogram("x", "Help.", Buckets::new([1.0, 1.0])).err()),
        ]
        .join("\n")
            + "\n"
    ));
}

#[test]
fn buckets_are_checked() {
    let allowed = |buckets| metrics().histogram("x", "Help.", buckets).is_ok();
    for good in [
        Buckets::default(),
        Buckets::bytes(),
        Buckets::ratio(),
        Buckets::amounts(),
        Buckets::new([-1.0, 0.0]),
        Buckets::exponential(0.001, 2.0, 100),
    ] {
        assert!(allowed(good.clone()), "{good:?}");
    }
    for bad in [
        Buckets::new([]),
        Buckets::new([1.0, f64::INFINITY]),
        Buckets::new([f64::NAN]),
        Buckets::new([2.0, 1.0]),
        Buckets::exponential(1.0, 1.0, 2),
        Buckets::exponential(1.0, 1.1, usize::MAX),
    ] {
        assert!(!allowed(bad.clone()), "{bad:?}");
    }
}

/// MET-1: the same again is the same; anything else of that name is refused.
#[test]
fn registering_again_must_agree() {
    let metrics = metrics();
    let first = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    let second = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    first.with(["1"]).increment();
    assert_eq!(second.with(["1"]).get(), 1);
    metrics.histogram("h", "Help.", Buckets::ratio()).unwrap();

    let why = |error: Option<Error>| match error {
        Some(Error::Clash { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let samples = "both would take the same names, those of samples included";
    let labels = metrics.counter_family("x_total", "Help.", ["b"]).err();
    assert_eq!(why(labels), "that one has other labels");
    assert_eq!(why(metrics.counter("x_total", "Help.").err()), "that one has other labels");
    let help = metrics.counter_family("x_total", "Else.", ["a"]).err();
    assert_eq!(why(help), "that one has another help text");
    let buckets = metrics.histogram("h", "Help.", Buckets::bytes()).err();
    assert_eq!(why(buckets), "that one has other buckets");
    assert_eq!(why(metrics.gauge("h", "Help.").err()), "that one is of another type");
    assert_eq!(why(metrics.gauge("x", "Help.").err()), samples);
    assert_eq!(why(metrics.counter("h_total", "Help.").err()), samples);
    assert_eq!(why(metrics.gauge("x_created", "Help.").err()), samples);
    strict::read(&metrics.encode());
}

#[test]
fn two_sets_are_apart() {
    let (one, other) = (metrics(), metrics());
    one.counter("x_total", "Help.").unwrap().increment();
    assert_eq!(other.counter("x_total", "Help.").unwrap().get(), 0);
}

/// A clone of a handle is the handle.
#[test]
fn threads_count_together() {
    let metrics = metrics();
    let counters = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    let gauge = metrics.gauge("x_now", "Help.").unwrap();
    let histogram = metrics.histogram("x_sizes", "Help.", Buckets::amounts()).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let work = || {
                for round in 0..5000 {
                    counters.with([["even", "odd"][round % 2]]).increment();
                    gauge.add(1.0);
                    histogram.observe(1.0);
                    metrics.record_counter("by.name", 1);
                }
            };
            thread::Builder::new().name("counting".into()).spawn_scoped(scope, work).unwrap();
        }
        // What is read meanwhile is consistent: the reader compares `+Inf` with the count.
        for _ in 0..20 {
            strict::read(&metrics.encode());
        }
    });
    assert_eq!(value(&metrics, "x_total{a=\"even\"}"), 10_000.0);
    assert_eq!(value(&metrics, "x_total{a=\"odd\"}"), 10_000.0);
    assert_eq!(value(&metrics, "x_now"), 20_000.0);
    assert_eq!(value(&metrics, "x_sizes_count"), 20_000.0);
    assert_eq!(value(&metrics, "x_sizes_sum"), 20_000.0);
    assert_eq!(value(&metrics, "by_name_total"), 20_000.0);
}

/// A timer records what it returns, once, when it is stopped.
#[test]
fn a_timer_records_when_stopped() {
    let metrics = metrics();
    let seconds = metrics.histogram("x_seconds", "Help.", Buckets::seconds()).unwrap();
    drop(seconds.start_timer());
    assert_eq!(seconds.snapshot().count, 0);
    let elapsed: Duration = seconds.start_timer().stop();
    assert_eq!(seconds.snapshot().count, 1);
    assert_eq!(seconds.snapshot().sum, elapsed.as_secs_f64());
    let elapsed = metrics.timer("x_ms").stop();
    assert_eq!(seconds.snapshot().count, 2);
    assert!(seconds.snapshot().sum >= elapsed.as_secs_f64());
}

#[test]
fn what_is_no_number_does_not_spoil_a_sum() {
    let metrics = metrics();
    let sizes = metrics.histogram("x_sizes", "Help.", Buckets::amounts()).unwrap();
    for value in [1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0] {
        sizes.observe(value);
    }
    assert_eq!((sizes.snapshot().count, sizes.snapshot().sum), (2, 3.0));
}

/// The observer may use the metrics that report to it.
#[test]
fn an_observer_may_record() {
    let metrics = metrics();
    let inner = metrics.clone();
    let metrics = metrics.with_observer(move |_| {
        inner.record_counter("events", 1);
        inner.record_counter("event.größe", 1);
    });
    metrics.record_counter("größe", 1);
    assert_eq!(value(&metrics, "events_total"), 2.0);
}

#[test]
fn a_new_observer_takes_the_place_of_the_old() {
    let (metrics, old) = observed(Config::default());
    let metrics: Metrics = metrics.with_observer(|_| {});
    metrics.record_counter("größe", 1);
    assert_eq!(reports(&old), [""; 0]);
}
