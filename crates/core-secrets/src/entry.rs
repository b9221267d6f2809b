use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;
use core_types::Secret;
use tokio::sync::{self, watch};
use tokio::time::Instant;

use crate::term::Term;
use crate::{BackendError, Error, ErrorKind, Outcome, SecretData};

pub(crate) type Key = Option<Arc<str>>;
pub(crate) type Value = Arc<Secret<String>>;

/// Everything that is known of one path.
pub(crate) struct Entry {
    /// As it was asked for, a backend's name included.
    pub(crate) path: Arc<str>,
    /// The backends to ask.
    pub(crate) backends: Range<usize>,
    /// Where the path begins that they understand.
    pub(crate) inner: usize,
    /// What callers get: replaced as a whole, so that keys change together.
    pub(crate) held: ArcSwap<Vec<Held>>,
    /// Only one read of a path at a time.
    pub(crate) flight: sync::Mutex<Flight>,
    /// The number of the last read that was begun, and of the last that was finished.
    pub(crate) begun: AtomicU64,
    pub(crate) finished: AtomicU64,
    /// The lease of what is held, and the backend that gave it. Changed by who holds `flight`.
    term: Mutex<Option<(usize, Term)>>,
    /// Only one changes what is held at a time, for a moment.
    writing: Mutex<()>,
    /// Told whenever what is held was read or prolonged.
    pub(crate) changed: watch::Sender<()>,
}

/// What is known of one key.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) key: Key,
    pub(crate) value: Option<Value>,
    /// The value before, which somebody may still use.
    pub(crate) previous: Option<Value>,
    /// Who gave the value, or failed to.
    pub(crate) backend: Arc<str>,
    /// When the value was last confirmed.
    pub(crate) read: Option<Instant>,
    /// The end of its lease, if it is lent: from then on it is of no use.
    pub(crate) until: Option<Instant>,
    /// From when on it is stale, if it is not confirmed before.
    pub(crate) stale_from: Option<Instant>,
    pub(crate) outcome: Outcome,
    /// Whether staleness was told.
    pub(crate) told_stale: bool,
}

/// A value, who gave it, and when.
pub(crate) struct Found {
    pub(crate) backend: Arc<str>,
    pub(crate) value: Value,
    pub(crate) read: Option<Instant>,
    pub(crate) until: Option<Instant>,
    pub(crate) stale_from: Option<Instant>,
}

/// What one read leaves to the next.
#[derive(Default)]
pub(crate) struct Flight {
    /// One for each backend.
    pub(crate) known: Vec<Known>,
    /// What the last read could not get, for those who waited for it.
    pub(crate) failures: Vec<(Key, Error)>,
}

/// What is known of a path from one backend.
#[derive(Clone, Default)]
pub(crate) struct Known {
    /// What it last answered, also the keys that nobody has asked for yet.
    pub(crate) data: SecretData,
    /// When that was.
    pub(crate) read: Option<Instant>,
    /// When it had been asked for, which is when a lease began at the earliest.
    pub(crate) asked: Option<Instant>,
    /// Whether the answer is of the last read.
    pub(crate) anew: bool,
    /// Out of reach in the last read: what else was wanted need not wait for it too.
    pub(crate) unavailable: Option<BackendError>,
}

impl Entry {
    pub(crate) fn new(path: &str, inner: usize, backends: Range<usize>) -> Self {
        Self {
            path: path.into(),
            backends,
            inner,
            held: ArcSwap::default(),
            flight: sync::Mutex::default(),
            begun: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            term: Mutex::default(),
            writing: Mutex::default(),
            changed: watch::Sender::default(),
        }
    }

    pub(crate) fn value(&self, key: Option<&str>) -> Option<Secret<String>> {
        let held = self.held.load();
        let held = held.iter().find(|held| held.key.as_deref() == key)?;
        if held.is_over() { None } else { held.value.as_deref().cloned() }
    }

    pub(crate) fn term(&self) -> MutexGuard<'_, Option<(usize, Term)>> {
        self.term.lock().expect("no panic while it is held")
    }

    /// Changes what is known of the keys, as a whole.
    pub(crate) fn update<T>(&self, change: impl FnOnce(&mut Vec<Held>) -> T) -> T {
        let _writing = self.writing.lock().expect("no panic while it is held");
        let mut all = (**self.held.load()).clone();
        let changed = change(&mut all);
        self.held.store(Arc::new(all));
        changed
    }
}

impl Held {
    pub(crate) fn unread(key: Key) -> Self {
        Self {
            key,
            value: None,
            previous: None,
            backend: "".into(),
            read: None,
            until: None,
            stale_from: None,
            outcome: Outcome::Failed(ErrorKind::NotFound),
            told_stale: false,
        }
    }

    /// Whether the value should have been confirmed by now, and was not.
    pub(crate) fn is_stale(&self, now: Instant) -> bool {
        self.stale_from.is_some_and(|moment| now >= moment)
    }

    /// Whether the value is of no use any more.
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Takes over what was read. Gives the old value if the new one is another.
    pub(crate) fn accept(&mut self, found: Found) -> Option<Value> {
        let old = self.value.replace(Arc::clone(&found.value));
        self.outcome = match &old {
            None => Outcome::New,
            Some(old) if **old == *found.value => Outcome::Unchanged,
            Some(_) => Outcome::Changed,
        };
        let old = old.filter(|_| self.outcome == Outcome::Changed);
        if old.is_some() {
            self.previous.clone_from(&old);
        }
        self.backend = found.backend;
        self.read = found.read;
        self.until = found.until;
        self.stale_from = found.stale_from;
        self.told_stale = false;
        old
    }
}

impl Flight {
    pub(crate) fn failure(&self, key: Option<&str>) -> Option<Error> {
        let failure = self.failures.iter().find(|(failed, _)| failed.as_deref() == key);
        failure.map(|(_, error)| error.clone())
    }
}
