//! Distributed tracing as words: W3C Trace Context level 2 and W3C Baggage.

mod baggage;
mod state;
mod tracer;

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

pub use self::{
    baggage::Baggage,
    state::TraceState,
    tracer::{Tracer, set_tracer},
};
use crate::{Error, Scope, random};

/// The bit that says: somebody upstream records this trace.
const SAMPLED: u8 = 0b01;
/// The bit that says: the lower seven bytes of the trace id are random (level 2).
const RANDOM: u8 = 0b10;

/// Names a trace: 16 bytes, not all zero, in lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// Names a span within a trace: 8 bytes, not all zero, in lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    fn generate() -> Self {
        Self(NonZeroU128::new(random::u128()).unwrap_or(NonZeroU128::MIN))
    }

    /// The sixteen bytes, the highest first.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }
}

impl SpanId {
    fn generate() -> Self {
        Self(NonZeroU64::new(random::u64()).unwrap_or(NonZeroU64::MIN))
    }

    /// The eight bytes, the highest first.
    pub fn to_bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A place in a distributed trace, as carried by the headers `traceparent` and `tracestate`
/// ([W3C Trace Context, level 2](https://www.w3.org/TR/trace-context-2/)).
///
/// ```
/// # use core_types::TraceContext;
/// let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let upstream = TraceContext::parse(header, None)?;
/// let here = upstream.child();
/// assert_eq!(here.trace_id(), upstream.trace_id());
/// assert_eq!(here.parent_span_id(), Some(upstream.span_id()));
/// # Ok::<(), core_types::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    flags: u8,
    state: TraceState,
}

impl TraceContext {
    /// Begins a trace of our own, sampled unless the process's [`Tracer`] says otherwise.
    #[must_use]
    pub fn root() -> Self {
        let trace_id = TraceId::generate();
        let sampled = if tracer::samples(trace_id, None) { SAMPLED } else { 0 };
        Self {
            trace_id,
            span_id: SpanId::generate(),
            parent_span_id: None,
            flags: sampled | RANDOM,
            state: TraceState::default(),
        }
    }

    /// Where this thread is: in the innermost span, if a [`Tracer`] keeps spans, else where the
    /// current scope says. What is called from here belongs below it.
    pub fn current() -> Option<Self> {
        tracer::current().or_else(|| Scope::with_current(|scope| scope?.trace().cloned()))
    }

    /// Reads the headers of a request.
    ///
    /// A malformed `tracestate` is dropped and the trace goes on, as the specification asks.
    /// Several `tracestate` headers are one, joined by commas; several `traceparent` headers are
    /// none.
    ///
    /// # Errors
    /// [`Error::TraceParent`] if `traceparent` is malformed; then a new trace begins, and
    /// `tracestate` does not count either.
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Result<Self, Error> {
        let (trace_id, span_id, flags) = parse_parent(traceparent).ok_or(Error::TraceParent)?;
        let state = tracestate.and_then(TraceState::parse).unwrap_or_default();
        Ok(Self { trace_id, span_id, parent_span_id: None, flags, state })
    }

    /// A new span below this one, sampled as it is unless the process's [`Tracer`] says otherwise.
    #[must_use]
    pub fn child(&self) -> Self {
        let is_sampled = tracer::samples(self.trace_id, Some(self.is_sampled()));
        Self {
            trace_id: self.trace_id,
            span_id: SpanId::generate(),
            parent_span_id: Some(self.span_id),
            flags: (self.flags & !SAMPLED) | if is_sampled { SAMPLED } else { 0 },
            state: self.state.clone(),
        }
    }

    /// The trace's id.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// The id of the span that we are in, or, read from a header, that called us.
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The id of the span above, if it is known.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parent_span_id
    }

    /// Whether somebody upstream records this trace.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// What vendors attached to the trace.
    pub fn state(&self) -> &TraceState {
        &self.state
    }

    /// The value of the header `traceparent` for a call from here: version 00, with the flags that
    /// level 2 defines and no others.
    pub fn traceparent(&self) -> String {
        let flags = self.flags & (SAMPLED | RANDOM);
        format!("00-{}-{}-{flags:02x}", self.trace_id, self.span_id)
    }
}

/// Reads `version-traceid-spanid-flags`. A version above 00 may be followed by more.
fn parse_parent(text: &str) -> Option<(TraceId, SpanId, u8)> {
    // Optional white space around a header's value is not part of it (RFC 9110).
    let text = text.trim_matches([' ', '\t']);
    let field = |range: std::ops::Range<usize>| text.get(range);
    let dash = |at: usize| text.as_bytes().get(at) == Some(&b'-');
    let version = hex(field(0..2)?)?;
    if version == 0xff || !(dash(2) && dash(35) && dash(52)) {
        return None;
    }
    let ends_well = if version == 0 { text.len() == 55 } else { text.len() == 55 || dash(55) };
    if !ends_well {
        return None;
    }
    let trace_id = TraceId(NonZeroU128::new(hex(field(3..35)?)?)?);
    let span_id = SpanId(NonZeroU64::new(u64::try_from(hex(field(36..52)?)?).ok()?)?);
    let flags = u8::try_from(hex(field(53..55)?)?).ok()?;
    Some((trace_id, span_id, flags))
}

/// Lower-case hexadecimal digits only, which `from_str_radix` is not strict about.
fn hex(digits: &str) -> Option<u128> {
    let lower = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    lower.then(|| u128::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests;
