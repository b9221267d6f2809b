//! Leases: prolonged in time, replaced before their end, and given back.

use std::sync::Arc;

use core_types::SecretRef;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{Instant, timeout_at};

use crate::entry::{Entry, Held};
use crate::hold::Lent;
use crate::refresh::AT_ONCE;
use crate::retry::{isolated, random};
use crate::secrets::{Inner, Secrets};
use crate::term::{Step, Term};
use crate::{Backend, BackendError, Error, Event, Outcome};

impl Secrets {
    /// Gives every lease back and logs out: the last thing to be done, when nobody uses the values
    /// any more. [`run`](Self::run) has to be dropped before.
    ///
    /// Eight at a time. What cannot be given back ends by itself; an [`Event`] says so.
    ///
    /// # Cancel safety
    /// Dropped early, what was not given back yet ends by itself.
    pub fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = self.inner();
        async move {
            let mut lent = inner.old.take();
            let mut to_revoke = inner.old.to_revoke.lock().await;
            lent.extend(std::iter::from_fn(|| to_revoke.try_recv().ok()));
            for entry in inner.table.from(0) {
                let term = entry.term().take();
                lent.extend(term.map(|(lender, term)| inner.lent(lender, &term)));
            }
            stream::iter(lent).for_each_concurrent(AT_ONCE, |lent| inner.revoke(lent)).await;
            for (_, backend) in &inner.backends {
                if let Err(error) = isolated(|| backend.close()).await {
                    inner.tell(&Event::Revoked { error: Some(error) });
                }
            }
        }
    }
}

impl Inner {
    pub(crate) fn lent(&self, lender: usize, term: &Term) -> Lent {
        let backend = Arc::clone(&self.backends[lender].1);
        Lent { backend, lease: term.lease().clone(), ends: term.ends() }
    }

    /// Gives a lease back, unless it is over.
    async fn revoke(&self, lent: Lent) {
        if Instant::now() < lent.ends {
            let revoked = isolated(|| lent.backend.revoke(&lent.lease)).await;
            self.tell(&Event::Revoked { error: revoked.err() });
        }
    }

    /// Gives back what is not used any more, for ever.
    pub(crate) async fn give_back(&self) -> std::convert::Infallible {
        let mut to_revoke = self.old.to_revoke.lock().await;
        loop {
            let lent = to_revoke.recv().await.expect("the sender is held beside it");
            self.revoke(lent).await;
        }
    }

    /// Has every lease looked at when those of a backend may end earlier than was granted.
    pub(crate) async fn hear_of_ends(&self, backend: &dyn Backend) -> std::convert::Infallible {
        loop {
            backend.last_end_changed().await;
            self.table.from(0).iter().for_each(|entry| entry.changed.send_replace(()));
        }
    }

    /// When the lease of a path has to be looked at again.
    pub(crate) fn look_at_lease(&self, entry: &Entry) -> Option<Instant> {
        let now = Instant::now();
        let mut term = entry.term();
        let (lender, term) = term.as_mut()?;
        term.look((self.slept)());
        if let Some(end) = self.backends[*lender].1.last_end(term.lease()) {
            term.cap(end, now, random());
        }
        Some(term.wake(now))
    }

    /// Does for a lease what is due, if anything is.
    pub(crate) async fn keep_lease(&self, entry: &Entry) {
        let is_due =
            || entry.term().as_ref().is_some_and(|(_, term)| term.due(Instant::now()).is_some());
        if !is_due() {
            return;
        }
        let mut flight = entry.flight.lock().await;
        // Whoever held the lock may have done it.
        let (lender, term) = match &*entry.term() {
            Some((lender, term)) => (*lender, term.clone()),
            None => return,
        };
        let for_good = match term.due(Instant::now()) {
            None => return,
            Some(Step::Renew) => match self.renew(entry, lender, &term).await {
                Ok(()) => return,
                Err(error) => error.kind() != crate::ErrorKind::Unavailable,
            },
            Some(Step::Replace) => {
                let held = entry.held.load_full();
                let keys: Vec<_> = held.iter().map(|held| held.key.clone()).collect();
                // No repetitions: an answer that was lost has left a lease behind.
                let mut retry = self.retry_in_turn();
                retry.retries = 0;
                self.read(entry, &mut flight, &keys, retry, Vec::new()).await;
                let replaced = |now: &Term| now.lease() != term.lease();
                if entry.term().as_ref().is_none_or(|(_, now)| replaced(now)) {
                    return;
                }
                false
            }
        };
        with_term(entry, |term| term.failed(Instant::now(), for_good, random()));
    }

    async fn renew(&self, entry: &Entry, lender: usize, term: &Term) -> Result<(), BackendError> {
        let (name, backend) = &self.backends[lender];
        let _permit = self.permits.acquire().await.expect("never closed");
        let asked = Instant::now();
        let renewed =
            timeout_at(asked + self.retry().budget, isolated(|| backend.renew(term.lease())));
        let renewed = renewed
            .await
            .unwrap_or_else(|_| Err(BackendError::unavailable("no answer within the budget")));
        let told = |outcome: Outcome, error: Option<&BackendError>| {
            for held in entry.held.load().iter().filter(|held| held.until.is_some()) {
                let (backend, path, key) =
                    (Arc::clone(name), Arc::clone(&entry.path), held.key.clone());
                self.tell(&match error {
                    None => Event::Refreshed { backend, path, key, outcome },
                    Some(source) => {
                        let reference =
                            SecretRef::new(&path, key.as_deref()).expect("checked before");
                        let error = Error::Lease {
                            reference,
                            backend: Arc::clone(name),
                            source: source.clone(),
                        };
                        let cached = !held.is_over();
                        Event::RefreshFailed { backend, path, key, outcome, error, cached }
                    }
                });
            }
        };
        match renewed {
            Ok(lease) => {
                let now = Instant::now();
                with_term(entry, |term| term.renewed(lease, asked, now, random()));
                entry.update(|all| {
                    for held in all.iter_mut().filter(|held| held.until.is_some()) {
                        held.read = Some(now);
                        held.outcome = Outcome::Renewed;
                        held.told_stale = false;
                    }
                });
                told(Outcome::Renewed, None);
                Ok(())
            }
            Err(error) => {
                let outcome = Outcome::Failed(error.kind());
                entry.update(|all| {
                    let lent = all.iter_mut().filter(|held| held.until.is_some());
                    lent.for_each(|held| held.outcome = outcome);
                });
                told(outcome, Some(&error));
                Err(error)
            }
        }
    }
}

/// Changes the lease, and what every value knows of it. By who holds the flight.
fn with_term(entry: &Entry, change: impl FnOnce(&mut Term)) {
    if let Some((_, term)) = &mut *entry.term() {
        change(term);
    }
    date_again(entry);
}

/// Tells the values when their lease ends now.
pub(crate) fn date_again(entry: &Entry) {
    let Some((ends, late)) = entry.term().as_ref().map(|(_, term)| (term.ends(), term.late()))
    else {
        return;
    };
    let is_other = |held: &Held| held.until.is_some_and(|until| until != ends);
    if entry.held.load().iter().any(is_other) {
        entry.update(|all| {
            for held in all.iter_mut().filter(|held| held.until.is_some()) {
                (held.until, held.stale_from) = (Some(ends), Some(late));
            }
        });
        entry.changed.send_replace(());
    }
}
