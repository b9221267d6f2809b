use core_metrics::{Buckets, Metrics};
use http::{Method, Request, StatusCode};
use proptest::prelude::*;

use crate::{metrics, promtool, strict};

/// One of everything.
fn everything() -> Metrics {
    let metrics = metrics();
    let requests = metrics.counter_family("requests_total", "Requests.", ["method", "status"]);
    let requests = requests.unwrap();
    requests.with(["GET", "200"]).add(3);
    requests.with(["POST", "503"]).increment();
    metrics.gauge("temperature_celsius", "How warm it is,\nin the \\ \"room\".").unwrap().set(-1.5);
    let buckets = Buckets::new([0.1, 1.0]);
    let durations = metrics.histogram_family("d_seconds", "Durations.", ["route"], buckets);
    let durations = durations.unwrap();
    durations.with(["/"]).observe(0.05);
    durations.with(["/"]).observe(0.1);
    durations.with(["/"]).observe(7.0);
    metrics.gauge_family("unused", "A family without series is not exposed.", ["a"]).unwrap();
    metrics.record_counter("network.bytes.sent", 512);
    metrics.build_info_with("mira", "1.2.3", &[("revision", "abc")]);
    metrics.collect_with("health", |samples| {
        for check in ["queue", "db"] {
            samples.gauge("check_passing", "State.", &[("check", check)], 1.0);
        }
    });
    metrics
}

/// MET-3: the text, in full.
#[test]
fn the_whole_text() {
    let text = everything().encode();
    expect_test::expect![[r#"
        # HELP build_info What is running. Always 1.
        # TYPE build_info gauge
        build_info{name="mira",revision="abc",version="1.2.3"} 1
        # HELP check_passing State.
        # TYPE check_passing gauge
        check_passing{check="db"} 1
        check_passing{check="queue"} 1
        # HELP d_seconds Durations.
        # TYPE d_seconds histogram
        d_seconds_bucket{route="/",le="0.1"} 2
        d_seconds_bucket{route="/",le="1"} 2
        d_seconds_bucket{route="/",le="+Inf"} 3
        d_seconds_sum{route="/"} 7.15
        d_seconds_count{route="/"} 3
        # HELP metrics_refused_total Times that something was not recorded, by reason.
        # TYPE metrics_refused_total counter
        metrics_refused_total{reason="budget"} 0
        metrics_refused_total{reason="clash"} 0
        metrics_refused_total{reason="invalid"} 0
        metrics_refused_total{reason="panic"} 0
        # HELP metrics_series_overflow_total Times that a metric's overflow series stood in for a new one.
        # TYPE metrics_series_overflow_total counter
        metrics_series_overflow_total{metric="d_seconds"} 0
        metrics_series_overflow_total{metric="requests_total"} 0
        metrics_series_overflow_total{metric="unused"} 0
        # HELP network_sent_bytes_total Recorded by name as `network.bytes.sent`.
        # TYPE network_sent_bytes_total counter
        network_sent_bytes_total 512
        # HELP requests_total Requests.
        # TYPE requests_total counter
        requests_total{method="GET",status="200"} 3
        requests_total{method="POST",status="503"} 1
        # HELP temperature_celsius How warm it is,\nin the \\ "room".
        # TYPE temperature_celsius gauge
        temperature_celsius -1.5
    "#]]
    .assert_eq(&text);
    promtool::check(&text);
}

/// MET-3: with everything built in.
#[test]
fn promtool_accepts_everything() {
    let metrics = everything();
    metrics.process();
    promtool::check(&metrics.encode());
}

/// MET-3: the answer to a scrape.
#[test]
fn a_scrape_is_answered() {
    let metrics = everything();
    let respond = |method: Method| {
        let request = Request::builder().method(method).uri("/metrics").body(()).unwrap();
        metrics.respond(&request.into_parts().0)
    };
    let get = respond(Method::GET);
    assert_eq!(get.status(), StatusCode::OK);
    assert_eq!(get.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(get.headers()["content-length"], get.body().len().to_string().as_str());
    assert_eq!(get.headers()["cache-control"], "no-store");
    assert_eq!(get.body(), metrics.encode().as_bytes());

    let head = respond(Method::HEAD);
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers(), get.headers());
    assert!(head.body().is_empty());

    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let refused = respond(method);
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refused.headers()["allow"], "GET, HEAD");
        assert!(refused.body().is_empty());
    }
}

/// MET-3: special numbers are spelled as the format does.
#[test]
fn special_numbers() {
    let metrics = metrics();
    let family = metrics.gauge_family("x", "The letters inf", ["a"]).unwrap();
    family.with(["plus inf"]).set(f64::INFINITY);
    family.with(["minus -inf"]).set(f64::NEG_INFINITY);
    family.with(["none"]).set(f64::NAN);
    family.with(["tiny"]).set(1e-300);
    family.with(["great"]).set(1e300);
    let text = metrics.encode();
    assert!(text.contains("# HELP x The letters inf\n"));
    assert!(text.contains("x{a=\"plus inf\"} +Inf\n"));
    assert!(text.contains("x{a=\"minus -inf\"} -Inf\n"));
    let read = strict::read(&text);
    let value = |label: &str| {
        let mut samples = read["x"].samples.iter();
        samples.find(|(_, labels, _)| labels["a"] == label).unwrap().2
    };
    assert!(value("none").is_nan());
    assert_eq!(value("tiny"), 1e-300);
    assert_eq!(value("great"), 1e300);
    promtool::check(&text);
}

#[track_caller]
fn check_label(value: &str) {
    let metrics = metrics();
    metrics.gauge_family("x", "Help.", ["a"]).unwrap().with([value]).set(1.0);
    let owned = value.to_owned();
    metrics.collect_with("y", move |s| s.gauge("y", "Help.", &[("a", &owned)], 1.0));
    let read = strict::read(&metrics.encode());
    assert_eq!(read["x"].samples[0].1["a"], value);
    assert_eq!(read["y"].samples[0].1["a"], value);
}

/// MET-3: label values come back as they were.
#[test]
fn label_values_are_escaped() {
    for value in [
        "",
        "\n",
        "\"",
        "\\",
        "\\n",
        "a\nb\"c\\d",
        "größe ✓ 日本 🦀",
        "\r\t\0",
        "x\"} 1\ny 2",
        "},{",
    ] {
        check_label(value);
    }
}

/// MET-3: help texts come back as they were.
#[test]
fn help_texts_are_escaped() {
    let metrics = metrics();
    let help = "a\nb\\c \"d\" \\n größe";
    metrics.gauge("x", help).unwrap();
    assert_eq!(strict::read(&metrics.encode())["x"].help, help);
}

proptest! {
    /// MET-3: whatever a label value is.
    #[test]
    fn any_label_value_comes_back(value in "(\\PC|[\n\"\\\\]){0,40}") {
        check_label(&value);
    }
}
