//! What a scrape gets.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use prometheus::TextEncoder;
use prometheus::proto::MetricFamily;

use crate::Metrics;

/// The Prometheus text format, with the charset that the specification gives and the encoder omits.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

impl Metrics {
    /// Writes everything in the Prometheus text format, version 0.0.4
    /// (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
    ///
    /// Its content type is `text/plain; version=0.0.4; charset=utf-8`.
    pub fn encode(&self) -> String {
        text(&self.gather())
    }

    /// Answers a scrape: GET and HEAD with the metrics, anything else with 405.
    pub fn respond(&self, request: &Parts) -> Response<Bytes> {
        if request.method != Method::GET && request.method != Method::HEAD {
            return response(
                StatusCode::METHOD_NOT_ALLOWED,
                (ALLOW, HeaderValue::from_static("GET, HEAD")),
                Bytes::new(),
            );
        }
        let text = Bytes::from(self.encode());
        let length = text.len();
        let body = if request.method == Method::HEAD { Bytes::new() } else { text };
        let mut response =
            response(StatusCode::OK, (CONTENT_TYPE, HeaderValue::from_static(TEXT)), body);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response
    }

    /// All metrics at this moment, sorted by name.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        // First, so that what is refused here is counted in this scrape already.
        let produced = self.produce();
        let mut families = self.0.registry.gather();
        families.extend(produced);
        families.sort_by(|a, b| a.name().cmp(b.name()));
        families
    }
}

fn response(
    status: StatusCode,
    (name, value): (http::HeaderName, HeaderValue),
    body: Bytes,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(name, value);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn text(families: &[MetricFamily]) -> String {
    let text = TextEncoder::new().encode_to_string(families);
    let text = text.expect("families have a name and series, and a string takes any amount");
    if !text.contains("inf\n") {
        return text;
    }
    // The encoder writes infinity as Rust does; the format has its own spelling.
    let mut spelled = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        match line.strip_suffix("inf").filter(|_| !line.starts_with('#')) {
            Some(positive) if positive.ends_with(' ') => spelled.extend([positive, "+Inf"]),
            Some(negative) if negative.ends_with(" -") => spelled.extend([negative, "Inf"]),
            _ => spelled.push_str(line),
        }
        spelled.push('\n');
    }
    spelled
}
