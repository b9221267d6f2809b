use crate::Error;

/// When a callback runs among the others: the lower, the earlier. From 0 to 100.
///
/// | | |
/// |---|---|
/// | 0–9 | critical: agents, message brokers |
/// | 10–19 | high: databases, files |
/// | 20–29 | medium: caches, temporary files |
/// | 30–100 | low: logs, metrics |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// Before all others.
    pub const FIRST: Self = Self(0);
    /// Agents and message brokers: what takes work in.
    pub const CRITICAL: Self = Self(5);
    /// Databases and files: what work is written to.
    pub const HIGH: Self = Self(15);
    /// Caches and temporary files.
    pub const MEDIUM: Self = Self(20);
    /// Logs and metrics.
    pub const LOW: Self = Self(30);
    /// After all others.
    pub const LAST: Self = Self(100);

    /// A priority by its number.
    ///
    /// # Errors
    /// [`Error::Priority`] above 100.
    pub const fn new(priority: u8) -> Result<Self, Error> {
        if priority > Self::LAST.0 { Err(Error::Priority { priority }) } else { Ok(Self(priority)) }
    }

    /// Its number.
    pub const fn value(self) -> u8 {
        self.0
    }
}

/// Medium: neither takes work in nor is needed until the end.
impl Default for Priority {
    fn default() -> Self {
        Self::MEDIUM
    }
}
