mod fingerprint;
mod places;

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

use self::places::Places;
use crate::Error;

/// Events of one edit are gathered for so long, and delivered at the next tick after that: with
/// [`QUIET`] well below the two seconds in which an edit has to be seen, at two wake-ups and a half
/// a second. Unit tests show an order, and no times.
const GATHER: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 400 });
/// Files are read when they have not changed for so long: an editor or a slow writer may still be
/// at work.
const QUIET: Duration = Duration::from_millis(if cfg!(test) { 5 } else { 100 });
/// Files that never come to rest are read anyway.
const MAX_QUIET: u32 = 5;
/// Polling more often is no better for anybody, and costs.
const MIN_POLL: Duration = Duration::from_millis(100);
/// The folders on the way to the files are looked at so often, and seldom replaced.
const WAY: Duration = Duration::from_secs(1);
/// What is watched is looked up again so often where it changes while it is looked up.
const MAX_ARMS: u32 = 3;

/// Looks at configuration files, and tells when their content has changed.
///
/// It watches the files, the folders that they are in and every symbolic link on the way, and looks
/// at the other folders on the way once a second; so it sees writes in place, renames, the swap of a
/// mounted ConfigMap, and a folder that is replaced at whatever level. Each distinct content is told
/// once; a touched file and our own reads are not. Where the operating system gives no
/// notifications it looks every `poll_interval`.
///
/// An edit is told within one second, or two where a folder on the way was replaced.
///
/// It has three threads: `config-watch`, which ends when this is dropped, and two that
/// `notify-debouncer-full` has of its own, which end soon after.
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
    /// between the first reading and now, and then after every change. A panic of it is reported
    /// by the panic hook, and ends nothing.
    ///
    /// `poll_interval` is 100 ms at least: a shorter one is taken for that.
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
        let places = Arc::new(ArcSwap::from_pointee(Places::default()));
        let debouncer = debouncer(sender.clone(), Arc::clone(&places));
        let mut state = State { paths, seen: 0, debouncer, places, unwatched: BTreeSet::new() };
        let is_notified = state.arm(true);
        state.seen = state.fingerprint();
        let thread = Builder::new()
            .name("config-watch".into())
            .spawn(move || {
                let on_change = || {
                    // Whoever is told has failed at it, and has to be told of the next change.
                    let _ = catch_unwind(AssertUnwindSafe(&on_change));
                };
                on_change();
                state.run(&receiver, poll_interval.max(MIN_POLL), &on_change);
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
        // The thread listens until it is told to stop.
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

/// Nothing, if the operating system has no notifications left.
fn debouncer(sender: mpsc::Sender<Message>, places: Arc<ArcSwap<Places>>) -> Option<Notifications> {
    let config = notify::Config::default();
    // Where this fails, the debouncer would too, and leave its thread behind.
    <RecommendedWatcher as notify::Watcher>::new(|_| {}, config).ok()?;
    let on_events = move |events: DebounceEventResult| {
        // An error means that events may have been lost, which is a reason to look.
        let is_change = events.map_or(true, |events| {
            let places = places.load();
            events.iter().any(|event| is_change(event, &places))
        });
        if is_change {
            let _ = sender.send(Message::Event);
        }
    };
    new_debouncer_opt(GATHER, Some(GATHER), on_events, NoCache, config).ok()
}

/// Reading a file is reported too, and would make us read it again; and so is what happens to a
/// file's neighbours.
fn is_change(event: &notify::Event, places: &Places) -> bool {
    let is_end_of_write =
        matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
    let is_change = is_end_of_write || !matches!(event.kind, EventKind::Access(_));
    event.need_rescan() || is_change && event.paths.iter().any(|path| places.matters(path))
}

struct State {
    paths: Vec<PathBuf>,
    /// The content that was told last.
    seen: u64,
    debouncer: Option<Notifications>,
    /// What is watched.
    places: Arc<ArcSwap<Places>>,
    /// What of it could not be watched, and is tried again.
    unwatched: BTreeSet<PathBuf>,
}

impl State {
    fn run(mut self, receiver: &mpsc::Receiver<Message>, poll: Duration, on_change: &dyn Fn()) {
        let mut looked = Instant::now();
        loop {
            let is_event = match receiver.recv_timeout(poll.min(WAY)) {
                Ok(Message::Event) => true,
                Err(RecvTimeoutError::Timeout) => !self.places.load().lead_the_same_way(),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
            };
            if !is_event && looked.elapsed() < poll {
                continue;
            }
            looked = Instant::now();
            self.arm(is_event);
            if self.fingerprint() == self.seen {
                continue;
            }
            let look = || {
                self.arm(true);
                self.fingerprint()
            };
            let Some(found) = settled(look, || pause(receiver)) else { break };
            if found != self.seen {
                self.seen = found;
                on_change();
            }
        }
        if let Some(debouncer) = self.debouncer {
            // Its thread sleeps for up to a tick, which is nothing to wait for.
            debouncer.stop_nonblocking();
        }
    }

    fn fingerprint(&self) -> u64 {
        fingerprint::of(&self.paths)
    }

    /// Watches what matters now; what mattered before may be gone or replaced. Whether all of it is
    /// watched.
    ///
    /// After an event everything is watched again, which changes nothing where it still is: a
    /// folder that was moved away and back is not watched any more.
    fn arm(&mut self, after_event: bool) -> bool {
        let Some(debouncer) = &mut self.debouncer else { return false };
        let mut again = after_event;
        for _ in 0..MAX_ARMS {
            let (old, new) = (self.places.load_full(), Arc::new(Places::of(&self.paths)));
            for (gone, _) in old.iter().filter(|(path, identity)| !new.has(path, *identity)) {
                // A folder that is gone cannot be unwatched, which is as good.
                let _ = debouncer.unwatch(gone);
            }
            // Before the first event can come.
            self.places.store(Arc::clone(&new));
            let mut is_same = true;
            for (path, identity) in new.iter() {
                let is_known = old.has(path, identity);
                is_same &= is_known;
                if again || !is_known || self.unwatched.contains(path) {
                    match debouncer.watch(path, RecursiveMode::NonRecursive) {
                        Ok(()) => self.unwatched.remove(path),
                        Err(_) => self.unwatched.insert(path.to_owned()),
                    };
                }
            }
            if is_same {
                break;
            }
            // What was looked up before it was watched may have changed between the two.
            again = false;
        }
        self.unwatched.retain(|path| self.places.load().contains(path));
        self.unwatched.is_empty()
    }
}

/// The content once it has come to rest: two looks with a pause between them see the same. `None`
/// if the pause was cut short.
fn settled(mut look: impl FnMut() -> u64, pause: impl Fn() -> Option<()>) -> Option<u64> {
    let mut found = look();
    for _ in 0..MAX_QUIET {
        pause()?;
        let before = std::mem::replace(&mut found, look());
        if found == before {
            break;
        }
    }
    Some(found)
}

/// Waits a moment, whatever happens meanwhile; `None` if the watcher is to stop.
fn pause(receiver: &mpsc::Receiver<Message>) -> Option<()> {
    let end = Instant::now() + QUIET;
    loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Message::Event) => {}
            Err(RecvTimeoutError::Timeout) => return Some(()),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
        }
    }
}

#[cfg(test)]
mod tests;
