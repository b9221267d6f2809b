//! Reading again as soon as a backend tells of a change.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::stream::{StreamExt as _, select_all};

use crate::entry::Entry;
use crate::secrets::Inner;

impl Inner {
    /// Refreshes a path whenever one of its backends tells that it may have changed.
    pub(crate) async fn keep_watched(&self, entry: &Entry) -> Infallible {
        let path = &entry.path[entry.inner..];
        let backends = &self.backends[entry.backends.clone()];
        let told = backends.iter().map(|(_, backend)| {
            // A backend that panics is not listened to any more; the interval still reads it.
            let changes = AssertUnwindSafe(async { backend.changes(path) }.flatten_stream());
            changes.catch_unwind().take_while(|change| ready(change.is_ok())).boxed()
        });
        let mut told = select_all(told);
        while told.next().await.is_some() {
            self.refresh(entry).await;
        }
        pending().await
    }
}
