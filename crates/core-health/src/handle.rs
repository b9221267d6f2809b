use std::fmt;
use std::sync::Arc;

use core_types::Status;
use serde_json::Value;

use crate::entry::{Entry, Latest, Now};
use crate::shared::Shared;

pub(crate) struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) entry: Arc<Entry>,
}

impl Handle {
    fn tell(&self, status: Status, reason: Option<Arc<str>>) {
        self.change(|latest, now| latest.hear(status, reason, now));
    }

    fn change(&self, change: impl FnOnce(&mut Latest, Now)) {
        self.shared.change(&self.entry, change);
    }

    /// What was watched has gone. While the service stops that is as it should be.
    fn lose(&self, reason: &str) {
        if !self.shared.now().stopping {
            self.tell(Status::Unhealthy, Some(reason.into()));
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.name.fmt(f)
    }
}

/// A part of the service that tells by itself how it is doing.
///
/// Made by [`Health::component`](crate::Health::component). Not ready before it was first told;
/// what it was told holds until it is told otherwise, undamped. Dropped, it is unhealthy, because
/// nobody is left to tell; not so while the service stops, when it keeps what it was told last.
#[must_use = "dropped, it shows as unhealthy"]
#[derive(Debug)]
pub struct Component(pub(crate) Handle);

impl Component {
    /// Tells how it is doing, and why.
    pub fn update(&self, status: Status, reason: Option<&str>) {
        self.0.tell(status, reason.map(Into::into));
    }

    /// All is well.
    pub fn healthy(&self) {
        self.update(Status::Healthy, None);
    }

    /// It works, but somebody should look.
    pub fn degraded(&self, reason: &str) {
        self.update(Status::Degraded, Some(reason));
    }

    /// It does not work.
    pub fn unhealthy(&self, reason: &str) {
        self.update(Status::Unhealthy, Some(reason));
    }

    /// Sets a figure in the answers. **Every caller sees it**: nothing that is not public belongs here.
    ///
    /// It stays until it is set anew.
    pub fn set_data(&self, key: impl Into<String>, value: impl Into<Value>) {
        self.0.change(|latest, _| latest.set_data(key.into(), value.into()));
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.0.lose("its handle was dropped");
    }
}

/// One thing that has to be done before the service has started.
///
/// Made by [`Health::latch`](crate::Health::latch). Dropped without a release, because the start
/// failed or forgot it, it is unhealthy for ever.
#[must_use = "dropped without a release, the service never becomes ready"]
#[derive(Debug)]
pub struct Latch {
    handle: Handle,
    released: bool,
}

impl Latch {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, released: false }
    }

    /// It is done.
    pub fn release(mut self) {
        self.released = true;
        self.handle.tell(Status::Healthy, None);
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        if !self.released {
            self.handle.lose("its handle was dropped before it was released");
        }
    }
}

/// A loop that shows that it still turns.
///
/// Made by [`Health::heartbeat`](crate::Health::heartbeat). Its making counts as the first beat.
/// Dropped, it is unhealthy, because the loop has ended; not so while the service stops.
#[must_use = "dropped, it shows as unhealthy, and the service will be restarted"]
#[derive(Debug)]
pub struct Heartbeat(pub(crate) Handle);

impl Heartbeat {
    /// Still here. Costs about a tenth of a microsecond.
    pub fn beat(&self) {
        self.0.tell(Status::Healthy, None);
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.lose("its handle was dropped");
    }
}
