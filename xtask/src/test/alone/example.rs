//! What a crate's README shows, pasted by a stranger: a package outside the workspace whose program is
//! the first example, and whose `[dependencies]` are those below "Depending on it".

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use cargo_metadata::Package;
use toml::{Table, Value};

use crate::context::Context;
use crate::test::docs::page::{self, Block};
use crate::workspace::Workspace;

/// Where READMEs take the clone to be: beside the package.
const CLONE: &str = "../mira/";

/// Writes the package below the target folder, and builds it.
pub(crate) fn build(context: &Context, member: &Package) -> anyhow::Result<()> {
    let name = member.name.as_str();
    let readme = fs::read_to_string(Workspace::folder(member).join("README.md"))
        .with_context(|| format!("{name} has no README.md"))?;
    let blocks = page::blocks(&readme)?;
    let pasted = || -> anyhow::Result<_> {
        let root = context.workspace.root();
        Ok((program(&blocks)?, manifest(name, dependencies(&blocks)?, root, profiles(root)?)?))
    };
    let (program, manifest) = pasted().with_context(|| format!("{name}: README.md"))?;

    let root = context.workspace.root();
    let folder = context.workspace.target().join("alone").join(name);
    fs::create_dir_all(folder.join("src"))?;
    write(&folder.join("Cargo.toml"), &manifest)?;
    write(&folder.join("src/main.rs"), program)?;
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

/// The first example, which must be a whole program: lines that rustdoc hides are shown to who reads
/// the page elsewhere, and mean something else to a compiler.
fn program(blocks: &[Block]) -> anyhow::Result<&str> {
    let example = blocks.iter().find(|block| block.language == "rust");
    let text = &example.context("has no example")?.text;
    ensure!(text.contains("fn main()"), "the first example has no `main`");
    let is_hidden = |line: &str| line == "#" || line.starts_with("# ");
    let hidden = text.lines().map(str::trim_start).find(|line| is_hidden(line));
    ensure!(
        hidden.is_none(),
        "the first example has hidden lines, which do not compile when pasted"
    );
    Ok(text)
}

/// The dependencies, as they are shown.
fn dependencies(blocks: &[Block]) -> anyhow::Result<Table> {
    let tables = blocks.iter().filter(|block| block.language == "toml");
    let tables = tables.filter_map(|block| block.text.parse::<Table>().ok());
    let mut shown = tables.filter_map(|mut table| match table.remove("dependencies") {
        Some(Value::Table(dependencies)) => Some(dependencies),
        _ => None,
    });
    shown.next().context("shows no [dependencies]")
}

/// The package's manifest; only that the clone lies elsewhere is not as shown.
fn manifest(
    name: &str,
    mut dependencies: Table,
    root: &Path,
    profiles: Value,
) -> anyhow::Result<String> {
    for (_, needed) in &mut dependencies {
        if let Some(path) = needed.get_mut("path") {
            let inside = path.as_str().and_then(|path| path.strip_prefix(CLONE));
            let inside = inside.with_context(|| format!("{path} does not begin with {CLONE}"))?;
            *path = root.join(inside).to_str().context("the path is not text")?.into();
        }
    }
    let package = table([("name", format!("alone-{name}").into()), ("edition", "2024".into())]);
    let manifest = table([
        ("package", package),
        // Or cargo would take it for a lost member of the workspace around it.
        ("workspace", Table::new().into()),
        ("dependencies", dependencies.into()),
        ("profile", profiles),
    ]);
    Ok(toml::to_string(&manifest)?)
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_program(text: &str, expected: Result<(), &str>) {
        let blocks = page::blocks(&format!("```rust\n{text}\n```\n")).unwrap();
        let read = program(&blocks).map(drop).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(ToOwned::to_owned), "{text}");
    }

    #[test]
    fn an_example_is_a_program_that_can_be_pasted() {
        check_program("#[derive(Debug)]\nstruct A;\nfn main() {}", Ok(()));
        check_program("work();", Err("the first example has no `main`"));
        let hidden = "the first example has hidden lines, which do not compile when pasted";
        check_program("# use a::b;\nfn main() {}", Err(hidden));
        check_program("fn main() {\n    #\n}", Err(hidden));
    }

    #[test]
    fn dependencies_are_those_that_are_shown() {
        let page = "```toml\n[other]\n```\n```toml\n[dependencies]\na = { path = \"../mira/crates/a\", features = [\"b\"] }\nserde = \"1\"\n```\n";
        let shown = dependencies(&page::blocks(page).unwrap()).unwrap();
        let profiles = || Value::Table(Table::new());
        let text = manifest("a", shown, Path::new("/clone"), profiles()).unwrap();
        let read: Table = text.parse().unwrap();
        let expected = "a = { path = \"/clone/crates/a\", features = [\"b\"] }\nserde = \"1\"";
        assert_eq!(read["dependencies"], Value::Table(expected.parse().unwrap()));

        let elsewhere = "a = { path = \"../a\" }".parse().unwrap();
        let error = manifest("a", elsewhere, Path::new("/clone"), profiles()).unwrap_err();
        assert_eq!(error.to_string(), "\"../a\" does not begin with ../mira/");
        assert!(dependencies(&[]).is_err());
    }
}
