use std::time::Duration;

use core_types::Secret;

/// How one secret is read, where it differs from the [`Config`](crate::Config).
///
/// ```
/// use core_secrets::GetOptions;
/// use std::time::Duration;
///
/// let patient = GetOptions::default().with_max_retries(5).with_delay(Duration::from_secs(2));
/// let optional = GetOptions::default().with_default("guest".into());
/// ```
#[derive(Clone, Debug, Default)]
pub struct GetOptions {
    pub(crate) max_retries: Option<u32>,
    pub(crate) delay: Option<Duration>,
    pub(crate) default: Option<Secret<String>>,
}

impl GetOptions {
    /// How often the read is repeated after a passing fault.
    #[must_use]
    pub fn with_max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// The longest wait before the first repetition; it doubles for each one after.
    #[must_use]
    pub fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// What to take when the secret cannot be read and never was. It is not cached: the next call
    /// tries again.
    #[must_use]
    pub fn with_default(mut self, value: Secret<String>) -> Self {
        self.default = Some(value);
        self
    }
}
