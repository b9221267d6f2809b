use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption, Guard};
use core_types::Secret;
use tracing_log::AsLog as _;

use super::Options;
use crate::boot::Boot;
use crate::expiry::Expiry;
use crate::format::Format;
use crate::levels::LevelState;
use crate::mask::Rules;
use crate::record::Record;
use crate::scrub::Scrubber;
use crate::writer::{Announce, Observer, Writer, sink};
use crate::{Config, Error, Event, Level, LevelStatus, Levels, Rotation};

/// How long a file that is no longer wanted may take to write what it was given.
const OLD_FILE: Duration = Duration::from_secs(1);
/// The name under which the log speaks of itself.
const OWN_TARGET: &str = "core_log";

/// Everything behind [`Logging`](super::Logging).
pub(crate) struct Core {
    /// Whether a person looks at the output, and in colour.
    terminal: Terminal,
    format: ArcSwap<FormatState>,
    levels: ArcSwap<Levels>,
    level_state: Mutex<LevelState>,
    pub(crate) expiry: Expiry,
    /// Set until the first configuration.
    is_booting: AtomicBool,
    boot: Mutex<Boot>,
    scrubber: Scrubber,
    stdout: Writer,
    file: ArcSwapOption<FileSink>,
    observer: Observer,
}

#[derive(Clone, Copy)]
pub(crate) struct Terminal {
    is_terminal: bool,
    color: bool,
}

/// What lines look like, and which of their values are masked.
pub(crate) struct FormatState {
    pub(crate) rules: Rules,
    stdout: Format,
    file: Format,
}

impl FormatState {
    pub(super) fn new(config: &Config, terminal: Terminal) -> Self {
        let max_value = usize::try_from(config.max_value.bytes()).unwrap_or(usize::MAX).max(64);
        let console = Format::Console { color: terminal.is_terminal && terminal.color };
        let json =
            |by_default| if config.json_format.unwrap_or(by_default) { Some(()) } else { None };
        Self {
            rules: Rules::new(&config.redact, max_value),
            stdout: json(!terminal.is_terminal).map_or(console, |()| Format::Json),
            file: json(true).map_or(Format::Console { color: false }, |()| Format::Json),
        }
    }
}

pub(crate) struct FileSink {
    path: PathBuf,
    rotation: Rotation,
    writer: Writer,
}

/// What became of a wanted file.
pub(super) enum OpenedFile {
    None,
    Opened(FileSink),
    Failed(PathBuf, io::Error),
}

impl FileSink {
    pub(super) fn open(core: &Core, path: &Path, rotation: Rotation, buffer: usize) -> OpenedFile {
        let failed = |error| OpenedFile::Failed(path.to_owned(), error);
        let destination = match sink::file(path, rotation) {
            Ok(destination) => destination,
            Err(error) => return failed(error),
        };
        let observer = Arc::clone(&core.observer);
        let announce = announce(Format::Json);
        match Writer::start("log-file", "file", destination, buffer, observer, announce) {
            Ok(writer) => OpenedFile::Opened(Self { path: path.to_owned(), rotation, writer }),
            Err(error) => failed(io::Error::other(error)),
        }
    }
}

/// The line that tells of lines that were dropped.
fn announce(format: Format) -> Announce {
    Box::new(move |lines, reason| {
        let record = Record::new(tracing::Level::WARN, OWN_TARGET, "log lines were dropped")
            .with_number("lines", lines)
            .with_text("reason", reason);
        let mut line = String::new();
        record.with_line(|parts| format.write(&mut line, parts));
        line
    })
}

impl Core {
    pub(super) fn new(options: Options) -> Result<Self, Error> {
        let Options { destination, is_terminal, color, observer } = options;
        let terminal = Terminal { is_terminal, color };
        let config = Config::default();
        let format = FormatState::new(&config, terminal);
        let limit = usize::try_from(config.buffer.bytes()).unwrap_or(usize::MAX);
        let stdout = Writer::start(
            "log-stdout",
            "stdout",
            destination,
            limit,
            Arc::clone(&observer),
            announce(format.stdout),
        )?;
        Ok(Self {
            terminal,
            format: ArcSwap::from_pointee(format),
            // Until the level is known, everything that it may turn out to be is kept.
            levels: ArcSwap::from_pointee(Levels::all(Level::DEBUG)),
            level_state: Mutex::default(),
            expiry: Expiry::default(),
            is_booting: AtomicBool::new(true),
            boot: Mutex::default(),
            scrubber: Scrubber::default(),
            stdout,
            file: ArcSwapOption::empty(),
            observer,
        })
    }

    pub(super) fn terminal(&self) -> Terminal {
        self.terminal
    }

    pub(crate) fn format(&self) -> Guard<Arc<FormatState>> {
        self.format.load()
    }

    pub(crate) fn levels(&self) -> Guard<Arc<Levels>> {
        self.levels.load()
    }

    pub(super) fn has_file(&self, path: &Path, rotation: Rotation) -> bool {
        let file = self.file.load();
        file.as_ref().is_some_and(|file| file.path == path && file.rotation == rotation)
    }

    /// Writes a line, or keeps it until it is known how.
    pub(crate) fn write(&self, record: Record) {
        if self.is_booting.load(Ordering::Acquire) {
            let mut boot = lock(&self.boot);
            // The configuration may have come while this waited for the lock.
            if self.is_booting.load(Ordering::Acquire) {
                return boot.keep(record);
            }
        }
        self.emit(&record);
    }

