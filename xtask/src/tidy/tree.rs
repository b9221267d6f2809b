//! The text files of the project, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// What lies in the root and is not the project's own; `.git` is a file in a second worktree.
const FOREIGN: &[&str] = &[".git", "dist", "target"];

/// All text files by their paths, which are parted by `/` and relative to the root.
#[derive(Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot read {prefix}"))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = format!("{prefix}{name}");
            let kind = entry.file_type()?;
            if FOREIGN.contains(&path.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self { files: files.iter().map(own).collect() }
    }

    pub(crate) fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The files of Rust code.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_source = |path: &str| Path::new(path).extension().is_some_and(|name| name == "rs");
        self.files().filter(move |(path, _)| is_source(path))
    }

    /// The sources of what this project makes: this program and tests aside.
    pub(crate) fn product_sources(&self) -> impl Iterator<Item = (&str, &str)> {
        let product = |path: &str| !path.starts_with("xtask/") && path.contains("/src/");
        self.sources().filter(move |(path, _)| product(path))
    }

    /// Whether there is a file or a folder of that name.
    pub(crate) fn has(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.files().any(|(file, _)| file == path || file.starts_with(&below))
    }

    /// The folders below `crates`.
    pub(crate) fn crates(&self) -> BTreeSet<String> {
        self.folders("crates/")
    }

    /// The folders of all members of the workspace.
    pub(crate) fn members(&self) -> BTreeSet<String> {
        let mut members = self.folders("crates/");
        members.extend(self.folders("examples/"));
        members.insert("xtask".into());
        members
    }

    fn folders(&self, parent: &str) -> BTreeSet<String> {
        let manifests = self.files.keys().filter_map(|path| path.strip_suffix("/Cargo.toml"));
        let below =
            |folder: &&str| folder.strip_prefix(parent).is_some_and(|name| !name.contains('/'));
        manifests.filter(below).map(ToOwned::to_owned).collect()
    }
}

/// The lines of a source that are code of the program itself, with their numbers: without comments,
/// and without the tests at its end.
pub(crate) fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].contains("mod ") && pair[1].ends_with('{')
    });
    let end = tests.unwrap_or(lines.len());
    let numbered = lines.into_iter().take(end).enumerate().map(|(at, line)| (at + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_folders_with_a_manifest() {
        let tree = Tree::of(&[
            ("Cargo.toml", ""),
            ("crates/core-a/Cargo.toml", ""),
            ("crates/core-a/src/lib.rs", ""),
            ("crates/stray/notes.md", ""),
            ("examples/one/Cargo.toml", ""),
            ("xtask/Cargo.toml", ""),
        ]);
        assert_eq!(tree.crates().into_iter().collect::<Vec<_>>(), ["crates/core-a"]);
        let members: Vec<_> = tree.members().into_iter().collect();
        assert_eq!(members, ["crates/core-a", "examples/one", "xtask"]);
        assert!(tree.has("crates/stray") && tree.has("Cargo.toml") && !tree.has("crates/core"));
    }

    #[test]
    fn comments_and_tests_are_no_code() {
        let text = "a\n// b\n#[cfg(test)]\nfn c() {\n#[cfg(test)]\nmod tests {\nd\n}";
        let lines: Vec<_> = code(text).collect();
        assert_eq!(lines, [(1, "a"), (3, "#[cfg(test)]"), (4, "fn c() {")]);
    }
}
