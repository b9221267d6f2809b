use std::thread;

use core_metrics::{Buckets, Config};

use crate::{metrics, observed, promtool, reports, strict, value};

/// MET-2: a hundred thousand paths leave the number of series constant, and nothing is lost.
#[test]
fn a_hundred_thousand_paths() {
    let (metrics, reported) = observed(Config::default());
    let requests = metrics.counter_family("requests_total", "Help.", ["method", "path"]).unwrap();
    let before = value(&metrics, "metrics_series_overflow_total{metric=\"requests_total\"}");
    assert_eq!(before, 0.0);
    for n in 0..100_000 {
        requests.with(["GET", &format!("/users/{n}")]).increment();
    }
    // Those that are there stay themselves.
    requests.with(["GET", "/users/0"]).increment();

    let text = metrics.encode();
    let family = &strict::read(&text)["requests_total"];
    assert_eq!(family.series(), 2000);
    assert_eq!(family.samples.iter().map(|(.., value)| value).sum::<f64>(), 100_001.0);
    assert_eq!(value(&metrics, "requests_total{method=\"GET\",path=\"/users/0\"}"), 2.0);
    let overflow = "requests_total{method=\"__overflow__\",path=\"__overflow__\"}";
    assert_eq!(value(&metrics, overflow), 98_001.0);
    let counted = value(&metrics, "metrics_series_overflow_total{metric=\"requests_total\"}");
    assert_eq!(counted, 98_001.0);
    let expected = ["SeriesOverflow { metric: \"requests_total\", budget: 2000 }"];
    assert_eq!(reports(&reported), expected);
    promtool::check(&text);
}

/// MET-2: the budget holds whatever threads do.
#[test]
fn threads_share_the_budget() {
    let mut config = Config::default();
    config.label_budget = 50;
    let (metrics, reported) = observed(config);
    let family = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            let family = family.clone();
            let work = move || {
                (0..2000).for_each(|n| family.with([&n.to_string()]).increment());
            };
            thread::Builder::new().name("counting".into()).spawn_scoped(scope, work).unwrap();
        }
    });
    let read = strict::read(&metrics.encode());
    assert_eq!(read["x_total"].series(), 50);
    assert_eq!(read["x_total"].samples.iter().map(|(.., value)| value).sum::<f64>(), 8000.0);
    assert_eq!(reports(&reported).len(), 1);
}

/// MET-2: the budget can be another, for one metric too; gauges and histograms have it as well.
#[test]
fn budgets_are_settings() {
    let mut config = Config::default();
    config.label_budget = 3;
    config.label_budgets.insert("wide".into(), 5);
    config.label_budgets.insert("none".into(), 0);
    let (metrics, _) = observed(config);
    let usual = metrics.histogram_family("usual", "Help.", ["a"], Buckets::default()).unwrap();
    let wide = metrics.gauge_family("wide", "Help.", ["a"]).unwrap();
    let none = metrics.gauge_family("none", "Help.", ["a"]).unwrap();
    for value in ["1", "2", "3", "4", "5", "6", "7"] {
        usual.with([value]).observe(1.0);
        wide.with([value]).set(1.0);
        none.with([value]).set(1.0);
    }
    let read = strict::read(&metrics.encode());
    assert_eq!(read["usual"].series(), 3);
    assert_eq!(value(&metrics, "usual_count{a=\"__overflow__\"}"), 5.0);
    assert_eq!(read["wide"].series(), 5);
    assert_eq!(read["none"].series(), 1);
    assert_eq!(value(&metrics, "none{a=\"__overflow__\"}"), 1.0);
}

/// MET-2: somebody who sends the overflow series' own value does not make a second one.
#[test]
fn the_overflow_value_can_be_sent() {
    let mut config = Config::default();
    config.label_budget = 3;
    let (metrics, _) = observed(config);
    let family = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    for value in ["__overflow__", "1", "2", "3", "__overflow__"] {
        family.with([value]).increment();
    }
    let read = strict::read(&metrics.encode());
    assert_eq!(read["x_total"].series(), 2);
    assert_eq!(value(&metrics, "x_total{a=\"__overflow__\"}"), 4.0);
}

/// Label values are keys as they are: the library joins them, so that these two would be one.
#[test]
fn label_values_are_not_joined() {
    let metrics = metrics();
    let family = metrics.counter_family("x_total", "Help.", ["a", "b"]).unwrap();
    family.with(["ab", "c"]).add(1);
    family.with(["a", "bc"]).add(2);
    family.with(["abc", ""]).add(3);
    assert_eq!(value(&metrics, "x_total{a=\"ab\",b=\"c\"}"), 1.0);
    assert_eq!(value(&metrics, "x_total{a=\"a\",b=\"bc\"}"), 2.0);
    assert_eq!(value(&metrics, "x_total{a=\"abc\",b=\"\"}"), 3.0);
}

/// A value is cut at 256 bytes, between characters.
#[test]
fn long_values_are_cut() {
    let metrics = metrics();
    let family = metrics.counter_family("x_total", "Help.", ["a"]).unwrap();
    let long = format!("x{}", "é".repeat(200));
    family.with([&long]).increment();
    family.with([&format!("{long}more")]).increment();
    family.with([&"y".repeat(256)]).increment();
    metrics.collect_with("long", move |samples| {
        samples.gauge("sampled", "Help.", &[("a", &long)], 1.0);
    });
    let expected = format!("x{}", "é".repeat(127));
    assert_eq!(value(&metrics, &format!("x_total{{a=\"{expected}\"}}")), 2.0);
    assert_eq!(value(&metrics, &format!("x_total{{a=\"{}\"}}", "y".repeat(256))), 1.0);
    assert_eq!(value(&metrics, &format!("sampled{{a=\"{expected}\"}}")), 1.0);
}
