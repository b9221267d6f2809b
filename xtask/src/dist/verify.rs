//! `cargo xtask dist --verify`: the same commit once more, where everything differs that may differ,
//! and without a network; then every digest is compared.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use toml::Table;

use super::{Options, output, text};
use crate::context::Context;
use crate::{environment, process};

/// Builds again in another folder, with another home of cargo, as another user, with another umask, time
/// zone and language, and compares with what was built here.
pub(crate) fn verify(context: &Context, options: &Options, here: &Value) -> anyhow::Result<()> {
    let root = context.workspace.root();
    fs::create_dir_all(context.workspace.target())?;
    let folder =
        tempfile::Builder::new().prefix("verify-").tempdir_in(context.workspace.target())?;
    let tree = folder.path().join("somewhere/else");
    context.step("dist: copying the tree and the registry");
    copy_tree(root, &tree)?;
    let home = folder.path().join("cargo");
    copy_registry(root, &home)?;

    let mut command = Command::new("unshare");
    // Another user, who sees no network but is let in by the files' permissions: the kernel knows who
    // it is.
    command.args(["--user", "--map-user=4321", "--map-group=4321", "--net"]);
    // Whatever ends this program ends that build, too.
    command.args(["--pid", "--fork", "--kill-child", "--"]);
    command.args(["sh", "-c", "umask 077; exec \"$@\"", "sh"]).arg(process::itself()?);
    command.args(["dist", "--package", &options.package, "--target", &options.target]);
    // So that it is seen to be alive.
    command.arg("--verbose");
    for prefix in ["CARGO_", "LC_", "MIRA_"] {
        for name in environment::names(prefix) {
            command.env_remove(name);
        }
    }
    command.env("CARGO_HOME", &home).env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_TARGET_DIR", folder.path().join("built"));
    command.env("RUSTUP_HOME", environment::rustup_home()?).env("HOME", folder.path());
    command.env("USER", "somebody").env("LOGNAME", "somebody");
    command.env("TZ", "Pacific/Kiritimati").env("LANG", "tr_TR.UTF-8");
    context.step("dist: building once more, elsewhere and offline");
    process::run(command.current_dir(&tree), |line| {
        if context.verbose {
            print!("{line}");
        }
        context.step(&format!("dist: elsewhere and offline: {}", line.trim()));
    })?;

    let manifest = fs::read_to_string(tree.join("dist/manifest.json"))?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    let differences = differences(here, &manifest["builds"][0]);
    ensure!(differences.is_empty(), "the builds differ:\n  {}", differences.join("\n  "));
    Ok(())
}

/// What differs between two builds of the manifest.
fn differences(here: &Value, there: &Value) -> Vec<String> {
    let digests = |build: &Value| -> BTreeSet<(String, String)> {
        let digest = |artifact: &Value| (text(&artifact["path"]), text(&artifact["sha256"]));
        output::artifacts(build).map(digest).collect()
    };
    let (a, b) = (digests(here), digests(there));
    let mut all: Vec<String> =
        a.symmetric_difference(&b).map(|(path, digest)| format!("{path}: {digest}")).collect();
    // The rest follows from the artefacts, but nothing is to be left out.
    if all.is_empty() && here != there {
        all.push(format!("manifest.json: {here} and {there}"));
    }
    all
}

/// The tree as it is, with what is not committed.
fn copy_tree(root: &Path, to: &Path) -> anyhow::Result<()> {
    let git = |arguments: &[&str]| {
        process::run(Command::new("git").args(arguments).current_dir(root), |_| {})
    };
    let (from, into) = (root.to_str(), to.to_str());
    let (Some(from), Some(into)) = (from, into) else { bail!("a folder's name is not text") };
    git(&["clone", "--quiet", "--no-local", from, into])?;
    let changed = git(&["diff", "--name-only", "-z", "HEAD"])?;
    let new = git(&["ls-files", "--others", "--exclude-standard", "-z"])?;
    for path in changed.split_terminator('\0').chain(new.split_terminator('\0')) {
        let (from, to) = (root.join(path), to.join(path));
        if let Ok(target) = fs::read_link(&from) {
            let _ = fs::remove_file(&to);
            symlink(target, &to)?;
        } else if from.is_file() {
            fs::create_dir_all(to.parent().context("a file lies in a folder")?)?;
            fs::copy(&from, &to).with_context(|| format!("cannot copy {path}"))?;
        } else {
            fs::remove_file(&to).with_context(|| format!("cannot remove {path}"))?;
        }
    }
    Ok(())
}

/// A home for cargo that holds the registry's index, and the packages that `Cargo.lock` names, packed
/// as they came.
fn copy_registry(root: &Path, home: &Path) -> anyhow::Result<()> {
    let lock: Table = fs::read_to_string(root.join("Cargo.lock"))?.parse()?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let files: BTreeSet<String> = packages
        .filter_map(|package| {
            let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
            Some(format!("{}-{}.crate", text("name")?, text("version")?))
        })
        .collect();
    let real = environment::cargo_home()?;
    fs::create_dir_all(home)?;
    for config in ["config.toml", "config"] {
        if real.join(config).is_file() {
            fs::copy(real.join(config), home.join(config))?;
        }
    }
    copy(&real.join("registry/index"), &home.join("registry/index"), &|_| true)?;
    copy(&real.join("registry/cache"), &home.join("registry/cache"), &|name| files.contains(name))
}

/// Copies a folder, and of its files those that are wanted.
fn copy(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to, wanted)?;
        } else if wanted(&entry.file_name().to_string_lossy()) {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
