//! Where Kubernetes' own programs are.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::environment;

/// The folder that holds all programs of a node.
pub(crate) fn folder() -> anyhow::Result<PathBuf> {
    environment::cluster_programs().context("MIRA_CLUSTER_PROGRAMS is not set")
}

/// The user's own `kubectl`.
pub(crate) fn kubectl() -> anyhow::Result<PathBuf> {
    Ok("kubectl".into())
}
