#![doc = include_str!("../README.md")]

pub mod backend;
mod builder;
mod config;
mod entry;
mod error;
mod event;
mod options;
mod read;
mod refresh;
mod retry;
mod rotation;
mod secrets;
mod status;
mod table;

pub use self::{
    backend::{Backend, BackendError, ErrorKind, SecretData},
    builder::Builder,
    config::{Backends, Config, FileConfig},
    error::Error,
    event::{Event, Outcome},
    options::GetOptions,
    rotation::{BoxError, Rotation, Subscription},
    secrets::Secrets,
    status::SecretStatus,
};
