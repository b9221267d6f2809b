use std::path::PathBuf;

use core_types::Duration;

use crate::Error;

mod aws;
mod azure;
mod backends;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
mod cloud;
mod encrypted;
mod gcp;
mod kubernetes;
mod vault;
#[cfg(feature = "kubernetes")]
pub(crate) use self::kubernetes::is_name;
pub use self::{
    aws::AwsConfig,
    azure::AzureConfig,
    backends::Backends,
    encrypted::EncryptedConfig,
    gcp::GcpConfig,
    kubernetes::KubernetesConfig,
    vault::{VaultAuth, VaultConfig},
};

/// Where secrets come from, and how often they are read again.
///
/// ```
/// let mut config = core_secrets::Config::default();
/// config.backend = "env,file".into();
/// config.auto_refresh = true;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Config {
    /// The backends by name, in the order in which they are asked; the first that has a secret
    /// gives it. One name, or a list. Default `env`: it needs nothing beside the process.
    pub backend: Backends,
    /// Whether secrets are read again while the service runs. Default `false`: a value then changes
    /// only when somebody asks for it, which is what a service without rotation expects.
    pub auto_refresh: bool,
    /// The longest time between two reads of one secret, when `auto_refresh` is on. 1s to 365d.
    /// Each wait is shortened by up to a fifth at random, so that replicas drift apart. Default 5m:
    /// a rotation is seen within minutes, at twelve requests an hour for each secret.
    pub refresh_interval: Duration,
    /// How often a read is repeated after a passing fault. 0 to 10. Default 3: with the default
    /// delay that bridges the seconds in which a server restarts or elects a leader.
    pub retries: u32,
    /// The longest wait before the first repetition; it doubles for each one after. The wait itself
    /// is drawn at random between nothing and that (full jitter). Up to 1m. Default 1s.
    pub retry_delay: Duration,
    /// The longest time that one read may take, with all repetitions and waits. 1s to 10m. Default
    /// 30s: at most 7s of waits, and five seconds and more for each of four attempts.
    pub retry_budget: Duration,
    /// The backend `file`.
    pub file: FileConfig,
    /// The backend `aws`.
    pub aws: AwsConfig,
    /// The backend `azure`.
    pub azure: AzureConfig,
    /// The backend `gcp`.
    pub gcp: GcpConfig,
    /// The backend `kubernetes`.
    pub kubernetes: KubernetesConfig,
    /// The backend `encrypted`.
    pub encrypted: EncryptedConfig,
    /// The backend `vault`.
    pub vault: VaultConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            backend: Backends::default(),
            auto_refresh: false,
            refresh_interval: Duration::from_secs(300),
            retries: 3,
            retry_delay: Duration::from_secs(1),
            retry_budget: Duration::from_secs(30),
            file: FileConfig::default(),
            aws: AwsConfig::default(),
            azure: AzureConfig::default(),
            gcp: GcpConfig::default(),
            kubernetes: KubernetesConfig::default(),
            encrypted: EncryptedConfig::default(),
            vault: VaultConfig::default(),
        }
    }
}

impl Config {
    /// Checks the ranges that the fields state.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let out_of = |field, range| Err(Error::OutOfRange { field, range });
        if self.backend.names().is_empty() {
            return Err(Error::NoBackend);
        }
        if !(second..=Duration::from_secs(365 * 24 * 3600)).contains(&self.refresh_interval) {
            return out_of("refresh_interval", "from 1s to 365d");
        }
        if self.retries > 10 {
            return out_of("retries", "at most 10");
        }
        if self.retry_delay > minute {
            return out_of("retry_delay", "at most 1m");
        }
        if !(second..=Duration::from_secs(600)).contains(&self.retry_budget) {
            return out_of("retry_budget", "from 1s to 10m");
        }
        Ok(())
    }
}

/// Settings of the backend `file`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileConfig {
    /// The folder below which every secret lies. Default `/run/secrets`: where Docker and Podman
    /// put them, and a good place to mount Kubernetes Secrets.
    pub directory: PathBuf,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self { directory: "/run/secrets".into() }
    }
}
