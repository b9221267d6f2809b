//! core-secrets against the servers that people run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::unit;
use crate::context::Context;
use crate::tool::kept::{ETCD, KUBE_APISERVER, MOTO, VAULT};

/// The tests that are left out elsewhere, each with servers of its own.
pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let vault = VAULT.get(context)?;
    let moto = MOTO.get(context)?;
    // The convention is one folder for all of them.
    let assets = tempfile::tempdir().context("cannot make a folder")?;
    for kept in [ETCD, KUBE_APISERVER] {
        link(&kept.get(context)?, &assets.path().join(kept.program))?;
    }
    let mut cargo = context.cargo_command();
    cargo.args([
        "test",
        "--package",
        "core-secrets",
        "--all-features",
        "--no-fail-fast",
        "--tests",
    ]);
    cargo.args(["--", "--ignored"]);
    cargo.env("VAULT_BIN", vault).env("MOTO_SERVER", moto).env("KUBEBUILDER_ASSETS", assets.path());
    let passed = unit::count(&context.run(&mut cargo)?);
    ensure!(passed > 0, "no test of core-secrets needs a server");
    Ok(unit::tests(passed))
}

fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    let from = fs::canonicalize(from)?;
    symlink(&from, to).with_context(|| format!("cannot link {}", to.display()))
}
