use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::{Duration as Written, panic_message};
use futures_util::future::{BoxFuture, Either, FutureExt as _, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::config::Timing;
use crate::entry::Entry;
use crate::shared::{Shared, locked};
use crate::{Event, Report};

/// How soon the observer hears of what changes by the passing of time alone. A reader never waits
/// for it: every look tells the state of that moment.
const LOOK: Duration = Duration::from_secs(1);

/// A check that has to be run.
pub(crate) struct Check {
    pub(crate) entry: Arc<Entry>,
    timing: Timing,
    run: Box<dyn Fn() -> BoxFuture<'static, Report> + Send + Sync>,
    /// Kept here and not in the future that runs it, so that a run that was cut short is not made
    /// up for before its time.
    next: Mutex<Instant>,
}

impl Check {
    pub(crate) fn new(
        entry: Arc<Entry>,
        timing: Timing,
        run: Box<dyn Fn() -> BoxFuture<'static, Report> + Send + Sync>,
        first: Instant,
    ) -> Self {
        Self { entry, timing, run, next: Mutex::new(first) }
    }

    /// One run, which ends in time and in no panic.
    async fn run(&self, shared: &Shared) {
        let Timing { timeout: limit, interval, .. } = self.timing;
        let started = Instant::now();
        *locked(&self.next) = started + interval;
        // Inside one guarded block: the call that makes the future, its polls, and its drop.
        let run = async { timeout(limit, async { (self.run)().await }).await };
        let outcome = AssertUnwindSafe(run).catch_unwind().await;
        let latency = started.elapsed();
        let timed_out = matches!(outcome, Ok(Err(_)));
        let report = match outcome {
            Ok(Ok(report)) => report,
            Ok(Err(_)) => Report::unhealthy(format!("timed out after {}", Written::from(limit))),
            Err(panic) => Report::unhealthy(format!("panicked: {}", panic_message(&*panic))),
        };
        if latency > limit / 2 {
            let check = Arc::clone(&self.entry.name);
            shared.events.push(Event::SlowCheck { check, latency, timeout: limit, timed_out });
        }
        shared.change(&self.entry, |latest, now| {
            latest.hear(report.status, report.reason, now);
            latest.measure(latency, report.data);
        });
    }

    async fn run_for_ever(&self, shared: &Shared) -> Infallible {
        loop {
            let next = *locked(&self.next);
            sleep_until(next).await;
            self.run(shared).await;
        }
    }
}

/// Runs every check there is and will be.
pub(crate) async fn run(shared: &Shared) {
    let _the_only_one = shared.running.lock().await;
    let look = async {
        loop {
            shared.look();
            sleep(LOOK).await;
        }
    };
    let mut known = 0;
    let mut running = FuturesUnordered::from_iter([look.boxed()]);
    loop {
        let arrived = pin!(shared.arrived.notified());
        for check in shared.checks_after(known) {
            known += 1;
            running.push(async move { check.run_for_ever(shared).await }.boxed());
        }
        if let Either::Right((Some(never), _)) = select(arrived, running.next()).await {
            match never {}
        }
    }
}
