use std::path::PathBuf;

use core_types::{Duration, Secret};

#[cfg(feature = "azure")]
use super::cloud::{is_address, require, require_timeout};
#[cfg(feature = "azure")]
use crate::Error;

/// Settings of the backend `azure`: Azure Key Vault.
///
/// They count only where the feature `azure` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AzureConfig {
    /// The vault, such as `https://name.vault.azure.net`. Needed. Default: empty.
    pub url: String,
    /// The directory in which the application is registered, by its id or a domain of it. Needed
    /// with `client_secret` and `federated_token_file`. Default: empty.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AZURE_TENANT_ID"])))]
    pub tenant_id: String,
    /// The application; or which of a machine's identities is meant, if it has several. Default:
    /// empty.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AZURE_CLIENT_ID"])))]
    pub client_id: String,
    /// The secret that belongs to the application. Default: none, which takes
    /// `federated_token_file`.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AZURE_CLIENT_SECRET"])))]
    pub client_secret: Option<Secret<String>>,
    /// A file with a token of somebody whom the application trusts, such as the cluster in which
    /// the pod is (workload identity); read each time. Default: none, which asks `identity_url`.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("x-env-default" = ["AZURE_FEDERATED_TOKEN_FILE"]))
    )]
    pub federated_token_file: Option<PathBuf>,
    /// Who gives tokens to applications. Default `https://login.microsoftonline.com`; Azure's
    /// national clouds have others.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["AZURE_AUTHORITY_HOST"])))]
    pub authority: String,
    /// Who gives tokens to the machine (managed identity). Default
    /// `http://169.254.169.254/metadata/identity/oauth2/token`, which only machines of Azure reach.
    pub identity_url: String,
    /// What tokens are for. Default `https://vault.azure.net`; Azure's national clouds have others.
    pub resource: String,
    /// The longest time for one request, its answer included. 100ms to 1m. Default 2s.
    pub request_timeout: Duration,
}

impl Default for AzureConfig {
    fn default() -> Self {
        Self {
            url: String::new(),
            tenant_id: String::new(),
            client_id: String::new(),
            client_secret: None,
            federated_token_file: None,
            authority: "https://login.microsoftonline.com".into(),
            identity_url: "http://169.254.169.254/metadata/identity/oauth2/token".into(),
            resource: "https://vault.azure.net".into(),
            request_timeout: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "azure")]
impl AzureConfig {
    /// Checks what the fields state, for a configuration that uses the backend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
        let is_machine = self.client_secret.is_none() && self.federated_token_file.is_none();
        // A machine has one even if it is not named.
        let is_id = |id: &str| id.bytes().all(is_inner) && (is_machine || !id.is_empty());
        require(is_address(&self.url), "azure.url", "the address of a vault")?;
        require(is_address(&self.authority), "azure.authority", "an address")?;
        require(is_address(&self.identity_url), "azure.identity_url", "an address")?;
        require(is_address(&self.resource), "azure.resource", "an address")?;
        let range = "an id, needed where the process is an application";
        require(is_id(&self.tenant_id), "azure.tenant_id", range)?;
        require(is_id(&self.client_id), "azure.client_id", range)?;
        require_timeout(self.request_timeout, "azure.request_timeout")
    }
}
