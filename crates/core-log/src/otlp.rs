//! Spans to whoever collects traces, by OTLP: HTTP with protobuf, from a thread of its own.
//!
//! What a span is named, where it stands and when it is recorded follows OpenTelemetry; its fields
//! are what the lines show, masked and scrubbed likewise. The service never waits for the
//! collector: what has no room is dropped and counted.

mod config;
mod encode;
mod exporter;
mod sampler;
mod send;
mod span;

pub use self::{
    config::Config,
    sampler::Sampler,
    span::{Kind, Span},
};
pub(crate) use self::{exporter::Exporter, span::Mark};
