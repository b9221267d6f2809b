use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Announce;
use super::queue::{Batch, Queue};
use crate::Event;
use crate::event::Observer;
use crate::format::Format;

/// Why lines were dropped.
const REASONS: [&str; 2] = ["buffer_full", "write_failed"];
const BUFFER_FULL: usize = 0;
const WRITE_FAILED: usize = 1;

/// Writes batches, one write each, and tells of what was lost before the next one.
pub(super) struct Worker {
    pub(super) queue: Arc<Queue>,
    pub(super) sink: &'static str,
    pub(super) destination: Box<dyn Write + Send>,
    pub(super) observer: Observer,
    pub(super) announce: Announce,
    pub(super) has_failed: Arc<AtomicBool>,
    /// Lost lines, by reason, not yet told in the log itself.
    pub(super) unannounced: [u64; REASONS.len()],
    /// What is missing of a line that a failed write has torn: it comes first, so that the line is
    /// whole.
    pub(super) torn: Vec<u8>,
}

impl Worker {
    pub(super) fn run(mut self) {
        while let Some(batch) = self.queue.take() {
            self.write(&batch);
            self.queue.done(batch);
        }
        // A line that was torn to the end is lost as well.
        self.dropped(WRITE_FAILED, u64::from(!self.torn.is_empty()));
    }

    fn write(&mut self, batch: &Batch) {
        self.dropped(BUFFER_FULL, batch.dropped);
        let result = self.write_first(&batch.format).and_then(|()| {
            let (written, result) = self.put(&batch.bytes);
            if result.is_err() {
                let begun = self.tear(&batch.bytes, written);
                let lines = batch.bytes[..begun].iter().filter(|byte| **byte == b'\n').count();
                return result.map_err(|error| (error, batch.lines - lines as u64));
            }
            Ok(())
        });
        match result {
            Ok(()) => self.recovered(),
            Err((error, lost)) => self.failed(&error, lost.min(batch.lines)),
        }
    }

    /// Writes what comes before a batch: the rest of a torn line, and what was lost. On failure the
    /// whole batch is.
    fn write_first(&mut self, format: &Format) -> Result<(), (io::Error, u64)> {
        let torn = std::mem::take(&mut self.torn);
        let (written, result) = self.put(&torn);
        self.torn.extend_from_slice(&torn[written..]);
        result.map_err(|error| (error, u64::MAX))?;
        for (reason, text) in REASONS.into_iter().enumerate() {
            let lines = self.unannounced[reason];
            if lines == 0 {
                continue;
            }
            let line = (self.announce)(format, lines, text);
            let (written, result) = self.put(line.as_bytes());
            if written > 0 {
                self.unannounced[reason] = 0;
                self.tear(line.as_bytes(), written);
            }
            result.map_err(|error| (error, u64::MAX))?;
        }
        Ok(())
    }

    /// Keeps what is missing of a line that was begun; where the last begun line ends.
    fn tear(&mut self, bytes: &[u8], written: usize) -> usize {
        let is_whole = written == 0 || bytes[written - 1] == b'\n';
        let rest = bytes[written..].iter().position(|byte| *byte == b'\n');
        let end = if is_whole { written } else { rest.map_or(bytes.len(), |at| written + at + 1) };
        self.torn.extend_from_slice(&bytes[written..end]);
        end
    }

    /// Writes and counts what was written, also where not everything was.
    fn put(&mut self, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut written = 0;
        let destination = &mut self.destination;
        let result = catch_unwind(AssertUnwindSafe(|| {
            while written < bytes.len() {
                match destination.write(&bytes[written..]) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(count) => written += count.min(bytes.len() - written),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            destination.flush()
        }));
        (written, result.unwrap_or_else(|_| Err(io::Error::other("the destination panicked"))))
    }

    fn failed(&mut self, error: &io::Error, lost: u64) {
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            self.observer.report(&Event::SinkFailed { sink: self.sink, error });
        }
        self.dropped(WRITE_FAILED, lost);
    }

    fn recovered(&mut self) {
        if self.has_failed.swap(false, Ordering::Relaxed) {
            self.observer.report(&Event::SinkRecovered { sink: self.sink });
        }
    }

    fn dropped(&mut self, reason: usize, lines: u64) {
        if lines > 0 {
            self.unannounced[reason] += lines;
            let reason = REASONS[reason];
            self.observer.report(&Event::Dropped { sink: self.sink, reason, lines });
        }
    }
}
