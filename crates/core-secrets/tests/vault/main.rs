//! What `core-secrets` promises of Vault, against a real one.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]
#![expect(clippy::disallowed_methods, reason = "tests have no settings, and no host that spawns")]

#[path = "support/canary.rs"]
mod canary;
mod login;
mod outage;
mod read;
mod rotation;
mod support;
mod traps;
