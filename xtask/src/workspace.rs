//! What `cargo metadata` says of the workspace.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};

use crate::environment;

/// The workspace and its members, without what they depend on.
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Reads the workspace that a folder belongs to.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(environment::cargo()).current_dir(folder);
        let command = command.no_deps().features(CargoOpt::AllFeatures);
        Ok(Self { metadata: command.exec().context("cannot read the workspace")? })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// The one target folder that all commands share.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    pub(crate) fn members(&self) -> &[Package] {
        &self.metadata.packages
    }

    /// The members that others are meant to depend on: those below `crates`.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Package> {
        self.members().iter().filter(|member| self.is_crate(member))
    }

    /// The other members: examples and this program.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &Package> {
        self.members().iter().filter(|member| !self.is_crate(member))
    }

    fn is_crate(&self, member: &Package) -> bool {
        member.manifest_path.starts_with(self.metadata.workspace_root.join("crates"))
    }

    /// The features that a member declares, the default ones aside.
    pub(crate) fn features(member: &Package) -> impl Iterator<Item = &str> {
        let declared = member.features.keys().map(String::as_str);
        declared.filter(|feature| *feature != "default")
    }

    /// The folder of a member.
    pub(crate) fn folder(member: &Package) -> PathBuf {
        let manifest = member.manifest_path.as_std_path();
        manifest.parent().expect("a manifest lies in a folder").to_owned()
    }
}
