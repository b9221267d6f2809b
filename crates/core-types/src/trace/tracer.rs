use std::sync::OnceLock;

use super::{TraceContext, TraceId};

static TRACER: OnceLock<Box<dyn Tracer>> = OnceLock::new();

/// What a process does with traces beyond passing them on. Whoever keeps spans implements it.
pub trait Tracer: Send + Sync {
    /// The span that this thread is in, if it is nearer than the trace of the current scope.
    fn current(&self) -> Option<TraceContext>;

    /// Whether a span is to be recorded; `above` is what was decided for the span above it.
    fn samples(&self, trace: TraceId, above: Option<bool>) -> bool;
}

/// Says who keeps spans, once for the process; whether nobody had said so before.
///
/// Without one, a trace that begins here is marked as sampled, and a span below another is marked
/// as that one is.
pub fn set_tracer(tracer: impl Tracer + 'static) -> bool {
    TRACER.set(Box::new(tracer)).is_ok()
}

pub(super) fn current() -> Option<TraceContext> {
    TRACER.get()?.current()
}

pub(super) fn samples(trace: TraceId, above: Option<bool>) -> bool {
    TRACER.get().map_or(above.unwrap_or(true), |tracer| tracer.samples(trace, above))
}
