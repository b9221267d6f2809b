use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Lines on their way to one destination, bounded in bytes.
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write, or nothing will come any more.
    filled: Condvar,
    /// Everything is written.
    emptied: Condvar,
}

struct State {
    waiting: Batch,
    /// A used buffer, for the next batch.
    spare: Vec<u8>,
    limit: usize,
    is_writing: bool,
    is_closed: bool,
}

/// What is written at once.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
    /// Lines for which there was no room.
    pub(super) dropped: u64,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        let state = State {
            waiting: Batch::default(),
            spare: Vec::new(),
            limit,
            is_writing: false,
            is_closed: false,
        };
        Self { state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, so a panic elsewhere has not broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        if state.waiting.bytes.len() + line.len() > state.limit {
            state.waiting.dropped += 1;
            return;
        }
        let was_empty = state.waiting.bytes.is_empty();
        state.waiting.bytes.extend_from_slice(line);
        state.waiting.lines += 1;
        drop(state);
        if was_empty {
            self.filled.notify_one();
        }
    }

    pub(super) fn set_limit(&self, limit: usize) {
        self.lock().limit = limit;
    }

    /// Waits for lines. `None` when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Batch> {
        let is_idle = |state: &mut State| state.waiting.bytes.is_empty() && !state.is_closed;
        let mut state =
            self.filled.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        if state.waiting.bytes.is_empty() {
            return None;
        }
        state.is_writing = true;
        let spare = std::mem::take(&mut state.spare);
        Some(std::mem::replace(&mut state.waiting, Batch { bytes: spare, ..Batch::default() }))
    }

    /// Tells that a batch has left.
    pub(super) fn done(&self, mut batch: Batch) {
        batch.bytes.clear();
        let mut state = self.lock();
        state.spare = batch.bytes;
        state.is_writing = false;
        let is_empty = state.waiting.bytes.is_empty();
        drop(state);
        if is_empty {
            self.emptied.notify_all();
        }
    }

    pub(super) fn wait_until_empty(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while state.is_writing || !state.waiting.bytes.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.emptied.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Takes a last line, for which there is always room, and none after it.
    pub(super) fn close(&self, last: &[u8]) {
        let mut state = self.lock();
        if !state.is_closed && !last.is_empty() {
            state.waiting.bytes.extend_from_slice(last);
            state.waiting.lines += 1;
        }
        state.is_closed = true;
        drop(state);
        self.filled.notify_all();
    }
}

#[cfg(test)]
impl Queue {
    /// Whether a batch is being written.
    pub(super) fn is_taken(&self) -> bool {
        self.lock().is_writing
    }
}
