use core_types::{Baggage, RequestId, Scope, TraceContext};
use serde::{Deserialize, Serialize};

/// What the request that brought a message was known by, so that the work is found by the same ids
/// wherever it is done.
///
/// The trace goes in the texts of its headers, which brokers and other programs can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Origin {
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// The span of the request, as in the header of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What vendors attached to the trace, as in the header of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracestate: Option<String>,
    /// What services upstream attached to the trace, as in the header of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baggage: Option<String>,
}

impl Origin {
    /// That of a request, by its scope.
    pub fn of(scope: &Scope) -> Self {
        let trace = scope.trace();
        Self {
            request_id: scope.request_id().cloned(),
            traceparent: trace.map(TraceContext::traceparent),
            tracestate: trace.and_then(|trace| trace.state().header()).map(Into::into),
            baggage: scope.baggage().header(),
        }
    }

    /// A scope for the work: with the request's id, in a span of its own below the request's.
    pub(crate) fn refine(&self, mut scope: Scope) -> Scope {
        if let Some(id) = &self.request_id {
            scope = scope.with_request_id(id.clone());
        }
        let parent = self.traceparent.as_deref();
        let trace = parent.map(|parent| TraceContext::parse(parent, self.tracestate.as_deref()));
        if let Some(Ok(trace)) = trace {
            scope = scope.with_trace(trace.child());
        }
        match &self.baggage {
            Some(baggage) => scope.with_baggage(Baggage::parse(baggage)),
            None => scope,
        }
    }
}
