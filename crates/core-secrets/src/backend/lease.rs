use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a backend lends a value for: how long, and by which name it can be prolonged or given back.
///
/// ```
/// # use core_secrets::backend::Lease;
/// # use std::time::Duration;
/// let lease = Lease::new("database/creds/app/1", Duration::from_secs(3600)).renewable(true);
/// assert!(lease.is_renewable());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Lease {
    id: Arc<str>,
    duration: Duration,
    is_renewable: bool,
}

impl Lease {
    /// A lease by its name, for so long from now on. It cannot be prolonged.
    pub fn new(id: impl Into<Arc<str>>, duration: Duration) -> Self {
        Self { id: id.into(), duration, is_renewable: false }
    }

    /// Says whether it can be prolonged.
    #[must_use]
    pub fn renewable(mut self, is_renewable: bool) -> Self {
        self.is_renewable = is_renewable;
        self
    }

    /// The name that the backend knows it by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How long it was granted for, from the moment when it was asked for.
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether it can be prolonged.
    pub fn is_renewable(&self) -> bool {
        self.is_renewable
    }
}

/// Without the name: whoever has it and the right to, ends the lease.
impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("duration", &self.duration)
            .field("is_renewable", &self.is_renewable)
            .finish_non_exhaustive()
    }
}
