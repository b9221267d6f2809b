//! One read of one path: the backends are asked in order, then everything changes at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use core_types::SecretRef;
use tokio::time::Instant;

use crate::backend::Lease;
use crate::entry::{Entry, Flight, Found, Held, Key, Known};
use crate::retry::{Retry, random};
use crate::secrets::{Inner, Registered};
use crate::term::Term;
use crate::{BackendError, Error, ErrorKind, Event, Hold, Outcome};

/// How many intervals without a successful read make a value stale.
const STALE_AFTER: u32 = 3;

/// The conversation with the backends of one path.
struct Conversation<'a> {
    path: &'a str,
    backends: &'a [Registered],
    /// The backend that lends here: asked for one key, it gives all, and no second time.
    lender: Option<usize>,
    /// One for each backend.
    known: Vec<Known>,
    retry: Retry<'a>,
    deadline: Instant,
}

impl Conversation<'_> {
    /// Finds one key. The first backend that has it gives it. A backend that has it not is passed
    /// over; one that fails ends the search, for an outage must not change which secret is used.
    async fn find(&mut self, reference: &SecretRef) -> Result<usize, Error> {
        let mut tried = Vec::new();
        for (index, (name, _)) in self.backends.iter().enumerate() {
            let backend = Arc::clone(name);
            match self.ask(index, reference.key()).await {
                Ok(()) => return Ok(index),
                Err(error) if error.kind() == ErrorKind::NotFound => tried.push((backend, error)),
                Err(source) => {
                    return Err(Error::Backend { reference: reference.clone(), backend, source });
                }
            }
        }
        Err(Error::NotFound { reference: reference.clone(), tried })
    }

    /// Makes a backend's answers hold a key.
    async fn ask(&mut self, index: usize, key: Option<&str>) -> Result<(), BackendError> {
        let known = &mut self.known[index];
        if known.data.value(key).is_some() {
            return Ok(());
        }
        if known.anew && known.data.is_whole() || known.data.lease().is_some() {
            return known.data.clone().answer(key).map(|data| known.data = data);
        }
        if let Some(error) = &known.unavailable {
            return Err(error.clone());
        }
        match self.retry.ask(&*self.backends[index].1, self.path, key, &mut self.deadline).await {
            Ok((data, asked)) => {
                known.data.merge(data);
                known.read = Some(Instant::now());
                known.asked = Some(asked);
                known.anew = true;
                Ok(())
            }
            Err(error) => {
                let is_final = error.kind() != ErrorKind::Unavailable;
                let is_told = !is_final || self.lender == Some(index);
                known.unavailable = is_told.then(|| error.clone());
                Err(error)
            }
        }
    }

    /// The backend that told in passing of a key that this read did not look for.
    fn gift(&self, held: &Held) -> Option<usize> {
        let index = self.backends.iter().position(|(name, _)| *name == held.backend)?;
        let Known { data, anew, .. } = &self.known[index];
        (*anew && data.value(held.key.as_deref()).is_some()).then_some(index)
    }

    fn found(&self, index: usize, key: Option<&str>) -> Found {
        let backend = Arc::clone(&self.backends[index].0);
        let Known { data, read, .. } = &self.known[index];
        let value = Arc::clone(data.value(key).expect("only added to"));
        Found { backend, value, read: *read, until: None, stale_from: None }
    }

    /// The lease that this read has brought, with the backend that gave it.
    fn lent(&self) -> Option<(usize, Lease, Instant)> {
        let lent = |(index, known): (usize, &Known)| {
            let lease = known.data.lease().filter(|_| known.anew)?;
            Some((index, lease.clone(), known.asked?))
        };
        self.known.iter().enumerate().find_map(lent)
    }
}

