use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use core_types::{Chain, panic_message};

/// Any error.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What makes a prepared change. It cannot fail: everything that can has been done before.
#[must_use = "a change that is not returned is not made"]
pub struct Commit(Box<dyn FnOnce() + Send>);

impl Commit {
    /// Makes a change when all have agreed; dropped without a call when somebody has not.
    pub fn new(change: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(change))
    }

    /// Nothing is to be done.
    pub fn nothing() -> Self {
        Self::new(|| {})
    }

    pub(super) fn run(self) {
        (self.0)();
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").finish_non_exhaustive()
    }
}

type Concerns<T> = dyn Fn(&T, &T) -> bool + Send + Sync;
type Prepare<T> = dyn Fn(&T, &T) -> Result<Commit, BoxError> + Send + Sync;

pub(super) struct Subscriber<T> {
    pub(super) name: &'static str,
    pub(super) concerns: Box<Concerns<T>>,
    pub(super) prepare: Box<Prepare<T>>,
}

impl<T> Subscriber<T> {
    /// Asks the subscriber, if the change concerns it. A panic is a refusal.
    pub(super) fn prepare(&self, old: &T, new: &T) -> Result<Option<Commit>, String> {
        let ask = || (self.concerns)(old, new).then(|| (self.prepare)(old, new)).transpose();
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(answer) => answer.map_err(|error| Chain(&*error).to_string()),
            Err(panic) => Err(format!("panicked: {}", panic_message(&*panic))),
        }
    }
}
