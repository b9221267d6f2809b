//! core-secrets against the servers that people run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, ensure};

use self::canary::Canary;
use super::unit;
use crate::context::Context;
use crate::tool::kept::{ETCD, KUBE_APISERVER, MOTO, VAULT};

mod canary;

/// The tests that are left out elsewhere, each with servers of its own.
pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let vault = VAULT.get(context)?;
    let moto = MOTO.get(context)?;
    // The convention is one folder for all of them.
    let assets = tempfile::tempdir().context("cannot make a folder")?;
    for kept in [ETCD, KUBE_APISERVER] {
        link(&kept.get(context)?, &assets.path().join(kept.program))?;
    }
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let core = ["core-secrets", "--all-features", "--tests"];
    // Through the whole of a service.
    let whole = ["mira", "--test", "process"];
    let canary = Canary::new();
    let mut passed = 0;
    for tests in [&core[..], &whole] {
        let mut cargo = context.cargo_command();
        cargo.args(["test", "--no-fail-fast", "--package"]).args(tests);
        cargo.args(["--", "--ignored", "--nocapture"]).env("TMPDIR", folder.path());
        cargo.env("VAULT_BIN", &vault).env("MOTO_SERVER", &moto);
        cargo.env("KUBEBUILDER_ASSETS", assets.path()).env("MIRA_TEST_CANARY", canary.run());
        let output = context.run(&mut cargo)?;
        // Where cargo gives a folder to tests: what runs before this one left is not of this run.
        canary.refuse(&output, &context.workspace.target().join("tmp"))?;
        let count = unit::count(&output);
        ensure!(count > 0, "no test of {} needs a server", tests[0]);
        passed += count;
    }
    // What is gone shows nothing: the servers' own storage, configurations, tokens.
    let left = fs::read_dir(folder.path())?.count();
    ensure!(left == 0, "{left} files or folders are left");
    Ok(unit::tests(passed))
}

fn link(from: &Path, to: &Path) -> anyhow::Result<()> {
    let from = fs::canonicalize(from)?;
    symlink(&from, to).with_context(|| format!("cannot link {}", to.display()))
}
