//! What a stop costs by the number of what it stops, beside a bare `JoinSet` and
//! `tokio-graceful-shutdown`, in one run. Timed is the stop alone, from its beginning to its report.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark is no API, and fails if it must")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use core_shutdown::{BoxError, Config, Order, Outcome, Priority, Reason, Runner};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinSet, yield_now};
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

const NUMBERS: [usize; 4] = [1, 100, 1_000, 10_000];
/// Past it the peer takes too long to be measured.
const SUBSYSTEMS: usize = 1_000;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn spawning() -> Runner {
    let runtime = Handle::current();
    Runner::new(Config::default()).unwrap().with_spawner(move |work| {
        runtime.spawn(work);
    })
}

async fn stopped(runner: Runner) -> Duration {
    let begin = Instant::now();
    runner.shutdown().trigger_at_once(Reason::Requested);
    let report = runner.run().await;
    let time = begin.elapsed();
    assert_eq!(report.outcome(), Outcome::Clean);
    time
}

async fn callbacks(runner: Runner, number: usize) -> Duration {
    let shutdown = runner.shutdown();
    for name in 0..number {
        shutdown.on_stop(name.to_string(), Priority::MEDIUM, async || Ok(())).unwrap();
    }
    stopped(runner).await
}

async fn bare_callbacks(number: usize) -> Duration {
    let begin = Instant::now();
    let mut set = JoinSet::new();
    for _ in 0..number {
        set.spawn(async { Ok::<(), BoxError>(()) });
    }
    assert!(set.join_all().await.iter().all(Result::is_ok));
    begin.elapsed()
}

/// Waits until so many tasks have come to their place of waiting.
async fn ready(waiting: &AtomicUsize, number: usize) {
    while waiting.load(Ordering::Acquire) < number {
        yield_now().await;
    }
}

async fn tasks(number: usize) -> Duration {
    let runner = spawning();
    let shutdown = runner.shutdown();
    let waiting = Arc::new(AtomicUsize::new(0));
    for _ in 0..number {
        let (mut stopping, waiting) = (shutdown.stopping(), Arc::clone(&waiting));
        let in_flight = shutdown.in_flight().guard();
        Handle::current().spawn(async move {
            waiting.fetch_add(1, Ordering::Release);
            stopping.reason().await;
            drop(in_flight);
        });
    }
    ready(&waiting, number).await;
    stopped(runner).await
}

async fn bare_tasks(number: usize) -> Duration {
    let (stop, stopping) = watch::channel(false);
    let waiting = Arc::new(AtomicUsize::new(0));
    let mut set = JoinSet::new();
    for _ in 0..number {
        let (mut stopping, waiting) = (stopping.clone(), Arc::clone(&waiting));
        set.spawn(async move {
            waiting.fetch_add(1, Ordering::Release);
            stopping.wait_for(|stop| *stop).await.map(drop)
        });
    }
    ready(&waiting, number).await;
    let begin = Instant::now();
    stop.send_replace(true);
    assert!(set.join_all().await.iter().all(Result::is_ok));
    begin.elapsed()
}

async fn subsystems(number: usize) -> Duration {
    let (sender, begun) = tokio::sync::oneshot::channel();
    let top = async move |top: &mut SubsystemHandle| {
        let waiting = Arc::new(AtomicUsize::new(0));
        for name in 0..number {
            let waiting = Arc::clone(&waiting);
            let subsystem = async move |subsystem: &mut SubsystemHandle| {
                waiting.fetch_add(1, Ordering::Release);
                subsystem.on_shutdown_requested().await;
                Ok::<(), BoxError>(())
            };
            top.start(SubsystemBuilder::new(name.to_string(), subsystem));
        }
        ready(&waiting, number).await;
        sender.send(Instant::now()).unwrap();
        top.request_shutdown();
    };
    let stopped = Toplevel::<BoxError>::new(top).handle_shutdown_requests(Duration::from_secs(60));
    stopped.await.unwrap();
    begun.await.unwrap().elapsed()
}

fn measure<F: Future<Output = Duration>>(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    most: usize,
    stop: impl Fn(usize) -> F,
) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group(group);
    group.sample_size(20).measurement_time(Duration::from_secs(3));
    for number in NUMBERS.into_iter().filter(|number| *number <= most) {
        group.bench_function(BenchmarkId::new(name, number), |bencher| {
            bencher.iter_custom(|rounds| {
                runtime.block_on(async {
                    let mut time = Duration::ZERO;
                    for _ in 0..rounds {
                        time += stop(number).await;
                    }
                    time
                })
            });
        });
    }
    group.finish();
}

fn all(criterion: &mut Criterion) {
    let all = usize::MAX;
    measure(criterion, "callbacks", "bare JoinSet", all, bare_callbacks);
    measure(criterion, "callbacks", "in order, without tasks", all, |number| {
        callbacks(Runner::new(Config::default()).unwrap(), number)
    });
    measure(criterion, "callbacks", "in order, as tasks", all, |number| {
        callbacks(spawning(), number)
    });
    measure(criterion, "callbacks", "together, as tasks", all, |number| {
        callbacks(spawning().with_order(Order::Together), number)
    });
    measure(criterion, "tasks", "bare JoinSet", all, bare_tasks);
    measure(criterion, "tasks", "core-shutdown", all, tasks);
    measure(criterion, "tasks", "tokio-graceful-shutdown", SUBSYSTEMS, subsystems);
}

criterion_group!(benches, all);
criterion_main!(benches);
