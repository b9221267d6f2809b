//! Reading again: all at once when told to, and each in its own time.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use futures_util::future::{join_all, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::backend::Chores;
use crate::entry::Entry;
use crate::lease::date_again;
use crate::retry::random;
use crate::secrets::{Inner, Secrets};
use crate::{ErrorKind, Hold, Outcome};

/// How many secrets are refreshed at the same time: quick, and no burden to any server.
pub(crate) const AT_ONCE: usize = 8;

/// The part of the interval by which a wait is shortened at most.
const JITTER: f64 = 0.2;

impl Secrets {
    /// Reads every secret again that was asked for, now: for a SIGHUP, or a button.
    ///
    /// Each is read after this call; a read that was under way does not count. Eight at a time.
    /// What could not be read stays as it was. How it went is told by [`Event`](crate::Event)s.
    /// A secret that is lent keeps its lease: to ask again would make another one each time.
    ///
    /// # Cancel safety
    /// Dropped early, secrets not read yet stay as they are. It must be polled while it is kept.
    pub fn refresh_now(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = self.inner();
        async move {
            let entries = inner.table.from(0);
            join_all(entries.iter().map(|entry| inner.refresh(entry))).await;
        }
    }

    /// Reads each secret again in its own time, for ever: the host spawns it.
    ///
    /// With [`Config::auto_refresh`](crate::Config::auto_refresh), every secret that was asked for
    /// is read again after at most [`Config::refresh_interval`](crate::Config::refresh_interval), and
    /// at once if its backend [tells of a change](crate::Backend::changes); eight at a time. One
    /// whose backend was out of reach is asked for once an interval, without repetitions, until it is
    /// there again: an outage makes no more requests than good times do.
    ///
    /// Leases are kept in any case, for a value whose lease is over is of no use: prolonged at two
    /// thirds of what is left, and the value read anew before the last end. So are the backends'
    /// logins. To stop it, drop it; then [`close`](Self::close).
    ///
    /// # Cancel safety
    /// A drop at any moment leaves every secret as it was or as it was read.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = self.inner();
        async move {
            let mut count = inner.table.count();
            let mut known = 0;
            let mut tasks = FuturesUnordered::<Chores<'_>>::new();
            tasks.push(Box::pin(inner.give_back()));
            for (_, backend) in &inner.backends {
                tasks.push(chores(backend.run()));
                tasks.push(chores(Box::pin(inner.hear_of_ends(&**backend))));
            }
            loop {
                count.mark_unchanged();
                for entry in inner.table.from(known) {
                    let inner = &inner;
                    let kept = Arc::clone(&entry);
                    tasks.push(Box::pin(async move { inner.keep(&kept).await }));
                    if inner.config.auto_refresh {
                        tasks.push(Box::pin(async move { inner.keep_watched(&entry).await }));
                    }
                    known += 1;
                }
                select(pin!(count.changed()), tasks.next()).await;
            }
        }
    }
}

/// What a backend does by itself. One that panics has no chores any more, and others have.
fn chores(run: Chores<'_>) -> Chores<'_> {
    Box::pin(async {
        match AssertUnwindSafe(run).catch_unwind().await {
            Ok(never) => match never {},
            Err(_) => pending().await,
        }
    })
}

/// Waits for a moment, or for a change before it.
async fn until(moment: Option<Instant>, changed: &mut watch::Receiver<()>) {
    let changed = pin!(changed.changed());
    match moment {
        Some(moment) => {
            select(pin!(sleep_until(moment)), changed).await;
        }
        None => changed.await.expect("the sender is the entry's, which is held"),
    }
}

impl Inner {
    /// Keeps one path as it should be.
    async fn keep(&self, entry: &Entry) -> Infallible {
        let (fresh, told) = (pin!(self.keep_fresh(entry)), pin!(self.keep_told(entry)));
        select(fresh, told).await.factor_first().0
    }

    async fn keep_fresh(&self, entry: &Entry) -> Infallible {
        let mut changed = entry.changed.subscribe();
        let mut turn = self.next_turn();
        loop {
            changed.mark_unchanged();
            let lease = self.look_at_lease(entry);
            date_again(entry);
            let is_refreshed = self.config.auto_refresh || lease.is_some();
            let next = lease.into_iter().chain(is_refreshed.then_some(turn)).min();
            until(next, &mut changed).await;
            self.keep_lease(entry).await;
            if is_refreshed && Instant::now() >= turn {
                self.refresh(entry).await;
                turn = self.next_turn();
            }
        }
    }

    /// Tells of staleness when it comes, however long a read takes.
    async fn keep_told(&self, entry: &Entry) -> Infallible {
        let mut changed = entry.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let held = entry.held.load_full();
            let untold = held.iter().filter(|held| !held.told_stale);
            until(untold.filter_map(|held| held.stale_from).min(), &mut changed).await;
            self.tell_stale(entry);
        }
    }

    fn next_turn(&self) -> Instant {
        let interval = self.config.refresh_interval.get();
        Instant::now() + interval.mul_f64(1.0 - JITTER * random())
    }

    /// Reads a path again, unless somebody else does so from now on. Of what is lent, offers to
    /// those who refused it.
    pub(crate) async fn refresh(&self, entry: &Entry) {
        let begun = entry.begun.load(Ordering::Acquire);
        let mut flight = entry.flight.lock().await;
        if entry.finished.load(Ordering::Acquire) > begun {
            return;
        }
        let held = entry.held.load_full();
        if entry.term().is_some() {
            for held in held.iter() {
                if let Some(value) = &held.value {
                    self.offer(&entry.path, &held.key, None, value, &Hold::nothing());
                }
            }
            return;
        }
        let keys: Vec<_> = held.iter().map(|held| held.key.clone()).collect();
        let out_of_reach = Outcome::Failed(ErrorKind::Unavailable);
        let mut retry = self.retry_in_turn();
        if held.iter().any(|held| held.outcome == out_of_reach) {
            retry.retries = 0;
        }
        self.read(entry, &mut flight, &keys, retry, Vec::new()).await;
    }
}
