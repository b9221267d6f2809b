use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::history::{History, Transition};
use crate::shared::locked;
use crate::{Kind, State};

/// Something that the host may want to log or count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A check changed its state. Reported once per change, in the order of the changes.
    Transition {
        /// The name of the check.
        check: Arc<str>,
        /// How it comes by its state.
        kind: Kind,
        /// What it was.
        from: State,
        /// What it is.
        to: State,
        /// Why, unless all is well.
        reason: Option<Arc<str>>,
    },
    /// A run of a check took more than half of its timeout, or was cut at the timeout.
    SlowCheck {
        /// The name of the check.
        check: Arc<str>,
        /// How long the run took.
        latency: Duration,
        /// How long it may take.
        timeout: Duration,
        /// Whether it was cut.
        timed_out: bool,
    },
}

type Observer = dyn Fn(&Event) + Send + Sync;

/// Events on their way to the observer: in order, and never while a lock of ours is held, so that
/// an observer may ask and tell this crate whatever it likes.
#[derive(Default)]
pub(crate) struct Events(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    observer: Option<Arc<Observer>>,
    waiting: VecDeque<Event>,
    history: History,
    delivering: bool,
}

impl Events {
    pub(crate) fn observe(&self, observer: Arc<Observer>) {
        locked(&self.0).observer = Some(observer);
    }

    pub(crate) fn push(&self, event: Event) {
        let mut queue = locked(&self.0);
        queue.history.keep(&event);
        if queue.observer.is_some() {
            queue.waiting.push_back(event);
        }
    }

    pub(crate) fn history(&self) -> Vec<Transition> {
        locked(&self.0).history.to_vec()
    }

    /// Hands over what waits. One thread at a time does so; the others leave it their events.
    pub(crate) fn deliver(&self) {
        let mut queue = locked(&self.0);
        if queue.delivering {
            return;
        }
        while let Some(event) = queue.waiting.pop_front() {
            queue.delivering = true;
            let observer = queue.observer.clone();
            drop(queue);
            // A probe does not fail because a logger does. The panic hook has told of it.
            let _ = catch_unwind(AssertUnwindSafe(|| observer.map(|observer| observer(&event))));
            queue = locked(&self.0);
        }
        queue.delivering = false;
    }
}
