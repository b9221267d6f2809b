//! What Mira promises, without HTTP.

mod broker;
mod metrics;
mod plans;
mod platform;
mod requests;
mod risks;
mod settings;
mod support;
mod webhooks;
