use std::fmt;

use crate::Key;

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The generation that is current now.
    pub generation: u64,
    /// The keys whose values differ from before; none if nothing changed.
    pub changed: Vec<Key>,
}

/// A change that was refused by those who would have to follow it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub struct Refusal {
    /// Who refused, and why. Nobody if it was too late for the change: a later one came first.
    pub reasons: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(super) fn too_late() -> Self {
        Self { reasons: Vec::new() }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reasons.is_empty() {
            return f.write_str("configuration refused:\n  a later change came first");
        }
        f.write_str("configuration refused:")?;
        self.reasons.iter().try_for_each(|(name, reason)| write!(f, "\n  {name}: {reason}"))
    }
}

/// What became of new settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// They are current now.
    Applied(Applied),
    /// They are equal to the current ones.
    Unchanged,
    /// They were refused, by a source, a rule or a subscriber. The old ones stay.
    Refused {
        /// Every reason, each on a line of its own.
        reasons: String,
    },
    /// A subscriber had agreed, and panicked while it made the change.
    CommitPanicked {
        /// Its name.
        subscriber: &'static str,
        /// What it said.
        reason: String,
    },
}
