#![doc = include_str!("../README.md")]

mod callback;
mod config;
mod error;
mod event;
mod in_flight;
mod order;
mod phase;
mod priority;
mod reason;
mod report;
mod runner;
mod sequence;
mod shutdown;
#[cfg(feature = "signals")]
mod signals;

#[cfg(feature = "signals")]
pub use self::signals::Signals;
pub use self::{
    callback::{BoxError, BoxFuture},
    config::Config,
    error::Error,
    event::Event,
    in_flight::{InFlight, InFlightGuard},
    order::Order,
    phase::Phase,
    priority::Priority,
    reason::{Reason, Signal},
    report::{Outcome, Report, StepOutcome, StepReport},
    runner::Runner,
    shutdown::{Progress, Shutdown, Stopping},
};
