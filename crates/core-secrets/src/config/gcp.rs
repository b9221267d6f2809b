use std::path::PathBuf;

use core_types::Duration;

#[cfg(feature = "gcp")]
use super::cloud::{is_address, require, require_timeout};
#[cfg(feature = "gcp")]
use crate::Error;

/// Settings of the backend `gcp`: Google Secret Manager.
///
/// They count only where the feature `gcp` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GcpConfig {
    /// The project whose secrets are read, by its id or number. Needed. Default: empty.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["GOOGLE_CLOUD_PROJECT"])))]
    pub project: String,
    /// Where the service is. Default `https://secretmanager.googleapis.com`; a region's secrets are
    /// at `https://secretmanager.REGION.rep.googleapis.com`.
    pub endpoint: String,
    /// The key of a service account, in the JSON that Google gives for it; read each time. Default:
    /// none, which asks `metadata_url`.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("x-env-default" = ["GOOGLE_APPLICATION_CREDENTIALS"]))
    )]
    pub credentials_file: Option<PathBuf>,
    /// Who gives tokens to machines, pods and services on Google Cloud. Default: that of the
    /// metadata server for the service account that is theirs.
    pub metadata_url: String,
    /// The longest time for one request, its answer included. 100ms to 1m. Default 2s.
    pub request_timeout: Duration,
}

impl Default for GcpConfig {
    fn default() -> Self {
        let metadata =
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default";
        Self {
            project: String::new(),
            endpoint: "https://secretmanager.googleapis.com".into(),
            credentials_file: None,
            metadata_url: format!("{metadata}/token"),
            request_timeout: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "gcp")]
impl GcpConfig {
    /// Checks what the fields state, for a configuration that uses the backend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"-.:".contains(&b);
        let is_project = !self.project.is_empty() && self.project.bytes().all(is_inner);
        require(is_project, "gcp.project", "the id or the number of a project")?;
        require(is_address(&self.endpoint), "gcp.endpoint", "an address")?;
        require(is_address(&self.metadata_url), "gcp.metadata_url", "an address")?;
        require_timeout(self.request_timeout, "gcp.request_timeout")
    }
}
