//! `cargo package` for all crates at once: they need each other, and none is in the registry.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use toml::Table;

use crate::context::Context;
use crate::environment;
use crate::job::refuse;

/// What a package must hold beside its code: whoever gets it alone has no other copy.
const FILES: &[&str] = &["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
const METADATA: &[&str] = &["description", "license", "readme"];

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let workspace = &context.workspace;
    let mut arguments = vec!["package", "--workspace", "--offline"];
    for program in workspace.programs() {
        arguments.extend(["--exclude", &program.name]);
    }
    if !environment::in_ci() {
        arguments.push("--allow-dirty");
    }
    context.cargo(&["fetch", "--locked"])?;
    // Builds each package from what it holds.
    let home = home(&workspace.target().join("package-home"))?;
    let mut command = context.cargo_command();
    command.args(&arguments).env("CARGO_HOME", home);
    // Outside of the workspace, whose profiles do not count there.
    command.env("CARGO_PROFILE_DEV_DEBUG", "false");
    context.run(&mut command)?;

    let mut findings = Vec::new();
    for member in workspace.crates() {
        let package = format!("{}-{}", member.name, member.version);
        let unpacked = workspace.target().join("package").join(&package);
        let lacking = FILES.iter().filter(|file| !unpacked.join(file).is_file());
        findings.extend(lacking.map(|file| format!("{package}: lacks {file}")));
        let manifest: Table = fs::read_to_string(unpacked.join("Cargo.toml"))?.parse()?;
        let lacking = METADATA.iter().filter(|key| manifest["package"].get(key).is_none());
        findings.extend(lacking.map(|key| format!("{package}: lacks `{key}`")));
    }
    refuse(&findings)?;
    Ok(format!("{} packages", workspace.crates().count()))
}

/// A home for cargo with everything of the real one but unpacked packages of this workspace. Cargo
/// unpacks a version once, and would build the crates as they were when that was.
fn home(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let real = environment::cargo_home()?;
    let is_of_here = |name: &OsStr| name.as_encoded_bytes().starts_with(b"-");
    link(&real, folder, |name| name != "registry")?;
    link(&real.join("registry"), &folder.join("registry"), |name| name != "src")?;
    link(&real.join("registry/src"), &folder.join("registry/src"), |name| !is_of_here(name))?;
    Ok(folder.to_owned())
}

/// Makes a folder that shows some of what lies in another.
fn link(from: &Path, to: &Path, is_wanted: impl Fn(&OsStr) -> bool) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if is_wanted(&entry.file_name()) {
            symlink(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
