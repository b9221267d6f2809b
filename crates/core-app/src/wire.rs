//! Where two crates meet: one file per pair, and nothing but the meeting in it.

pub(crate) mod config;
pub(crate) mod health;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod secrets;
pub(crate) mod shutdown;
#[cfg(feature = "otlp")]
pub(crate) mod traces;
