//! Requests to the services of clouds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use core_types::Secret;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use super::{BackendError, ErrorKind, SecretData};

#[cfg(any(feature = "azure", feature = "gcp"))]
mod bearer;
mod login;
#[cfg(any(feature = "azure", feature = "gcp"))]
pub(super) use self::bearer::{Bearer, Tokens, bearer};
pub(super) use self::login::{Login, Logins, ask, file};

/// The largest answer that is read. A secret is a tenth of it at most.
const LARGEST: usize = 1024 * 1024;

/// The client of a backend, set up when it is first needed.
pub(super) struct Http {
    timeout: Duration,
    client: OnceCell<Client>,
}

impl Http {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { timeout, client: OnceCell::new() }
    }

    pub(super) async fn client(&self) -> Result<&Client, BackendError> {
        self.client.get_or_try_init(|| async { client(self.timeout) }).await
    }
}

/// A client that trusts what the system trusts, and follows no redirect: a signed request is for
/// one place.
fn client(timeout: Duration) -> Result<Client, BackendError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(timeout);
    builder
        .redirect(redirect::Policy::none())
        .build()
        .map_err(|error| BackendError::invalid("cannot set up a client").with_source(error))
}

/// What was answered.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Zeroizing<Vec<u8>>,
}

impl Reply {
    /// What the service calls its refusal, in letters, digits and `_`: the rest of it may quote
    /// anything.
    pub(super) fn refusal(&self, pointer: &str) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let name = body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        // AWS puts the name of its service before it.
        let name = name.rsplit('#').next().unwrap_or_default();
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(100).collect()
    }

    /// An error of the kind that is given, or else of that which the status tells.
    pub(super) fn error(&self, who: &str, name: &str, kind: Option<ErrorKind>) -> BackendError {
        let status = self.status.as_u16();
        let kind = kind.unwrap_or(match status {
            401 | 403 => ErrorKind::Denied,
            408 | 429 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        });
        let text = format!("{who} says {status} {name}").trim_end().to_owned();
        let error = BackendError::new(kind, text.into());
        match self.retry_after {
            Some(wait) => error.with_retry_after(wait),
            None => error,
        }
    }

    /// The error of somebody who was to give us something to log in with. Those that are not
    /// refusals pass: services of this kind say 404 while they are started.
    pub(super) fn no_login(&self, who: &str, pointer: &str) -> BackendError {
        let kind = match self.status.as_u16() {
            400 | 401 | 403 => ErrorKind::Denied,
            _ => ErrorKind::Unavailable,
        };
        self.error(who, &self.refusal(pointer), Some(kind))
    }
}

/// Sends a request, and reads the whole of the answer.
pub(super) async fn send(request: RequestBuilder) -> Result<Reply, BackendError> {
    let down = |error: reqwest::Error| {
        BackendError::unavailable("no answer from the service").with_source(error.without_url())
    };
    let mut response = request.send().await.map_err(down)?;
    let wait =
        response.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    let mut body = Zeroizing::new(Vec::with_capacity(4096));
    while let Some(part) = response.chunk().await.map_err(down)? {
        if body.len() + part.len() > LARGEST {
            return Err(BackendError::invalid("an answer of the service is larger than 1 MiB"));
        }
        body.extend_from_slice(&part);
    }
    let retry_after = wait.map(Duration::from_secs);
    Ok(Reply { status: response.status(), retry_after, body })
}

/// What a service that answers at all should have said otherwise.
pub(super) fn nonsense() -> BackendError {
    // What the parser complains of may be a value.
    BackendError::unavailable("the answer of the service makes no sense")
}

/// The text as a whole, and the members of the object that it may be.
pub(super) fn data(text: String) -> SecretData {
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
    data
}

/// A name, or a name and a version, which can stand in an address as they are.
#[cfg(any(feature = "azure", feature = "gcp"))]
pub(super) fn named(path: &str) -> Result<(&str, Option<&str>), BackendError> {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(is_inner);
    let (name, version) = match path.split_once('/') {
        Some((name, version)) => (name, Some(version)),
        None => (path, None),
    };
    if is_part(name) && version.is_none_or(is_part) {
        return Ok((name, version));
    }
    Err(BackendError::invalid("the path must be a name, or a name and a version behind `/`"))
}
