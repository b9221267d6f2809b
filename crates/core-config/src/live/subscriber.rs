use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use core_types::{Chain, panic_message};

use crate::Key;

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

/// Sees the old settings, the new ones, and which keys differ; gives nothing if these do not
/// concern it.
type Prepare<T> = dyn Fn(&T, &T, &[Key]) -> Result<Option<Commit>, BoxError> + Send + Sync;

pub(super) struct Subscriber<T> {
    pub(super) name: &'static str,
    pub(super) prepare: Box<Prepare<T>>,
}

impl<T> Subscriber<T> {
    /// Asks the subscriber, if the change concerns it. A panic is a refusal.
    pub(super) fn prepare(&self, old: &T, new: &T, keys: &[Key]) -> Result<Option<Commit>, String> {
        match catch_unwind(AssertUnwindSafe(|| (self.prepare)(old, new, keys))) {
            Ok(answer) => answer.map_err(|error| Chain(&*error).to_string()),
            Err(panic) => Err(format!("panicked: {}", panic_message(&*panic))),
        }
    }
}
