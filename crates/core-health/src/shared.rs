use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::entry::{Entry, Latest, Now};
use crate::event::Events;
use crate::schedule::Check;
use crate::summary::{Summaries, Summary};
use crate::{Config, Error, Group, Snapshot};

/// Longer names make answers and metric labels unwieldy.
const MAX_NAME: usize = 64;
/// Names that would make a path mean two things: ours, and the two that clients resolve.
const RESERVED: [&str; 5] = ["live", "ready", "startup", ".", ".."];

/// What every clone and every handle of one `Health` share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) version: String,
    /// The same as JSON, as every answer has it.
    pub(crate) version_json: String,
    pub(crate) started: Instant,
    pub(crate) events: Events,
    /// Woken when a check was registered.
    pub(crate) arrived: Notify,
    /// Held by the one future that runs the checks.
    pub(crate) running: tokio::sync::Mutex<()>,
    stopping: AtomicBool,
    registry: RwLock<Registry>,
    summaries: Summaries,
}

#[derive(Default)]
struct Registry {
    entries: BTreeMap<Arc<str>, Arc<Entry>>,
    /// Those that have to be run, in the order of their registration; none ever leaves.
    checks: Vec<Arc<Check>>,
    groups: BTreeMap<Arc<str>, Members>,
}

/// The names of the checks of a group.
pub(crate) type Members = Arc<BTreeSet<Arc<str>>>;

impl Registry {
    fn vacant(&self, name: &str) -> Result<(), Error> {
        if self.entries.contains_key(name) || self.groups.contains_key(name) {
            return Err(Error::Duplicate { name: name.into() });
        }
        Ok(())
    }
}

/// Whether a name can be part of a path of ours.
fn well_formed(name: &str) -> Result<(), Error> {
    let well_formed = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
    if !well_formed || RESERVED.contains(&name) {
        return Err(Error::Name { name: name.into() });
    }
    Ok(())
}

impl Shared {
    pub(crate) fn new(config: Config, version: String) -> Self {
        Self {
            config,
            version_json: serde_json::to_string(&version).expect("a text"),
            version,
            started: Instant::now(),
            events: Events::default(),
            arrived: Notify::new(),
            running: tokio::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            registry: RwLock::default(),
            summaries: Summaries::default(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let stopping = self.stopping.load(Ordering::Acquire);
        Now { instant: Instant::now(), stopping }
    }

    /// Marks the beginning of the stop.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.summaries.outdate();
    }

    /// Registers an entry, and with it what runs it if it has to be run.
    pub(crate) fn register(
        &self,
        name: &str,
        make: impl FnOnce(Arc<str>, Now) -> (Arc<Entry>, Option<Check>),
    ) -> Result<Arc<Entry>, Error> {
        well_formed(name)?;
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        registry.vacant(name)?;
        let (entry, check) = make(name.into(), self.now());
        registry.entries.insert(Arc::clone(&entry.name), Arc::clone(&entry));
        self.summaries.outdate();
        if let Some(check) = check {
            registry.checks.push(Arc::new(check));
            self.arrived.notify_one();
        }
        Ok(entry)
    }

    /// Registers a group of checks that are there.
    pub(crate) fn group(&self, name: &str, checks: &[&str]) -> Result<(), Error> {
        well_formed(name)?;
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        registry.vacant(name)?;
        let member = |check: &&str| match registry.entries.get_key_value(*check) {
            Some((check, _)) => Ok(Arc::clone(check)),
            None => Err(Error::Member { group: name.into(), check: (*check).into() }),
        };
        let members = checks.iter().map(member).collect::<Result<BTreeSet<_>, _>>()?;
        registry.groups.insert(name.into(), Arc::new(members));
        Ok(())
    }

    /// The members of a group.
    pub(crate) fn members(&self, group: &str) -> Option<Members> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        registry.groups.get(group).cloned()
    }

    /// The checks that were registered after so many others.
    pub(crate) fn checks_after(&self, known: usize) -> Vec<Arc<Check>> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).checks[known..].to_vec()
    }

    /// Changes one entry, and tells the observer what came of it.
    pub(crate) fn change(&self, entry: &Entry, change: impl FnOnce(&mut Latest, Now)) {
        let now = self.now();
        entry.change(now, &self.events, |latest| {
            change(latest, now);
            // Under the entry's lock: whoever sees this waits for the change, and an observer that is
            // told of it by another thread finds no older answer.
            self.summaries.outdate();
        });
        self.events.deliver();
    }

    /// Finds what has changed by the passing of time alone.
    pub(crate) fn look(&self) {
        let now = self.now();
        for entry in self.registry.read().unwrap_or_else(PoisonError::into_inner).entries.values() {
            entry.look(now, &self.events);
        }
        self.events.deliver();
    }

    /// Reads what everybody may know of a group, beside the uptime.
    pub(crate) fn summary<R>(&self, group: Group, read: impl FnOnce(&Summary, Duration) -> R) -> R {
        let generation = self.summaries.generation();
        let now = self.now();
        let mut is_new = false;
        let make = || {
            let mut summary = Summary::default();
            let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
            let asked = registry.entries.values().filter(|entry| entry.is_in(group));
            asked.for_each(|entry| entry.add_to(&mut summary, now, &self.events));
            is_new = true;
            summary
        };
        let uptime = now.instant.saturating_duration_since(self.started);
        let read = |summary: &Summary| read(summary, uptime);
        let answer = self.summaries.read(group, generation, now.instant, make, read);
        if is_new {
            self.events.deliver();
        }
        answer
    }

    /// What is known of the checks that are asked for.
    pub(crate) fn snapshot(&self, is_asked: impl Fn(&Entry) -> bool) -> Snapshot {
        let now = self.now();
        let checks = {
            let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
            let asked = registry.entries.values().filter(|entry| is_asked(entry));
            asked.map(|entry| entry.snapshot(now, &self.events)).collect()
        };
        self.events.deliver();
        Snapshot { checks, uptime: now.instant.saturating_duration_since(self.started) }
    }
}

/// Locks, whatever happened to others: no code but ours runs under our locks, and a probe has to
/// answer even then.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
