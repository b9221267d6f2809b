use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::send::{Refusal, Sender};
use super::{Config, Span, encode};
use crate::logging::Core;
use crate::writer::{deadline, join};
use crate::{Error, Event};

const NAME: &str = "log-traces";

/// How much the attributes of all spans that wait may take, however many may wait.
const MAX_SIZE: usize = 16 << 20;
/// How often a request is tried, with twice the time between each two: for half a minute.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

const QUEUE_FULL: &str = "queue_full";
const EXPORT_FAILED: &str = "export_failed";
const REFUSED: &str = "refused";
const STOPPED: &str = "stopped";

/// Hands spans over to a collector, from a thread of its own.
pub(crate) struct Exporter {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    /// There may be something to do for the thread.
    changed: Condvar,
    /// A batch has left.
    left: Condvar,
    max_queue: usize,
    max_batch: usize,
    delay: Duration,
}

#[derive(Default)]
struct State {
    waiting: Vec<Span>,
    size: usize,
    /// Those for which there was no room, not yet told.
    dropped: u64,
    accepted: u64,
    /// Those that have left: taken, refused or given up.
    finished: u64,
    /// Somebody waits until so many have left.
    awaited: u64,
    is_closed: bool,
    /// Nobody waits for what the thread does any more.
    is_abandoned: bool,
}

impl Exporter {
    pub(crate) fn start(config: Config, core: Weak<Core>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            left: Condvar::new(),
            max_queue: config.max_queue.max(1),
            max_batch: config.max_batch.max(1),
            delay: config.delay,
        });
        let sender = Sender::new(config).map_err(Error::Traces)?;
        let worker = Worker { shared: Arc::clone(&shared), sender, core, has_failed: false };
        let thread = Builder::new().name(NAME.into()).spawn(move || worker.run());
        let thread = thread.map_err(|source| Error::Thread { name: NAME, source })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a span over. Never waits.
    pub(crate) fn push(&self, span: Span) {
        let mut state = self.shared.lock();
        if state.is_closed {
            return;
        }
        let size = state.size + span.fields.len();
        if state.waiting.len() >= self.shared.max_queue || size > MAX_SIZE {
            state.dropped += 1;
            return;
        }
        state.size = size;
        state.waiting.push(span);
        state.accepted += 1;
        let is_full = state.waiting.len() == self.shared.max_batch;
        let is_first = state.waiting.len() == 1;
        drop(state);
        if is_first || is_full {
            self.shared.changed.notify_one();
        }
    }

    /// Waits until every span up to now has left; whether it has, in time.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let mut state = self.shared.lock();
        let awaited = state.accepted;
        state.awaited = awaited;
        self.shared.changed.notify_one();
        while state.finished < awaited {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.left.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Hands over what is left and ends the thread; how many spans had no room, and how many were
    /// left. A thread that waits for a collector is left behind.
    pub(crate) fn close(&self, deadline: Instant) -> (u64, u64) {
        self.shared.lock().is_closed = true;
        let is_done = self.flush(deadline);
        if is_done && !self.shared.lock().is_abandoned {
            join(self.thread.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        let mut state = self.shared.lock();
        // What has not left by now is lost, and told here.
        state.is_abandoned = true;
        state.waiting.clear();
        let left = state.accepted - state.finished;
        state.finished = state.accepted;
        (mem::take(&mut state.dropped), left)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.close(deadline(Duration::ZERO));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits for spans, and for more behind the first one; with them how many had no room. `None`
    /// when there are none and none will come.
    fn next(&self) -> Option<(Vec<Span>, u64)> {
        let mut state = self.lock();
        while state.waiting.is_empty() {
            if state.is_closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let due = Instant::now() + self.delay;
        loop {
            let is_urgent = state.is_closed || state.awaited > state.finished;
            let left = due.saturating_duration_since(Instant::now());
            if is_urgent || left.is_zero() || state.waiting.len() >= self.max_batch {
                break;
            }
            state = self.wait(state, left);
        }
        let count = state.waiting.len().min(self.max_batch);
        let rest = state.waiting.split_off(count);
        let batch = mem::replace(&mut state.waiting, rest);
        state.size -= batch.iter().map(|span| span.fields.len()).sum::<usize>().min(state.size);
        Some((batch, mem::take(&mut state.dropped)))
    }

    /// Waits before another attempt; whether there is to be one.
    fn pause(&self, most: Duration) -> bool {
        let due = Instant::now() + most;
        let mut state = self.lock();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if state.is_closed || left.is_zero() {
                return !state.is_closed;
            }
            state = self.wait(state, left);
        }
    }

    fn finished(&self, count: u64) {
        let mut state = self.lock();
        state.finished = (state.finished + count).min(state.accepted);
        drop(state);
        self.left.notify_all();
    }
}

struct Worker {
    shared: Arc<Shared>,
    sender: Sender,
    core: Weak<Core>,
    has_failed: bool,
}

impl Worker {
    fn run(mut self) {
        while let Some((batch, dropped)) = self.shared.next() {
            self.dropped(QUEUE_FULL, dropped);
            let count = batch.len() as u64;
            let Some(core) = self.core.upgrade() else { return };
            let cleaned = batch.into_iter().map(|span| {
                let line = core.cleaned(&span.fields);
                (span, line)
            });
            let body = encode::request(self.sender.config(), &cleaned.collect::<Vec<_>>());
            drop(core);
            self.deliver(&body, count);
            self.shared.finished(count);
        }
    }

    fn deliver(&mut self, body: &[u8], count: u64) {
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=ATTEMPTS {
            match self.sender.send(body) {
                Ok(refused) => {
                    self.recovered();
                    return self.dropped(REFUSED, refused);
                }
                Err(Refusal::Never(error)) => {
                    self.failed(&error);
                    return self.dropped(REFUSED, count);
                }
                Err(Refusal::Later(error, after)) => {
                    self.failed(&error);
                    let most = after.unwrap_or(pause).min(LONGEST_PAUSE);
                    pause *= 2;
                    if attempt == ATTEMPTS || !self.shared.pause(most) {
                        break;
                    }
                }
            }
        }
        self.dropped(EXPORT_FAILED, count);
    }

    fn failed(&mut self, error: &str) {
        if !mem::replace(&mut self.has_failed, true)
            && let Some(core) = self.core.upgrade()
        {
            core.tell("traces cannot be exported", Some(error));
        }
    }

    fn recovered(&mut self) {
        if mem::take(&mut self.has_failed)
            && let Some(core) = self.core.upgrade()
        {
            core.tell("traces are exported again", None);
        }
    }

    fn dropped(&self, reason: &'static str, spans: u64) {
        if spans > 0
            && !self.shared.lock().is_abandoned
            && let Some(core) = self.core.upgrade()
        {
            core.observer().report(&Event::SpansDropped { reason, spans });
        }
    }
}

impl Core {
    /// Ends the export, and counts what was not exported in time.
    pub(crate) fn close_traces(&self, deadline: Instant) -> bool {
        let (full, left) = self.exporter().map_or((0, 0), |exporter| exporter.close(deadline));
        for (reason, spans) in [(QUEUE_FULL, full), (STOPPED, left)] {
            if spans > 0 {
                self.observer().report(&Event::SpansDropped { reason, spans });
            }
        }
        left == 0
    }
}
