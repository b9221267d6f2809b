use core_types::{ByteSize, Duration};

use crate::{Cidr, Error, live::Live};

mod cors;
mod security_headers;

pub use self::{cors::Cors, security_headers::SecurityHeaders};

/// What an operator may set about the HTTP stack.
///
/// All of it can change while the service runs: see [`Stack::reconfigure`](crate::Stack::reconfigure).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Config {
    /// The longest time until a handler's answer begins; then the client gets 504.
    ///
    /// `0s` means no limit. The time that an answer's body takes does not count, so streams live
    /// as long as they like. Default `30s`: less than the 60 s after which common balancers give
    /// up, so that the client gets our answer with its ids, and not theirs.
    pub request_timeout: Duration,
    /// The largest request body that is read; a larger one is answered by 413.
    ///
    /// `0` means no limit. Default `2MiB`: enough for JSON, too little to fill the memory. axum's
    /// extractors have a limit of their own, 2 MB too: see `DefaultBodyLimit` there when raising
    /// this one.
    pub body_limit: ByteSize,
    /// The most requests that may be in flight at once; one more is answered by 503 at once.
    ///
    /// A request is in flight until its answer's body has ended. `0` means no limit. Default 1024:
    /// with 100 ms each that is 10,000 requests a second, past which a queue would only add delay.
    pub max_in_flight: u32,
    /// The security headers on every answer.
    pub security_headers: SecurityHeaders,
    /// Which pages of other origins may call this service from a browser.
    pub cors: Cors,
    /// Whether requests that came by plain HTTP are sent to HTTPS, by 308. Default `false`: only
    /// the operator knows whether HTTPS is served at all.
    ///
    /// The target is the host that was asked for, at HTTPS' own port 443.
    pub https_redirect: bool,
    /// The proxies whose `X-Forwarded-*` headers are believed: networks (`10.0.0.0/8`) or
    /// addresses. Default: none, since whoever is believed can forge any client's address.
    ///
    /// A network of everybody (`0.0.0.0/0`) is refused.
    pub trusted_proxies: Vec<Cidr>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            body_limit: ByteSize::from_mebibytes(2),
            max_in_flight: 1024,
            security_headers: SecurityHeaders::default(),
            cors: Cors::default(),
            https_redirect: false,
            trusted_proxies: Vec::new(),
        }
    }
}

impl Config {
    /// Checks what the types cannot.
    ///
    /// # Errors
    /// The first setting that cannot work: an [`Error`] that names it.
    pub fn validate(&self) -> Result<(), Error> {
        Live::new(self.clone()).map(drop)
    }
}
