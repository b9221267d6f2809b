mod levels;
mod rate;
#[cfg(feature = "otlp")]
mod traces;

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use core_types::Secret;
use tracing::Metadata;
use tracing::dispatcher::WeakDispatch;

use super::options::{Options, Terminal};
use super::prepared::{FileChange, Prepared};
use super::state::{FileSink, State};
use crate::boot::{Boot, Kept};
use crate::event::Observer;
use crate::format::Format;
use crate::levels::LevelState;
use crate::mask::Rules;
#[cfg(feature = "otlp")]
use crate::otlp::Exporter;
use crate::rate::CallSites;
use crate::scratch::{self, Scratch};
use crate::scrub::{self, Scrubber};
use crate::sink::Limits;
use crate::timer::Timer;
use crate::writer::{LAST_WORDS, Sink, Writer, deadline, is_writer};
use crate::{Config, Error, Event, Level, Levels, Record};

/// The name under which the log speaks of itself.
const OWN_TARGET: &str = "core_log";

/// Everything behind [`Logging`](super::Logging).
pub(crate) struct Core {
    terminal: Terminal,
    service: (String, String),
    state: ArcSwap<State>,
    /// Whoever changes the state.
    control: Mutex<()>,
    levels: ArcSwap<Levels>,
    level_state: Mutex<LevelState>,
    pub(super) timer: Timer,
    call_sites: CallSites,
    /// Set until the first configuration.
    is_booting: AtomicBool,
    boot: Mutex<Boot>,
    stdout: Writer,
    observer: Observer,
    dispatch: OnceLock<WeakDispatch>,
    #[cfg(feature = "otlp")]
    exporter: OnceLock<Exporter>,
}

/// What tells of lines that were dropped.
fn dropped(lines: u64, reason: &str) -> Record {
    Record::new(tracing::Level::WARN, OWN_TARGET, "log lines were dropped")
        .with_number("lines", lines)
        .with_text("reason", reason)
}

fn announce(format: &Format, lines: u64, reason: &'static str) -> String {
    let mut line = String::new();
    dropped(lines, reason).write(&mut line, &Rules::new(&[], usize::MAX));
    format.of(&line, &mut String::new()).to_owned()
}

