mod event;
mod reader;
mod subscriber;

use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use core_types::panic_message;

use self::subscriber::Subscriber;
pub use self::{
    event::{Applied, Event, Refusal},
    reader::Reader,
    subscriber::{BoxError, Commit},
};
use crate::{Effective, Loaded};

/// The settings of one moment: what a reader holds does not change under it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Generation<T> {
    /// Counts from 1, by one with every applied edit.
    pub number: u64,
    /// The settings.
    pub settings: T,
    /// Their values as they may be shown, with their origins.
    pub effective: Effective,
    /// When they were applied.
    pub applied_at: SystemTime,
}

impl<T> Deref for Generation<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.settings
    }
}

/// Settings that can change while they are read. Cheap to clone; all clones are one.
///
/// - [`get`](Self::get) pins one generation; [`reader`](Self::reader) is for hot paths.
/// - [`subscribe`](Self::subscribe) takes part in every change: it may refuse it.
/// - [`apply`](Self::apply) is a transaction: every subscriber prepares, then all commit, or
///   nothing changes anywhere.
pub struct Live<T>(Arc<Shared<T>>);

struct Shared<T> {
    current: ArcSwap<Generation<T>>,
    /// Held while a change is applied, so that changes come one after the other.
    subscribers: Mutex<Vec<Subscriber<T>>>,
    observer: Box<dyn Fn(&Event) + Send + Sync>,
}

impl<T: Send + Sync + 'static> Live<T> {
    /// Begins with the first settings.
    #[must_use]
    pub fn new(first: Loaded<T>) -> Self {
        Self::with_observer(first, |_| {})
    }

    /// Begins with the first settings, and reports what becomes of later ones.
    #[must_use]
    pub fn with_observer(
        first: Loaded<T>,
        observer: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        let Loaded { settings, effective, .. } = first;
        let first = Generation { number: 1, settings, effective, applied_at: SystemTime::now() };
        Self(Arc::new(Shared {
            current: ArcSwap::from_pointee(first),
            subscribers: Mutex::new(Vec::new()),
            observer: Box::new(observer),
        }))
    }

    /// The current generation, pinned for as long as it is held. Never blocks.
    pub fn get(&self) -> Arc<Generation<T>> {
        self.0.current.load_full()
    }

    /// A reader of one's own, which costs less than a nanosecond while nothing changes.
    pub fn reader(&self) -> Reader<T> {
        Reader::new(Arc::clone(&self.0))
    }

    /// Takes part in every change.
    ///
    /// `prepare` sees the old and the new settings. It does everything that can fail, changes
    /// nothing, and returns what makes the change; or refuses, with a reason for people. It is
    /// called on the thread that applies the change and must not call back into this `Live`.
    pub fn subscribe(
        &self,
        name: &'static str,
        prepare: impl Fn(&T, &T) -> Result<Commit, BoxError> + Send + Sync + 'static,
    ) {
        self.push(Subscriber { name, concerns: Box::new(|_, _| true), prepare: Box::new(prepare) });
    }

    /// Takes part in changes of one section.
    ///
    /// As [`subscribe`](Self::subscribe), for the part that `section` selects, and only where it
    /// differs.
    pub fn subscribe_to<S: PartialEq + 'static>(
        &self,
        name: &'static str,
        section: impl Fn(&T) -> &S + Send + Sync + Copy + 'static,
        prepare: impl Fn(&S, &S) -> Result<Commit, BoxError> + Send + Sync + 'static,
    ) {
        self.push(Subscriber {
            name,
            concerns: Box::new(move |old, new| section(old) != section(new)),
            prepare: Box::new(move |old, new| prepare(section(old), section(new))),
        });
    }

    fn push(&self, subscriber: Subscriber<T>) {
        self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(subscriber);
    }

    /// Applies new settings: all subscribers prepare, then all commit.
    ///
    /// Blocks while subscribers prepare; readers never wait, and see either the old generation or
    /// the new. Settings equal to the current ones change nothing.
    ///
    /// # Errors
    /// [`Refusal`] with the reason of every subscriber that refused or panicked. Nothing has
    /// changed then.
    pub fn apply(&self, new: Loaded<T>) -> Result<Applied, Refusal> {
        let subscribers = self.0.subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.get();
        let changed = old.effective.changed(&new.effective);
        if changed.is_empty() {
            (self.0.observer)(&Event::Unchanged);
            return Ok(Applied { generation: old.number, changed });
        }
        let (mut commits, mut reasons) = (Vec::new(), Vec::new());
        for subscriber in &*subscribers {
            match subscriber.prepare(&old.settings, &new.settings) {
                Ok(commit) => commits.extend(commit.map(|commit| (subscriber.name, commit))),
                Err(reason) => reasons.push((subscriber.name, reason)),
            }
        }
        if !reasons.is_empty() {
            let refusal = Refusal { reasons };
            (self.0.observer)(&Event::Refused { reasons: refusal.to_string() });
            return Err(refusal);
        }
        let Loaded { settings, effective, .. } = new;
        let number = old.number + 1;
        let next = Generation { number, settings, effective, applied_at: SystemTime::now() };
        self.0.current.store(Arc::new(next));
        for (name, commit) in commits {
            // Everybody has agreed: a panic here is a bug, and no reason to leave others behind.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| commit.run())) {
                let reason = panic_message(&*panic).to_owned();
                (self.0.observer)(&Event::CommitPanicked { subscriber: name, reason });
            }
        }
        let applied = Applied { generation: number, changed };
        (self.0.observer)(&Event::Applied(applied.clone()));
        Ok(applied)
    }

    /// Reports that new settings could not even be loaded. Nothing has changed.
    pub fn refuse(&self, error: &crate::Error) {
        (self.0.observer)(&Event::Refused { reasons: error.to_string() });
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("generation", &self.0.current.load().number)
            .finish_non_exhaustive()
    }
}
