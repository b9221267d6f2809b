use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use crate::Error;
use crate::logging::Core;
use crate::writer::join;

/// The thread's name.
const NAME: &str = "log-timer";

/// Ends changes of levels and tells of lines that were one too many, when their time has come: a
/// thread that exists only while there is something to wait for.
#[derive(Default)]
pub(crate) struct Timer {
    state: Arc<(Mutex<State>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct State {
    next: Option<Instant>,
    is_running: bool,
    is_closed: bool,
}

impl State {
    /// Of two moments, the earlier one counts: whoever comes late must not put off the other.
    fn wake_at(&mut self, next: Option<Instant>) {
        self.next = self.next.into_iter().chain(next).min();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Timer {
    /// Sees to it that the log looks at what is due at this moment.
    pub(crate) fn schedule(&self, core: Weak<Core>, next: Option<Instant>) -> Result<(), Error> {
        let mut thread = lock(&self.thread);
        let (mutex, changed) = &*self.state;
        let mut state = lock(mutex);
        state.wake_at(next);
        if !state.is_running && !state.is_closed {
            let shared = Arc::clone(&self.state);
            let handle = Builder::new()
                .name(NAME.into())
                .spawn(move || run(&shared, &core))
                .map_err(|source| Error::Thread { name: NAME, source })?;
            state.is_running = true;
            drop(state);
            // The one before has ended.
            join(thread.replace(handle));
        }
        changed.notify_all();
        Ok(())
    }

    pub(crate) fn close(&self) {
        let (state, changed) = &*self.state;
        lock(state).is_closed = true;
        changed.notify_all();
        let thread = lock(&self.thread).take();
        join(thread);
    }
}

fn run((mutex, changed): &(Mutex<State>, Condvar), core: &Weak<Core>) {
    let mut state = lock(mutex);
    while let Some(next) = state.next.filter(|_| !state.is_closed) {
        let now = Instant::now();
        if next <= now {
            state.next = None;
            drop(state);
            let next = core.upgrade().and_then(|core| core.on_time(now));
            state = lock(mutex);
            state.wake_at(next);
        } else {
            let waited = changed.wait_timeout(state, next - now);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
    state.is_running = false;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// LOG-4: a change that is made while another ends is not forgotten.
    #[test]
    fn the_earlier_moment_counts() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut state = State::default();
        for (next, expected) in [
            (None, None),
            (Some(now + second), Some(now + second)),
            (Some(now), Some(now)),
            (Some(now + second), Some(now)),
            (None, Some(now)),
        ] {
            state.wake_at(next);
            assert_eq!(state.next, expected);
        }
    }
}
