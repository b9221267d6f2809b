mod fingerprint;
mod places;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

use crate::Error;

/// Events of one edit are gathered for so long, and delivered at the next tick: together well below
/// the two seconds in which an edit has to be seen, at five wake-ups a second.
const GATHER: Duration = Duration::from_millis(200);
/// After a change, files are read when nothing more has happened for so long: an editor or a slow
/// writer may still be at work.
const QUIET: Duration = Duration::from_millis(100);
/// A file that never comes to rest is read anyway.
const MAX_QUIET: u32 = 5;

/// Looks at configuration files, and tells when their content has changed.
///
/// It watches the folders that the files and every symbolic link on the way to them are in, so that
/// it sees writes in place, renames, the swap of a mounted ConfigMap and a replaced folder. Each
/// distinct content is told once; a touched file and our own reads are not. Where the operating
/// system gives no notifications it looks every `poll_interval`.
///
/// It has a thread of its own, `config-watch`, which ends when this is dropped.
pub struct Watcher {
    stop: mpsc::Sender<Message>,
    thread: Option<JoinHandle<()>>,
    is_notified: bool,
}

enum Message {
    Event,
    Stop,
}

impl Watcher {
    /// Begins to watch files and folders.
    ///
    /// `on_change` is called on the watcher's thread: once at the start, for an edit may have come
    /// between the first reading and now, and then after every change.
    ///
    /// # Errors
    /// [`Error::Watch`] if no thread can be made. Missing notifications are no error: see
    /// [`is_notified`](Self::is_notified).
    pub fn start(
        paths: Vec<PathBuf>,
        poll_interval: Duration,
        on_change: impl Fn() + Send + 'static,
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::channel();
        let mut state = State { paths, seen: 0, debouncer: None, folders: BTreeMap::new() };
        state.debouncer = debouncer(sender.clone());
        let is_notified = state.arm();
        state.seen = state.fingerprint();
        let thread = Builder::new()
            .name("config-watch".into())
            .spawn(move || {
                on_change();
                state.run(&receiver, poll_interval, &on_change);
            })
            .map_err(|error| Error::Watch { source: error.into() })?;
        Ok(Self { stop: sender, thread: Some(thread), is_notified })
    }

    /// Whether the operating system tells of changes; if not, they are seen by polling.
    pub fn is_notified(&self) -> bool {
        self.is_notified
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // The thread may have ended by a panic of the callback; then nobody listens.
        let _ = self.stop.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher").field("is_notified", &self.is_notified).finish_non_exhaustive()
    }
}

type Notifications = Debouncer<RecommendedWatcher, NoCache>;

fn debouncer(sender: mpsc::Sender<Message>) -> Option<Notifications> {
    let on_events = move |events: DebounceEventResult| {
        // An error means that events may have been lost, which is a reason to look.
        let is_change = events.map_or(true, |events| events.iter().any(|event| is_change(event)));
        if is_change {
            let _ = sender.send(Message::Event);
        }
    };
    let config = notify::Config::default();
    new_debouncer_opt(GATHER, Some(GATHER), on_events, NoCache, config).ok()
}

/// Reading a file is reported too, and would make us read it again.
fn is_change(event: &notify::Event) -> bool {
    let is_end_of_write =
        matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
    is_end_of_write || event.need_rescan() || !matches!(event.kind, EventKind::Access(_))
}

struct State {
    paths: Vec<PathBuf>,
    /// The content that was told last.
    seen: u64,
    debouncer: Option<Notifications>,
    /// What is watched, and which folder that was.
    folders: BTreeMap<PathBuf, Identity>,
}

impl State {
    fn run(mut self, receiver: &mpsc::Receiver<Message>, poll: Duration, on_change: &dyn Fn()) {
        loop {
            match receiver.recv_timeout(poll) {
                Ok(Message::Event) => {
                    if wait_for_rest(receiver).is_none() {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            }
            self.arm();
            let found = self.fingerprint();
            if found != self.seen {
                self.seen = found;
                on_change();
            }
        }
        if let Some(debouncer) = self.debouncer {
            debouncer.stop();
        }
    }

    fn fingerprint(&self) -> u64 {
        fingerprint::of(&self.paths)
    }

    /// Watches the folders that matter now; the old ones may be gone or replaced. Whether all of
    /// them are watched.
    fn arm(&mut self) -> bool {
        let Some(debouncer) = &mut self.debouncer else { return false };
        let wanted: BTreeMap<PathBuf, Identity> = places::folders(&self.paths)
            .into_iter()
            .map(|folder| (folder.clone(), identity(&folder)))
            .collect();
        // A folder that was replaced by another of the same name has to be watched anew.
        for gone in self.folders.iter().filter(|(folder, was)| wanted.get(*folder) != Some(was)) {
            // A folder that is gone cannot be unwatched, which is as good.
            let _ = debouncer.unwatch(gone.0);
        }
        let mut all = true;
        for new in wanted.iter().filter(|(folder, is)| self.folders.get(*folder) != Some(is)) {
            all &= debouncer.watch(new.0, RecursiveMode::NonRecursive).is_ok();
        }
        self.folders = wanted;
        all
    }
}

/// Which folder a path names: another one of the same name differs.
type Identity = Option<(u64, u64)>;

#[cfg(unix)]
fn identity(folder: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    folder.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Identity {
    None
}

/// Waits until events have ceased; `None` if the watcher is to stop.
fn wait_for_rest(receiver: &mpsc::Receiver<Message>) -> Option<()> {
    for _ in 0..MAX_QUIET {
        match receiver.recv_timeout(QUIET) {
            Ok(Message::Event) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
    Some(())
}
