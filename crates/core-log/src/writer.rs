mod queue;
pub(crate) mod sink;

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use self::queue::{Batch, Queue};
use crate::{Error, Event};

/// Reports what becomes of lines.
pub(crate) type Observer = Arc<dyn Fn(&Event<'_>) + Send + Sync>;
/// Renders the line that tells of dropped lines: how many, and why.
pub(crate) type Announce = Box<dyn Fn(u64, &'static str) -> String + Send>;

/// Writes lines to one destination, on a thread of its own, so that nobody else waits for it.
pub(crate) struct Writer {
    queue: Arc<Queue>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(
        name: &'static str,
        sink: &'static str,
        destination: Box<dyn Write + Send>,
        limit: usize,
        observer: Observer,
        announce: Announce,
    ) -> Result<Self, Error> {
        let queue = Arc::new(Queue::new(limit));
        let worker = Worker {
            queue: Arc::clone(&queue),
            sink,
            destination,
            observer,
            announce,
            has_failed: false,
            unannounced: 0,
        };
        let thread = Builder::new()
            .name(name.into())
            .spawn(move || worker.run())
            .map_err(|source| Error::Thread { name, source })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a line over. Never waits for the destination: a line for which there is no room is
    /// dropped and counted.
    pub(crate) fn push(&self, line: &str) {
        self.queue.push(line.as_bytes());
    }

    /// How much may wait from now on.
    pub(crate) fn set_limit(&self, limit: usize) {
        self.queue.set_limit(limit);
    }

    /// Waits until everything that was handed over is written; whether it was, in time.
    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        self.queue.wait_until_empty(timeout)
    }

    /// Writes what is left and a last line, and ends the thread. One that is stuck in a blocked
    /// destination is left behind: joining it would block the end of the process.
    pub(crate) fn close(&self, last: &str, timeout: Duration) -> bool {
        self.queue.close(last.as_bytes());
        let is_written = self.flush(timeout);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if is_written && let Some(thread) = thread {
            let _ = thread.join();
        }
        is_written
    }
}

struct Worker {
    queue: Arc<Queue>,
    sink: &'static str,
    destination: Box<dyn Write + Send>,
    observer: Observer,
    announce: Announce,
    has_failed: bool,
    /// Lines that could not be written, not yet told in the log itself.
    unannounced: u64,
}

impl Worker {
    fn run(mut self) {
        while let Some(batch) = self.queue.take() {
            self.write(&batch);
            self.queue.done(batch);
        }
    }

    fn write(&mut self, batch: &Batch) {
        if batch.dropped > 0 {
            self.report_drop("buffer_full", batch.dropped);
            let line = (self.announce)(batch.dropped, "buffer_full");
            // It goes the way of all lines; if that fails, so has everything.
            let _ = self.destination.write_all(line.as_bytes());
        }
        match self.destination.write_all(&batch.bytes).and_then(|()| self.destination.flush()) {
            Ok(()) => self.recovered(),
            Err(error) => self.failed(&error, batch),
        }
    }

    fn failed(&mut self, error: &io::Error, batch: &Batch) {
        if !self.has_failed {
            self.has_failed = true;
            (self.observer)(&Event::SinkFailed { sink: self.sink, error });
        }
        self.unannounced += batch.lines;
        self.report_drop("write_failed", batch.lines);
    }

    fn recovered(&mut self) {
        if !self.has_failed {
            return;
        }
        self.has_failed = false;
        (self.observer)(&Event::SinkRecovered { sink: self.sink });
        let line = (self.announce)(std::mem::take(&mut self.unannounced), "write_failed");
        let _ = self.destination.write_all(line.as_bytes());
    }

    fn report_drop(&self, reason: &'static str, lines: u64) {
        if lines > 0 {
            (self.observer)(&Event::Dropped { sink: self.sink, reason, lines });
        }
    }
}

#[cfg(test)]
mod tests;
