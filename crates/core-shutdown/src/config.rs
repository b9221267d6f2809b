use core_types::Duration;

use crate::Error;

/// Behind the deadline somebody must still be able to say that it has passed.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_secs(1);

/// How long a stop may take, and how that time is shared out.
///
/// ```text
/// |-- propagation_delay --|-- drain_timeout --|-- callbacks --|-- flush_reserve --|
/// |------------------------- timeout: one absolute deadline ----------------------|  < grace_period
/// ```
/// What a phase does not use goes to those behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Config {
    /// The time from the signal to the end. Default: 20s, which leaves ten of Kubernetes' thirty for
    /// what happens outside of the process.
    pub timeout: Duration,
    /// How long traffic is still served after readiness has said no, so that every balancer has
    /// learnt of it. Served in full. Default: 4s, twice a balancer's check interval of one second
    /// and as much again.
    pub propagation_delay: Duration,
    /// The most that requests in flight may take to end. Default: 10s.
    pub drain_timeout: Duration,
    /// The most that one callback may take. Default: 5s.
    pub callback_timeout: Duration,
    /// What is kept for writing out logs and traces at the end, whatever happened before.
    /// Default: 2s.
    pub flush_reserve: Duration,
    /// What the process was told it has before it is killed: Kubernetes'
    /// `terminationGracePeriodSeconds`. Default: 30s, as there.
    pub grace_period: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            propagation_delay: Duration::from_secs(4),
            drain_timeout: Duration::from_secs(10),
            callback_timeout: Duration::from_secs(5),
            flush_reserve: Duration::from_secs(2),
            grace_period: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// Whether the phases fit the deadline, and the deadline the grace period.
    ///
    /// # Errors
    /// [`Error::Budget`] if they do not.
    pub fn validate(&self) -> Result<(), Error> {
        let fixed = self.propagation_delay.get() + self.flush_reserve.get();
        if fixed >= self.timeout.get() {
            return Err(Error::Budget {
                key: "timeout",
                rule: format!(
                    "must exceed propagation_delay and flush_reserve together, {} and {}",
                    self.propagation_delay, self.flush_reserve
                ),
            });
        }
        if self.timeout.get() + LAST_WORDS > self.grace_period.get() {
            return Err(Error::Budget {
                key: "timeout",
                rule: format!("must be a second less than grace_period, {}", self.grace_period),
            });
        }
        Ok(())
    }
}
