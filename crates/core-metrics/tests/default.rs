//! The one default of a process, in a process of its own.

use core_metrics::{
    Config, Error, Metrics, Timer, install_default, record_counter, record_gauge, record_histogram,
    timer,
};

/// MET-1: the free functions of the founding documents, on a default that `main` installs.
#[test]
fn the_default_is_what_main_installs() {
    let record = || {
        record_counter("dht.requests.total", 1);
        record_gauge("dht.peers.active", 42.0);
        record_histogram("dht.request.duration_ms", 15.3);
        let timer = Timer::new("operation.duration_ms");
        timer.stop();
    };
    record();
    timer("operation.duration_ms").stop();

    let metrics = Metrics::new(Config::default());
    install_default(metrics.clone()).unwrap();
    record();
    let second = install_default(Metrics::new(Config::default()));
    assert!(matches!(second, Err(Error::DefaultInstalled)));
    record();
    timer("operation.duration_ms").stop();

    let text = metrics.encode();
    for line in [
        "dht_requests_total 2",
        "dht_peers_active 42",
        "dht_request_duration_seconds_count 2",
        "operation_duration_seconds_count 3",
    ] {
        assert!(text.lines().any(|l| l == line), "no {line} in\n{text}");
    }
}
