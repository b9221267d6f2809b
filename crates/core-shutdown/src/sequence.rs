//! The stop itself: phase by phase, each step in its time.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout_at};

use crate::callback::Callback;
use crate::shutdown::{Shared, Trigger};
use crate::{Event, Order, Phase, Report, StepOutcome, StepReport};

/// How often it is told what the stop waits for.
const TELL: Duration = Duration::from_secs(1);
/// What flips a switch needs no more.
const SWITCH: Duration = Duration::from_secs(1);

pub(crate) struct Sequence<'s> {
    shared: &'s Shared,
    trigger: Trigger,
    /// When everything but the flush must be over.
    soft_deadline: Instant,
    deadline: Instant,
    steps: Vec<StepReport>,
}

impl<'s> Sequence<'s> {
    pub(crate) fn new(shared: &'s Shared, trigger: Trigger) -> Self {
        let deadline = trigger.at + shared.config.timeout.get();
        let soft_deadline = deadline - shared.config.flush_reserve.get();
        Self { shared, trigger, soft_deadline, deadline, steps: Vec::new() }
    }

    /// The whole stop, in its order.
    pub(crate) async fn stop(mut self, mut phases: Phases) -> Report {
        self.shared.report(&Event::Began { reason: &self.trigger.reason });
        self.one_by_one(Phase::Unready, phases.take(Phase::Unready)).await;
        self.propagate(phases.take(Phase::Propagation)).await;
        self.one_by_one(Phase::Close, phases.take(Phase::Close)).await;
        self.drain(phases.take(Phase::Drain)).await;
        self.callbacks(phases.take(Phase::Callbacks)).await;
        self.flush(phases.take(Phase::Flush)).await;
        self.finish()
    }

    fn finish(self) -> Report {
        self.shared.enter(Phase::Stopped);
        let duration = self.trigger.at.elapsed();
        Report { reason: self.trigger.reason, steps: self.steps, duration }
    }

    async fn one_by_one(&mut self, phase: Phase, callbacks: Vec<Callback>) {
        self.shared.enter(phase);
        for callback in callbacks {
            let step = self.step(callback, SWITCH, self.soft_deadline).await;
            self.steps.push(step);
        }
    }

    /// One after the other, or one priority after the other.
    async fn callbacks(&mut self, callbacks: Vec<Callback>) {
        self.shared.enter(Phase::Callbacks);
        let most = self.shared.config.callback_timeout.get();
        let are_together = self.shared.order == Order::Together;
        let mut callbacks = callbacks.into_iter().peekable();
        while let Some(first) = callbacks.next() {
            let priority = first.priority;
            let mut group = vec![first];
            while let Some(next) =
                callbacks.next_if(|next| are_together && next.priority == priority)
            {
                group.push(next);
            }
            let work = group.into_iter().map(|c| self.step(c, most, self.soft_deadline));
            let steps = join_all(work).await;
            self.steps.extend(steps);
        }
    }

    /// The delay is served in full; what is done meanwhile may take longer.
    async fn propagate(&mut self, callbacks: Vec<Callback>) {
        self.shared.enter(Phase::Propagation);
        let until = self.trigger.at + self.shared.config.propagation_delay.get();
        let delay = async {
            if self.trigger.is_delayed {
                sleep_until(until.min(self.soft_deadline)).await;
            }
        };
        // What hangs here must not keep the listener open for ever.
        let config = &self.shared.config;
        let most = config.propagation_delay.get() + config.callback_timeout.get();
        let work = join_all(callbacks.into_iter().map(|c| self.step(c, most, self.soft_deadline)));
        let (steps, ()) = tokio::join!(work, delay);
        self.steps.extend(steps);
    }

    /// Requests in flight end, and connections with them.
    async fn drain(&mut self, mut callbacks: Vec<Callback>) {
        self.shared.enter(Phase::Drain);
        let in_flight = self.shared.in_flight.clone();
        let requests = move || async move {
            in_flight.idle().await;
            Ok(())
        };
        let priority = crate::Priority::default();
        callbacks.insert(0, Callback::new("requests".into(), Phase::Drain, priority, requests));
        let most = self.shared.config.drain_timeout.get();
        // Time for a callback is left, whatever the requests do.
        let kept = self.shared.config.callback_timeout.get();
        let deadline =
            self.soft_deadline.checked_sub(kept).filter(|deadline| *deadline > Instant::now());
        let deadline = deadline.unwrap_or(self.soft_deadline);
        let steps = join_all(callbacks.into_iter().map(|c| self.step(c, most, deadline))).await;
        self.steps.extend(steps);
    }

