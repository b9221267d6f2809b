use std::sync::Arc;
use std::time::Duration;

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS, X_XSS_PROTECTION,
};
use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

use self::cors::Cors;
use crate::propagation::X_REQUEST_ID;
use crate::{Cidr, Config, Error, SecurityHeaders};

pub(crate) mod cors;

static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// A configuration in the form in which requests use it.
pub(crate) struct Live {
    pub(crate) request_timeout: Option<Duration>,
    /// `usize::MAX` means none: no body is larger.
    pub(crate) body_limit: usize,
    /// `u32::MAX` means none.
    pub(crate) max_in_flight: u32,
    security: Vec<(HeaderName, HeaderValue)>,
    /// All headers of a shortcut's answer, which replaces the empty ones: to copy a map costs half of
    /// what it costs to make it.
    pub(crate) shortcut_headers: HeaderMap,
    strict_transport_security: Option<HeaderValue>,
    pub(crate) cors: Option<Cors>,
    pub(crate) https_redirect: bool,
    pub(crate) trusted_proxies: Vec<Cidr>,
}

impl Live {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        if let Some(&network) = config.trusted_proxies.iter().find(|n| n.is_everybody()) {
            return Err(Error::TrustsEverybody { network });
        }
        let timeout = config.request_timeout;
        let body_limit = usize::try_from(config.body_limit.bytes()).unwrap_or(usize::MAX);
        let security = security(&config.security_headers)?;
        let mut shortcut_headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (X_REQUEST_ID.clone(), HeaderValue::from_static("")),
        ]);
        shortcut_headers.extend(security.iter().cloned());
        Ok(Self {
            request_timeout: (!timeout.is_zero()).then_some(timeout.get()),
            body_limit: if body_limit == 0 { usize::MAX } else { body_limit },
            max_in_flight: if config.max_in_flight == 0 { u32::MAX } else { config.max_in_flight },
            security,
            shortcut_headers,
            strict_transport_security: value(
                "security_headers.strict_transport_security",
                &config.security_headers.strict_transport_security,
            )?,
            cors: Cors::new(&config.cors)?,
            https_redirect: config.https_redirect,
            trusted_proxies: config.trusted_proxies,
        })
    }

    /// Adds the security headers that the handler has not set.
    pub(crate) fn secure(&self, headers: &mut HeaderMap, https: bool) {
        for (name, value) in &self.security {
            add(headers, name, value);
        }
        if let (true, Some(value)) = (https, &self.strict_transport_security) {
            add(headers, &STRICT_TRANSPORT_SECURITY, value);
        }
    }
}

/// Adds a header that is not there. A map that is full stays as it is.
pub(crate) fn add(headers: &mut HeaderMap, name: &HeaderName, value: &HeaderValue) {
    if let Ok(Entry::Vacant(vacant)) = headers.try_entry(name) {
        let _ = vacant.try_insert(value.clone());
    }
}

fn security(headers: &SecurityHeaders) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let all = [
        (
            X_CONTENT_TYPE_OPTIONS,
            "security_headers.content_type_options",
            &headers.content_type_options,
        ),
        (X_FRAME_OPTIONS, "security_headers.frame_options", &headers.frame_options),
        (X_XSS_PROTECTION, "security_headers.xss_protection", &headers.xss_protection),
        (
            CONTENT_SECURITY_POLICY,
            "security_headers.content_security_policy",
            &headers.content_security_policy,
        ),
        (REFERRER_POLICY, "security_headers.referrer_policy", &headers.referrer_policy),
        (
            PERMISSIONS_POLICY.clone(),
            "security_headers.permissions_policy",
            &headers.permissions_policy,
        ),
    ];
    let pairs = all.into_iter().map(|(name, setting, text)| Ok((name, value(setting, text)?)));
    let pairs = pairs.filter_map(|pair| match pair {
        Ok((name, value)) => value.map(|value| Ok((name, value))),
        Err(error) => Some(Err(error)),
    });
    pairs.collect()
}

/// The value of a header; none if the text is empty.
fn value(setting: &'static str, text: &str) -> Result<Option<HeaderValue>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    // A constant has no count of its copies, to which all threads would write with every answer.
    if let Some(usual) = SecurityHeaders::DEFAULTS.into_iter().find(|usual| *usual == text) {
        return Ok(Some(HeaderValue::from_static(usual)));
    }
    let value = HeaderValue::from_str(text);
    value.map(Some).map_err(|source| Error::HeaderValue { setting, source })
}

/// A configuration that has been checked, and is not in force yet.
///
/// Made by [`Stack::prepare`](crate::Stack::prepare), put into force by
/// [`Stack::commit`](crate::Stack::commit).
#[must_use = "nothing changes until it is committed"]
pub struct Prepared(pub(crate) Arc<Live>);

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}
