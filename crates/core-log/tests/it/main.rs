//! The public behaviour of core-log, up to what takes a whole process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod allocations;
#[cfg(feature = "audit")]
mod audit;
mod console;
mod correlation;
mod fields;
mod file;
mod levels;
mod operation;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod rate;
mod rotation;
mod secrets;
mod strict;
mod threads;
