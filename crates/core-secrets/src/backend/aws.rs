use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;
use tokio::sync::Mutex;

use super::cloud::{Http, Login, Logins, Reply, ask, data, nonsense, send};
use super::{Answer, Backend, BackendError, ErrorKind, SecretData};
use crate::{AwsConfig, Error};
use credentials::Credentials;
use sign::Signer;

mod credentials;
mod sign;

const SERVICE: &str = "secretsmanager";
const FORMAT: &str = "application/x-amz-json-1.1";
const READ: &str = "secretsmanager.GetSecretValue";
/// Where a refusal has its name.
const NAME: &str = "/__type";

/// AWS Secrets Manager.
///
/// `secret://app/api-key` is the text of the secret `app/api-key` in its current version. Where the
/// text is a JSON object, as AWS makes it for databases, `secret://app/db:password` is its member
/// `password`. Secrets of bytes are not text, and are refused.
///
/// The process proves who it is by a key in the configuration, or by keys that a container is given
/// ([`AwsConfig::credentials_url`]): those are fetched anew five minutes before they end, and when
/// they are refused. IAM needs `secretsmanager:GetSecretValue` for the secrets that are named.
///
/// Requests are signed here, without AWS' own client: it brings eighty crates, and reads the
/// environment by itself.
pub struct Aws {
    config: AwsConfig,
    endpoint: String,
    host: String,
    http: Http,
    credentials: Mutex<Option<Arc<Login<Credentials>>>>,
}

/// An answer that has a secret.
#[derive(Deserialize)]
struct Found {
    #[serde(rename = "SecretString")]
    text: Option<String>,
}

impl Aws {
    /// Connects when the first secret is asked for.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a field of the configuration is missing or makes no sense.
    pub fn new(config: &AwsConfig) -> Result<Self, Error> {
        config.check()?;
        let endpoint = match config.endpoint.trim_end_matches('/') {
            "" => format!("https://{SERVICE}.{}.amazonaws.com", config.region),
            endpoint => endpoint.to_owned(),
        };
        let host = endpoint.split("://").nth(1).unwrap_or_default().to_owned();
        let http = Http::new(config.request_timeout.get());
        Ok(Self { config: config.clone(), endpoint, host, http, credentials: Mutex::default() })
    }

    async fn read(&self, path: &str) -> Result<SecretData, BackendError> {
        let reply = ask(self, path).await?;
        if !reply.status.is_success() {
            let name = reply.refusal(NAME);
            return Err(reply.error("AWS", &name, kind(&name)));
        }
        let found: Found = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
        found.text.map(data).ok_or_else(|| BackendError::invalid("the secret is not text"))
    }
}

impl Logins for Aws {
    type Shown = Credentials;

    fn held(&self) -> &Mutex<Option<Arc<Login<Credentials>>>> {
        &self.credentials
    }

    async fn log_in(&self) -> Result<Login<Credentials>, BackendError> {
        Credentials::get(&self.config, self.http.client().await?).await
    }

    async fn ask(&self, path: &str, credentials: &Credentials) -> Result<Reply, BackendError> {
        let body = json!({ "SecretId": path }).to_string();
        let signer = Signer {
            id: &credentials.id,
            key: credentials.key.expose(),
            region: &self.config.region,
            service: SERVICE,
            at: OffsetDateTime::now_utc(),
        };
        let date = signer.date();
        let mut headers =
            vec![("content-type", FORMAT), ("host", &*self.host), ("x-amz-date", &*date)];
        if let Some(token) = &credentials.token {
            headers.push(("x-amz-security-token", token.expose()));
        }
        headers.push(("x-amz-target", READ));
        let authorization = signer.authorization("POST", &headers, body.as_bytes());
        let request = self.http.client().await?.post(&self.endpoint);
        let request = request.header("authorization", authorization);
        let request = headers.iter().fold(request, |request, (name, value)| match *name {
            // The client sets it from the address.
            "host" => request,
            name => request.header(name, *value),
        });
        send(request.body(body)).await
    }

    fn is_over(reply: &Reply) -> bool {
        let over = ["ExpiredTokenException", "UnrecognizedClientException"];
        over.contains(&&*reply.refusal(NAME))
    }
}

impl Backend for Aws {
    fn get<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path))
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What AWS' own names say, where the status does not.
fn kind(name: &str) -> Option<ErrorKind> {
    match name {
        "ResourceNotFoundException" => Some(ErrorKind::NotFound),
        "ThrottlingException" | "InternalServiceError" | "InternalFailure" => {
            Some(ErrorKind::Unavailable)
        }
        "AccessDeniedException"
        | "DecryptionFailure"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "UnrecognizedClientException" => Some(ErrorKind::Denied),
        _ => None,
    }
}
