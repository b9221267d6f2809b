//! The public behaviour of core-config.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod declared;
mod edits;
mod environment;
mod errors;
mod flags;
mod layers;
mod live;
mod origins;
mod properties;
mod references;
mod secrets;
mod settings;
mod shapes;
mod snapshots;
mod transaction;
mod watch;
