//! A registry, by the OCI distribution protocol.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{HeaderMap, Request, StatusCode};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, SendBody};

use super::blob::Blob;
use super::credentials::{self, Credentials};
use super::image::{INDEX, MANIFEST};
use crate::environment;

/// What a registry takes at most for one answer.
const LIMIT: Duration = Duration::from_secs(300);

/// One repository of a registry.
pub(crate) struct Registry {
    agent: Agent,
    /// `https://registry.example.com/v2/mira`
    base: String,
    name: String,
    credentials: Option<Credentials>,
    /// What the registry has asked for, once it has.
    authorization: RefCell<Option<String>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Registry {
    /// A repository by the registry's host and its own name. Loopback speaks HTTP, all others HTTPS.
    pub(crate) fn new(host: &str, name: &str) -> anyhow::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
        let tls = tls.root_certs(roots()?).build();
        let agent = Agent::config_builder().http_status_as_error(false).tls_config(tls);
        let agent = agent.timeout_global(Some(LIMIT)).build().new_agent();
        let alone = host.rsplit_once(':').map_or(host, |(alone, _)| alone);
        let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&alone);
        let scheme = if is_here { "http" } else { "https" };
        Ok(Self {
            agent,
            base: format!("{scheme}://{host}/v2/{name}"),
            name: name.to_owned(),
            credentials: credentials::of(host)?,
            authorization: RefCell::new(None),
        })
    }

    /// Sends a blob, unless it is there. Tells whether it was sent.
    pub(crate) fn put_blob(&self, blob: &Blob) -> anyhow::Result<bool> {
        let digest = blob.digest();
        let path = format!("{}/blobs/{digest}", self.base);
        match self.call("HEAD", &path, &[], None)?.status {
            StatusCode::OK => return Ok(false),
            StatusCode::NOT_FOUND => {}
            status => bail!("{} answers {status} when asked for a blob", self.base),
        }
        let begun = self.call("POST", &format!("{}/blobs/uploads/", self.base), &[], Some(&[]))?;
        let place = self.accepted("take a blob", &begun, StatusCode::ACCEPTED)?.get("location");
        let place = place.and_then(|place| place.to_str().ok()).context("no place for the blob")?;
        let origin = self.base.split_inclusive('/').take(3).collect::<String>();
        let place = match place.strip_prefix('/') {
            Some(path) => format!("{origin}{path}"),
            None => place.to_owned(),
        };
        let end = if place.contains('?') { '&' } else { '?' };
        let stream = [("content-type", "application/octet-stream")];
        let url = format!("{place}{end}digest={digest}");
        let put = self.call("PUT", &url, &stream, Some(&blob.bytes))?;
        self.accepted("keep a blob", &put, StatusCode::CREATED)?;
        Ok(true)
    }

    /// Sends a manifest. Tells whether the registry lists by itself what has the same subject.
    pub(crate) fn put_manifest(
        &self,
        tag: &str,
        kind: &str,
        manifest: &Blob,
    ) -> anyhow::Result<bool> {
        let path = format!("{}/manifests/{tag}", self.base);
        let put = self.call("PUT", &path, &[("content-type", kind)], Some(&manifest.bytes))?;
        let headers = self.accepted("keep a manifest", &put, StatusCode::CREATED)?;
        Ok(headers.contains_key("oci-subject"))
    }

    /// A manifest, or a list of such, if there is one.
    pub(crate) fn manifest(&self, tag: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let accept = format!("{MANIFEST}, {INDEX}");
        let path = format!("{}/manifests/{tag}", self.base);
        let answer = self.call("GET", &path, &[("accept", &accept)], None)?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        self.accepted("give a manifest", &answer, StatusCode::OK)?;
        Ok(Some(answer.body))
    }

    fn accepted<'a>(
        &self,
        what: &str,
        answer: &'a Answer,
        wanted: StatusCode,
    ) -> anyhow::Result<&'a HeaderMap> {
        let (status, said) = (answer.status, String::from_utf8_lossy(&answer.body));
        ensure!(status == wanted, "{} does not {what}: {status}: {}", self.base, said.trim());
        Ok(&answer.headers)
    }

    /// Asks; if the registry wants to know who asks, it is told, and asked again.
    fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> anyhow::Result<Answer> {
        let answer = self.once(method, url, headers, body)?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let challenge = answer.headers.get("www-authenticate").and_then(|it| it.to_str().ok());
        let challenge = challenge.context("the registry does not say how to log in")?;
        let authorization = self.log_in(challenge)?;
        self.authorization.replace(Some(authorization));
        let answer = self.once(method, url, headers, body)?;
        ensure!(
            answer.status != StatusCode::UNAUTHORIZED,
            "{} refuses the credentials of docker's configuration; log in anew, by `docker login` or \
             `skopeo login`",
            self.base
        );
        Ok(answer)
    }

    fn once(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // What is sent elsewhere, to a store behind the registry, is not for that store's eyes.
        let origin: String = self.base.split_inclusive('/').take(3).collect();
        if let Some(authorization) =
            self.authorization.borrow().as_deref().filter(|_| url.starts_with(&origin))
        {
            request = request.header("authorization", authorization);
        }
        let sent = match body {
            Some(mut body) => self.agent.run(request.body(SendBody::from_reader(&mut body))?),
            None => self.agent.run(request.body(())?),
        };
        let mut answer = sent.with_context(|| format!("cannot reach {}", self.base))?;
        let body = answer.body_mut().read_to_vec()?;
        Ok(Answer { status: answer.status(), headers: answer.headers().clone(), body })
    }

    /// Does what a challenge asks for, and returns what to say from now on.
    fn log_in(&self, challenge: &str) -> anyhow::Result<String> {
        let basic = self
            .credentials
            .as_ref()
            .map(|it| format!("Basic {}", STANDARD.encode(format!("{}:{}", it.user, it.secret))));
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return basic.with_context(|| {
                format!("{} wants a user; log in by `docker login` or `skopeo login`", self.base)
            });
        }
        let parameter = |name: &str| {
            let rest = parameters.split_once(&format!("{name}=\""))?.1;
            Some(rest.split_once('"')?.0)
        };
        let realm = parameter("realm").context("the registry does not say where to log in")?;
        let scope = format!("repository:{}:pull,push", self.name);
        let service = parameter("service").unwrap_or_default();
        let mut request = Request::get(format!("{realm}?service={service}&scope={scope}"));
        if let Some(basic) = &basic {
            request = request.header("authorization", basic);
        }
        let mut answer = self.agent.run(request.body(())?).context("cannot log in")?;
        ensure!(answer.status() == StatusCode::OK, "{realm} answers {}", answer.status());
        let token: Value = serde_json::from_slice(&answer.body_mut().read_to_vec()?)?;
        let token = token["token"].as_str().or(token["access_token"].as_str());
        Ok(format!("Bearer {}", token.context("there is no token in the answer")?))
    }
}

/// Mozilla's certificates, and those that `SSL_CERT_FILE` names.
fn roots() -> anyhow::Result<RootCerts> {
    let mozilla = webpki_root_certs::TLS_SERVER_ROOT_CERTS;
    let mut roots: Vec<Certificate<'static>> =
        mozilla.iter().map(|der| Certificate::from_der(der)).collect();
    if let Some(path) = environment::certificates() {
        let pem =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) = item? {
                roots.push(certificate);
            }
        }
    }
    Ok(RootCerts::from(roots))
}
