use std::net::SocketAddr;

use crate::BoxError;

/// Why a service did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] core_config::Error),
    /// A component refused what was configured for it.
    #[error("cannot build {component}")]
    Build {
        /// Which component.
        component: &'static str,
        /// Why.
        source: BoxError,
    },
    /// A port could not be taken.
    #[error("cannot listen on {address} ({key})")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// The key that sets it.
        key: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The service's own start failed.
    #[error("the start failed")]
    Start {
        /// Why.
        source: BoxError,
    },
    /// The answer to a question such as `--print-config` could not be written.
    #[error("cannot write to the standard output")]
    Answer {
        /// What the operating system said.
        source: std::io::Error,
    },
    /// `healthcheck` was not told that the service is well.
    #[error("the service at {address} (ops.bind_address) is not well")]
    Unwell {
        /// The address that was asked.
        address: SocketAddr,
        /// What it answered, or why it did not.
        source: BoxError,
    },
    /// A stop was asked for before the start had ended.
    #[error("stopped by {reason} while starting")]
    Interrupted {
        /// By what.
        reason: core_shutdown::Reason,
    },
}
