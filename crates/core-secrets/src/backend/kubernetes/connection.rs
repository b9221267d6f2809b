//! The way to the API server: the only place that knows the crate `kube`.
//!
//! Of `kube` it takes the reading of kubeconfigs and service accounts, TLS, and the sending. Not its
//! requests for objects: they log whole answers that they cannot parse, values included. Not its
//! repetitions either, which would multiply with those of this crate.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::{AuthError, Body};
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::BackendError;
use crate::config::KubernetesConfig;

/// The largest answer that is read. A Secret is at most 1 MiB; in base64, with what is known about
/// it, it stays far below.
const LARGEST: usize = 4 * 1024 * 1024;

/// Of a server's explanation, so much is told.
const EXPLANATION: usize = 300;

/// A watch only needs to know that something has changed.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// A connection that is made when it is needed, and made anew when it fails.
pub(super) struct Connection {
    config: KubernetesConfig,
    current: Mutex<Option<Arc<Connected>>>,
}

struct Connected {
    client: kube::Client,
    namespace: String,
}

impl Connection {
    pub(super) fn new(config: KubernetesConfig) -> Self {
        Self { config, current: Mutex::default() }
    }

    /// The longest time until an answer begins.
    pub(super) fn timeout(&self) -> Duration {
        self.config.request_timeout.get()
    }

    /// Reads a Secret.
    pub(super) async fn get(&self, name: &str) -> Result<Bytes, BackendError> {
        self.within(async {
            let answer = self.send(&format!("/{name}"), "application/json").await?;
            match Limited::new(answer.into_body(), LARGEST).collect().await {
                Ok(body) => Ok(body.to_bytes()),
                Err(error) => Err(BackendError::unavailable("the answer broke off")
                    .with_source(Cause::of(&*error))),
            }
        })
        .await
    }

    /// Begins to watch a Secret: first it is told of as it is, then of each change, for at most the
    /// given time. Lines of JSON, without values.
    pub(super) async fn watch(&self, name: &str, most: Duration) -> Result<Body, BackendError> {
        let seconds = most.as_secs();
        let query =
            format!("?watch=1&fieldSelector=metadata.name%3D{name}&timeoutSeconds={seconds}");
        self.within(async { Ok(self.send(&query, METADATA).await?.into_body()) }).await
    }

    async fn within<T>(
        &self,
        question: impl Future<Output = Result<T, BackendError>>,
    ) -> Result<T, BackendError> {
        let limit = self.timeout();
        timeout(limit, question).await.unwrap_or_else(|_| {
            Err(BackendError::unavailable(format!(
                "no answer from the API server within {limit:?}"
            )))
        })
    }

    /// Asks once, and a second time if the token was refused: it may have been replaced.
    async fn send(&self, what: &str, accept: &str) -> Result<Response<Body>, BackendError> {
        let mut renewed = false;
        loop {
            let connected = self.connected().await?;
            let namespace = &connected.namespace;
            let request = Request::get(format!("/api/v1/namespaces/{namespace}/secrets{what}"))
                .header(ACCEPT, accept)
                .body(Body::empty())
                .map_err(|_| BackendError::invalid("the namespace cannot be part of a request"))?;
            match connected.client.send(request).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED && !renewed => {
                    self.forget(&connected).await;
                    renewed = true;
                }
                Ok(answer) => return Err(refusal(answer).await),
                Err(error) => {
                    // The next attempt reads the token and the certificates again.
                    self.forget(&connected).await;
                    return Err(BackendError::unavailable("cannot reach the API server")
                        .with_source(Cause::of(&error)));
                }
            }
        }
    }

    async fn connected(&self) -> Result<Arc<Connected>, BackendError> {
        let mut current = self.current.lock().await;
        if let Some(connected) = &*current {
            return Ok(Arc::clone(connected));
        }
        let connected = Arc::new(self.connect().await?);
        *current = Some(Arc::clone(&connected));
        Ok(connected)
    }

    async fn forget(&self, failed: &Arc<Connected>) {
        self.current.lock().await.take_if(|current| Arc::ptr_eq(current, failed));
    }

    async fn connect(&self) -> Result<Connected, BackendError> {
        let invalid = |what, error: &(dyn Error + 'static)| {
            Err(BackendError::invalid(what).with_source(Cause::of(error)))
        };
        let mut config = match &self.config.kubeconfig {
            None => match kube::Config::incluster_dns() {
                Ok(config) => config,
                Err(error) => {
                    return invalid(
                        "no service account of a pod: mount its token, or set `kubernetes.kubeconfig`",
                        &error,
                    );
                }
            },
            Some(path) => {
                let context = &self.config.context;
                let context = (!context.is_empty()).then(|| context.clone());
                let options = KubeConfigOptions { context, ..Default::default() };
                // What the parser complains of may be a token.
                let Ok(kubeconfig) = Kubeconfig::read_from(path) else {
                    let text = format!("cannot read the kubeconfig {}", path.display());
                    return Err(BackendError::invalid(text));
                };
                match kube::Config::from_custom_kubeconfig(kubeconfig, &options).await {
                    Ok(config) => config,
                    Err(error) => return invalid("the kubeconfig is not complete", &error),
                }
            }
        };
        if !self.config.namespace.is_empty() {
            config.default_namespace.clone_from(&self.config.namespace);
        }
        config.connect_timeout = Some(self.timeout());
        config.default_retry = false;
        let namespace = config.default_namespace.clone();
        match kube::Client::try_from(config) {
            Ok(client) => Ok(Connected { client, namespace }),
            Err(error @ kube::Error::Auth(_)) => {
                let what = "cannot log in to Kubernetes";
                Err(BackendError::unavailable(what).with_source(Cause::of(&error)))
            }
            Err(error) => invalid("cannot speak to the API server", &error),
        }
    }
}

