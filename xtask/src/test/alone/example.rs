//! A package outside the workspace that depends on one crate, and whose program is that crate's
//! first example.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use cargo_metadata::{Dependency, Package};
use toml::{Table, Value};

use crate::context::Context;
use crate::test::docs::page;
use crate::workspace::Workspace;

/// Writes the package below the target folder, and builds it.
pub(crate) fn build(context: &Context, member: &Package) -> anyhow::Result<()> {
    let name = member.name.as_str();
    let readme = fs::read_to_string(Workspace::folder(member).join("README.md"))
        .with_context(|| format!("{name} has no README.md"))?;
    let blocks = page::blocks(&readme)?;
    let example = blocks.iter().find(|block| block.language == "rust");
    let example = &example.with_context(|| format!("{name}: README.md has no example"))?.text;

    let root = context.workspace.root();
    let folder = context.workspace.target().join("alone").join(name);
    fs::create_dir_all(folder.join("src"))?;
    write(&folder.join("Cargo.toml"), &manifest(member, example, &profiles(root)?)?)?;
    write(&folder.join("src/main.rs"), &program(example))?;
    // The same versions as in the workspace; cargo takes out what is not needed.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;

    let mut cargo = context.cargo_command();
    cargo.args(["build", "--offline", "--target-dir"]).arg(context.workspace.target());
    cargo.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    context.run(&mut cargo)?;
    Ok(())
}

/// Writes a file, unless that would only make cargo think that it has changed.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).ok().as_deref() != Some(text) {
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The workspace's profiles. With them, what was built for the workspace need not be built again.
fn profiles(root: &Path) -> anyhow::Result<Value> {
    let manifest: Table = fs::read_to_string(root.join("Cargo.toml"))?.parse()?;
    manifest.get("profile").cloned().context("the root manifest has no profiles")
}

/// Depends on the crate, and on what the example names beside it, in the crate's own versions.
fn manifest(member: &Package, example: &str, profiles: &Value) -> anyhow::Result<String> {
    let mut dependencies = Table::new();
    let path = Workspace::folder(member).to_str().context("the path is not text")?.to_owned();
    dependencies.insert(member.name.to_string(), table([("path", path.into())]));
    // A crate may be needed twice, for running and for tests, each with features of its own.
    let named = |needed: &&Dependency| needed.name != *member.name && names(example, &needed.name);
    for needed in member.dependencies.iter().filter(named) {
        ensure!(
            !needed.name.starts_with("core-"),
            "{}: the example needs {}, too",
            member.name,
            needed.name
        );
        let entry = dependencies.entry(&needed.name).or_insert_with(|| {
            table([
                ("version", needed.req.to_string().into()),
                ("default-features", needed.uses_default_features.into()),
                ("features", Value::Array(Vec::new())),
            ])
        });
        if let Some(features) = entry.get_mut("features").and_then(Value::as_array_mut) {
            features.extend(needed.features.iter().map(|feature| feature.as_str().into()));
        }
    }
    let package = table([
        ("name", format!("alone-{}", member.name).into()),
        ("edition", member.edition.to_string().into()),
    ]);
    let manifest = table([
        ("package", package),
        // Or cargo would take it for a lost member of the workspace around it.
        ("workspace", Table::new().into()),
        ("dependencies", dependencies.into()),
        ("profile", profiles.clone()),
    ]);
    Ok(toml::to_string(&manifest)?)
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Whether code names a crate in a path: `crate_name::`.
fn names(code: &str, name: &str) -> bool {
    let path = format!("{}::", name.replace('-', "_"));
    let within = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.match_indices(&path).any(|(at, _)| !code[..at].ends_with(within))
}

/// An example as a program, made as rustdoc makes it: hidden lines count, and what has no `main`
/// becomes one.
fn program(example: &str) -> String {
    let shown = |line: &str| match line.trim_start() {
        "#" => String::new(),
        hidden if hidden.starts_with("# ") => hidden[2..].to_owned(),
        _ => line.to_owned(),
    };
    let code: Vec<String> = example.lines().map(shown).collect();
    let code = code.join("\n");
    if code.contains("fn main()") {
        code
    } else if code.trim_end().ends_with("(())") {
        format!(
            "fn main() {{\n    fn example() -> Result<(), impl std::fmt::Debug> {{\n{code}\n    }}\n    \
             example().unwrap();\n}}\n"
        )
    } else {
        format!("fn main() {{\n{code}\n}}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_lines_are_code() {
        assert_eq!(program("# fn main() {\nwork();\n#\n# }"), "fn main() {\nwork();\n\n}");
        assert_eq!(
            program("#[derive(Debug)]\nstruct A;"),
            "fn main() {\n#[derive(Debug)]\nstruct A;\n}\n"
        );
    }

    #[test]
    fn an_example_that_ends_in_ok_may_use_question_marks() {
        let program = program("work()?;\n# Ok::<(), Error>(())\n");
        assert!(
            program
                .contains("-> Result<(), impl std::fmt::Debug> {\nwork()?;\nOk::<(), Error>(())\n")
        );
        assert!(program.contains("example().unwrap();"));
    }

    #[test]
    fn crates_are_found_in_paths_only() {
        assert!(names("use tower_layer::Layer;", "tower-layer"));
        assert!(names("(serde::Serialize)", "serde"));
        assert!(!names("use core_config::Loader;", "config"));
        assert!(!names("std::http::Request", "http"));
        assert!(!names("let http = 1;", "http"));
    }
}
