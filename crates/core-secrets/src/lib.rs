#![doc = include_str!("../README.md")]

pub mod backend;
mod builder;
mod clock;
mod config;
mod entry;
mod error;
mod event;
mod hold;
mod lease;
mod options;
mod read;
mod refresh;
mod retry;
mod rotation;
mod secrets;
mod status;
mod table;
mod term;
mod watch;

pub use self::{
    backend::{Backend, BackendError, ErrorKind, SecretData},
    builder::Builder,
    config::{
        AwsConfig, AzureConfig, Backends, Config, EncryptedConfig, FileConfig, GcpConfig,
        KubernetesConfig, VaultAuth, VaultConfig,
    },
    error::Error,
    event::{Event, Outcome},
    hold::Hold,
    options::GetOptions,
    rotation::{BoxError, Rotation, Subscription},
    secrets::Secrets,
    status::SecretStatus,
};
