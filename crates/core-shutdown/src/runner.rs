use std::fmt;
use std::sync::Arc;

use crate::sequence::{Phases, Sequence};
use crate::shutdown::{Shared, Trigger};
use crate::{BoxFuture, Config, Error, Event, Order, Reason, Report, Shutdown};

/// Makes a stop, and does it when its time has come: once, for it is used up by that.
///
/// It belongs to the host alone. Everybody else gets the [`Shutdown`], which can register and
/// begin, and can take nobody's callbacks.
pub struct Runner(Shutdown);

impl Runner {
    /// Prepares a stop; nothing happens yet.
    ///
    /// # Errors
    /// [`Error::Budget`] if the phases do not fit the deadline, or that the grace period.
    pub fn new(config: Config) -> Result<Self, Error> {
        config.validate()?;
        Ok(Self(Shutdown(Arc::new(Shared::new(config)))))
    }

    /// Reports what happens during the stop.
    ///
    /// # Panics
    /// If [`shutdown`](Self::shutdown) was called already.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.shared().observer = Some(Box::new(observer));
        self
    }

    /// Runs each callback, and each step of the propagation phase, as a task of its own, so that
    /// one that blocks holds up nobody else. The closure starts a future and returns at once, as
    /// `tokio::spawn` does. The steps of other phases are the host's own and run inside
    /// [`run`](Self::run), as all do by default; there they must not block.
    ///
    /// # Panics
    /// If [`shutdown`](Self::shutdown) was called already.
    #[must_use]
    pub fn with_spawner(mut self, spawn: impl Fn(BoxFuture<()>) + Send + Sync + 'static) -> Self {
        self.shared().spawner = Some(Box::new(spawn));
        self
    }

    /// Says in which order callbacks of one priority run.
    ///
    /// # Panics
    /// If [`shutdown`](Self::shutdown) was called already.
    #[must_use]
    pub fn with_order(mut self, order: Order) -> Self {
        self.shared().order = order;
        self
    }

    fn shared(&mut self) -> &mut Shared {
        Arc::get_mut(&mut self.0.0).expect("configured before it is given out")
    }

    /// What components register with, and what begins the stop.
    pub fn shutdown(&self) -> Shutdown {
        self.0.clone()
    }

    /// Waits for the trigger, stops the service, and reports.
    ///
    /// # Cancel safety
    /// Dropped before the trigger it has done nothing; dropped later, the stop is left half done.
    pub async fn run(self) -> Report {
        let trigger = self.0.stopping().triggered().await;
        let shared = &self.0.0;
        Sequence::new(shared, trigger).stop(Phases::by_priority(shared.take(), shared.order)).await
    }

    /// Stops what a start that failed half-way, or was interrupted, had started: exactly that, its
    /// callbacks in the reverse order of their registration, without delay.
    pub async fn unwind(self, cause: impl Into<String>) -> Report {
        self.0.trigger_at_once(Reason::Failed { cause: cause.into() });
        let trigger = Trigger { is_delayed: false, ..self.0.stopping().triggered().await };
        let shared = &self.0.0;
        Sequence::new(shared, trigger).stop(Phases::reversed(shared.take())).await
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Runner").field(&self.0).finish()
    }
}
