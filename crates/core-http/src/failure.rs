use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use core_types::{ErrorId, Timestamp};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::Value;

use crate::BoxError;

mod kinds;
mod render;

/// The header that carries the error id: for answers without a body, and for logs of balancers.
pub(crate) static X_ERROR_ID: HeaderName = HeaderName::from_static("x-error-id");

/// Added before fractions are cut off, by which a time is rounded up.
const JUST_BELOW_A_SECOND: Duration = Duration::from_nanos(999_999_999);

/// What went wrong with a request: what the client is told, and what only the log is.
///
/// The client gets the status, the code, the message, the details, and an id. The cause, given by
/// [`with_source`](Self::with_source) or [`internal`](Self::internal), never goes out; it is
/// reported with the same id by [`Event::Failed`](crate::Event::Failed).
///
/// A handler returns it as an error (a service whose error it is, or an axum handler with feature
/// `axum`), or makes a response of it.
///
/// ```
/// use core_http::Failure;
/// use http::StatusCode;
///
/// fn checked(pages: u32) -> Result<u32, Failure> {
///     if pages > 100 {
///         let failure = Failure::new(StatusCode::CONFLICT, "TOO_MANY_PAGES", "at most 100 pages");
///         return Err(failure.with_details(serde_json::json!({ "pages": pages })));
///     }
///     Ok(pages)
/// }
/// # assert!(checked(101).is_err());
/// ```
#[derive(Clone)]
pub struct Failure(Box<Inner>);

#[derive(Clone)]
struct Inner {
    id: ErrorId,
    status: StatusCode,
    code: &'static str,
    message: String,
    timestamp: Timestamp,
    details: Option<Value>,
    retry_after: Option<Duration>,
    challenge: Option<HeaderValue>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with a status, a code for programs and a message for people.
    ///
    /// The code is in capitals with underscores: `PLAN_NOT_FOUND`. Code and message go to the
    /// client as they are, also with a status above 499: say nothing about the inside there. A
    /// status below 400 is no failure and becomes 500.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let is_code_byte = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        debug_assert!(code.bytes().all(is_code_byte), "`{code}` is not in capitals");
        let is_failure = status.is_client_error() || status.is_server_error();
        Self(Box::new(Inner {
            id: ErrorId::generate(),
            status: if is_failure { status } else { StatusCode::INTERNAL_SERVER_ERROR },
            code,
            message: message.into(),
            timestamp: Timestamp::now(),
            details: None,
            retry_after: None,
            challenge: None,
            source: None,
        }))
    }

    /// Adds what a program may want to know, usually an object. It goes to the client.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// Adds the cause. It goes to the observer, and never to the client.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into().into());
        self
    }

    /// Tells the client when to come again, by `Retry-After`: in whole seconds, rounded up.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Tells the client how to show who it is, by `WWW-Authenticate`: `Bearer realm="ops"`.
    ///
    /// RFC 9110, section 11.6.1, asks for one with every 401.
    #[must_use]
    pub fn with_challenge(mut self, challenge: HeaderValue) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// The id, which the answer, the event, and so the log line carry.
    pub fn id(&self) -> &ErrorId {
        &self.0.id
    }

    /// The status, above 399.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The code, in capitals with underscores.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The message for the client.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The causes as one text, the outermost first, divided by `: `; empty if there are none.
    pub fn causes(&self) -> Causes<'_> {
        Causes(self.source())
    }

    /// Makes the response: status, JSON body, `Content-Type`, `X-Error-ID`, and if they were given
    /// `Retry-After` and `WWW-Authenticate`.
    ///
    /// The failure goes along in the response's extensions, where the stack finds it to report it,
    /// and to write it anew if the client prefers `application/problem+json`.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        let mut response = Response::new(self.body(false).into());
        *response.status_mut() = self.status();
        self.head(response.headers_mut(), false);
        response.extensions_mut().insert(self);
        response
    }

    /// Sets the headers that belong to the body, and those that the failure asks for.
    pub(crate) fn head(&self, headers: &mut http::HeaderMap, as_problem: bool) {
        let kind = if as_problem { "application/problem+json" } else { "application/json" };
        let id = HeaderValue::from_str(self.id().as_str()).expect("ids need no escaping");
        // A map that is full loses them, and nothing worse.
        let _ = headers.try_insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let _ = headers.try_insert(&X_ERROR_ID, id);
        if let Some(delay) = self.0.retry_after {
            let seconds = delay.saturating_add(JUST_BELOW_A_SECOND).as_secs();
            let _ = headers.try_insert(RETRY_AFTER, seconds.into());
        }
        if let Some(challenge) = &self.0.challenge {
            let _ = headers.try_insert(WWW_AUTHENTICATE, challenge.clone());
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.source.as_deref()?)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("id", &self.0.id)
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("message", &self.0.message)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

/// The causes of a failure as one text. Made by [`Failure::causes`].
#[derive(Clone, Copy)]
pub struct Causes<'a>(Option<&'a (dyn Error + 'static)>);

impl Causes<'_> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<String> = None;
        for cause in std::iter::successors(self.0, |&cause| cause.source()) {
            let text = cause.to_string();
            match &before {
                None => f.write_str(&text)?,
                // Some errors print their cause at their own end, and would say it twice.
                Some(before) if before.ends_with(&text) => continue,
                Some(_) => write!(f, ": {text}")?,
            }
            before = Some(text);
        }
        Ok(())
    }
}

impl fmt::Debug for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
