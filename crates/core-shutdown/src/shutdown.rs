use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::callback::Callback;
use crate::{BoxError, BoxFuture, Config, Error, Event, InFlight, Order, Phase, Priority, Reason};

type Observer = Box<dyn Fn(&Event<'_>) + Send + Sync>;
type Spawner = Box<dyn Fn(BoxFuture<()>) + Send + Sync>;

/// The stop of a service: what is to be done, in which order, in which time. Cheap to clone; all
/// clones are one.
///
/// Components register what they need at the end; [`trigger`](Self::trigger) begins it, from
/// anywhere. A [`Runner`](crate::Runner) makes it, does it and reports.
#[derive(Clone)]
pub struct Shutdown(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) config: Config,
    state: Mutex<State>,
    pub(crate) in_flight: InFlight,
    trigger: watch::Sender<Option<Trigger>>,
    pub(crate) observer: Option<Observer>,
    pub(crate) spawner: Option<Spawner>,
    pub(crate) order: Order,
}

struct State {
    /// In the order in which they were registered; taken when the stop begins.
    callbacks: Option<Vec<Callback>>,
    phase: Phase,
    /// By the number of the step, so that the end of one costs the same however many run.
    running: BTreeMap<u64, String>,
    steps: u64,
}

/// What began the stop, and when.
#[derive(Clone, Debug)]
pub(crate) struct Trigger {
    pub(crate) reason: Reason,
    pub(crate) at: Instant,
    pub(crate) is_delayed: bool,
}

/// How far a stop has come.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The phase.
    pub phase: Phase,
    /// Requests in flight.
    pub in_flight: usize,
    /// The time until the deadline; none while no stop has begun.
    pub left: Option<Duration>,
    /// The steps that run now.
    pub running: Vec<String>,
}

impl Shutdown {
    /// Counts work in flight, for which the stop waits.
    pub fn in_flight(&self) -> &InFlight {
        &self.0.in_flight
    }

    /// Registers something to do when the service stops, by priority; among equals the first
    /// registered runs first, unless
    /// [`Runner::with_order`](crate::Runner::with_order) says otherwise. It gets the time that
    /// `callback_timeout` allows, and not more than is left.
    ///
    /// A failure or a panic stops no other callback. When its time is over the future is dropped.
    ///
    /// # Errors
    /// [`Error::Stopping`] if the stop has begun.
    pub fn on_stop<F>(
        &self,
        name: impl Into<String>,
        priority: Priority,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.register(Callback::new(name.into(), Phase::Callbacks, priority, work))
    }

    /// Registers a step of another phase: what flips readiness, closes listeners, drains
    /// connections, or writes telemetry out. Those of the phases [`Phase::Propagation`] and
    /// [`Phase::Drain`] run at the same time, those of others one after the other.
    ///
    /// # Errors
    /// [`Error::Stopping`] if the stop has begun.
    ///
    /// # Panics
    /// If the phase is [`Phase::Running`] or [`Phase::Stopped`], in which nothing runs.
    pub fn at<F>(
        &self,
        phase: Phase,
        name: impl Into<String>,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        assert!(!matches!(phase, Phase::Running | Phase::Stopped), "nothing runs in this phase");
        self.register(Callback::new(name.into(), phase, Priority::default(), work))
    }

    fn register(&self, callback: Callback) -> Result<(), Error> {
        match &mut self.0.lock().callbacks {
            Some(callbacks) => {
                callbacks.push(callback);
                Ok(())
            }
            None => Err(Error::Stopping { name: callback.name }),
        }
    }

    /// Begins the stop; whether this call did, for a stop begins once.
    pub fn trigger(&self, reason: Reason) -> bool {
        self.begin(reason, true)
    }

    /// Begins the stop without the propagation delay: for a person at a terminal, behind whom
    /// there is no balancer.
    pub fn trigger_at_once(&self, reason: Reason) -> bool {
        self.begin(reason, false)
    }

    fn begin(&self, reason: Reason, is_delayed: bool) -> bool {
        self.0.trigger.send_if_modified(|trigger| {
            let is_first = trigger.is_none();
            if is_first {
                *trigger = Some(Trigger { reason, at: Instant::now(), is_delayed });
            }
            is_first
        })
    }

    /// Resolves when the stop begins.
    pub fn stopping(&self) -> Stopping {
        Stopping(self.0.trigger.subscribe())
    }

    /// How far the stop has come.
    pub fn progress(&self) -> Progress {
        let left = self.0.trigger.borrow().as_ref().map(|trigger| {
            (trigger.at + self.0.config.timeout.get()).saturating_duration_since(Instant::now())
        });
        let state = self.0.lock();
        let in_flight = self.0.in_flight.count();
        Progress {
            phase: state.phase,
            in_flight,
            left,
            running: state.running.values().cloned().collect(),
        }
    }

    /// When everything must be over; none while no stop has begun.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.trigger.borrow().as_ref().map(|trigger| trigger.at + self.0.config.timeout.get())
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("progress", &self.progress()).finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            state: Mutex::new(State {
                callbacks: Some(Vec::new()),
                phase: Phase::Running,
                running: BTreeMap::new(),
                steps: 0,
            }),
            in_flight: InFlight::default(),
            trigger: watch::Sender::new(None),
            observer: None,
            spawner: None,
            order: Order::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take(&self) -> Vec<Callback> {
        self.lock().callbacks.take().unwrap_or_default()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.lock().phase = phase;
        self.report(&Event::Entered { phase });
    }

    /// Shows a step as running, until it is ended by the number that this returns.
    pub(crate) fn begin_step(&self, name: &str) -> u64 {
        let mut state = self.lock();
        let number = state.steps;
        state.steps += 1;
        state.running.insert(number, name.to_owned());
        number
    }

    pub(crate) fn end_step(&self, number: u64) {
        self.lock().running.remove(&number);
    }

    pub(crate) fn report(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            // Whatever becomes of the observer, the stop goes on.
            let _ = catch_unwind(AssertUnwindSafe(|| observer(event)));
        }
    }

    pub(crate) fn spawner(&self) -> Option<&(dyn Fn(BoxFuture<()>) + Send + Sync)> {
        self.spawner.as_deref()
    }
}

/// Waits for the beginning of a stop. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Receiver<Option<Trigger>>);

impl Stopping {
    /// Whether the stop has begun.
    pub fn has_begun(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until the stop begins, and tells why.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost if the future is dropped.
    pub async fn reason(&mut self) -> Reason {
        self.triggered().await.reason
    }

    pub(crate) async fn triggered(&mut self) -> Trigger {
        let begun = self.0.wait_for(Option::is_some).await.ok().and_then(|trigger| trigger.clone());
        match begun {
            Some(trigger) => trigger,
            // Nobody is left who could begin it.
            None => std::future::pending().await,
        }
    }
}
