mod change;
mod event;
mod reader;
mod subscriber;

use std::fmt;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use core_types::panic_message;

use self::change::{Changes, lock};
use self::subscriber::Subscriber;
pub use self::{
    event::{Applied, Event, Refusal},
    reader::{Peek, Reader},
    subscriber::{BoxError, Commit},
};
use crate::{Effective, Key, Loaded};

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
/// - [`get`](Self::get) pins one generation; [`peek`](Self::peek) is for one look, and
///   [`reader`](Self::reader) for hot paths.
/// - [`subscribe`](Self::subscribe) takes part in every change: it may refuse it.
/// - [`apply`](Self::apply) is a transaction: every subscriber prepares, then all commit, or
///   nothing changes anywhere.
pub struct Live<T>(Arc<Shared<T>>);

struct Shared<T> {
    current: ArcSwap<Generation<T>>,
    changes: Changes<T>,
    /// Held while a change is made, and while it is told what became of one: commits and events
    /// come in the order of the generations.
    order: Mutex<()>,
    observer: Box<dyn Fn(&Event) + Send + Sync>,
}

impl<T: Send + Sync + 'static> Live<T> {
    /// Begins with the first settings.
    #[must_use]
    pub fn new(first: Loaded<T>) -> Self {
        Self::with_observer(first, |_| {})
    }

    /// Begins with the first settings, and reports what becomes of later ones.
    ///
    /// The observer hears of changes one after the other, in their order. It may read and
    /// subscribe; [`apply`](Self::apply) and [`refuse`](Self::refuse) would wait for it for ever.
    /// A panic of it changes nothing.
    #[must_use]
    pub fn with_observer(
        first: Loaded<T>,
        observer: impl Fn(&Event) + Send + Sync + 'static,
    ) -> Self {
        let Loaded { settings, effective, .. } = first;
        let first = Generation { number: 1, settings, effective, applied_at: SystemTime::now() };
        Self(Arc::new(Shared {
            current: ArcSwap::from_pointee(first),
            changes: Changes::new(),
            order: Mutex::new(()),
            observer: Box::new(observer),
        }))
    }

    /// The current generation, pinned for as long as it is held. Never blocks.
    pub fn get(&self) -> Arc<Generation<T>> {
        self.0.current.load_full()
    }

    /// The current generation for one look: no count is touched that other threads touch too.
    ///
    /// Never blocks. To be dropped soon, and not to be held while waiting: a thread has a few
    /// of them for nothing, further ones cost as much as [`get`](Self::get).
    pub fn peek(&self) -> Peek<T> {
        Peek::new(self.0.current.load())
    }

    /// A reader of one's own, which costs less than a nanosecond while nothing changes.
    pub fn reader(&self) -> Reader<T> {
        Reader::new(Arc::clone(&self.0))
    }

    /// Takes part in every change. Returns the generation from which on it does.
    ///
    /// `prepare` sees the old and the new settings. It does everything that can fail, changes
    /// nothing, and returns what makes the change; or refuses, with a reason for people. It is
    /// called on the thread that applies the change, and again if another change came first. A
    /// panic is a refusal.
    ///
    /// Neither `prepare` nor the [`Commit`] may call [`apply`](Self::apply), which would wait for
    /// them for ever. Both may read; a [`Commit`] may subscribe.
    pub fn subscribe(
        &self,
        name: &'static str,
        prepare: impl Fn(&T, &T) -> Result<Commit, BoxError> + Send + Sync + 'static,
    ) -> Arc<Generation<T>> {
        let prepare = move |old: &T, new: &T, _: &[Key]| prepare(old, new).map(Some);
        self.push(Subscriber { name, prepare: Box::new(prepare) })
    }

    /// Takes part in changes of one section, as its type tells them.
    ///
    /// As [`subscribe`](Self::subscribe), for the part that `section` selects, and only where it
    /// differs.
    pub fn subscribe_to<S: PartialEq + 'static>(
        &self,
        name: &'static str,
        section: impl Fn(&T) -> &S + Send + Sync + Copy + 'static,
        prepare: impl Fn(&S, &S) -> Result<Commit, BoxError> + Send + Sync + 'static,
    ) -> Arc<Generation<T>> {
        let prepare = move |old: &T, new: &T, _: &[Key]| {
            let (old, new) = (section(old), section(new));
            if old == new { Ok(None) } else { prepare(old, new).map(Some) }
        };
        self.push(Subscriber { name, prepare: Box::new(prepare) })
    }

    /// Takes part in changes of a key or of keys below it, and hears which.
    ///
    /// As [`subscribe`](Self::subscribe), where at least one key changes that is `key` or lies
    /// below it; `prepare` gets these keys, in their order. A key that was removed from the
    /// sources has changed if its default is another value.
    ///
    /// # Panics
    /// If the key is malformed: it is the code's own.
    pub fn subscribe_to_keys(
        &self,
        name: &'static str,
        key: &str,
        prepare: impl Fn(&T, &T, &[Key]) -> Result<Commit, BoxError> + Send + Sync + 'static,
    ) -> Arc<Generation<T>> {
        let above = Key::parse(key).expect("a key in the code is well-formed");
        let prepare = move |old: &T, new: &T, changed: &[Key]| {
            let below = changed.iter().filter(|key| key.starts_with(&above));
            let below: Vec<Key> = below.cloned().collect();
            if below.is_empty() { Ok(None) } else { prepare(old, new, &below).map(Some) }
        };
        self.push(Subscriber { name, prepare: Box::new(prepare) })
    }

    fn push(&self, subscriber: Subscriber<T>) -> Arc<Generation<T>> {
        let mut state = self.0.changes.lock();
        Arc::make_mut(&mut state.subscribers).push(Arc::new(subscriber));
        // Under the same lock as a change is made: none is missed, none is heard twice.
        self.get()
    }

    /// Applies new settings: all subscribers prepare, then all commit.
    ///
    /// Blocks while subscribers prepare; readers never wait, and see either the old generation or
    /// the new. Settings equal to the current ones change nothing but what is known of their
    /// origins. A later call overtakes one that hangs in a subscriber, which then is refused.
    ///
    /// # Errors
    /// [`Refusal`] with the reason of every subscriber that refused or panicked, or because a
    /// later change came first or this one was [given up](Self::give_up). Nothing has changed then.
    pub fn apply(&self, new: Loaded<T>) -> Result<Applied, Refusal> {
        let Loaded { settings, effective, .. } = new;
        let ticket = self.0.changes.begin();
        loop {
            let old = self.get();
            let changed = old.effective.changed(&effective);
            let subscribers = Arc::clone(&self.0.changes.lock().subscribers);
            let (mut commits, mut reasons) = (Vec::new(), Vec::new());
            for subscriber in subscribers.iter().filter(|_| !changed.is_empty()) {
                ticket.asks(subscriber.name);
                match subscriber.prepare(&old.settings, &settings, &changed) {
                    Ok(commit) => commits.extend(commit.map(|commit| (subscriber.name, commit))),
                    Err(reason) => reasons.push((subscriber.name, reason)),
                }
            }

            let _order = lock(&self.0.order);
            let mut state = self.0.changes.lock();
            let is_answer_to_this =
                Arc::ptr_eq(&old, &self.get()) && Arc::ptr_eq(&subscribers, &state.subscribers);
            if !is_answer_to_this && !state.is_settled(&ticket) {
                // Another change was made meanwhile, or somebody has come who was not asked.
                continue;
            }
            ticket.settle(&mut state)?;
            if !reasons.is_empty() {
                drop(state);
                let refusal = Refusal { reasons };
                self.tell(&Event::Refused { reasons: refusal.to_string() });
                return Err(refusal);
            }
            let is_change = !changed.is_empty();
            let generation = old.number + u64::from(is_change);
            if is_change || old.effective != effective {
                let applied_at = if is_change { SystemTime::now() } else { old.applied_at };
                let next = Generation { number: generation, settings, effective, applied_at };
                self.0.current.store(Arc::new(next));
            }
            drop(state);
            for (name, commit) in commits {
                // Everybody has agreed: a panic is a bug, and no reason to leave others behind.
                if let Err(panic) = catch_unwind(AssertUnwindSafe(|| commit.run())) {
                    let reason = panic_message(&*panic).to_owned();
                    self.tell(&Event::CommitPanicked { subscriber: name, reason });
                }
            }
            let applied = Applied { generation, changed };
            self.tell(&if is_change { Event::Applied(applied.clone()) } else { Event::Unchanged });
            return Ok(applied);
        }
    }

    /// Reports that new settings could not even be loaded. Nothing has changed.
    ///
    /// What was begun before cannot be applied any more: these were the later settings.
    pub fn refuse(&self, reasons: &dyn fmt::Display) {
        let _order = lock(&self.0.order);
        self.0.changes.lock().settle_all();
        self.tell(&Event::Refused { reasons: reasons.to_string() });
    }

    /// Refuses every change that still waits for a subscriber's answer, and names these.
    ///
    /// For a host that has waited for [`apply`](Self::apply) long enough: the change can not be
    /// made any more, whatever the answer will be, and the next one can. `None` if no answer is
    /// waited for: then the change is just being made.
    pub fn give_up(&self) -> Option<Refusal> {
        let waiting = {
            let mut state = self.0.changes.lock();
            let waiting = state.waiting();
            if waiting.is_empty() {
                return None;
            }
            state.settle_all();
            waiting
        };
        let reasons = waiting.into_iter().map(|name| (name, "has not answered in time".into()));
        let refusal = Refusal { reasons: reasons.collect() };
        self.tell(&Event::Refused { reasons: refusal.to_string() });
        Some(refusal)
    }

    fn tell(&self, event: &Event) {
        // Whoever looks on cannot undo what has happened; the panic itself was reported already.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.0.observer)(event)));
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
