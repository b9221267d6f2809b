#![doc = include_str!("../README.md")]

mod app;
mod arguments;
mod assemble;
mod blocking;
mod error;
mod exit;
mod healthcheck;
mod hints;
mod host;
mod kubernetes;
mod listen;
mod load;
mod modes;
mod ops;
mod outcome;
mod reload;
mod run;
mod running;
mod say;
mod service;
mod service_manager;
mod settings;
mod stall;
mod tasks;
mod watchdog;
mod wire;

pub use core_config as config;
pub use core_health as health;
pub use core_http as http;
pub use core_log as log;
pub use core_metrics as metrics;
pub use core_secrets as secrets;
pub use core_shutdown as shutdown;
pub use core_types as types;

pub use self::{
    app::App,
    error::Error,
    exit::Exit,
    host::Host,
    reload::{ReloadError, Reloaded},
    running::Running,
    service::{AppService, Body},
    settings::{Config, NoSettings, Ops, Runtime, Server, Settings},
    tasks::{Restart, TaskBuilder},
};

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
