//! Whether the app's runtime gets on: tasks that keep their worker, and a runtime that answers
//! nobody any more. Seen from the operators' thread, by what stable tokio tells.

use std::time::{Duration, Instant};

use core_health::{Health, Heartbeat};
use core_metrics::{Buckets, Histogram, Metrics};
use tokio::runtime::{Handle, RuntimeMetrics};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::outcome::milliseconds;
use crate::{Error, settings};

/// Under which name this is logged.
const LOG: &str = "core_app::runtime";

/// How often is looked; so exact are the durations.
const LOOK: Duration = Duration::from_millis(100);

/// Who looks so late was not running.
const SLEPT: Duration = Duration::from_secs(1);

/// Looks at a runtime from outside.
pub(crate) struct StallWatch {
    runtime: Handle,
    workers: Workers,
    heartbeat: Heartbeat,
    delay: Histogram,
    stalls: Histogram,
}

impl StallWatch {
    pub(crate) fn new(
        runtime: Handle,
        config: &settings::Runtime,
        health: &Health,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let refused = |source| Error::Build { component: "runtime", source };
        let histogram = |name, help| {
            metrics.histogram(name, help, Buckets::seconds()).map_err(|e| refused(e.into()))
        };
        let heartbeat = health.heartbeat("runtime", config.stall_limit.get());
        Ok(Self {
            workers: Workers::new(config.slow_poll.get()),
            heartbeat: heartbeat.map_err(|e| refused(e.into()))?,
            delay: histogram(
                "runtime_schedule_delay_seconds",
                "How long a task waits for a worker of the app.",
            )?,
            stalls: histogram(
                "runtime_worker_stall_seconds",
                "How long tasks kept a worker of the app that should have given it back.",
            )?,
            runtime,
        })
    }

    /// Looks for as long as it is polled.
    pub(crate) async fn run(mut self) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        let mut asked: Option<(Instant, tokio::task::JoinHandle<()>)> = None;
        loop {
            tick.tick().await;
            // A process that was itself stopped for a while knows nothing of its workers.
            if std::mem::replace(&mut looked, Instant::now()).elapsed() > SLEPT {
                self.workers.forget();
                self.heartbeat.beat();
            }
            let metrics = self.runtime.metrics();
            for stall in self.workers.look(Instant::now(), &samples(&metrics)) {
                self.tell(&stall);
            }
            // One question at a time: a runtime that is stuck is not asked ever more.
            let (since, mut answer) =
                asked.take().unwrap_or_else(|| (Instant::now(), self.runtime.spawn(async {})));
            match timeout(LOOK, &mut answer).await {
                Ok(_) => {
                    self.delay.observe(since.elapsed().as_secs_f64());
                    self.heartbeat.beat();
                }
                Err(_) => asked = Some((since, answer)),
            }
        }
    }

    fn tell(&self, stall: &Stall) {
        let (worker, blocked_ms) = (stall.worker, milliseconds(stall.duration));
        if stall.is_over {
            self.stalls.observe(stall.duration.as_secs_f64());
            tracing::warn!(target: LOG, worker, blocked_ms, "a task kept its worker too long; work that blocks belongs on spawn_blocking");
        } else {
            tracing::warn!(target: LOG, worker, blocked_ms, "a task keeps its worker");
        }
    }
}

/// What a worker tells: both change whenever it comes up for air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sample {
    /// Odd while it has nothing to do.
    parks: u64,
    busy: Duration,
}

fn samples(metrics: &RuntimeMetrics) -> Vec<Sample> {
    let sample = |worker| Sample {
        parks: metrics.worker_park_unpark_count(worker),
        busy: metrics.worker_total_busy_duration(worker),
    };
    (0..metrics.num_workers()).map(sample).collect()
}

/// A worker that was, or is, kept by one task.
#[derive(Debug, PartialEq, Eq)]
struct Stall {
    worker: usize,
    duration: Duration,
    is_over: bool,
}

/// All workers of a runtime as they were seen last.
struct Workers {
    limit: Duration,
    seen: Vec<Seen>,
}

struct Seen {
    sample: Sample,
    since: Instant,
    is_told: bool,
}

impl Workers {
    fn new(limit: Duration) -> Self {
        Self { limit, seen: Vec::new() }
    }

    fn forget(&mut self) {
        self.seen.clear();
    }

    fn look(&mut self, now: Instant, samples: &[Sample]) -> Vec<Stall> {
        let mut stalls = Vec::new();
        for (worker, &sample) in samples.iter().enumerate() {
            let Some(seen) = self.seen.get_mut(worker) else {
                self.seen.push(Seen { sample, since: now, is_told: false });
                continue;
            };
            let duration = now.duration_since(seen.since);
            let is_over = seen.sample != sample;
            let is_working = seen.sample.parks.is_multiple_of(2);
            if is_working && duration >= self.limit && (is_over || !seen.is_told) {
                stalls.push(Stall { worker, duration, is_over });
                seen.is_told = true;
            }
            if is_over {
                *seen = Seen { sample, since: now, is_told: false };
            }
        }
        stalls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Looks so many milliseconds after the beginning; gives the length of each stall, and whether it
    /// is over.
    fn look(
        workers: &mut Workers,
        began: Instant,
        at: u64,
        parks: u64,
        busy: u64,
    ) -> Vec<(u128, bool)> {
        let sample = Sample { parks, busy: Duration::from_millis(busy) };
        let stalls = workers.look(began + Duration::from_millis(at), &[sample]);
        stalls.iter().map(|stall| (stall.duration.as_millis(), stall.is_over)).collect()
    }

    /// HLT-1: a worker that does not come up for air is told while it does not, and when it has.
    #[test]
    fn a_stall_is_told_twice() {
        let (mut workers, began) = (Workers::new(SECOND), Instant::now());
        let mut look = |at, parks, busy| look(&mut workers, began, at, parks, busy);
        // Idle for long, then at work.
        assert_eq!(look(0, 1, 0), []);
        assert_eq!(look(5000, 1, 0), []);
        assert_eq!(look(5100, 2, 0), []);
        assert_eq!(look(6000, 2, 0), []);
        assert_eq!(look(6100, 2, 0), [(1000, false)]);
        assert_eq!(look(7000, 2, 0), []);
        assert_eq!(look(7100, 3, 2000), [(2000, true)]);
        // Busy for long, but with pauses.
        for round in 0..50 {
            assert_eq!(look(8000 + round * 100, 4, 2000 + round * 100), []);
        }
    }

    /// HLT-1: what was seen before the whole process slept is no stall.
    #[test]
    fn a_sleep_of_the_process_is_no_stall() {
        let (mut workers, began) = (Workers::new(SECOND), Instant::now());
        assert_eq!(look(&mut workers, began, 0, 2, 0), []);
        workers.forget();
        assert_eq!(look(&mut workers, began, 9000, 2, 0), []);
        assert_eq!(look(&mut workers, began, 10_000, 2, 0), [(1000, false)]);
    }
}
