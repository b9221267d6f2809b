//! Reading again: all at once when told to, and each in its own time.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::Ordering;

use futures_util::future::{join_all, pending, select};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::sleep;

use crate::entry::Entry;
use crate::retry::random;
use crate::secrets::{Inner, Secrets};
use crate::{ErrorKind, Outcome};

/// How many secrets are refreshed at the same time: quick, and no burden to any server.
pub(crate) const AT_ONCE: usize = 8;

/// The part of the interval by which a wait is shortened at most.
const JITTER: f64 = 0.2;

impl Secrets {
    /// Reads every secret again that was asked for, now: for a SIGHUP, or a button.
    ///
    /// Each is read after this call; a read that was under way does not count. Eight at a time.
    /// What could not be read stays as it was. How it went is told by [`Event`](crate::Event)s.
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
    /// With [`Config::auto_refresh`](crate::Config::auto_refresh) off it waits for ever and does
    /// nothing. To stop it, drop it.
    ///
    /// Every secret that was asked for is read again after at most
    /// [`Config::refresh_interval`](crate::Config::refresh_interval); eight at a time. One whose
    /// backend was out of reach is asked for once an interval, without repetitions, until it is
    /// there again: an outage makes no more requests than good times do.
    ///
    /// # Cancel safety
    /// A drop at any moment leaves every secret as it was or as it was read.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        let inner = self.inner();
        async move {
            if !inner.config.auto_refresh {
                return pending().await;
            }
            let mut count = inner.table.count();
            let mut loops = FuturesUnordered::new();
            loop {
                count.mark_unchanged();
                for entry in inner.table.from(loops.len()) {
                    let inner = &inner;
                    loops.push(async move { inner.keep_fresh(&entry).await });
                }
                let more = pin!(count.changed());
                if loops.is_empty() {
                    more.await.expect("the table, which is the sender, is held");
                } else {
                    select(more, loops.next()).await;
                }
            }
        }
    }
}

impl Inner {
    async fn keep_fresh(&self, entry: &Entry) -> Infallible {
        loop {
            let interval = self.config.refresh_interval.get();
            sleep(interval.mul_f64(1.0 - JITTER * random())).await;
            self.refresh(entry).await;
        }
    }

    /// Reads a path again, unless somebody else does so from now on.
    async fn refresh(&self, entry: &Entry) {
        let _permit = self.permits.acquire().await.expect("never closed");
        let begun = entry.begun.load(Ordering::Acquire);
        let mut flight = entry.flight.lock().await;
        if entry.finished.load(Ordering::Acquire) > begun {
            return;
        }
        let held = entry.held.load_full();
        let keys: Vec<_> = held.iter().map(|held| held.key.clone()).collect();
        let out_of_reach = Outcome::Failed(ErrorKind::Unavailable);
        let mut retry = self.retry();
        if held.iter().any(|held| held.outcome == out_of_reach) {
            retry.retries = 0;
        }
        self.read(entry, &mut flight, &keys, retry, Vec::new()).await;
    }
}
