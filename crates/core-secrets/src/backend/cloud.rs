//! Requests to the services of clouds.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::BackendError;

/// The largest answer that is read. A secret is a tenth of it at most.
const LARGEST: usize = 1024 * 1024;

/// A client that trusts what the system trusts, and follows no redirect: a signed request is for
/// one place.
pub(super) fn client(timeout: Duration) -> Result<Client, BackendError> {
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
