mod queue;
mod worker;

use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

use tracing::Level;

use self::queue::Queue;
use self::worker::Worker;
use crate::Error;
use crate::event::Observer;
use crate::format::Format;

/// Renders the line that tells of dropped lines: how many, and why.
pub(crate) type Announce = fn(&Format, u64, &'static str) -> String;

/// How long a destination that is no longer wanted may take to write what it was given.
pub(crate) const LAST_WORDS: Duration = Duration::from_secs(1);

thread_local! {
    static IS_WRITER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is a writer's, which would wait for itself.
pub(crate) fn is_writer() -> bool {
    IS_WRITER.get()
}

/// A destination, and the names of the thread that writes it and of itself in reports.
pub(crate) struct Sink {
    pub(crate) thread: &'static str,
    pub(crate) name: &'static str,
    pub(crate) destination: Box<dyn Write + Send>,
    /// Whether it is known to fail: then a success is reported.
    pub(crate) has_failed: bool,
}

/// Writes lines to one destination, on a thread of its own, so that nobody else waits for it.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
    has_failed: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn start(
        sink: Sink,
        (limit, format): (usize, Format),
        observer: Observer,
        announce: Announce,
    ) -> Result<Self, Error> {
        let Sink { thread: name, name: sink, destination, has_failed } = sink;
        let queue = Arc::new(Queue::new(limit, format));
        let has_failed = Arc::new(AtomicBool::new(has_failed));
        let worker = Worker {
            queue: Arc::clone(&queue),
            sink,
            destination,
            observer,
            announce,
            has_failed: Arc::clone(&has_failed),
            unannounced: Default::default(),
            torn: Vec::new(),
        };
        let run = move || {
            IS_WRITER.set(true);
            worker.run();
        };
        let thread = Builder::new().name(name.into()).spawn(run);
        let thread = thread.map_err(|source| Error::Thread { name, source })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), has_failed })
    }

    /// Hands a line over. Never waits for the destination: a line for which there is no room is
    /// dropped and counted. There is less room for low levels, so that they go first.
    pub(crate) fn push(&self, level: Level, line: &str) {
        self.queue.push(level, line.as_bytes());
    }

    /// How much may wait from now on, and what lines look like.
    pub(crate) fn configure(&self, limit: usize, format: Format) {
        self.queue.configure(limit, format);
    }

    /// Has the destination looked at, though there may be nothing to write.
    pub(crate) fn poke(&self) {
        self.queue.poke();
    }

    /// Whether the destination fails now.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Waits until everything that was handed over up to now is written; whether it was, in time.
    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        self.queue.wait(deadline)
    }

    /// Writes what is left and a last line, and ends the thread. One that is stuck in a blocked
    /// destination is left behind: joining it would block the end of the process.
    pub(crate) fn close(&self, last: &str, deadline: Instant) -> bool {
        self.queue.close(last.as_bytes());
        let is_written = self.flush(deadline);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if is_written {
            join(thread);
        }
        is_written
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close(b"");
        if !is_writer() {
            self.close("", deadline(LAST_WORDS));
        }
    }
}

/// Waits for the end of a thread, unless it is this one.
pub(crate) fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread
        && thread.thread().id() != thread::current().id()
    {
        // A panic has been a line already.
        let _ = thread.join();
    }
}

/// The moment at which something has taken too long; for a wait without end, one far away.
pub(crate) fn deadline(timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    let now = Instant::now();
    now.checked_add(timeout.min(FAR)).unwrap_or(now)
}

#[cfg(test)]
mod tests;