/// Tells passing refusals from final ones.
async fn refusal(answer: Response<Body>) -> BackendError {
    let status = answer.status();
    let wait = answer.headers().get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse().ok());
    let body = Limited::new(answer.into_body(), LARGEST).collect().await;
    let explanation = body.ok().and_then(|body| explanation(&body.to_bytes()));
    let text = match explanation {
        Some(explanation) => format!("the API server says {}: {explanation}", status.as_u16()),
        None => format!("the API server says {}", status.as_u16()),
    };
    let error = classified(status, text);
    match wait {
        Some(seconds) => error.with_retry_after(Duration::from_secs(seconds)),
        None => error,
    }
}

pub(super) fn classified(status: StatusCode, text: String) -> BackendError {
    match status {
        StatusCode::NOT_FOUND => BackendError::not_found(text),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => BackendError::denied(text),
        StatusCode::REQUEST_TIMEOUT | StatusCode::GONE | StatusCode::TOO_MANY_REQUESTS => {
            BackendError::unavailable(text)
        }
        _ if status.is_server_error() => BackendError::unavailable(text),
        _ => BackendError::invalid(text),
    }
}

/// What the server says of its reasons.
fn explanation(body: &[u8]) -> Option<String> {
    let status: serde_json::Value = serde_json::from_slice(body).ok()?;
    let message = status.get("message")?.as_str()?;
    Some(message.chars().filter(|c| !c.is_control()).take(EXPLANATION).collect())
}

/// An error's text and those of its causes: what `kube` returns can neither be shared nor cloned.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cause(String);

impl Cause {
    fn of(error: &(dyn Error + 'static)) -> Self {
        if is_private(error) {
            return Self("the kubeconfig's user cannot log in".into());
        }
        Self(core_types::Chain(error).to_string())
    }
}

/// Whether an error quotes what the kubeconfig's program printed: a token, had all gone well.
fn is_private(mut error: &(dyn Error + 'static)) -> bool {
    loop {
        match error.downcast_ref() {
            None | Some(AuthError::ReadTokenFile(..)) => {}
            Some(_) => return true,
        }
        let Some(source) = error.source() else { return false };
        error = source;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    /// SEC-2: what passes is told from what does not.
    #[test]
    fn refusals_are_told_apart() {
        let kind = |status| classified(StatusCode::from_u16(status).unwrap(), String::new()).kind();
        for status in [408, 410, 429, 500, 502, 503, 504] {
            assert_eq!(kind(status), ErrorKind::Unavailable, "{status}");
        }
        assert_eq!([401, 403].map(kind), [ErrorKind::Denied; 2]);
        assert_eq!(kind(404), ErrorKind::NotFound);
        assert_eq!([301, 400, 422].map(kind), [ErrorKind::Invalid; 3]);
    }

    #[test]
    fn an_explanation_is_short_and_of_one_line() {
        let body = format!(r#"{{"kind":"Status","message":"a\n{}"}}"#, "b".repeat(1000));
        let told = explanation(body.as_bytes()).unwrap();
        assert_eq!(told, format!("a{}", "b".repeat(EXPLANATION - 1)));
        assert_eq!(explanation(b"<html>"), None);
    }
}
