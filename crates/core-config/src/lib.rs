#![doc = include_str!("../README.md")]

mod catalog;
mod config;
mod deprecation;
mod draft;
mod effective;
mod error;
mod flags;
mod key;
mod live;
mod loader;
mod mask;
mod merge;
mod node;
mod origin;
mod problem;
mod read;
mod references;
mod schema;
mod settings;
mod source;
mod suggest;
mod watch;

#[cfg(feature = "openfeature")]
pub use self::flags::FlagProvider;
pub use self::{
    catalog::{Catalog, Entry},
    config::Config,
    draft::{Draft, Loaded},
    effective::{Effective, Explanation, Setting},
    error::Error,
    flags::{Decision, Flag, Flags, Reason},
    key::Key,
    live::{Applied, BoxError, Commit, Event, Generation, Live, Peek, Reader, Refusal},
    loader::Loader,
    origin::Origin,
    problem::{Problem, Problems},
    read::ReadError,
    references::Reference,
    settings::{Settings, Validate, merge_schemas},
    watch::Watcher,
};
pub use schemars;