impl Core {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let terminal = options.terminal();
        let observer = options.observer.clone();
        let config = Config::default();
        let service = options.service.clone();
        let state = State::new(&config, terminal, &service);
        let limit = usize::try_from(config.buffer.bytes()).unwrap_or(usize::MAX);
        let destination = options.into_destination();
        let stdout = Writer::start(
            Sink { thread: "log-stdout", name: "stdout", destination, has_failed: false },
            (limit, state.stdout.clone()),
            observer.clone(),
            announce,
        )?;
        Ok(Self {
            terminal,
            service,
            state: ArcSwap::from_pointee(state),
            control: Mutex::default(),
            // Until the level is known, everything that it may well turn out to be is kept.
            levels: ArcSwap::from_pointee(Levels::all(Level::DEBUG)),
            level_state: Mutex::default(),
            timer: Timer::default(),
            call_sites: CallSites::default(),
            is_booting: AtomicBool::new(true),
            boot: Mutex::default(),
            stdout,
            observer,
            dispatch: OnceLock::new(),
            #[cfg(feature = "otlp")]
            exporter: OnceLock::new(),
        })
    }

    pub(super) fn terminal(&self) -> Terminal {
        self.terminal
    }

    pub(super) fn service(&self) -> &(String, String) {
        &self.service
    }

    pub(crate) fn state(&self) -> Guard<Arc<State>> {
        self.state.load()
    }

    pub(crate) fn levels(&self) -> Guard<Arc<Levels>> {
        self.levels.load()
    }

    pub(crate) fn set_dispatch(&self, dispatch: WeakDispatch) {
        // A layer is part of one subscriber.
        let _ = self.dispatch.set(dispatch);
    }

    pub(super) fn has_file(&self, path: &Path, limits: Limits) -> bool {
        let state = self.state.load();
        let file = state.file.as_ref();
        file.is_some_and(|file| file.path == path && file.limits == limits)
    }

    pub(crate) fn observer(&self) -> Observer {
        self.observer.clone()
    }

    /// Has the log file opened again if somebody has moved it.
    pub(super) fn reopen(&self) {
        if let Some(file) = &self.state.load().file {
            file.writer.poke();
        }
    }

    /// Writes the line of an event, or keeps it until it is known how.
    pub(crate) fn write_line(&self, state: &State, event: &Metadata<'_>, scratch: &mut Scratch) {
        if self.is_booting.load(Ordering::Acquire) {
            let origin = (*event.level(), event.target().to_owned());
            return self.keep(Some(origin), &scratch.line);
        }
        if let Some(scrubber) = &state.rules.scrubber
            && scrubber.finds(&scratch.line)
        {
            clean(scratch, &state.rules);
        }
        self.push(state, *event.level(), &scratch.line, &mut scratch.spare);
    }

    /// Writes a line at every level, or keeps it until it is known how.
    pub(super) fn write(&self, record: &Record) {
        let state = self.state.load();
        scratch::with(|scratch| {
            record.write(&mut scratch.line, &state.rules);
            if self.is_booting.load(Ordering::Acquire) {
                return self.keep(None, &scratch.line);
            }
            clean(scratch, &state.rules);
            self.push(&state, tracing::Level::ERROR, &scratch.line, &mut scratch.spare);
        });
    }

    /// Keeps a line; if the configuration has come meanwhile, writes it.
    fn keep(&self, origin: Option<(tracing::Level, String)>, line: &str) {
        let kept = Kept { origin, line: line.to_owned() };
        let mut boot = lock(&self.boot);
        if self.is_booting.load(Ordering::Acquire) {
            boot.keep(kept);
        } else {
            drop(boot);
            self.push_kept(&kept);
        }
    }

    /// Writes a line that was made before levels and rules were known.
    fn push_kept(&self, kept: &Kept) {
        let (state, levels) = (self.state.load(), self.levels.load());
        if kept.origin.as_ref().is_none_or(|(level, target)| levels.allow(target, *level)) {
            let mut line = String::new();
            scrub::clean(&mut line, &kept.line, &state.rules);
            let level = kept.origin.as_ref().map_or(tracing::Level::ERROR, |(level, _)| *level);
            self.push(&state, level, &line, &mut String::new());
        }
    }

    fn push(&self, state: &State, level: tracing::Level, line: &str, spare: &mut String) {
        self.stdout.push(level, state.stdout.of(line, spare));
        if let Some(file) = &state.file {
            file.writer.push(level, state.file_format.of(line, spare));
        }
    }

    pub(super) fn commit(&self, change: Prepared) {
        let Prepared { levels, mut state, file, buffer, .. } = change;
        let control = lock(&self.control);
        let before = self.state.load_full();
        let had_failed = before.file.as_ref().is_some_and(|file| file.writer.has_failed());
        let mut failure = None;
        state.file = match file {
            FileChange::Keep => before.file.clone(),
            FileChange::None => None,
            FileChange::New(path, limits, destination, error) => {
                let has_failed = had_failed || error.is_some();
                let started = Writer::start(
                    Sink { thread: "log-file", name: "file", destination, has_failed },
                    (buffer, state.file_format.clone()),
                    self.observer(),
                    announce,
                );
                let file = match started {
                    Ok(writer) => {
                        // Whether it can be written is told before there is a line.
                        writer.poke();
                        failure = error.map(|error| (path.clone(), error));
                        Some(Arc::new(FileSink { path, limits, writer }))
                    }
                    Err(error) => {
                        failure = Some((path, io::Error::other(error)));
                        None
                    }
                };
                if let Some((_, error)) = &failure {
                    self.observer.report(&Event::SinkFailed { sink: "file", error });
                }
                file
            }
        };
        // To those who would have had the lines.
        self.tell_suppressed();
        state.rules.scrubber.clone_from(&before.rules.scrubber);
        self.stdout.configure(buffer, state.stdout.clone());
        if let Some(file) = &state.file {
            file.writer.configure(buffer, state.file_format.clone());
        }
        let now = state.file.clone();
        let is_kept = match (&before.file, &now) {
            (Some(old), Some(new)) => Arc::ptr_eq(old, new),
            (old, _) => old.is_none(),
        };
        self.state.store(Arc::new(state));
        if let (false, Some(old)) = (is_kept, before.file.clone()) {
            wait_until_unused(before);
            old.writer.close("", deadline(LAST_WORDS));
            // Whoever comes after has taken the failure over, unless it came since.
            let is_over = now.is_none_or(|now| !had_failed && !now.writer.has_failed());
            if old.writer.has_failed() && is_over {
                self.observer.report(&Event::SinkRecovered { sink: "file" });
            }
        }
        drop(control);
        self.change_levels(|state| state.configure(levels));
        self.end_boot();
        if let Some((path, error)) = failure {
            let message = "the log file cannot be opened; the log goes on without it";
            let record = Record::new(tracing::Level::WARN, OWN_TARGET, message);
            let record = record.with_text("path", &path.display().to_string());
            self.write(&record.with_text("error", &error.to_string()));
        }
    }

    /// Writes what was kept, at the levels that are known now.
    fn end_boot(&self) {
        if !self.is_booting.load(Ordering::Acquire) {
            return;
        }
        let mut boot = lock(&self.boot);
        let (lines, lost) = std::mem::take(&mut *boot).into_lines();
        lines.for_each(|kept| self.push_kept(&kept));
        if lost > 0 {
            let mut line = String::new();
            dropped(lost, "too_early").write(&mut line, &self.state().rules);
            self.push_kept(&Kept { origin: None, line });
        }
        self.is_booting.store(false, Ordering::Release);
    }

    pub(super) fn scrub(&self, secrets: &[Secret<String>]) {
        let scrubber = Scrubber::new(secrets).map(Arc::new);
        let _control = lock(&self.control);
        let mut state = State::clone(&self.state.load());
        state.rules = state.rules.with_scrubber(scrubber);
        self.state.store(Arc::new(state));
    }

    /// Does what its time has come for, and tells when there is more.
    pub(crate) fn on_time(&self, now: Instant) -> Option<Instant> {
        self.expire_levels(now).into_iter().chain(self.tell_suppressed()).min()
    }

    pub(crate) fn flush(&self, deadline: Instant) -> bool {
        let stdout = self.stdout.flush(deadline);
        let file = self.state.load().file.as_ref().is_none_or(|file| file.writer.flush(deadline));
        stdout && file
    }

    pub(super) fn close(&self, last: Option<&Record>, timeout: Duration) -> bool {
        // What never learnt its form is written in the one that fits the output.
        self.end_boot();
        let deadline = deadline(timeout);
        self.timer.close();
        self.tell_suppressed();
        let state = self.state.load();
        let line = last.map(|last| render(last, &state.rules)).unwrap_or_default();
        let mut spare = String::new();
        let mut close = |format: &Format, writer: &Writer| {
            let last = if line.is_empty() { "" } else { format.of(&line, &mut spare) };
            writer.close(last, deadline)
        };
        let stdout = close(&state.stdout, &self.stdout);
        let file = state.file.as_ref().is_none_or(|file| close(&state.file_format, &file.writer));
        stdout && file
    }

    /// Writes the line of a panic, which may be the last thing that the process does: what was kept
    /// comes first, and all of it is awaited, but not for ever.
    pub(crate) fn write_panic(&self, record: &Record) {
        self.end_boot();
        if self.stdout.is_closed() {
            // The log has had its last line.
            let line = render(record, &self.state.load().rules);
            let _ = io::stderr().write_all(line.as_bytes());
            return;
        }
        self.write(record);
        if !is_writer() {
            self.flush(deadline(LAST_WORDS));
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.timer.close();
        self.tell_suppressed();
    }
}

fn render(record: &Record, rules: &Rules) -> String {
    let (mut line, mut cleaned) = (String::new(), String::new());
    record.write(&mut line, rules);
    scrub::clean(&mut cleaned, &line, rules);
    cleaned
}

fn clean(scratch: &mut Scratch, rules: &Rules) {
    scratch.spare.clear();
    scrub::clean(&mut scratch.spare, &scratch.line, rules);
    std::mem::swap(&mut scratch.line, &mut scratch.spare);
}

/// Waits until nobody writes by an old state any more, so that no line goes to a closed file. One
/// that takes longer holds nobody up.
fn wait_until_unused(state: Arc<State>) {
    let deadline = deadline(LAST_WORDS);
    let old = Arc::downgrade(&state);
    drop(state);
    while old.strong_count() > 0 && Instant::now() < deadline {
        std::thread::yield_now();
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The guarded values are whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
