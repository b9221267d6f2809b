//! How long a probe takes while checks hang and many ask at once: each of 64 callers on a thread of
//! its own, beside the 50 checks that run meanwhile, ten of which never end.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints or fails")]

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use core_health::{Config, Health, Report};
use tokio::runtime::Builder;

const CHECKS: usize = 50;
const HUNG: usize = 10;
const CALLERS: usize = 64;
const PROBES: usize = 2_000;
/// So that many runs begin, are cut and end while the callers ask.
const INTERVAL: Duration = Duration::from_millis(100);

fn main() {
    // `cargo test --benches` asks whether this runs at all.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let probes = if is_measured { PROBES } else { 2 };
    let mut config = Config::default();
    (config.interval, config.timeout) = (INTERVAL.into(), (INTERVAL / 2).into());
    let health = Health::new(config, "1.2.3").unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    for number in 0..CHECKS {
        let runs = Arc::clone(&runs);
        let run = move || {
            runs.fetch_add(1, Ordering::Relaxed);
            async move {
                if number < HUNG {
                    pending::<()>().await;
                }
                Report::healthy().with_data("number", number)
            }
        };
        health.check(&format!("check-{number}"), run).unwrap();
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let running = runtime.handle().spawn(health.run());
    let begin = Instant::now();
    let component = health.component("component").unwrap();
    let (nothing, tell) = (|| (), || component.healthy());
    let cases: [(&str, bool, &(dyn Fn() + Sync), usize); 6] = [
        ("nothing told", false, &nothing, 1),
        ("nothing told", false, &nothing, CALLERS),
        ("told each time", false, &tell, 1),
        ("told each time", false, &tell, CALLERS),
        ("with reasons", true, &nothing, 1),
        ("with reasons", true, &nothing, CALLERS),
    ];
    for (name, details, before, callers) in cases {
        let mut times = ask(&health, (details, before), callers, probes);
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!(
            "{callers:2} at once, {name:14}: {:6} probes, median {:.1?}, p99 {:.1?}, longest {:.1?}",
            times.len(),
            at(50),
            at(99),
            at(100),
        );
    }
    let intervals = begin.elapsed().as_secs_f64() / INTERVAL.as_secs_f64();
    let most = (intervals + 2.0) * CHECKS as f64;
    let runs = runs.load(Ordering::Relaxed);
    println!("{runs} runs of {CHECKS} checks in {intervals:.1} intervals");
    assert!(runs as f64 <= most, "callers caused runs");
    running.abort();
}

/// How long each probe took, with reasons or without; before each, and not counted, something happens.
fn ask(
    health: &Health,
    (details, before): (bool, &(dyn Fn() + Sync)),
    callers: usize,
    probes: usize,
) -> Vec<Duration> {
    let barrier = Barrier::new(callers);
    let caller = || {
        let (parts, ()) = http::Request::get("/health/ready").body(()).unwrap().into_parts();
        barrier.wait();
        let probe = || {
            before();
            let begin = Instant::now();
            assert!(!health.respond(&parts, details).unwrap().body().is_empty());
            let time = begin.elapsed();
            // Callers come and go; they do not ask without end.
            thread::yield_now();
            time
        };
        (0..probes).map(|_| probe()).collect::<Vec<_>>()
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..callers).map(|_| scope.spawn(caller)).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}
