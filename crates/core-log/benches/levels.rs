//! What it costs an event, on two threads, that its level can be changed while the process runs:
//! `tracing-subscriber`'s `reload::Layer` beside the same filter without it, in front of a layer that
//! does nothing; and whole lines of ours, while levels stay and while they change a thousand times a
//! second. And what a scope costs.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on fails")]

use std::hint::black_box;
use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use core_log::{Config, Level, Logging, Options};
use core_types::Scope;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use tracing::{Dispatch, Event, Subscriber, dispatcher, info};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::{Registry, reload};

/// A layer that does nothing, so that what is left is the way to it.
struct Nothing;

impl<S: Subscriber> Layer<S> for Nothing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        black_box(event);
    }
}

fn targets() -> Targets {
    "info,hyper=warn".parse().unwrap()
}

/// Half of the events on each of two threads.
fn on_two_threads(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, of: &Dispatch) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|times| {
            let half = || {
                dispatcher::with_default(of, || {
                    (0..times / 2).for_each(|_| info!(attempt = black_box(3), "event"));
                });
            };
            let begun = Instant::now();
            std::thread::scope(|threads| {
                threads.spawn(half);
                half();
            });
            begun.elapsed()
        });
    });
}

fn filters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("filter");
    let fixed = Dispatch::new(Registry::default().with(targets()).with(Nothing));
    on_two_threads(&mut group, "targets", &fixed);
    let (filter, _handle) = reload::Layer::new(targets());
    let reloaded = Dispatch::new(Registry::default().with(filter).with(Nothing));
    on_two_threads(&mut group, "reload", &reloaded);

    let (logging, layer) = Logging::layer(Options::new().with_destination(io::sink())).unwrap();
    let mut config = Config::default();
    config.level = "info,hyper=warn".parse().unwrap();
    logging.configure(&config);
    let ours = Dispatch::new(Registry::default().with(layer));
    on_two_threads(&mut group, "whole lines of ours", &ours);
    let (end, is_over) = channel::<()>();
    std::thread::scope(|threads| {
        let logging = &logging;
        threads.spawn(move || {
            while is_over.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
                logging.set_level(Some("hyper"), Level::DEBUG, Duration::from_secs(60)).unwrap();
                logging.reset_level(Some("hyper"));
            }
        });
        on_two_threads(&mut group, "whole lines of ours, levels change", &ours);
        drop(end);
    });
    group.finish();
}

fn scopes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scope");
    let _outer = Scope::root().with_agent_id("planner").enter();
    let scope = Scope::child();
    group.bench_function("enter", |bencher| bencher.iter(|| scope.clone().enter()));
    group.bench_function("make and enter", |bencher| {
        bencher.iter(|| Scope::child().with_field("attempt", black_box("2")).enter());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = filters, scopes
}
criterion_main!(benches);
