use std::path::PathBuf;

use core_types::{Duration, Secret};

#[cfg(feature = "aws")]
use super::cloud::{is_address, require, require_timeout};
#[cfg(feature = "aws")]
use crate::Error;

/// Settings of the backend `aws`: AWS Secrets Manager.
///
/// They count only where the feature `aws` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AwsConfig {
    /// The region, such as `eu-central-1`. Needed. Default: empty.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AWS_REGION"])))]
    pub region: String,
    /// Where the service is, for a private endpoint or an emulator. Default: empty, which is the
    /// region's own, `https://secretsmanager.REGION.amazonaws.com`.
    pub endpoint: String,
    /// The id of a key that somebody made for the process. Default: empty, which asks
    /// `credentials_url`.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AWS_ACCESS_KEY_ID"])))]
    pub access_key_id: String,
    /// The key that belongs to the id. Default: none.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AWS_SECRET_ACCESS_KEY"])))]
    pub secret_access_key: Option<Secret<String>>,
    /// The token that belongs to a key for a time. Default: none.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AWS_SESSION_TOKEN"])))]
    pub session_token: Option<Secret<String>>,
    /// Where a container gets keys that end by themselves: EKS Pod Identity and ECS. Default: empty.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("x-env-default" = ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]))
    )]
    pub credentials_url: String,
    /// The file whose content is sent there; read each time. Default: none.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("x-env-default" = ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]))
    )]
    pub credentials_token_file: Option<PathBuf>,
    /// The longest time for one request, its answer included. 100ms to 1m. Default 2s.
    pub request_timeout: Duration,
}

impl Default for AwsConfig {
    fn default() -> Self {
        Self {
            region: String::new(),
            endpoint: String::new(),
            access_key_id: String::new(),
            secret_access_key: None,
            session_token: None,
            credentials_url: String::new(),
            credentials_token_file: None,
            request_timeout: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "aws")]
impl AwsConfig {
    /// Checks what the fields state, for a configuration that uses the backend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_region = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        require(
            !self.region.is_empty() && self.region.bytes().all(is_region),
            "aws.region",
            "a region such as `eu-central-1`",
        )?;
        let is_url = |url: &str| url.is_empty() || is_address(url);
        require(is_url(&self.endpoint), "aws.endpoint", "an address with `https://`")?;
        require(is_url(&self.credentials_url), "aws.credentials_url", "an address")?;
        let is_key = !self.access_key_id.is_empty() && self.secret_access_key.is_some();
        require(
            is_key || !self.credentials_url.is_empty(),
            "aws.access_key_id",
            "given together with `aws.secret_access_key`, or `aws.credentials_url` in their place",
        )?;
        require_timeout(self.request_timeout, "aws.request_timeout")
    }
}
