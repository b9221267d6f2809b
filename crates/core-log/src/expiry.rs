use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use crate::Error;
use crate::logging::Core;

/// The thread's name.
const NAME: &str = "log-levels";

/// Ends changes of levels when their time has come: a thread that exists only from the first such
/// change on.
#[derive(Default)]
pub(crate) struct Expiry {
    state: Arc<(Mutex<State>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    next: Option<Instant>,
    is_closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Expiry {
    /// Sees to it that the levels are looked at when the next change ends.
    pub(crate) fn schedule(&self, core: Weak<Core>, next: Option<Instant>) -> Result<(), Error> {
        let (state, changed) = &*self.state;
        lock(state).next = next;
        changed.notify_all();
        let mut thread = lock(&self.thread);
        if next.is_some() && thread.is_none() {
            let state = Arc::clone(&self.state);
            let handle = Builder::new()
                .name(NAME.into())
                .spawn(move || run(&state, &core))
                .map_err(|source| Error::Thread { name: NAME, source })?;
            *thread = Some(handle);
        }
        Ok(())
    }

    pub(crate) fn close(&self) {
        let (state, changed) = &*self.state;
        lock(state).is_closed = true;
        changed.notify_all();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }
}

fn run((mutex, changed): &(Mutex<State>, Condvar), core: &Weak<Core>) {
    let mut state = lock(mutex);
    while !state.is_closed {
        let now = Instant::now();
        match state.next {
            Some(next) if next <= now => {
                state.next = None;
                drop(state);
                let Some(core) = core.upgrade() else { return };
                let next = core.expire_levels(now);
                state = lock(mutex);
                state.next = next;
            }
            Some(next) => {
                let waited = changed.wait_timeout(state, next - now);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            None => state = changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }
}
