//! `cargo package` for all crates at once: they need each other, and none is in the registry.

use std::fs;

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
    context.cargo(&arguments)?;

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
