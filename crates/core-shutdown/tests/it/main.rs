//! The public behaviour of core-shutdown.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod isolation;
mod order;
mod report;
mod time;
mod whatever;
