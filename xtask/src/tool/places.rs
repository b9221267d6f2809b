//! Where programs are looked for, and what they are built from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::context::Context;
use crate::environment;

/// Variables by which people name programs.
const VARIABLES: &[&str] = &["VAULT_BIN", "KUBEBUILDER_ASSETS"];

/// The folders of one run.
pub(crate) struct Places {
    pub(super) path: Vec<PathBuf>,
    pub(super) variables: BTreeMap<&'static str, PathBuf>,
    pub(super) cache: PathBuf,
    /// Holds a folder with `go.mod` and `go.sum` for each tool that is built with Go.
    pub(super) modules: PathBuf,
}

/// Where a program was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Path,
    Variable(&'static str),
    Cache,
}

impl Places {
    /// Those of the environment and of the workspace.
    pub(crate) fn of(context: &Context) -> anyhow::Result<Self> {
        let set = |name: &&'static str| Some((*name, environment::set(name)?));
        Ok(Self {
            path: environment::path(),
            variables: VARIABLES.iter().filter_map(set).collect(),
            cache: environment::cache()?,
            modules: context.workspace.root().join("xtask/tools"),
        })
    }

    pub(super) fn variable(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(name).cloned()
    }
}

impl Place {
    /// One word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Path => "PATH",
            Self::Variable(name) => name,
            Self::Cache => "cache",
        }
    }
}
