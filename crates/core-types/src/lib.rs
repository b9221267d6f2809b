#![doc = include_str!("../README.md")]

mod byte_size;
mod chain;
mod credential;
mod duration;
mod error;
mod id;
mod random;
mod scope;
mod secret;
mod secret_ref;
mod status;
mod timestamp;
mod trace;

pub use self::{
    byte_size::ByteSize,
    chain::{Chain, panic_message},
    credential::is_credential,
    duration::Duration,
    error::Error,
    id::{CorrelationId, ErrorId, RequestId, uuid},
    scope::{Entered, InScope, Scope, Scoped},
    secret::{REDACTED, Secret},
    secret_ref::SecretRef,
    status::Status,
    timestamp::Timestamp,
    trace::{Baggage, SpanId, TraceContext, TraceId, TraceState, Tracer, set_tracer},
};
