use std::fmt;

use crate::{Key, Origin};

/// One mistake: which key, where it was written, what is wrong, what would be right.
///
/// Never a value: it may be a secret, or stand beside one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The key, unless the mistake concerns a whole file or variable.
    pub key: Option<Key>,
    /// Where it was written, if it was.
    pub origin: Option<Origin>,
    /// What is wrong, or what was expected.
    pub message: String,
}

impl Problem {
    /// A mistake at a key.
    pub(crate) fn at(key: &Key, origin: Option<Origin>, message: impl Into<String>) -> Self {
        let key = (!key.is_root()).then(|| key.clone());
        Self { key, origin, message: message.into() }
    }

    /// A mistake of a whole source.
    pub(crate) fn of(origin: Origin, message: impl Into<String>) -> Self {
        Self { key: None, origin: Some(origin), message: message.into() }
    }

    /// Adds to known mistakes those at other keys: a second one at a key follows from the first.
    pub(crate) fn add_new(known: &mut Vec<Self>, more: Vec<Self>) {
        let is_new = |problem: &Self| known.iter().all(|known| known.key != problem.key);
        let more: Vec<Self> =
            more.into_iter().filter(|problem| problem.key.is_none() || is_new(problem)).collect();
        known.extend(more);
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Mistakes found by [`Validate`](crate::Validate).
#[derive(Debug, Default)]
pub struct Problems(Vec<(Key, String)>);

impl Problems {
    /// Refuses what stands at a key.
    ///
    /// The message says what would be right; it must not hold the value if that may be a secret.
    ///
    /// # Panics
    /// If the key is malformed: it is the code's own.
    pub fn refuse(&mut self, key: &str, message: impl Into<String>) {
        let key = Key::parse(key).expect("a key in the code is well-formed");
        self.0.push((key, message.into()));
    }

    /// Refuses unless a condition holds.
    pub fn require(&mut self, holds: bool, key: &str, message: impl Into<String>) {
        if !holds {
            self.refuse(key, message);
        }
    }

    /// Adds what another section found about itself, below a key.
    pub fn below(&mut self, key: &str, validate: impl FnOnce(&mut Self)) {
        let above = Key::parse(key).expect("a key in the code is well-formed");
        let mut found = Self::default();
        validate(&mut found);
        self.0.extend(found.0.into_iter().map(|(key, message)| {
            let key = key.segments().iter().fold(above.clone(), |key, s| key.with(s.clone()));
            (key, message)
        }));
    }

    pub(crate) fn into_inner(self) -> Vec<(Key, String)> {
        self.0
    }
}
