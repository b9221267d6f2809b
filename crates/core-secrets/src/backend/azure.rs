use std::fmt;

use core_types::Secret;
use serde::Deserialize;

use super::cloud::{
    Bearer, Http, Logins, Reply, Tokens, ask, bearer, data, file, named, nonsense, send,
};
use super::{Answer, Backend, BackendError, ErrorKind, SecretData};
use crate::{AzureConfig, Error};

const VERSION: &str = "7.4";
const BY_FILE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Azure Key Vault.
///
/// `secret://api-key` is the text of the secret `api-key` in its current version, and
/// `secret://api-key/0123…` of the version that is named. Where the text is a JSON object,
/// `secret://db:password` is its member `password`.
///
/// The process proves who it is by a client secret, by the token of a file that Entra ID trusts
/// (workload identity), or, if neither is configured, as the machine on which it runs (managed
/// identity). The token that it gets for that is kept until five minutes before its end, or until
/// it is refused. It needs the right to get secrets: the role `Key Vault Secrets User`.
pub struct Azure {
    config: AzureConfig,
    http: Http,
    tokens: Tokens,
}

/// An answer that has a secret.
#[derive(Deserialize)]
struct Found {
    value: String,
}

impl Azure {
    /// Connects when the first secret is asked for.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a field of the configuration is missing or makes no sense.
    pub fn new(config: &AzureConfig) -> Result<Self, Error> {
        config.check()?;
        let http = Http::new(config.request_timeout.get());
        Ok(Self { config: config.clone(), http, tokens: Tokens::default() })
    }

    async fn read(&self, path: &str) -> Result<SecretData, BackendError> {
        let reply = ask(self, path).await?;
        if !reply.status.is_success() {
            let name = reply.refusal("/error/code");
            let kind = (name == "SecretNotFound").then_some(ErrorKind::NotFound);
            return Err(reply.error("Azure", &name, kind));
        }
        let found: Found = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
        Ok(data(found.value))
    }

    /// As the machine: whoever can reach the address is it.
    async fn of_the_machine(&self) -> Result<Bearer, BackendError> {
        let AzureConfig { identity_url, resource, client_id, .. } = &self.config;
        let mut url = format!("{identity_url}?api-version=2018-02-01&resource={resource}");
        if !client_id.is_empty() {
            url = format!("{url}&client_id={client_id}");
        }
        let request = self.http.client().await?.get(url).header("metadata", "true");
        bearer(request, "`azure.identity_url`").await
    }
}

impl Logins for Azure {
    type Shown = Secret<String>;

    fn held(&self) -> &Tokens {
        &self.tokens
    }

    async fn log_in(&self) -> Result<Bearer, BackendError> {
        let config = &self.config;
        let scope = format!("{}/.default", config.resource);
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &*config.client_id),
            ("scope", &*scope),
        ];
        let assertion;
        if let Some(secret) = &config.client_secret {
            form.push(("client_secret", secret.expose()));
        } else if let Some(path) = &config.federated_token_file {
            assertion = file(path).await?;
            form.push(("client_assertion_type", BY_FILE));
            form.push(("client_assertion", assertion.trim()));
        } else {
            return self.of_the_machine().await;
        }
        let authority = config.authority.trim_end_matches('/');
        let url = format!("{authority}/{}/oauth2/v2.0/token", config.tenant_id);
        bearer(self.http.client().await?.post(url).form(&form), "`azure.authority`").await
    }

    async fn ask(&self, path: &str, token: &Secret<String>) -> Result<Reply, BackendError> {
        let (name, version) = named(path)?;
        let url = self.config.url.trim_end_matches('/');
        let version = version.map(|version| format!("/{version}")).unwrap_or_default();
        let url = format!("{url}/secrets/{name}{version}?api-version={VERSION}");
        send(self.http.client().await?.get(url).bearer_auth(token.expose())).await
    }

    fn is_over(reply: &Reply) -> bool {
        reply.status == 401
    }
}

impl Backend for Azure {
    fn get<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path))
    }
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure").field("url", &self.config.url).finish_non_exhaustive()
    }
}
