use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

/// Label values, to look a series up by.
///
/// Owned and borrowed ones are compared and hashed alike, value by value, so that a look-up needs
/// no allocation, and `("ab", "c")` is another series than `("a", "bc")`.
pub(crate) trait Values {
    fn count(&self) -> usize;
    fn value(&self, at: usize) -> &str;
}

impl dyn Values + '_ {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.count()).map(|at| self.value(at))
    }
}

impl<const N: usize> Values for [&str; N] {
    fn count(&self) -> usize {
        N
    }

    fn value(&self, at: usize) -> &str {
        self[at]
    }
}

/// Label values that are kept.
pub(super) struct Key(Box<[Box<str>]>);

impl Key {
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        Self(values.map(Into::into).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|value| &**value)
    }
}

impl Values for Key {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn value(&self, at: usize) -> &str {
        &self.0[at]
    }
}

impl<'a> Borrow<dyn Values + 'a> for Key {
    fn borrow(&self) -> &(dyn Values + 'a) {
        self
    }
}

impl Hash for dyn Values + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // `str` ends its bytes with one that no text contains.
        self.iter().for_each(|value| value.hash(state));
    }
}

impl PartialEq for dyn Values + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for dyn Values + '_ {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self as &dyn Values).hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Key {}
