//! The backend `kubernetes`: against a real API server, and against a loopback server for what a real
//! one cannot be made to do.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "../vault/support/canary.rs"]
mod canary;
mod cluster;
mod faults;
mod outage;
mod process;
mod read;
mod server;
mod support;
mod token;
mod watch;
