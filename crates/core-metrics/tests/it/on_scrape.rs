use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use core_metrics::Config;

use crate::{metrics, observed, promtool, reports, strict, value};

#[test]
fn values_are_those_of_the_moment() {
    let metrics = metrics();
    let uptime = Arc::new(AtomicU64::new(1));
    let now = Arc::clone(&uptime);
    metrics.collect_with("uptime", move |samples| {
        let seconds = now.load(Ordering::Relaxed) as f64;
        samples.counter("uptime_seconds_total", "Since the start.", &[], seconds);
    });
    assert_eq!(value(&metrics, "uptime_seconds_total"), 1.0);
    uptime.store(2, Ordering::Relaxed);
    assert_eq!(value(&metrics, "uptime_seconds_total"), 2.0);
}

/// MET-3: several closures and calls make one family, and none can spoil the text.
#[test]
fn families_are_whole() {
    let (metrics, reported) = observed(Config::default());
    metrics.gauge("registered", "Help.").unwrap();
    metrics.gauge_family("other", "Help.", ["a"]).unwrap();
    metrics.record_counter("by.name", 1);
    metrics.collect_with("one", |samples| {
        samples.gauge("x", "Help.", &[("b", "1"), ("a", "2")], 1.0);
        samples.gauge("registered", "Help.", &[("a", "1")], 9.0);
        samples.gauge("other", "Help.", &[("a", "1")], 9.0);
        samples.counter("by_name_total", "Help.", &[], 9.0);
        samples.gauge("y", "Help.", &[], 1.0);
    });
    metrics.collect_with("two", |samples| {
        samples.gauge("x", "Other help.", &[("a", "3"), ("b", "1")], 2.0);
        samples.gauge("x", "Help.", &[("a", "2"), ("b", "1")], 9.0);
        samples.gauge("x_ms", "Help.", &[], 9.0);
        samples.gauge("z", "", &[], 9.0);
        samples.gauge("z", "Help.", &[("le", "1")], 9.0);
        samples.counter("y_total", "Help.", &[], 9.0);
    });
    let text = metrics.encode();
    let read = strict::read(&text);
    assert_eq!(read["x"].help, "Help.");
    assert_eq!(read["x"].samples.iter().map(|(.., value)| value).sum::<f64>(), 3.0);
    assert!(
        !read.contains_key("z") && !read.contains_key("other") && !read.contains_key("y_total")
    );
    assert_eq!(value(&metrics, "registered"), 0.0);
    promtool::check(&text);

    assert_eq!(metrics.encode().lines().count(), text.lines().count());
    let mut reported = reports(&reported);
    reported.sort();
    let expected = [
        "metric `by_name_total` clashes with `by_name_total`: that one is registered",
        "metric `other` clashes with `other`: that one is registered",
        "metric `registered` clashes with `registered`: that one is registered",
        "metric `x` was produced twice with the same labels",
        "metric `y_total` clashes with `y`: both would take the same names",
        "metric `z` needs a help text that is not blank",
        "metric name `x_ms` is not allowed: `b`, `d`",
    ];
    // Of the two reasons for which `z` is refused, the first is reported.
    assert_eq!(reported.len(), expected.len(), "{reported:#?}");
    for (reported, expected) in reported.iter().zip(expected) {
        assert!(reported.starts_with(expected), "{reported}, not {expected}");
    }
}

/// What is produced on scrape cannot be registered later.
#[test]
fn produced_names_are_taken() {
    let metrics = metrics();
    metrics.collect_with("one", |samples| samples.gauge("x", "Help.", &[], 1.0));
    metrics.encode();
    let error = metrics.gauge("x", "Help.").unwrap_err().to_string();
    assert_eq!(error, "metric `x` clashes with `x`: that one is produced on scrape");
    assert!(metrics.counter("x_total", "Help.").is_err());
}

#[test]
fn a_second_closure_of_a_name_takes_the_place_of_the_first() {
    let metrics = metrics();
    metrics.collect_with("one", |samples| samples.gauge("x", "Help.", &[], 1.0));
    metrics.collect_with("one", |samples| samples.gauge("x", "Help.", &[], 2.0));
    metrics.build_info("mira", "1.0.0");
    metrics.build_info("mira", "1.0.1");
    metrics.process();
    metrics.process();
    assert_eq!(value(&metrics, "x"), 2.0);
    assert_eq!(value(&metrics, "build_info{name=\"mira\",version=\"1.0.1\"}"), 1.0);
    assert!(!metrics.encode().contains("1.0.0"));
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"clash\"}"), 0.0);
}

/// A closure may use the metrics it produces for; one that panics takes no other down.
#[test]
fn foreign_code_cannot_take_the_scrape_down() {
    let (metrics, reported) = observed(Config::default());
    let inner = metrics.clone();
    metrics.collect_with("broken", |samples| {
        samples.gauge("before", "Help.", &[], 1.0);
        panic!("on purpose");
    });
    metrics.collect_with("busy", move |samples| {
        inner.record_counter("scrapes", 1);
        inner.gauge("registered_late", "Help.").unwrap().set(5.0);
        samples.gauge("after", "Help.", &[], 1.0);
    });
    strict::read(&metrics.encode());
    assert_eq!(value(&metrics, "before"), 1.0);
    assert_eq!(value(&metrics, "after"), 1.0);
    assert_eq!(value(&metrics, "registered_late"), 5.0);
    assert_eq!(value(&metrics, "scrapes_total"), 5.0);
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"panic\"}"), 6.0);
    assert_eq!(reports(&reported), ["the producer `broken` panicked"]);
}

/// MET-2: the label budget holds for what is produced on scrape, and the budget for names too.
#[test]
fn what_is_produced_is_bounded() {
    let mut config = Config::default();
    config.label_budget = 5;
    config.name_budget = 5;
    let (metrics, reported) = observed(config);
    metrics.collect_with("wide", |samples| {
        for n in 0..8 {
            samples.gauge("x", "Help.", &[("n", &n.to_string())], 1.0);
            samples.gauge(&format!("y{n}"), "Help.", &[], 1.0);
        }
    });
    let read = strict::read(&metrics.encode());
    assert_eq!(read["x"].series(), 5);
    assert_eq!(read.keys().filter(|name| name.starts_with('y')).count(), 4);
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"budget\"}"), 14.0);
    let reported = reports(&reported);
    assert_eq!(reported.len(), 5);
    assert!(reported.contains(&"metric `x` was produced with more than 5 label sets".to_owned()));
}
