use std::borrow::Cow;

use core_types::{Baggage, CorrelationId, RequestId, Scope, TraceContext};
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static X_CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Opens the scope of a request from its headers, and gives the value of `X-Request-ID` with it.
///
/// An id is accepted when it is well-formed and stands once, else one is made. A missing
/// correlation id is made as well, never copied from the request id: a request id names one
/// request, and a caller that sends one may send the same again when it retries.
pub(crate) fn open_scope(headers: &HeaderMap) -> (Scope, HeaderValue) {
    let text = |name| single(headers, name).and_then(|value| value.to_str().ok());
    let scope = match text(&X_CORRELATION_ID).and_then(|id| CorrelationId::parse(id).ok()) {
        Some(id) => Scope::new(id),
        None => Scope::root(),
    };
    let scope = scope.with_trace(trace(headers));
    let scope = match joined(headers, &BAGGAGE) {
        Some(baggage) => scope.with_baggage(Baggage::parse(&baggage)),
        None => scope,
    };
    let (id, value) = accepted_id(headers).unwrap_or_else(|| {
        let id = RequestId::generate();
        let value = HeaderValue::from_str(id.as_str()).expect("ids need no escaping");
        (id, value)
    });
    (scope.with_request_id(id), value)
}

/// The value of `X-Request-ID` for an answer without a scope.
pub(crate) fn request_id(headers: &HeaderMap) -> HeaderValue {
    let generate = || HeaderValue::from_bytes(&core_types::uuid()).expect("ids need no escaping");
    accepted_id(headers).map_or_else(generate, |(_, value)| value)
}

/// The id that the caller has given the request, if it is one.
fn accepted_id(headers: &HeaderMap) -> Option<(RequestId, HeaderValue)> {
    let value = single(headers, &X_REQUEST_ID)?;
    Some((RequestId::parse(value.to_str().ok()?).ok()?, value.clone()))
}

/// Our own span: below the caller's, or the root of a new trace.
fn trace(headers: &HeaderMap) -> TraceContext {
    let upstream = single(headers, &TRACEPARENT).and_then(|parent| {
        let state = joined(headers, &TRACESTATE);
        TraceContext::parse(parent.to_str().ok()?, state.as_deref()).ok()
    });
    upstream.map_or_else(TraceContext::root, |upstream| upstream.child())
}

/// The header's value if it stands once. Of several nobody can tell which one is meant.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    // Most are not there, which is quicker to see so.
    let first = headers.get(name)?;
    headers.get_all(name).iter().nth(1).is_none().then_some(first)
}

/// All lines of a list header as one (RFC 9110, section 5.2), those left out that are no text.
fn joined<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Cow<'a, str>> {
    let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let first = lines.next()?;
    Some(lines.fold(Cow::Borrowed(first), |all, line| all + "," + line))
}

/// Writes the headers of a call to another service, from the current scope and span.
///
/// `traceparent` names the current span, as the caller of the other service's. With it go
/// `tracestate`, `baggage` and `X-Correlation-ID`. No `X-Request-ID`: that names one request, and
/// the call is another. Headers that are there already stay; a `traceparent` that is there keeps
/// our `tracestate` away too, since it belongs to another trace. Outside of every scope and span
/// nothing is written.
///
/// ```
/// use core_types::{Scope, TraceContext};
///
/// let mut headers = http::HeaderMap::new();
/// let scope = Scope::root().with_trace(TraceContext::root());
/// scope.run(|| core_http::outgoing_headers(&mut headers));
/// assert!(headers.contains_key("traceparent") && headers.contains_key("x-correlation-id"));
/// ```
pub fn outgoing_headers(headers: &mut HeaderMap) {
    if let (false, Some(trace)) = (headers.contains_key(&TRACEPARENT), TraceContext::current()) {
        add(headers, &TRACEPARENT, &trace.traceparent());
        if let Some(state) = trace.state().header() {
            add(headers, &TRACESTATE, state);
        }
    }
    Scope::with_current(|scope| {
        let Some(scope) = scope else { return };
        add(headers, &X_CORRELATION_ID, scope.correlation_id().as_str());
        if let Some(baggage) = scope.baggage().header() {
            add(headers, &BAGGAGE, &baggage);
        }
    });
}

/// Adds a header that is not there. Ids, traces and baggage are made of what a header can carry.
fn add(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let (false, Ok(value)) = (headers.contains_key(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
