use std::sync::Arc;

use core_types::Secret;

use super::{BackendError, Lease};
use crate::entry::{Key, Value};

/// What a backend holds at one path: values by key, or one value without a key.
#[derive(Clone, Debug, Default)]
pub struct SecretData {
    // A handful at most, so that a list is the quickest map.
    values: Vec<(Key, Value)>,
    lease: Option<Lease>,
    is_whole: bool,
}

impl SecretData {
    /// Holds nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the value of a key, or of no key.
    #[must_use]
    pub fn with(mut self, key: Option<&str>, value: Secret<String>) -> Self {
        self.put(key.map(Into::into), Arc::new(value));
        self
    }

    /// Says that this is every key of the path: one that is not in it is not asked for again.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// Says that the values are lent. They are then [`whole`](Self::whole), for to ask again would
    /// be to get others. Of the backends that are asked for one path, one at most lends.
    #[must_use]
    pub fn with_lease(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self.whole()
    }

    pub(crate) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    pub(crate) fn put(&mut self, key: Key, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == key) {
            Some((_, existing)) => *existing = value,
            None => self.values.push((key, value)),
        }
    }

    /// Takes over everything that a later answer holds.
    pub(crate) fn merge(&mut self, later: Self) {
        for (key, value) in later.values {
            self.put(key, value);
        }
        self.is_whole |= later.is_whole;
        self.lease = later.lease.or(self.lease.take());
    }

    pub(crate) fn value(&self, key: Option<&str>) -> Option<&Value> {
        self.values.iter().find(|(known, _)| known.as_deref() == key).map(|(_, value)| value)
    }

    /// Makes sure that the answer holds what it was asked for. A single value with a key is also
    /// the answer to a question without one; of several, none is guessed.
    pub(crate) fn answer(mut self, asked: Option<&str>) -> Result<Self, BackendError> {
        if self.value(asked).is_some() {
            return Ok(self);
        }
        match (asked, &*self.values) {
            (None, [(_, only)]) => {
                let only = Arc::clone(only);
                self.put(None, only);
                Ok(self)
            }
            (None, [_, _, ..]) => Err(BackendError::invalid(
                "the secret has several keys: name one, as in `secret://path:key`",
            )),
            _ => Err(BackendError::not_found("the secret has no such key")),
        }
    }
}

impl From<Secret<String>> for SecretData {
    /// One value without a key.
    fn from(value: Secret<String>) -> Self {
        Self::new().with(None, value)
    }
}
