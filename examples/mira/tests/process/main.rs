//! Mira as a real process: arguments, signals, files, exit codes, and what stands in its log.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test starts processes and waits for them")]

mod canary;
mod client;
mod deploy;
mod founding;
mod kubernetes;
mod mira;
mod modes;
mod pod;
mod reload;
mod signals;
mod start;
mod terminal;
mod trace;
mod vault;
mod webhooks;
