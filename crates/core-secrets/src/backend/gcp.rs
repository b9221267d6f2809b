use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_types::Secret;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::cloud::{Bearer, Http, Logins, Reply, Tokens, ask, bearer, data, named, nonsense, send};
use super::{Answer, Backend, BackendError, ErrorKind, SecretData};
use crate::{Error, GcpConfig};
use account::Account;

mod account;

/// Google Secret Manager.
///
/// `secret://api-key` is the text of the secret `api-key` in its latest version, and
/// `secret://api-key/7` of the version that is named, by number or alias. Where the text is a JSON
/// object, `secret://db:password` is its member `password`. Secrets that are not text are refused,
/// and what was damaged on its way, by Google's own sum of it, is asked for again.
///
/// The process proves who it is by the key of a service account in a file, or, if none is
/// configured, as the machine or the pod on which it runs, by the metadata server. The token that
/// it gets for that is kept until five minutes before its end, or until it is refused. It needs the
/// right to access versions: the role `roles/secretmanager.secretAccessor`.
pub struct Gcp {
    config: GcpConfig,
    http: Http,
    tokens: Tokens,
}

/// An answer that has a secret.
#[derive(Deserialize)]
struct Found {
    payload: Payload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    #[serde(default)]
    data: String,
    data_crc32c: Option<String>,
}

impl Gcp {
    /// Connects when the first secret is asked for.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a field of the configuration is missing or makes no sense.
    pub fn new(config: &GcpConfig) -> Result<Self, Error> {
        config.check()?;
        let http = Http::new(config.request_timeout.get());
        Ok(Self { config: config.clone(), http, tokens: Tokens::default() })
    }

    async fn read(&self, path: &str) -> Result<SecretData, BackendError> {
        let reply = ask(self, path).await?;
        if !reply.status.is_success() {
            let name = reply.refusal("/error/status");
            let kind = (name == "NOT_FOUND").then_some(ErrorKind::NotFound);
            return Err(reply.error("Google", &name, kind));
        }
        let found: Found = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
        text(found.payload).map(data)
    }
}

impl Logins for Gcp {
    type Shown = Secret<String>;

    fn held(&self) -> &Tokens {
        &self.tokens
    }

    async fn log_in(&self) -> Result<Bearer, BackendError> {
        let client = self.http.client().await?;
        if let Some(path) = &self.config.credentials_file {
            return Account::read(path).await?.log_in(client).await;
        }
        let request = client.get(&self.config.metadata_url).header("metadata-flavor", "Google");
        bearer(request, "`gcp.metadata_url`").await
    }

    async fn ask(&self, path: &str, token: &Secret<String>) -> Result<Reply, BackendError> {
        let (name, version) = named(path)?;
        let (endpoint, project) =
            (self.config.endpoint.trim_end_matches('/'), &self.config.project);
        let version = version.unwrap_or("latest");
        let url =
            format!("{endpoint}/v1/projects/{project}/secrets/{name}/versions/{version}:access");
        send(self.http.client().await?.get(url).bearer_auth(token.expose())).await
    }

    fn is_over(reply: &Reply) -> bool {
        reply.status == 401
    }
}

impl Backend for Gcp {
    fn get<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path))
    }
}

impl fmt::Debug for Gcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gcp").field("project", &self.config.project).finish_non_exhaustive()
    }
}

/// Whatever it is copied to on its way is wiped.
fn text(payload: Payload) -> Result<String, BackendError> {
    let encoded = Zeroizing::new(payload.data);
    let mut bytes = Zeroizing::new(STANDARD.decode(&*encoded).map_err(|_| nonsense())?);
    if payload.data_crc32c.is_some_and(|sum| sum != crc32c(&bytes).to_string()) {
        return Err(BackendError::unavailable("the secret was damaged on its way"));
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        BackendError::invalid("the secret is not text")
    })
}

/// Castagnoli's sum, bit by bit: what it is made of is small.
fn crc32c(bytes: &[u8]) -> u32 {
    let shift = |sum: u32, _| if sum & 1 == 1 { sum >> 1 ^ 0x82f6_3b78 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), shift))
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    /// SEC-1: the sums of RFC 3720, B.4.
    #[test]
    fn sums_are_those_of_the_standard() {
        let rising: Vec<u8> = (0..32).collect();
        for (bytes, sum) in
            [(&[0; 32][..], 0x8a91_36aa), (&[0xff; 32], 0x62a8_ab43), (&rising, 0x46dd_794e)]
        {
            assert_eq!(crc32c(bytes), sum);
        }
    }
}
