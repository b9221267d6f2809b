//! Requests over HTTP, and what their answers mean.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, redirect};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use zeroize::Zeroizing;

use super::api::{self, Call, Reply};
use crate::{BackendError, Error, VaultConfig};

/// The largest answer that is read. A secret is a hundred times smaller.
const LARGEST: usize = 1024 * 1024;

/// As much of what Vault says is wrong is told.
const LONGEST_REASON: usize = 200;

/// A server's wish to be left alone is heard, up to this.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// Why a request came to nothing.
pub(super) struct Fault {
    pub(super) error: BackendError,
    pub(super) extent: Extent,
}

/// What a fault tells of other requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Nothing: the server has answered.
    Request,
    /// Little: this request was not answered in time.
    Late,
    /// They will fail too.
    Server,
}

pub(super) struct Transport {
    base: String,
    namespace: Option<HeaderValue>,
    ca_cert: Option<PathBuf>,
    timeout: Duration,
    client: Mutex<Option<Built>>,
}

#[derive(Clone)]
struct Built {
    client: Client,
    /// The content of the file that names who may sign.
    signers: Arc<Vec<u8>>,
}

impl Transport {
    pub(super) fn new(config: &VaultConfig) -> Result<Self, Error> {
        let namespace = Some(config.namespace.trim_matches('/')).filter(|name| !name.is_empty());
        let out_of = |_| Error::OutOfRange { field: "vault.namespace", range: "fit for a header" };
        Ok(Self {
            base: config.url.trim_end_matches('/').to_owned(),
            namespace: namespace.map(HeaderValue::from_str).transpose().map_err(out_of)?,
            ca_cert: config.ca_cert.clone(),
            timeout: config.request_timeout.get(),
            client: Mutex::default(),
        })
    }

    /// Sends one request, and reads the whole of the answer. `None` if there is none to read.
    pub(super) async fn send(
        &self,
        call: Call,
        token: Option<&HeaderValue>,
    ) -> Result<Option<Reply>, Fault> {
        let client = self.client().await.map_err(Fault::of_request)?;
        let mut headers = HeaderMap::new();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        for (name, value) in
            [("x-vault-namespace", self.namespace.as_ref()), ("x-vault-token", token)]
        {
            headers.extend(value.map(|value| (HeaderName::from_static(name), value.clone())));
        }
        let url = format!("{}/v1/{}", self.base, call.path);
        let request = client
            .request(call.method, url)
            .headers(headers)
            .timeout(self.timeout)
            .body(call.body.to_vec());
        let outcome = async {
            let mut response = request.send().await?;
            let mut body = Zeroizing::new(Vec::with_capacity(4096));
            while let Some(part) = response.chunk().await? {
                if body.len() + part.len() > LARGEST {
                    return Ok((response, None));
                }
                body.extend_from_slice(&part);
            }
            Ok::<_, reqwest::Error>((response, Some(body)))
        };
        match outcome.await {
            Ok((_, None)) => Err(Fault::of_request(BackendError::invalid(
                "an answer of Vault is larger than 1 MiB",
            ))),
            Ok((response, Some(body))) => {
                let retry_after = retry_after(response.headers());
                answer(response.status().as_u16(), retry_after, &body)
            }
            Err(error) => {
                if error.is_connect() {
                    self.renew_signers().await;
                }
                let extent = if error.is_timeout() { Extent::Late } else { Extent::Server };
                let text = format!("cannot reach Vault at {}", self.base);
                let error = BackendError::unavailable(text).with_source(error.without_url());
                Err(Fault { error, extent })
            }
        }
    }

    fn built(&self) -> std::sync::MutexGuard<'_, Option<Built>> {
        self.client.lock().expect("no panic while it is held")
    }

    async fn client(&self) -> Result<Client, BackendError> {
        let built = self.built().as_ref().map(|built| built.client.clone());
        if let Some(client) = built {
            return Ok(client);
        }
        let signers = self.signers().await?;
        let client = self.build(&signers)?;
        *self.built() = Some(Built { client: client.clone(), signers: Arc::new(signers) });
        Ok(client)
    }

    /// A connection failed: the server's certificate may be new, and the file beside it.
    async fn renew_signers(&self) {
        if self.ca_cert.is_some()
            && let Ok(signers) = self.signers().await
        {
            let mut built = self.built();
            if built.as_ref().is_some_and(|built| *built.signers != signers) {
                *built = None;
            }
        }
    }

    async fn signers(&self) -> Result<Vec<u8>, BackendError> {
        let Some(path) = &self.ca_cert else { return Ok(Vec::new()) };
        let text =
            || format!("cannot read the certificates of `vault.ca_cert` in {}", path.display());
        tokio::fs::read(path)
            .await
            .map_err(|error| BackendError::invalid(text()).with_source(error))
    }

    fn build(&self, signers: &[u8]) -> Result<Client, BackendError> {
        let mut roots = RootCertStore::empty();
        if self.ca_cert.is_some() {
            for certificate in CertificateDer::pem_slice_iter(signers) {
                let added = certificate.ok().and_then(|certificate| roots.add(certificate).ok());
                if added.is_none() {
                    return Err(BackendError::invalid(
                        "a certificate of `vault.ca_cert` is malformed",
                    ));
                }
            }
            if roots.is_empty() {
                return Err(BackendError::invalid("`vault.ca_cert` holds no certificate"));
            }
        } else if self.base.starts_with("https://") {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Client::builder()
            .tls_backend_preconfigured(tls)
            // A standby sends to the active one; never to where others can listen.
            .redirect(redirect::Policy::custom(|attempt| {
                let came_from = attempt.previous().last().map(|url| url.scheme().to_owned());
                let is_as_safe = came_from.as_deref() == Some(attempt.url().scheme());
                if attempt.previous().len() <= 2 && is_as_safe {
                    attempt.follow()
                } else {
                    attempt.stop()
                }
            }))
            .no_proxy()
            .connect_timeout(self.timeout)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map_err(|error| {
                BackendError::invalid("cannot set up a client for Vault").with_source(error)
            })
    }
}

