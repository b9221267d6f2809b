use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use core_types::{Chain, panic_message};
use futures_util::FutureExt as _;

use crate::{Phase, Priority};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A future on the heap.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Work = Box<dyn FnOnce() -> BoxFuture<Result<(), BoxError>> + Send>;

/// Something to do when the service stops.
pub(crate) struct Callback {
    pub(crate) name: String,
    pub(crate) phase: Phase,
    pub(crate) priority: Priority,
    work: Work,
}

impl Callback {
    pub(crate) fn new<F>(
        name: String,
        phase: Phase,
        priority: Priority,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { name, phase, priority, work: Box::new(|| Box::pin(work())) }
    }

    /// Does the work; a panic is an error. What makes the future may panic too, so it is made
    /// inside.
    pub(crate) fn run(self) -> BoxFuture<Result<(), String>> {
        let guarded = AssertUnwindSafe(async move { (self.work)().await }).catch_unwind();
        Box::pin(async move {
            match guarded.await {
                Ok(result) => result.map_err(|error| Chain(&*error).to_string()),
                Err(panic) => Err(format!("panicked: {}", panic_message(&*panic))),
            }
        })
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("name", &self.name)
            .field("phase", &self.phase)
            .field("priority", &self.priority)
            .finish_non_exhaustive()
    }
}
