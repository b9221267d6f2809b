//! Every code block of the pages for users is true: it compiles, parses, or runs and prints what
//! the page says.
//!
//! | block | is |
//! |---|---|
//! | `rust` | a documentation test of some crate, which includes the page; here that is checked |
//! | `toml`, `json`, `yaml` | read by a parser; marked `mira`, by `mira --check-config` |
//! | `sh` | run by `bash -eu` in the root of the repository, with `mira` on the `PATH` |
//! | `sh service` | the command that starts the page's service; it goes on while later blocks run |
//! | `sh export` | variables, `export NAME=value`, that every later block of the page has, and its service |
//! | `sh manual` | only read by `bash -n`; a comment above it, `<!-- not run: … -->`, says why |
//! | any marked `output` | what the `sh` block before it prints; `…` stands for anything |
//! | `text`, `console`, `prometheus` | for people only |
//!
//! Services listen on free ports. Where a block talks to the usual ones, `127.0.0.1:8080` and
//! `127.0.0.1:9090`, it talks to the page's service; that is a plain Mira if the page has not started
//! one. It must end well when the page ends. Neither a service nor a block has any setting but those that
//! the page exports: whoever follows the page has no others.

mod data;
mod output;
pub(crate) mod page;
mod rules;
mod service;
mod shell;

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use self::page::Block;
use self::shell::Shell;
use crate::context::Context;
use crate::job::refuse;

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let root = context.workspace.root();
    let mut findings = Vec::new();
    let mut pages = Vec::new();
    for path in find(root)? {
        let text =
            fs::read_to_string(root.join(&path)).with_context(|| format!("cannot read {path}"))?;
        match page::blocks(&text) {
            Ok(blocks) => pages.push((path, blocks)),
            Err(error) => findings.push(format!("{path}:{error}")),
        }
    }
    let included = rules::included(context)?;
    for (path, blocks) in &pages {
        findings.extend(rules::complaints(path, blocks, included.contains(path)));
    }
    // What cannot be read is not run.
    refuse(&findings)?;

    context.step("docs: building mira");
    context.cargo(&["build", "--package", "mira"])?;
    let shell = Shell::new(root, &context.workspace.target().join("debug"));
    for (path, blocks) in &pages {
        context.step(&format!("docs: {path}"));
        if let Err(error) = page(&shell, blocks) {
            findings.push(format!("{path}:{error:#}"));
        }
    }
    refuse(&findings)?;
    let blocks: usize = pages.iter().map(|(_, blocks)| blocks.len()).sum();
    Ok(format!("{} pages, {blocks} blocks", pages.len()))
}

/// Runs what can be run of a page, in order, until something fails.
fn page(shell: &Shell, blocks: &[Block]) -> anyhow::Result<()> {
    let mut runner = shell.page();
    for block in blocks {
        runner.block(block).with_context(|| block.line.to_string())?;
    }
    runner.end()
}

/// The paths of all pages, relative to the root: the README, what lies in `docs`, and the READMEs of
/// crates and examples.
fn find(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut pages = vec!["README.md".to_owned()];
    pages.extend(entries(root, "docs")?);
    for folder in ["crates", "examples"] {
        pages.extend(entries(root, folder)?.iter().map(|entry| format!("{entry}/README.md")));
    }
    pages.retain(|page| Path::new(page).extension().is_some_and(|name| name == "md"));
    Ok(pages)
}

fn entries(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
    let path = |entry: fs::DirEntry| format!("{folder}/{}", entry.file_name().to_string_lossy());
    let mut entries: Vec<_> = entries.map(|entry| entry.map(path)).collect::<Result<_, _>>()?;
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_where_they_lie() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            "README.md",
            "docs/b.md",
            "docs/a.md",
            "docs/a.svg",
            "crates/x/README.md",
            "crates/x/b.md",
        ];
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::create_dir_all(folder.path().join("examples/silent")).unwrap();
        let found = find(folder.path()).unwrap();
        assert_eq!(found[..3], ["README.md", "docs/a.md", "docs/b.md"]);
        // One that is missing is missed when it is read.
        assert_eq!(found[3..], ["crates/x/README.md", "examples/silent/README.md"]);
    }
}
