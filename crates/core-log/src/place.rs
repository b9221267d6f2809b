//! Where a span stands in its trace, and in which function.

use core_types::{Scope, SpanId, TraceContext, TraceId};
use tracing::dispatcher;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::line::SpanData;

/// The place of a span.
///
/// A scope that is entered inside of the span is nearer to a line than the span is. It is known by
/// what it says of trace and function: other than what the scope around the span said.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) trace: TraceContext,
    /// `,"trace_id":"…","span_id":"…","parent_span_id":"…"`
    ids: String,
    function: Option<&'static str>,
    outer_span: Option<SpanId>,
    outer_function: Option<&'static str>,
}

impl Place {
    /// Below the span above, or below the current scope's span if that one is nearer, or at the
    /// root of a trace. A span that wants to be a root is one.
    pub(crate) fn new(
        above: Option<&Self>,
        is_root: bool,
        scope: Option<&Scope>,
        function: Option<&'static str>,
    ) -> Self {
        let trace = match above {
            _ if is_root => TraceContext::root(),
            Some(above) => above.trace(scope).child(),
            None => {
                scope.and_then(Scope::trace).map_or_else(TraceContext::root, TraceContext::child)
            }
        };
        let mut ids = String::with_capacity(120);
        write_ids(&mut ids, &trace);
        let function = function.or_else(|| match above {
            Some(above) => above.function(scope),
            None => scope.and_then(Scope::function),
        });
        let (outer_span, outer_function) = (span_of(scope), scope.and_then(Scope::function));
        Self { trace, ids, function, outer_span, outer_function }
    }

    fn is_innermost(&self, scope: Option<&Scope>) -> bool {
        span_of(scope) == self.outer_span
    }

    /// The trace here: the span's, or that of a scope inside of it.
    fn trace<'a>(&'a self, scope: Option<&'a Scope>) -> &'a TraceContext {
        let inner = if self.is_innermost(scope) { None } else { scope.and_then(Scope::trace) };
        inner.unwrap_or(&self.trace)
    }

    /// The ids here, rendered, if they are the span's.
    pub(crate) fn ids(&self, scope: Option<&Scope>) -> Option<&str> {
        (self.is_innermost(scope) || scope.is_none_or(|scope| scope.trace().is_none()))
            .then_some(&self.ids)
    }

    /// The innermost function here.
    pub(crate) fn function(&self, scope: Option<&Scope>) -> Option<&'static str> {
        let function = scope.and_then(Scope::function);
        if function == self.outer_function { self.function } else { function.or(self.function) }
    }
}

fn span_of(scope: Option<&Scope>) -> Option<SpanId> {
    Some(scope?.trace()?.span_id())
}

/// Appends the ids of a place in a trace. They are filled into a form: digit by digit would take
/// longer than the rest of a short line.
pub(crate) fn write_ids(out: &mut String, trace: &TraceContext) {
    const TRACE: &str = r#","trace_id":"00000000000000000000000000000000""#;
    const SPAN: &str = r#","span_id":"0000000000000000""#;
    const PARENT: &str = r#","parent_span_id":"0000000000000000""#;
    const WITHOUT_PARENT: usize = TRACE.len() + SPAN.len();
    const WHOLE: usize = WITHOUT_PARENT + PARENT.len();
    const FORM: &str = r#","trace_id":"00000000000000000000000000000000","span_id":"0000000000000000","parent_span_id":"0000000000000000""#;
    let mut form = [0; WHOLE];
    form.copy_from_slice(FORM.as_bytes());
    let mut fill = |end: usize, bytes: &[u8]| {
        let start = end - 1 - 2 * bytes.len();
        let (pairs, _) = form[start..end - 1].as_chunks_mut();
        for (pair, byte) in pairs.iter_mut().zip(bytes) {
            *pair = HEX[usize::from(*byte)];
        }
    };
    fill(TRACE.len(), &trace.trace_id().to_bytes());
    fill(WITHOUT_PARENT, &trace.span_id().to_bytes());
    let length = match trace.parent_span_id() {
        Some(parent) => {
            fill(WHOLE, &parent.to_bytes());
            WHOLE
        }
        None => WITHOUT_PARENT,
    };
    out.push_str(str::from_utf8(&form[..length]).unwrap_or_default());
}

/// The two digits of each byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0xf]];
        byte += 1;
    }
    pairs
};

/// The innermost function that this thread is in.
pub(crate) fn function() -> Option<&'static str> {
    Scope::with_current(|scope| {
        with_current(|place| place.function(scope)).unwrap_or_else(|| scope?.function())
    })
}

/// Looks at the place of the innermost span that this thread is in, if the log keeps it.
fn with_current<R>(look: impl Fn(&Place) -> R) -> Option<R> {
    dispatcher::get_default(|dispatch| {
        let registry = dispatch.downcast_ref::<Registry>()?;
        let innermost: SpanRef<'_, Registry> = registry.span(dispatch.current_span().id()?)?;
        // One that the log does not want is none for it.
        innermost.scope().find_map(|span| {
            let extensions = span.extensions();
            extensions.get().map(|data: &SpanData| look(&data.place))
        })
    })
}

/// Which traces are recorded; the process begins traces in one way only.
#[cfg(feature = "otlp")]
pub(crate) static SAMPLER: std::sync::OnceLock<crate::otlp::Sampler> = std::sync::OnceLock::new();

/// Tells everybody in the process of the spans that the log keeps.
pub(crate) struct Tracer;

impl core_types::Tracer for Tracer {
    fn current(&self) -> Option<TraceContext> {
        Scope::with_current(|scope| with_current(|place| place.trace(scope).clone()))
    }

    fn samples(&self, trace: TraceId, above: Option<bool>) -> bool {
        #[cfg(feature = "otlp")]
        if let Some(sampler) = SAMPLER.get() {
            return sampler.samples(trace, above);
        }
        let _ = trace;
        above.unwrap_or(true)
    }
}
