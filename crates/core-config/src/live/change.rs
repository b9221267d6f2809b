use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Refusal, subscriber::Subscriber};

/// Who takes part in changes, and how far these are. Held for moments, never while foreign code
/// runs, so that a subscriber that hangs holds up nobody.
pub(super) struct Changes<T>(Mutex<State<T>>);

pub(super) struct State<T> {
    pub(super) subscribers: Arc<Vec<Arc<Subscriber<T>>>>,
    /// The number of the change that was begun last.
    begun: u64,
    /// No change up to this number can be made any more: it was, or a later one was first.
    settled: u64,
    /// Who is being asked, by the number of the change.
    asked: BTreeMap<u64, &'static str>,
}

impl<T> Changes<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            subscribers: Arc::default(),
            begun: 0,
            settled: 0,
            asked: BTreeMap::new(),
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.0)
    }

    /// Begins a change, which comes after all that were begun before.
    pub(super) fn begin(&self) -> Ticket<'_, T> {
        let mut state = self.lock();
        state.begun += 1;
        Ticket { changes: self, number: state.begun }
    }
}

impl<T> State<T> {
    /// Whatever was begun before now cannot be made any more.
    pub(super) fn settle_all(&mut self) {
        self.settled = self.begun;
    }

    /// Whether it is too late for a change.
    pub(super) fn is_settled(&self, ticket: &Ticket<'_, T>) -> bool {
        self.settled >= ticket.number
    }

    /// Those who are being asked, and whose answers still count.
    pub(super) fn waiting(&self) -> Vec<&'static str> {
        self.asked.range(self.settled + 1..).map(|(_, name)| *name).collect()
    }
}

/// A change that was begun.
pub(super) struct Ticket<'c, T> {
    changes: &'c Changes<T>,
    number: u64,
}

impl<T> Ticket<'_, T> {
    /// Notes who is asked now.
    pub(super) fn asks(&self, name: &'static str) {
        self.changes.lock().asked.insert(self.number, name);
    }

    /// Settles the change. If a later one came first, or it was given up, it is too late for it.
    pub(super) fn settle(&self, state: &mut State<T>) -> Result<(), Refusal> {
        state.asked.remove(&self.number);
        if state.is_settled(self) {
            return Err(Refusal::too_late());
        }
        state.settled = self.number;
        Ok(())
    }
}

impl<T> Drop for Ticket<'_, T> {
    fn drop(&mut self) {
        self.changes.lock().asked.remove(&self.number);
    }
}

/// A panic while a lock was held has left nothing half done here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
