//! Where Kubernetes' own programs are.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::context::Context;
use crate::environment;

/// All programs of a node.
pub(crate) fn of_node(_: &Context) -> anyhow::Result<Vec<PathBuf>> {
    let folder = environment::cluster_programs().context("MIRA_CLUSTER_PROGRAMS is not set")?;
    let entries = std::fs::read_dir(folder)?;
    Ok(entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
}

/// The user's own `kubectl`, or the one of our own nodes.
pub(crate) fn kubectl(_: &Context) -> anyhow::Result<PathBuf> {
    Ok("kubectl".into())
}
