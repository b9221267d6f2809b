//! What `core-secrets` promises of Vault, against a real one.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod login;
mod outage;
mod read;
mod rotation;
mod support;
