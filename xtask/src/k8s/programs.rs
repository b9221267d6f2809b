//! Where Kubernetes' own programs are.

use std::path::PathBuf;

use crate::context::Context;
use crate::environment;
use crate::tool::kept::KUBECTL;
use crate::tools;

/// All programs of a node. Getting them takes minutes, once.
pub(crate) fn of_node(context: &Context) -> anyhow::Result<Vec<PathBuf>> {
    tools::get(context, &["coredns", "etcd", "kubernetes", "pause"].map(str::to_owned))
}

/// The user's own `kubectl`, or the one of our own nodes.
pub(crate) fn kubectl(context: &Context) -> anyhow::Result<PathBuf> {
    // By its name, so that a command that is shown can be typed.
    if on_path("kubectl").is_some() { Ok("kubectl".into()) } else { KUBECTL.get(context) }
}

/// A program of this machine.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    environment::path().iter().map(|folder| folder.join(name)).find(|path| path.is_file())
}
