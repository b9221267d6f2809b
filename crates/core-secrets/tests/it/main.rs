//! What `core-secrets` promises, from outside.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod config;
#[cfg(feature = "encrypted")]
mod encrypted;
mod environment;
mod files;
mod flight;
mod hygiene;
mod leases;
mod order;
mod refresh;
mod retry;
mod rotation;
mod support;
