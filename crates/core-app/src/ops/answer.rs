use bytes::Bytes;
use core_http::Context;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A JSON answer.
pub(super) fn json(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The method does not fit the path; the stack gives the answer its shape.
pub(super) fn not_allowed(allow: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

/// Who calls, for the log line about a change.
pub(super) fn caller(parts: &Parts) -> String {
    let address = parts.extensions.get::<Context>().and_then(Context::client_address);
    address.map_or_else(|| "unknown".into(), |address| address.to_string())
}
