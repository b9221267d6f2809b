#![doc = include_str!("../README.md")]

#[cfg(feature = "checks")]
pub mod checks;
mod config;
mod damping;
mod entry;
mod error;
mod event;
mod handle;
mod health;
mod history;
mod options;
mod report;
mod respond;
mod schedule;
mod shared;
mod snapshot;
mod state;
mod summary;

pub use self::{
    config::Config,
    error::Error,
    event::Event,
    handle::{Component, Heartbeat, Latch},
    health::Health,
    history::Transition,
    options::CheckOptions,
    report::Report,
    respond::{GoodNews, probe},
    snapshot::{CheckSnapshot, Snapshot},
    state::{Group, Kind, State},
};
