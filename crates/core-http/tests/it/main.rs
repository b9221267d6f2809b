//! What the stack promises, seen from outside.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod context;
mod cors;
mod failures;
mod headers;
mod limits;
#[cfg(feature = "axum")]
mod matched_route;
mod proxies;
mod reload;
mod server;
mod services;
#[cfg(feature = "serde")]
mod settings;
mod shortcut;
mod support;
mod validation;
