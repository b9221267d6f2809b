#![doc = include_str!("../README.md")]

#[cfg(feature = "audit")]
pub mod audit;
mod boot;
mod config;
mod error;
mod event;
mod fields;
mod format;
mod json;
mod layer;
mod level;
mod levels;
mod line;
mod logging;
mod mask;
mod name;
mod operation;
#[cfg(feature = "otlp")]
pub mod otlp;
mod panics;
mod place;
mod rate;
mod record;
mod scratch;
mod scrub;
mod sink;
mod site;
mod timer;
mod writer;

pub use self::{
    config::{Config, Rotation},
    error::Error,
    event::Event,
    format::Schema,
    level::{Level, Levels},
    levels::LevelStatus,
    logging::{Logging, Options, Prepared},
    operation::Operation,
    record::Record,
};

#[doc(hidden)]
pub use self::operation::Told;