    fn emit(&self, record: &Record) {
        thread_local! {
            static BUFFER: Cell<String> = const { Cell::new(String::new()) };
        }
        let format = self.format.load();
        // A value that logs while it is printed finds an empty buffer, which is as good.
        let mut line = BUFFER.take();
        self.render(record, format.stdout, &mut line);
        self.stdout.push(&line);
        if let Some(file) = self.file.load().as_ref() {
            self.render(record, format.file, &mut line);
            file.writer.push(&line);
        }
        BUFFER.set(line);
    }

    fn render(&self, record: &Record, format: Format, line: &mut String) {
        line.clear();
        record.with_line(|parts| format.write(line, parts));
        self.scrubber.scrub(line);
    }

    pub(super) fn commit(
        &self,
        levels: Levels,
        format: FormatState,
        file: Option<OpenedFile>,
        buffer: usize,
    ) {
        self.format.store(Arc::new(format));
        self.stdout.set_limit(buffer);
        let mut trouble = None;
        if let Some(file) = file {
            let file = match file {
                OpenedFile::None => None,
                OpenedFile::Opened(file) => {
                    (self.observer)(&Event::SinkRecovered { sink: "file" });
                    Some(Arc::new(file))
                }
                OpenedFile::Failed(path, error) => {
                    (self.observer)(&Event::SinkFailed { sink: "file", error: &error });
                    trouble = Some((path, error));
                    None
                }
            };
            if let Some(old) = self.file.swap(file) {
                old.writer.close("", OLD_FILE);
            }
        }
        lock(&self.level_state).configure(levels);
        self.publish_levels();
        self.end_boot();
        if let Some((path, error)) = trouble {
            let record = Record::new(
                tracing::Level::WARN,
                OWN_TARGET,
                "the log file cannot be opened; the log goes on without it",
            );
            let record = record.with_text("path", &path.display().to_string());
            self.write(record.with_text("error", &error.to_string()));
        }
    }

    /// Writes what was kept, at the levels that are known now.
    fn end_boot(&self) {
        if !self.is_booting.load(Ordering::Acquire) {
            return;
        }
        let mut boot = lock(&self.boot);
        let (records, dropped) = std::mem::take(&mut *boot).into_records();
        let levels = self.levels.load();
        for record in records.filter(|record| levels.allow(&record.target, record.level)) {
            self.emit(&record);
        }
        if dropped > 0 {
            let record = Record::new(tracing::Level::WARN, OWN_TARGET, "log lines were dropped");
            let record = record.with_number("lines", dropped).with_text("reason", "too_early");
            self.emit(&record);
        }
        self.is_booting.store(false, Ordering::Release);
    }

    /// Tells everybody who has cached an answer that levels have changed.
    pub(super) fn publish_levels(&self) {
        let state = lock(&self.level_state);
        if state.is_configured() {
            self.levels.store(Arc::new(state.effective()));
        }
        drop(state);
        tracing_log::log::set_max_level(self.levels.load().most().as_log());
        tracing::callsite::rebuild_interest_cache();
    }

    pub(super) fn set_level(
        core: &Arc<Self>,
        target: Option<&str>,
        level: Level,
        until: Instant,
    ) -> Result<(), Error> {
        let mut state = lock(&core.level_state);
        let before = state.clone();
        state.set(target.map(str::to_owned), level, until);
        let next = state.next_expiry();
        if let Err(error) = core.expiry.schedule(Arc::downgrade(core), next) {
            *state = before;
            return Err(error);
        }
        drop(state);
        core.publish_levels();
        Ok(())
    }

    pub(super) fn reset_level(&self, target: Option<&str>) -> bool {
        let was_set = lock(&self.level_state).reset(target);
        if was_set {
            self.publish_levels();
        }
        was_set
    }

    pub(super) fn list_levels(&self) -> Vec<LevelStatus> {
        lock(&self.level_state).list(Instant::now())
    }

    /// Ends the changes whose time has come, says so, and tells when the next one ends.
    pub(crate) fn expire_levels(&self, now: Instant) -> Option<Instant> {
        let (ended, next) = {
            let mut state = lock(&self.level_state);
            (state.expire(now), state.next_expiry())
        };
        if !ended.is_empty() {
            self.publish_levels();
        }
        for target in ended {
            let level = self.levels.load().level_of(target.as_deref().unwrap_or_default());
            let record = Record::new(tracing::Level::INFO, OWN_TARGET, "log level reverted")
                .with_text("target", target.as_deref().unwrap_or("all"))
                .with_text("to", level.as_str());
            self.write(record);
        }
        next
    }

    pub(super) fn scrub(&self, secrets: &[Secret<String>]) {
        self.scrubber.set(secrets);
    }

    pub(crate) fn flush(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        let stdout = self.stdout.flush(left());
        let file = self.file.load().as_ref().is_none_or(|file| file.writer.flush(left()));
        stdout && file
    }

    pub(super) fn close(&self, last: Option<&Record>, timeout: Duration) -> bool {
        // What never learnt its form is written in the one that fits the output.
        self.end_boot();
        let deadline = Instant::now() + timeout;
        let left = || deadline.saturating_duration_since(Instant::now());
        self.expiry.close();
        let format = self.format.load();
        let mut line = String::new();
        let mut close = |format: Format, writer: &Writer| {
            if let Some(last) = last {
                self.render(last, format, &mut line);
            }
            writer.close(&line, left())
        };
        let stdout = close(format.stdout, &self.stdout);
        let file = self.file.load().as_ref().is_none_or(|file| close(format.file, &file.writer));
        stdout && file
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The guarded values are whole between any two statements.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
