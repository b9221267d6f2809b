//! The host as a part of a process: both listeners on the test's own runtime.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

mod client;
mod config;
mod health;
mod http;
mod lifecycle;
mod ops;
mod secrets;
mod service;
mod supervision;