    /// The reserve is untouched by whatever came before.
    async fn flush(&mut self, callbacks: Vec<Callback>) {
        self.shared.enter(Phase::Flush);
        for callback in callbacks {
            let most = self.deadline.saturating_duration_since(Instant::now());
            let step = self.step(callback, most, self.deadline).await;
            self.steps.push(step);
        }
    }

    /// One step, in its own time and never past the deadline.
    async fn step(&self, callback: Callback, most: Duration, deadline: Instant) -> StepReport {
        let began = Instant::now();
        let limit = (began + most).min(deadline);
        let (name, phase) = (callback.name.clone(), callback.phase);
        let priority = (phase == Phase::Callbacks).then_some(callback.priority);
        let (outcome, error) = if limit <= began {
            (StepOutcome::Skipped, None)
        } else {
            let number = self.shared.begin_step(&name);
            let result = self.told(timeout_at(limit, self.isolated(callback)), &name).await;
            self.shared.end_step(number);
            match result {
                Ok(Ok(())) => (StepOutcome::Done, None),
                Ok(Err(error)) => (StepOutcome::Failed, Some(error)),
                Err(_) => (StepOutcome::TimedOut, None),
            }
        };
        let step = StepReport { name, phase, priority, outcome, duration: began.elapsed(), error };
        self.shared.report(&Event::Ended { step: &step });
        step
    }

    /// The work as a task of its own, if there is somebody to run it.
    async fn isolated(&self, callback: Callback) -> Result<(), String> {
        let is_foreign = matches!(callback.phase, Phase::Propagation | Phase::Callbacks);
        let Some(spawn) = self.shared.spawner().filter(|_| is_foreign) else {
            return callback.run().await;
        };
        let (mut done, result) = oneshot::channel();
        spawn(Box::pin(async move {
            let outcome = tokio::select! {
                outcome = callback.run() => outcome,
                // Nobody waits any more: its time is over.
                () = done.closed() => return,
            };
            let _ = done.send(outcome);
        }));
        result.await.unwrap_or_else(|_| Err("was dropped before it ended".into()))
    }

    /// Tells every second what is waited for.
    async fn told<F: Future>(&self, work: F, name: &str) -> F::Output {
        let mut tick = interval_at(Instant::now() + TELL, TELL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                output = &mut work => return output,
                _ = tick.tick() => self.shared.report(&Event::Waiting {
                    name,
                    in_flight: self.shared.in_flight.count(),
                    left: self.deadline.saturating_duration_since(Instant::now()),
                }),
            }
        }
    }
}

/// What is to be done, by phase.
pub(crate) struct Phases(Vec<Callback>);

impl Phases {
    /// Callbacks by priority, and among equals in their order.
    pub(crate) fn by_priority(callbacks: Vec<Callback>, order: Order) -> Self {
        let Self(mut callbacks) = match order {
            Order::Reverse => Self::reversed(callbacks),
            Order::Registration | Order::Together => Self(callbacks),
        };
        callbacks.sort_by_key(|callback| {
            (callback.phase == Phase::Callbacks).then_some(callback.priority)
        });
        Self(callbacks)
    }

    /// Callbacks in the reverse of the order in which they were registered; the host's own steps
    /// keep theirs.
    pub(crate) fn reversed(callbacks: Vec<Callback>) -> Self {
        let (mut reversed, mut own): (Vec<_>, Vec<_>) =
            callbacks.into_iter().partition(|callback| callback.phase == Phase::Callbacks);
        reversed.reverse();
        own.append(&mut reversed);
        Self(own)
    }

    fn take(&mut self, phase: Phase) -> Vec<Callback> {
        self.0.extract_if(.., |callback| callback.phase == phase).collect()
    }
}
