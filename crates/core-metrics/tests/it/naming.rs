use core_metrics::{Buckets, Config};
use proptest::prelude::*;

use crate::{metrics, observed, promtool, reports, strict, value};

/// Each name of the founding documents with a value, and the sample that it must become.
const COUNTERS: [(&str, &str); 16] = [
    ("crdt.or_set.add", "crdt_or_set_add_total 3"),
    ("crdt.or_set.remove", "crdt_or_set_remove_total 3"),
    ("crdt.or_set.merge", "crdt_or_set_merge_total 3"),
    ("dht.requests.total", "dht_requests_total 3"),
    ("dht.requests.success", "dht_requests_success_total 3"),
    ("dht.requests.failed", "dht_requests_failed_total 3"),
    ("store.operations.total", "store_operations_total 3"),
    ("store.operations.read", "store_operations_read_total 3"),
    ("store.operations.write", "store_operations_write_total 3"),
    ("network.messages.sent", "network_messages_sent_total 3"),
    ("network.messages.received", "network_messages_received_total 3"),
    ("network.bytes.sent", "network_sent_bytes_total 3"),
    ("network.bytes.received", "network_received_bytes_total 3"),
    ("mls.proposals.created", "mls_proposals_created_total 3"),
    ("mls.commits.created", "mls_commits_created_total 3"),
    ("mls.messages.encrypted", "mls_messages_encrypted_total 3"),
];
const GAUGES: [(&str, f64, &str); 9] = [
    ("crdt.or_set.size", 7.0, "crdt_or_set_size 7"),
    ("dht.peers.active", 42.0, "dht_peers_active 42"),
    ("dht.peers.total", 50.0, "dht_peers_known 50"),
    ("store.size.bytes", 4096.0, "store_size_bytes 4096"),
    ("store.tombstones.count", 5.0, "store_tombstones 5"),
    ("system.memory.used_bytes", 1e6, "system_memory_used_bytes 1000000"),
    ("system.cpu.usage_percent", 57.0, "system_cpu_usage_ratio 0.57"),
    ("system.threads.count", 8.0, "system_threads 8"),
    ("system.uptime_seconds", 1.5, "system_uptime_seconds 1.5"),
];
const HISTOGRAMS: [(&str, f64, &str); 3] = [
    ("crdt.or_set.merge.duration_ms", 2.0, "crdt_or_set_merge_duration_seconds_sum 0.002"),
    ("dht.request.duration_ms", 15.0, "dht_request_duration_seconds_sum 0.015"),
    ("network.latency_ms", 250.0, "network_latency_seconds_sum 0.25"),
];

/// MET-1: every name of the founding documents, all of them together.
#[test]
fn the_founding_documents_names() {
    let (metrics, reported) = observed(Config::default());
    for (name, _) in COUNTERS.into_iter().chain([("mls.messages.decrypted", "")]) {
        metrics.record_counter(name, 1);
        metrics.record_counter(name, 2);
    }
    for (name, value, _) in GAUGES {
        metrics.record_gauge(name, -1.0);
        metrics.record_gauge(name, value);
    }
    for (name, value, _) in HISTOGRAMS {
        metrics.record_histogram(name, value);
    }
    metrics.timer("operation.duration_ms").stop();

    let text = metrics.encode();
    let counters = COUNTERS.iter().map(|(_, line)| line);
    let gauges = GAUGES.iter().map(|(.., line)| line);
    let histograms = HISTOGRAMS.iter().map(|(.., line)| line);
    let others = ["mls_messages_decrypted_total 3", "operation_duration_seconds_count 1"];
    for line in counters.chain(gauges).chain(histograms).chain(&others) {
        assert!(text.lines().any(|l| l == *line), "no {line} in\n{text}");
    }
    assert_eq!(reports(&reported), [""; 0]);
    // One family for each name, and two about the metrics themselves.
    assert_eq!(strict::read(&text).len(), 17 + 9 + 3 + 1 + 1, "{text}");
    promtool::check(&text);
}

/// MET-1: units become base units, and values with them.
#[test]
fn units_are_converted() {
    let metrics = metrics();
    metrics.record_gauge("a.duration_us", 1500.0);
    metrics.record_gauge("b.duration.ns", 1500.0);
    metrics.record_gauge("c.kept.days", 2.0);
    metrics.record_gauge("d.kib.used", 2.0);
    metrics.record_gauge("e.bytes_per_second", 2.0);
    metrics.record_gauge("f.pool.min", 2.0);
    metrics.record_counter("g.cpu_ms", 1500);
    metrics.record_counter("h.requests.count", 1);
    metrics.record_gauge("inFlight requests/now", 1.0);
    metrics.record_histogram("i.sizes.total", 3.0);
    for (sample, expected) in [
        ("a_duration_seconds", 0.0015),
        ("b_duration_seconds", 0.000_001_5),
        ("c_kept_seconds", 172_800.0),
        ("d_used_bytes", 2048.0),
        ("e_bytes_per_second", 2.0),
        ("f_pool_min", 2.0),
        ("g_cpu_seconds_total", 1.5),
        ("h_requests_total", 1.0),
        ("in_flight_requests_now", 1.0),
        ("i_sizes_sum", 3.0),
    ] {
        assert_eq!(value(&metrics, sample), expected, "{sample}");
    }
    promtool::check(&metrics.encode());
}

