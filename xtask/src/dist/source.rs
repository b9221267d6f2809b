//! The commit that is built, and whether the tree is really that commit.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::blob::sha256;
use crate::process;

/// What is known of the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) commit: String,
    /// Seconds since 1970: when the commit was made.
    pub(crate) time: u64,
    /// The tags that point at the commit.
    pub(crate) tags: Vec<String>,
    /// A digest of all changes that are not committed, if there are any.
    pub(crate) changes: Option<String>,
}

impl Source {
    /// Asks git.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let (commit, status) = std::thread::scope(|scope| {
            let status = scope.spawn(|| {
                let all =
                    ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"];
                git(root, &all)
            });
            let format = ["log", "-1", "--decorate-refs=refs/tags/", "--format=%H %ct %D"];
            (git(root, &format), status.join().expect("running git does not panic"))
        });
        let commit = commit.context("cannot tell which commit this is")?;
        let mut words = commit.split_whitespace();
        let mut word = || words.next().context("git told no commit");
        let (id, time) = (word()?.to_owned(), word()?.parse().context("git told no time")?);
        let tags = words.filter(|word| *word != "tag:");
        let tags = tags.map(|tag| tag.trim_end_matches(',').to_owned()).collect();
        Ok(Self { commit: id, time, tags, changes: changes(root, &status?) })
    }

    /// The commit, marked if the tree is not the commit.
    pub(crate) fn revision(&self) -> String {
        let mark = if self.changes.is_some() { "-dirty" } else { "" };
        format!("{}{mark}", self.commit)
    }

    /// A release is what its tag says.
    ///
    /// # Errors
    /// If the commit has a tag such as `v1.2.3`, but the tree has changes, or the version is not that.
    pub(crate) fn refuse_false_release(&self, name: &str, version: &str) -> anyhow::Result<()> {
        for tag in self.tags.iter().filter(|tag| is_release(tag)) {
            ensure!(
                self.changes.is_none(),
                "{tag} points at this commit, but the tree has changes: commit or stash them, or \
                 take the tag away"
            );
            let of_this =
                tag.strip_prefix(&format!("{name}-")).unwrap_or(tag).trim_start_matches('v');
            let is_of_other = tag.contains('-') && !tag.starts_with(&format!("{name}-"));
            if !is_of_other && of_this != version {
                bail!("{tag} points at this commit, but {name} is version {version}");
            }
        }
        Ok(())
    }
}

/// Whether a tag is that of a release: three numbers, maybe behind `v` or `NAME-v`.
pub(crate) fn is_release(tag: &str) -> bool {
    let number = tag.rsplit('-').next().unwrap_or(tag).trim_start_matches('v');
    let parts: Vec<&str> = number.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok())
}

fn git(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    process::run(Command::new("git").args(arguments).current_dir(root), |_| {})
}

/// A digest of what git lists as changed.
fn changes(root: &Path, status: &str) -> Option<String> {
    let mut all = String::new();
    for entry in status.split_terminator('\0') {
        let path = entry.get(3..).unwrap_or_default();
        // What is gone, or is a link to nowhere, has no content.
        let content =
            std::fs::read(root.join(path)).map(|bytes| sha256(&bytes)).unwrap_or_default();
        all.push_str(&format!("{entry} {content}\n"));
    }
    (!all.is_empty()).then(|| sha256(all.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(tags: &[&str], changes: Option<&str>) -> Source {
        Source {
            commit: "c0ffee".into(),
            time: 1,
            tags: tags.iter().map(ToString::to_string).collect(),
            changes: changes.map(str::to_owned),
        }
    }

    /// DIST-6: a dirty tree is marked.
    #[test]
    fn changes_are_marked() {
        assert_eq!(source(&[], None).revision(), "c0ffee");
        assert_eq!(source(&[], Some("x")).revision(), "c0ffee-dirty");
    }

    /// DIST-6: a dirty tree is refused for release tags; so is a tag of another version.
    #[test]
    fn a_release_is_what_its_tag_says() {
        let refused = |tags, changes| {
            let refused = source(tags, changes).refuse_false_release("mira", "1.2.3");
            refused.map_err(|error| error.to_string())
        };
        assert_eq!(refused(&["v1.2.3"], None), Ok(()));
        assert_eq!(refused(&["mira-v1.2.3", "nightly"], None), Ok(()));
        assert_eq!(refused(&["nightly"], Some("x")), Ok(()));
        assert!(refused(&["v1.2.3"], Some("x")).unwrap_err().starts_with("v1.2.3 points at this"));
        let error = "v1.2.4 points at this commit, but mira is version 1.2.3";
        assert_eq!(refused(&["v1.2.4"], None), Err(error.into()));
        assert_eq!(refused(&["other-v0.1.0"], None), Ok(()));
    }
}
