#![cfg(target_os = "linux")]

use std::fs::File;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{metrics, promtool, strict, value};

/// MET-4: the process' own figures, by the names that every Prometheus client gives them.
#[test]
fn the_process_shows_itself() {
    let metrics = metrics();
    metrics.process();
    let read = strict::read(&metrics.encode());
    let names = read.keys().filter(|name| name.starts_with("process_"));
    let expected = [
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_threads",
        "process_virtual_memory_bytes",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    promtool::check(&metrics.encode());

    let resident = value(&metrics, "process_resident_memory_bytes");
    assert!(resident > 500e3, "{resident}");
    assert!(value(&metrics, "process_virtual_memory_bytes") >= resident);
    assert!(value(&metrics, "process_threads") >= 1.0);
    assert!(value(&metrics, "process_cpu_seconds_total") < 3600.0);
    let _open = File::open("/proc/self/stat").unwrap();
    let open = value(&metrics, "process_open_fds");
    assert!((1.0..=value(&metrics, "process_max_fds")).contains(&open), "{open}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let age = now - value(&metrics, "process_start_time_seconds");
    // The kernel gives the time of boot in whole seconds.
    assert!((-2.0..3600.0).contains(&age), "{age}");
}

/// MET-4: work takes processor time.
#[test]
fn processor_time_grows() {
    let metrics = metrics();
    metrics.process();
    let used = || value(&metrics, "process_cpu_seconds_total");
    let start = used();
    // Reading is work enough: each round encodes and reads five files.
    while used() < start + 0.02 {}
}
