use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::Level;

use crate::format::Format;

/// How long lines are given to gather behind the first one. A wake-up costs a caller more than ten
/// lines do; a person does not notice.
const LINGER: Duration = Duration::from_millis(2);
/// With this much, or half of what is allowed, no more is waited for.
const ENOUGH: usize = 256 << 10;

/// How much of the room a level may take: what is left is for the levels above it.
fn share(limit: usize, level: Level) -> usize {
    match level {
        Level::ERROR => limit,
        Level::WARN => limit - limit / 8,
        Level::INFO => limit - limit / 4,
        _ => limit / 2,
    }
}

/// Lines on their way to one destination, bounded in bytes.
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write, or nothing will come any more.
    filled: Condvar,
    /// A batch has left.
    left: Condvar,
}

struct State {
    waiting: Batch,
    /// A used buffer, for the next batch.
    spare: Vec<u8>,
    limit: usize,
    format: Format,
    /// The size of the batch that is being written.
    in_flight: usize,
    /// Lines that were taken, and lines that have left: written, or given up.
    accepted: u64,
    finished: u64,
    /// Somebody waits until this many have left.
    awaited: u64,
    /// The writer sleeps until there is this much.
    sleeps_until: Option<usize>,
    /// The destination is to be looked at, whatever there is to write.
    is_poked: bool,
    is_closed: bool,
}

/// What is written at once.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: u64,
    /// Lines for which there was no room.
    pub(super) dropped: u64,
    /// What lines look like now.
    pub(super) format: Format,
}

impl State {
    fn batch(&mut self) -> Batch {
        let bytes = std::mem::take(&mut self.spare);
        let next = Batch { bytes, lines: 0, dropped: 0, format: self.format.clone() };
        std::mem::replace(&mut self.waiting, next)
    }

    fn add(&mut self, line: &[u8]) {
        self.waiting.bytes.extend_from_slice(line);
        self.waiting.lines += 1;
        self.accepted += 1;
    }

    /// Whether the writer should wake up; it is told once.
    fn wakes(&mut self) -> bool {
        let is_urgent = self.is_closed || self.is_poked || self.awaited > self.finished;
        let size = self.waiting.bytes.len();
        self.sleeps_until.take_if(|until| size >= *until || is_urgent).is_some()
    }
}

impl Queue {
    pub(super) fn new(limit: usize, format: Format) -> Self {
        let state = State {
            waiting: Batch { bytes: Vec::new(), lines: 0, dropped: 0, format: format.clone() },
            spare: Vec::new(),
            limit,
            format,
            in_flight: 0,
            accepted: 0,
            finished: 0,
            awaited: 0,
            sleeps_until: None,
            is_poked: false,
            is_closed: false,
        };
        Self { state: Mutex::new(state), filled: Condvar::new(), left: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements, so a panic elsewhere has not broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let wakes = state.wakes();
        drop(state);
        if wakes {
            self.filled.notify_one();
        }
    }

    pub(super) fn push(&self, level: Level, line: &[u8]) {
        self.change(|state| {
            if state.is_closed {
                return;
            }
            if state.waiting.bytes.len() + state.in_flight + line.len() > share(state.limit, level)
            {
                state.waiting.dropped += 1;
            } else {
                state.add(line);
            }
        });
    }

    pub(super) fn configure(&self, limit: usize, format: Format) {
        let mut state = self.lock();
        state.limit = limit;
        state.format = format.clone();
        state.waiting.format = format;
    }

    /// Waits for lines. `None` when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut state = self.lock();
        while state.waiting.lines + state.waiting.dropped == 0 && !state.is_poked {
            if state.is_closed {
                return None;
            }
            state.sleeps_until = Some(0);
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.sleeps_until = None;
        state.is_poked = false;
        let batch = state.batch();
        state.in_flight = batch.bytes.len();
        Some(batch)
    }

    /// Tells that a batch has left, and lets the next one grow.
    pub(super) fn done(&self, mut batch: Batch) {
        batch.bytes.clear();
        let mut state = self.lock();
        state.spare = batch.bytes;
        state.in_flight = 0;
        state.finished += batch.lines;
        self.left.notify_all();
        let deadline = Instant::now() + LINGER;
        state.sleeps_until = Some(ENOUGH.min(state.limit / 2));
        while !state.wakes() && state.sleeps_until.is_some() {
            let rest = deadline.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                break;
            }
            let waited = self.filled.wait_timeout(state, rest);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.sleeps_until = None;
    }

    /// Waits until everything that was accepted up to now has left; whether it has, in time.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        let mut awaited = 0;
        self.change(|state| {
            awaited = state.accepted;
            state.awaited = awaited;
        });
        let mut state = self.lock();
        while state.finished < awaited {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.left.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Gives an empty batch, if there is no other.
    pub(super) fn poke(&self) {
        self.change(|state| state.is_poked = true);
    }

    /// Takes a last line, for which there is always room, and none after it.
    pub(super) fn close(&self, last: &[u8]) {
        self.change(|state| {
            if !state.is_closed && !last.is_empty() {
                state.add(last);
            }
            state.is_closed = true;
        });
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }
}

#[cfg(test)]
impl Queue {
    /// Whether a batch is being written.
    pub(super) fn is_taken(&self) -> bool {
        self.lock().in_flight > 0
    }

    pub(super) fn awaited(&self) -> u64 {
        self.lock().awaited
    }
}