impl Fault {
    pub(super) fn of_request(error: BackendError) -> Self {
        Self { error, extent: Extent::Request }
    }
}

/// In seconds only: Vault writes no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_REST))
}

/// What Vault means by a status.
fn answer(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Result<Option<Reply>, Fault> {
    let said = |meaning: &str| match reason(body) {
        Some(reason) => format!("{meaning} ({status}): {reason}"),
        None => format!("{meaning} ({status})"),
    };
    let unavailable = |meaning: &str| {
        let error = BackendError::unavailable(said(meaning));
        retry_after.iter().fold(error, |error, wait| error.with_retry_after(*wait))
    };
    let server = |meaning| Err(Fault { error: unavailable(meaning), extent: Extent::Server });
    match status {
        200..=299 if body.iter().all(u8::is_ascii_whitespace) => Ok(None),
        200..=299 => match api::reply(body) {
            Some(reply) => Ok(Some(reply)),
            None => Err(Fault::of_request(BackendError::unavailable(
                "what answered does not speak as Vault does",
            ))),
        },
        403 => Err(Fault::of_request(BackendError::denied(said("Vault denies it")))),
        404 => Err(Fault::of_request(BackendError::not_found(said("Vault has nothing there")))),
        412 => Err(Fault::of_request(unavailable("Vault's replica is behind"))),
        429 => server("Vault asks for fewer requests"),
        472 | 473 => server("this Vault is a standby"),
        500 => Err(Fault::of_request(unavailable("Vault had a fault"))),
        501 => server("Vault is not set up yet"),
        503 => server("Vault is sealed or down for maintenance"),
        502 | 504 | 505..=599 => server("Vault's proxy cannot reach it"),
        _ => Err(Fault::of_request(BackendError::invalid(said("Vault refuses the request")))),
    }
}

/// What Vault says is wrong, in one short line. Others' answers are not quoted.
fn reason(body: &[u8]) -> Option<String> {
    let line = api::errors(body)?.join("; ");
    let words: Vec<&str> = line.split_whitespace().collect();
    Some(words.join(" ").chars().take(LONGEST_REASON).collect())
        .filter(|line: &String| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn check(status: u16, kind: ErrorKind, extent: Extent) {
        let Err(fault) = answer(status, None, b"{\"errors\":[\"1 error\\n\\t* because\"]}") else {
            panic!("{status} is taken for an answer");
        };
        assert_eq!((fault.error.kind(), fault.extent), (kind, extent), "{status}");
        assert!(fault.error.to_string().contains("1 error * because"), "{}", fault.error);
    }

    /// SEC-2: what may pass is told from what is final, and what concerns one request from what
    /// concerns all.
    #[test]
    fn statuses_are_told_apart() {
        check(400, ErrorKind::Invalid, Extent::Request);
        check(403, ErrorKind::Denied, Extent::Request);
        check(404, ErrorKind::NotFound, Extent::Request);
        check(405, ErrorKind::Invalid, Extent::Request);
        check(412, ErrorKind::Unavailable, Extent::Request);
        check(429, ErrorKind::Unavailable, Extent::Server);
        check(472, ErrorKind::Unavailable, Extent::Server);
        check(473, ErrorKind::Unavailable, Extent::Server);
        check(500, ErrorKind::Unavailable, Extent::Request);
        check(501, ErrorKind::Unavailable, Extent::Server);
        check(502, ErrorKind::Unavailable, Extent::Server);
        check(503, ErrorKind::Unavailable, Extent::Server);
        check(307, ErrorKind::Invalid, Extent::Request);
    }

    /// SEC-6: an answer that is not Vault's is not quoted.
    #[test]
    fn others_answers_are_not_quoted() {
        for body in ["canary", "{\"data\":\"canary\"}", "{\"errors\":\"canary\"}"] {
            for status in [200, 400, 500] {
                let Err(fault) = answer(status, None, body.as_bytes()) else {
                    panic!("{body} is taken for an answer");
                };
                assert!(!format!("{:?}", fault.error).contains("canary"));
            }
        }
    }

    /// SEC-2: `Retry-After` in seconds is heard, within reason.
    #[test]
    fn rest_is_granted() {
        let after = |value: &'static str| {
            let headers = [(RETRY_AFTER, HeaderValue::from_static(value))].into_iter().collect();
            retry_after(&headers)
        };
        assert_eq!(after("7"), Some(Duration::from_secs(7)));
        assert_eq!(after("86400"), Some(LONGEST_REST));
        assert_eq!(after("soon"), None);
    }
}
