use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use core_types::Secret;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::{Mutex, OnceCell};

use super::cloud::{self, Reply};
use super::{Answer, Backend, BackendError, SecretData};
use crate::{AwsConfig, Error};
use credentials::Credentials;
use sign::Signer;

mod credentials;
mod sign;

const SERVICE: &str = "secretsmanager";
const FORMAT: &str = "application/x-amz-json-1.1";
const READ: &str = "secretsmanager.GetSecretValue";

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
    client: OnceCell<Client>,
    credentials: Mutex<Option<Arc<Credentials>>>,
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
        let (client, credentials) = (OnceCell::new(), Mutex::default());
        Ok(Self { config: config.clone(), endpoint, host, client, credentials })
    }

    async fn read(&self, name: &str) -> Result<SecretData, BackendError> {
        let mut renewed = false;
        loop {
            let credentials = self.credentials().await?;
            let reply = self.ask(name, &credentials).await?;
            if reply.status.is_success() {
                return data(&reply.body);
            }
            let refusal = Refusal::of(&reply);
            if !refusal.is_expired() || !credentials.can_be_renewed() || renewed {
                return Err(refusal.into_error(reply.retry_after));
            }
            self.credentials.lock().await.take_if(|held| Arc::ptr_eq(held, &credentials));
            renewed = true;
        }
    }

    async fn client(&self) -> Result<&Client, BackendError> {
        let timeout = self.config.request_timeout.get();
        self.client.get_or_try_init(|| async { cloud::client(timeout) }).await
    }

    async fn credentials(&self) -> Result<Arc<Credentials>, BackendError> {
        let mut held = self.credentials.lock().await;
        match &*held {
            Some(credentials) if credentials.last() => Ok(Arc::clone(credentials)),
            _ => {
                let client = self.client().await?;
                let credentials = Arc::new(Credentials::get(&self.config, client).await?);
                *held = Some(Arc::clone(&credentials));
                Ok(credentials)
            }
        }
    }

    async fn ask(&self, name: &str, credentials: &Credentials) -> Result<Reply, BackendError> {
        let body = json!({ "SecretId": name }).to_string();
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
        let request = self.client().await?.post(&self.endpoint);
        let request = request.header("authorization", authorization);
        let request = headers.iter().fold(request, |request, (name, value)| match *name {
            // The client sets it from the address.
            "host" => request,
            name => request.header(name, *value),
        });
        cloud::send(request.body(body)).await
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

/// The text as a whole, and the members of the object that it may be.
fn data(body: &[u8]) -> Result<SecretData, BackendError> {
    // What the parser complains of may be a value.
    let found: Found = serde_json::from_slice(body)
        .map_err(|_| BackendError::unavailable("the answer of the service makes no sense"))?;
    let Some(text) = found.text else {
        return Err(BackendError::invalid("the secret is not text"));
    };
    let members: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let mut data = SecretData::from(Secret::new(text));
    for (key, value) in members {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(is) => is.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        data = data.with(Some(&key), Secret::new(value));
    }
    Ok(data)
}

/// What AWS says instead of a secret.
struct Refusal {
    status: StatusCode,
    kind: String,
}

impl Refusal {
    fn of(reply: &Reply) -> Self {
        let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let kind = body["__type"].as_str().unwrap_or_default();
        // It may stand behind the name of its service.
        let kind = kind.rsplit('#').next().unwrap_or_default();
        let kind = kind.chars().filter(char::is_ascii_alphanumeric).take(100).collect();
        Self { status: reply.status, kind }
    }

    fn is_expired(&self) -> bool {
        matches!(&*self.kind, "ExpiredTokenException" | "UnrecognizedClientException")
    }

    fn into_error(self, retry_after: Option<Duration>) -> BackendError {
        let Self { status, kind } = self;
        let text = format!("AWS says {} {kind}", status.as_u16());
        let error = match &*kind {
            "ResourceNotFoundException" => BackendError::not_found(text.trim_end().to_owned()),
            "ThrottlingException" | "InternalServiceError" | "InternalFailure" => {
                BackendError::unavailable(text)
            }
            "AccessDeniedException"
            | "DecryptionFailure"
            | "ExpiredTokenException"
            | "IncompleteSignature"
            | "InvalidSignatureException"
            | "MissingAuthenticationToken"
            | "UnrecognizedClientException" => BackendError::denied(text),
            _ if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                BackendError::unavailable(text)
            }
            _ if matches!(status.as_u16(), 401 | 403) => BackendError::denied(text),
            _ => BackendError::invalid(text),
        };
        match retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }
}