impl Inner {
    /// Reads keys of a path, starting from what is already known.
    ///
    /// Until the last backend has answered, a drop leaves everything as it was; after that nothing
    /// waits any more.
    pub(crate) async fn read(
        &self,
        entry: &Entry,
        flight: &mut Flight,
        keys: &[Key],
        retry: Retry<'_>,
        mut known: Vec<Known>,
    ) {
        let number = entry.finished.load(Ordering::Acquire) + 1;
        entry.begun.store(number, Ordering::Release);
        let backends = &self.backends[entry.backends.clone()];
        known.resize_with(backends.len(), Known::default);
        let path = &entry.path[entry.inner..];
        let deadline = Instant::now() + retry.budget;
        let lender = entry.term().as_ref().map(|(lender, _)| lender - entry.backends.start);
        let mut talk = Conversation { path, backends, lender, known, retry, deadline };

        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let reference = SecretRef::new(&entry.path, key.as_deref()).expect("checked before");
            found.push((key.clone(), talk.find(&reference).await));
        }
        for held in entry.held.load().iter().filter(|held| !keys.contains(&held.key)) {
            found.extend(talk.gift(held).map(|index| (held.key.clone(), Ok(index))));
        }
        let hold = self.borrow(entry, talk.lent());
        let term = entry.term().clone();
        // Taken at the end only: of two answers of one backend, the later is of a newer version.
        let results = found.into_iter().map(|(key, found)| {
            let found = found.map(|index| {
                let found = talk.found(index, key.as_deref());
                let term =
                    term.as_ref().filter(|(lender, _)| *lender == entry.backends.start + index);
                self.dated(found, term.map(|(_, term)| term))
            });
            (key, found)
        });
        flight.failures.clear();
        self.conclude(entry, flight, results, &hold);
        // What a backend out of reach answered before is as good as a cached value.
        for (new, old) in talk.known.iter_mut().zip(&flight.known) {
            if new.unavailable.is_some() && !new.anew {
                (new.data, new.read) = (old.data.clone(), old.read);
            }
        }
        flight.known = talk.known;
        entry.finished.store(number, Ordering::Release);
        entry.changed.send_replace(());
    }

    /// Takes a new lease in the place of the one before, which is kept while it is used.
    fn borrow(&self, entry: &Entry, lent: Option<(usize, Lease, Instant)>) -> Hold {
        let Some((index, lease, asked)) = lent else { return Hold::nothing() };
        let lender = entry.backends.start + index;
        let term = Term::new(lease, asked, (self.slept)(), random());
        match entry.term().replace((lender, term)) {
            Some((lender, old)) => self.old.hold(self.lent(lender, &old)),
            None => Hold::nothing(),
        }
    }

    /// Says how long a value is good for.
    fn dated(&self, mut found: Found, term: Option<&Term>) -> Found {
        match term {
            Some(term) => {
                found.until = Some(term.ends());
                found.stale_from = Some(term.late());
            }
            None if self.config.auto_refresh => {
                let patience = self.config.refresh_interval.get() * STALE_AFTER;
                found.stale_from = found.read.and_then(|read| read.checked_add(patience));
            }
            None => {}
        }
        found
    }

    /// Puts the results in place, all at once, and tells of them.
    fn conclude(
        &self,
        entry: &Entry,
        flight: &mut Flight,
        results: impl Iterator<Item = (Key, Result<Found, Error>)>,
        hold: &Hold,
    ) {
        let mut events = Vec::new();
        let mut offers = Vec::new();
        entry.update(|all| {
            for (key, result) in results {
                let path = || Arc::clone(&entry.path);
                let held = held_at(all, &key);
                match result {
                    Ok(found) => {
                        let (backend, new) = (Arc::clone(&found.backend), Arc::clone(&found.value));
                        let old = held.accept(found);
                        let outcome = held.outcome;
                        let key = || key.clone();
                        events.push(Event::Refreshed {
                            backend,
                            path: path(),
                            key: key(),
                            outcome,
                        });
                        if old.is_some() {
                            let hold = hold.clone();
                            events.push(Event::Rotated { path: path(), key: key(), hold });
                        }
                        offers.push((key(), old, new));
                    }
                    Err(error) => {
                        flight.failures.push((key.clone(), error.clone()));
                        let (kind, backend) = error.decided();
                        held.outcome = Outcome::Failed(kind);
                        let cached = held.value.is_some() && !held.is_over();
                        if !cached {
                            held.backend = Arc::clone(&backend);
                        }
                        let outcome = held.outcome;
                        events.push(Event::RefreshFailed {
                            backend,
                            path: path(),
                            key,
                            outcome,
                            error,
                            cached,
                        });
                    }
                }
            }
        });
        for event in &events {
            self.tell(event);
        }
        for (key, old, new) in offers {
            self.offer(&entry.path, &key, old.as_ref(), &new, hold);
        }
    }

    /// Tells once of every value that has become stale.
    pub(crate) fn tell_stale(&self, entry: &Entry) {
        let now = Instant::now();
        let is_news = |held: &Held| held.is_stale(now) && !held.told_stale;
        if !entry.held.load().iter().any(is_news) {
            return;
        }
        let news: Vec<Key> = entry.update(|all| {
            let news = all.iter_mut().filter(|held| is_news(held));
            let told = |held: &mut Held| {
                held.told_stale = true;
                held.key.clone()
            };
            news.map(told).collect()
        });
        for key in news {
            self.tell(&Event::Stale { path: Arc::clone(&entry.path), key });
        }
    }
}

fn held_at<'a>(all: &'a mut Vec<Held>, key: &Key) -> &'a mut Held {
    let index = all.iter().position(|held| held.key == *key).unwrap_or_else(|| {
        all.push(Held::unread(key.clone()));
        all.len() - 1
    });
    &mut all[index]
}
