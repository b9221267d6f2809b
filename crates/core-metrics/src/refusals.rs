use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use crate::family::Core;
use crate::{Counter, Error};

/// What was not recorded: how often, and which names were reported.
pub(crate) struct Refusals {
    by_reason: Arc<Core<Counter>>,
    reported: RwLock<HashSet<Box<str>>>,
}

impl Refusals {
    pub(crate) fn new(by_reason: Arc<Core<Counter>>) -> Self {
        Self { by_reason, reported: RwLock::default() }
    }

    pub(crate) fn count(&self, reason: &str) {
        self.by_reason.with(&[reason]).increment();
    }

    /// Counts, and says whether it is to be reported: once for each of so many names.
    pub(crate) fn count_first(&self, name: &str, error: &Error, limit: usize) -> bool {
        self.count(error.reason());
        let reported = self.reported.read().unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= limit || reported.contains(name) {
            return false;
        }
        drop(reported);
        self.reported.write().unwrap_or_else(PoisonError::into_inner).insert(name.into())
    }
}