/// MET-1: what would become one with another, or is of two types, is refused; once it is reported,
/// and every time it is counted.
#[test]
fn clashes_are_refused() {
    let (metrics, reported) = observed(Config::default());
    metrics.record_counter("x.y", 1);
    metrics.record_gauge("store.size.bytes", 1.0);
    metrics.record_histogram("latency_ms", 1.0);
    for _ in 0..3 {
        metrics.record_counter("x_y.total", 10);
        metrics.record_gauge("x.y", 10.0);
        metrics.record_gauge("xY", 10.0);
        metrics.record_gauge("x.y.created", 10.0);
        metrics.record_counter("latency", 10);
        metrics.record_gauge("latency.seconds", 10.0);
        metrics.record_histogram("latency_us", 10.0);
        metrics.timer("store.size.bytes").stop();
    }
    let expected = [
        "metric `x_y.total` clashes with `x.y`: both would be exposed under one name",
        "metric `x.y` clashes with `x.y`: it is in use for another type",
        "metric `xY` clashes with `x_y_total`: both would take the same names, those of samples \
         included",
        "metric `x.y.created` clashes with `x_y_total`: both would take the same names, those of \
         samples included",
        "metric `latency.seconds` clashes with `latency_seconds`: that one is of another type",
        "metric `latency_us` clashes with `latency_ms`: both would be exposed under one name",
        "metric `store.size.bytes` clashes with `store.size.bytes`: it is in use for another type",
    ];
    assert_eq!(reports(&reported), expected);
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"clash\"}"), 7.0 * 3.0);
    assert_eq!(value(&metrics, "x_y_total"), 1.0);
    assert_eq!(value(&metrics, "latency_total"), 30.0);
    assert_eq!(value(&metrics, "latency_seconds_sum"), 0.001);
    promtool::check(&metrics.encode());
}

/// MET-1: a name that cannot be exposed fails nobody.
#[test]
fn names_that_are_not_allowed_are_refused() {
    let (metrics, reported) = observed(Config::default());
    for _ in 0..2 {
        metrics.record_gauge("", 1.0);
        metrics.record_gauge("größe", 1.0);
        metrics.record_counter("total", 1);
        metrics.record_gauge("9.lives", 1.0);
        metrics.record_gauge("tank.fahrenheit", 1.0);
        metrics.record_histogram("db.query", 1.0);
        metrics.timer("db.query").stop();
    }
    let expected = [
        "metric name `` is not allowed: lower-case letters, digits and `_`, a letter first, at most \
         200 bytes",
        "metric name `größe` is not allowed: letters, digits, and any of `._-/: `",
        "metric name `total` is not allowed: lower-case letters, digits and `_`, a letter first, at \
         most 200 bytes",
        "metric name `9.lives` is not allowed: lower-case letters, digits and `_`, a letter first, \
         at most 200 bytes",
        "metric name `tank.fahrenheit` is not allowed: units are base units, such as `seconds`, \
         `bytes` and `ratio`",
        "metric name `db.query` is not allowed: a timer's name has a unit of time, such as \
         `_seconds` or `_ms`",
    ];
    assert_eq!(reports(&reported), expected);
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"invalid\"}"), 12.0);
    assert_eq!(value(&metrics, "db_query_count"), 2.0);
    promtool::check(&metrics.encode());
}

/// MET-1: a metric can be recorded both ways.
#[test]
fn a_registered_metric_can_be_recorded_by_name() {
    let metrics = metrics();
    let buckets = Buckets::new([0.01, 0.1]);
    let help = "How long a request takes.";
    let typed = metrics.histogram("dht_request_duration_seconds", help, buckets).unwrap();
    metrics.record_histogram("dht.request.duration_ms", 15.3);
    assert_eq!(typed.snapshot().count, 1);
    assert_eq!(typed.snapshot().buckets, [(0.01, 0), (0.1, 1)]);

    metrics.record_counter("dht.requests.total", 2);
    assert!(metrics.encode().contains("Recorded by name as `dht.requests.total`."));
    let typed = metrics.counter("dht_requests_total", "Requests sent.").unwrap();
    typed.increment();
    assert_eq!(typed.get(), 3);
    assert!(metrics.encode().contains("# HELP dht_requests_total Requests sent.\n"));

    let unit = metrics.counter("spent_seconds_total", "Time spent.").unwrap();
    metrics.record_counter("spent_ms", 1500);
    assert_eq!(unit.get(), 0, "an integer of seconds cannot hold milliseconds");
    metrics.record_counter("spent.seconds", 15);
    assert_eq!(unit.get(), 15);
}

/// MET-1: names are bounded too, for one that has an id in it.
#[test]
fn names_have_a_budget() {
    let mut config = Config::default();
    config.name_budget = 10;
    let (metrics, reported) = observed(config);
    for id in 0..1000 {
        metrics.record_counter(&format!("user.{id}.requests"), 1);
    }
    let text = metrics.encode();
    assert_eq!(text.matches("# TYPE user_").count(), 10);
    assert_eq!(value(&metrics, "metrics_refused_total{reason=\"budget\"}"), 990.0);
    let reported = reports(&reported);
    assert_eq!(reported.len(), 10);
    let expected = "metric `user.10.requests` is one more than the 10 that may be made by name";
    assert_eq!(reported[0], expected);
}

proptest! {
    /// MET-1: no name makes it panic, and none spoils what is exposed.
    #[test]
    fn any_name_leaves_the_exposition_valid(
        names in proptest::collection::vec("[a-c]{1,2}([._ ](total|count|ms|bytes|created|A)){0,2}|\\PC{0,8}", 1..20)
    ) {
        let metrics = metrics();
        for name in &names {
            metrics.record_counter(name, 1);
            metrics.record_gauge(name, 1.0);
            metrics.record_histogram(name, 1.0);
            metrics.timer(name).stop();
        }
        strict::read(&metrics.encode());
    }
}
