//! Mira: briefs become plans, risks and reports, made by agents behind a broker.
//!
//! [`Platform`] ties the parts together and knows no HTTP; `http` turns its [`Reply`] and
//! [`Error`] into answers; [`start`] builds both on the host. Nothing here spawns:
//! [`Platform::worker`] is a future for the host.
//!
//! To stop: end the requests, which may still wait for results; [`Broker::drain`]; wait for the
//! workers; [`Broker::close`].

pub mod agents;
pub mod brief;
pub mod broker;
mod date;
mod error;
mod http;
mod integrations;
pub mod message;
mod metrics;
pub mod plan;
mod platform;
mod read;
pub mod report;
pub mod risk;
mod settings;
mod start;
pub mod webhook;

pub use self::{
    brief::Brief,
    broker::Broker,
    date::Date,
    error::{Error, Failure, Kind, Mistake},
    integrations::{GitHub, Integrations, Jira},
    message::Message,
    metrics::Metrics,
    plan::{Plan, Project},
    platform::{Answer, Platform, Reply},
    report::Report,
    risk::Risk,
    settings::Settings,
    start::start,
};

/// The project's pages for users: their examples are compiled with Mira's tests.
#[cfg(doctest)]
mod pages;
