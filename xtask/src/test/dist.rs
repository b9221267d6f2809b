//! What `cargo xtask dist` makes of Mira, loaded and run for real: every tool finds the same digests in
//! the one tar, and the service in it works without any right.

mod dockerfile;
mod engine;
mod golden;
mod loaders;
mod push;
mod service;
mod tls;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use self::engine::Engine;
use crate::context::Context;
use crate::dist;
use crate::dist::output::artifacts;

/// As large an image may be at most (DIST-4).
const LARGEST: u64 = 12 * 1024 * 1024;

/// What was shipped.
pub(crate) struct Shipped {
    folder: PathBuf,
    build: Value,
}

impl Shipped {
    /// Ships Mira, or finds it shipped.
    fn mira(context: &Context) -> anyhow::Result<Self> {
        let build = dist::make(context, &dist::Options::of("mira"))?.build;
        Ok(Self { folder: dist::folder(context), build })
    }

    /// The path of an artefact.
    fn path(&self, kind: &str) -> anyhow::Result<PathBuf> {
        let artifact = artifacts(&self.build).find(|artifact| artifact["kind"] == kind);
        let path = artifact.and_then(|artifact| artifact["path"].as_str());
        Ok(self.folder.join(path.with_context(|| format!("nothing of the kind {kind}"))?))
    }

    /// One of `reference`, `manifest` and `config`.
    fn image(&self, what: &str) -> &str {
        self.build["image"][what].as_str().unwrap_or_default()
    }
}

/// DIST-1, DIST-3, DIST-4.
pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let shipped = Shipped::mira(context)?;
    let tar = shipped.path("image")?;
    let size = tar.metadata()?.len();
    ensure!(size < LARGEST, "{} is {size} bytes long", tar.display());
    context.step("dist: the golden file");
    golden::compare(context, &shipped)?;
    let folder = scratch(context)?;
    let mut seen = loaders::check(context, &shipped, folder.path())?;
    let engine = Engine::start(context, folder.path())?;
    seen.extend(engine.loads(&shipped)?);
    service::check(context, &engine, &shipped, folder.path())?;
    tls::check(context, &engine, &shipped, folder.path())?;
    dockerfile::check(context, &engine, &shipped, folder.path())?;
    Ok(seen.join(", "))
}

/// DIST-5.
pub(crate) fn push(context: &Context) -> anyhow::Result<String> {
    push::run(context, &Shipped::mira(context)?, scratch(context)?.path())
}

/// DIST-2.
pub(crate) fn reproduce(context: &Context) -> anyhow::Result<String> {
    let options = dist::Options::of("mira");
    let build = dist::make(context, &options)?.build;
    dist::verify(context, &options, &build)?;
    Ok(format!("{} artefacts twice", artifacts(&build).count()))
}

/// A folder on the disk that holds what is built: engines want a real file system below them.
fn scratch(context: &Context) -> anyhow::Result<tempfile::TempDir> {
    let target: &Path = context.workspace.target();
    tempfile::Builder::new().prefix("dist-").tempdir_in(target).context("cannot make a folder")
}
