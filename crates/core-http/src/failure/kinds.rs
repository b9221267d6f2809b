use std::time::Duration;

use http::StatusCode;

use super::Failure;
use crate::BoxError;

/// The common ones, each with its code.
impl Failure {
    /// 400 `BAD_REQUEST`: the request cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
    }

    /// 401 `UNAUTHORIZED`: nobody knows who is asking. Say how to tell, by
    /// [`with_challenge`](Self::with_challenge).
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", message)
    }

    /// 403 `FORBIDDEN`: who is asking may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", message)
    }

    /// 404 `NOT_FOUND`: there is no such thing.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", message)
    }

    /// 409 `CONFLICT`: the thing is in another state than the request expects.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CONFLICT", message)
    }

    /// 413 `PAYLOAD_TOO_LARGE`: the request's body is larger than is read.
    pub fn payload_too_large(message: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
    }

    /// 422 `VALIDATION_ERROR`: the request is well-formed, and what it says cannot be.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", message)
    }

    /// 429 `TOO_MANY_REQUESTS`, and when to come again.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        Self::from(StatusCode::TOO_MANY_REQUESTS).with_retry_after(retry_after)
    }

    /// 500 `INTERNAL_ERROR`: the client learns no more than that, the observer the cause.
    pub fn internal(source: impl Into<BoxError>) -> Self {
        Self::from(StatusCode::INTERNAL_SERVER_ERROR).with_source(source)
    }

    /// 503 `SERVICE_UNAVAILABLE`: not now.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", message)
    }

    /// What a handler said about a failure beside its status. It is for the client if the client
    /// did wrong; else it may tell of the inside, and is taken for the cause.
    pub(crate) fn said(status: StatusCode, text: &str) -> Self {
        if text.is_empty() {
            Self::from(status)
        } else if status.is_client_error() {
            Self::new(status, code(status), text)
        } else {
            Self::from(status).with_source(text)
        }
    }

    /// The failure that an error is: itself, or an internal one caused by it.
    pub(crate) fn of(error: BoxError) -> Self {
        error.downcast().map_or_else(Self::internal, |failure| *failure)
    }
}

/// A failure of which nothing is known but the status.
impl From<StatusCode> for Failure {
    fn from(status: StatusCode) -> Self {
        let code = code(status);
        Self::new(status, code, status.canonical_reason().unwrap_or("the request failed"))
    }
}

/// The code by which a status is known where nobody chose another.
fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "BAD_REQUEST",
        StatusCode::UNAUTHORIZED => "UNAUTHORIZED",
        StatusCode::PAYMENT_REQUIRED => "PAYMENT_REQUIRED",
        StatusCode::FORBIDDEN => "FORBIDDEN",
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::METHOD_NOT_ALLOWED => "METHOD_NOT_ALLOWED",
        StatusCode::NOT_ACCEPTABLE => "NOT_ACCEPTABLE",
        StatusCode::REQUEST_TIMEOUT => "REQUEST_TIMEOUT",
        StatusCode::CONFLICT => "CONFLICT",
        StatusCode::GONE => "GONE",
        StatusCode::LENGTH_REQUIRED => "LENGTH_REQUIRED",
        StatusCode::PRECONDITION_FAILED => "PRECONDITION_FAILED",
        StatusCode::PAYLOAD_TOO_LARGE => "PAYLOAD_TOO_LARGE",
        StatusCode::URI_TOO_LONG => "URI_TOO_LONG",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "UNSUPPORTED_MEDIA_TYPE",
        StatusCode::RANGE_NOT_SATISFIABLE => "RANGE_NOT_SATISFIABLE",
        StatusCode::EXPECTATION_FAILED => "EXPECTATION_FAILED",
        StatusCode::MISDIRECTED_REQUEST => "MISDIRECTED_REQUEST",
        StatusCode::UNPROCESSABLE_ENTITY => "UNPROCESSABLE_ENTITY",
        StatusCode::LOCKED => "LOCKED",
        StatusCode::FAILED_DEPENDENCY => "FAILED_DEPENDENCY",
        StatusCode::TOO_EARLY => "TOO_EARLY",
        StatusCode::UPGRADE_REQUIRED => "UPGRADE_REQUIRED",
        StatusCode::PRECONDITION_REQUIRED => "PRECONDITION_REQUIRED",
        StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "REQUEST_HEADER_FIELDS_TOO_LARGE",
        StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => "UNAVAILABLE_FOR_LEGAL_REASONS",
        StatusCode::INTERNAL_SERVER_ERROR => "INTERNAL_ERROR",
        StatusCode::NOT_IMPLEMENTED => "NOT_IMPLEMENTED",
        StatusCode::BAD_GATEWAY => "BAD_GATEWAY",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        StatusCode::GATEWAY_TIMEOUT => "GATEWAY_TIMEOUT",
        StatusCode::HTTP_VERSION_NOT_SUPPORTED => "HTTP_VERSION_NOT_SUPPORTED",
        StatusCode::INSUFFICIENT_STORAGE => "INSUFFICIENT_STORAGE",
        status if status.is_client_error() => "CLIENT_ERROR",
        _ => "SERVER_ERROR",
    }
}
