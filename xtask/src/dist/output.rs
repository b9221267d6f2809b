//! The folder `dist`: artefacts, their checksums, and `manifest.json`, which tells programs what is
//! there. Everything is made in a folder of its own and moved when it is whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use anyhow::Context as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::blob::sha256;
use super::interrupt::{self, Whole};

const MANIFEST: &str = "manifest.json";
const SUMS: &str = "SHA256SUMS";

/// The folder, and the one in it where things are made.
pub(crate) struct Output {
    folder: PathBuf,
    work: TempDir,
    whole: Whole,
}

/// Which of the builds in the manifest: name, and target.
pub(crate) type Key<'a> = (&'a str, &'a str);

impl Output {
    /// Makes the folders. What is in work is gone when this is dropped, or a signal comes.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let work = tempfile::Builder::new().prefix(".work-").tempdir_in(folder)?;
        let whole = interrupt::removes(work.path().to_owned())?;
        Ok(Self { folder: folder.to_owned(), work, whole })
    }

    /// Where a file is made.
    pub(crate) fn work(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// One entry of the manifest's `artifacts`, of a file that is made.
    pub(crate) fn artifact(&self, name: &str, kind: &str) -> anyhow::Result<Value> {
        let bytes = fs::read(self.work(name)).with_context(|| format!("cannot read {name}"))?;
        Ok(json!({"path": name, "kind": kind, "sha256": sha256(&bytes), "size": bytes.len()}))
    }

    /// Moves all artifacts of a build to where they are looked for, in the place of those of the build
    /// before. Several runs at once take turns.
    pub(crate) fn commit(&self, build: Value) -> anyhow::Result<()> {
        let lock = lock(&self.folder)?;
        lock.lock().context("cannot lock the folder")?;
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |build: &Value| (build["name"].clone(), build["target"].clone());
        let (before, mut builds): (Vec<Value>, Vec<Value>) =
            read(&self.folder).into_iter().partition(|old| key(old) == key(&build));
        for name in artifacts(&build).map(path) {
            fs::rename(self.work(name), self.folder.join(name))
                .with_context(|| format!("cannot move {name}"))?;
        }
        let kept: Vec<&str> = artifacts(&build).map(path).collect();
        for old in before.iter().flat_map(artifacts).map(path) {
            if !kept.contains(&old) {
                // It may be gone already.
                let _ = fs::remove_file(self.folder.join(old));
            }
        }
        builds.push(build);
        builds.sort_by_key(|build| (build["name"].to_string(), build["target"].to_string()));
        let sums: String = builds.iter().flat_map(artifacts).map(sum).collect();
        self.replace(SUMS, &sums)?;
        self.replace(MANIFEST, &format!("{:#}\n", json!({"version": 1, "builds": builds})))
    }

    fn replace(&self, name: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.work(name), text).with_context(|| format!("cannot write {name}"))?;
        fs::rename(self.work(name), self.folder.join(name))
            .with_context(|| format!("cannot move {name}"))
    }
}

/// A build that was made of the same inputs before, if all of it is still there, unchanged.
pub(crate) fn up_to_date(folder: &Path, (name, target): Key<'_>, inputs: &str) -> Option<Value> {
    let lock = folder.is_dir().then(|| lock(folder)).and_then(Result::ok)?;
    lock.lock_shared().ok()?;
    let mut builds = read(folder).into_iter();
    let is_it = |build: &Value| build["name"] == name && build["target"] == target;
    let build = builds.find(is_it).filter(|build| build["inputs"] == inputs)?;
    let is_whole = |artifact: &Value| {
        let bytes = fs::read(folder.join(path(artifact)));
        bytes.is_ok_and(|bytes| artifact["sha256"] == sha256(&bytes))
    };
    let is_all_whole = artifacts(&build).all(is_whole);
    is_all_whole.then_some(build)
}

/// The artifacts of a build.
pub(crate) fn artifacts(build: &Value) -> impl Iterator<Item = &Value> {
    build["artifacts"].as_array().into_iter().flatten()
}

fn path(artifact: &Value) -> &str {
    artifact["path"].as_str().unwrap_or_default()
}

/// As `sha256sum --check` reads it.
fn sum(artifact: &Value) -> String {
    format!("{}  {}\n", artifact["sha256"].as_str().unwrap_or_default(), path(artifact))
}

/// The builds that the manifest lists. One that cannot be read lists none.
fn read(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
    let mut manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    match manifest["builds"].take() {
        Value::Array(builds) => builds,
        _ => Vec::new(),
    }
}

fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(".lock");
    let open = File::options().create(true).append(true).open(&path);
    open.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes one build in a folder: one file with some text.
    fn made(folder: &Path, file: &str, text: &str, inputs: &str) {
        let output = Output::new(folder).unwrap();
        fs::write(output.work(file), text).unwrap();
        let artifact = output.artifact(file, "binary").unwrap();
        let build =
            json!({"name": "mira", "target": "t", "inputs": inputs, "artifacts": [artifact]});
        output.commit(build).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
        names.sort();
        names
    }

    /// DIST-6: the same inputs need no work; others do, and so does an artefact that has changed.
    #[test]
    fn what_is_unchanged_is_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let is = |inputs| up_to_date(folder.path(), ("mira", "t"), inputs).is_some();
        assert!(!is("a"), "there is nothing yet");
        made(folder.path(), "mira-1", "x", "a");
        assert!(is("a") && !is("b"));
        assert!(up_to_date(folder.path(), ("mira", "u"), "a").is_none(), "another target");
        fs::write(folder.path().join("mira-1"), "y").unwrap();
        assert!(!is("a"), "somebody has changed it");
    }

    /// DIST-1: what a build replaces goes away, and the checksums are what is there.
    #[test]
    fn a_build_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), "mira-1", "x", "a");
        made(folder.path(), "mira-2", "y", "b");
        assert_eq!(names(folder.path()), [SUMS, MANIFEST, "mira-2"]);
        let sums = fs::read_to_string(folder.path().join(SUMS)).unwrap();
        assert_eq!(sums, format!("{}  mira-2\n", sha256(b"y")));
    }

    /// DIST-6: a build that is given up leaves what was there before.
    #[test]
    fn what_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        made(folder.path(), "mira-1", "x", "a");
        let output = Output::new(folder.path()).unwrap();
        fs::write(output.work("mira-1"), "half").unwrap();
        drop(output);
        assert_eq!(names(folder.path()), [SUMS, MANIFEST, "mira-1"]);
        assert!(up_to_date(folder.path(), ("mira", "t"), "a").is_some());
    }

    /// DIST-6: runs at once do not harm each other: what is there in the end is one of them, whole.
    #[test]
    fn several_at_once_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for text in ["a", "b", "c", "d"] {
                let folder = folder.path();
                scope.spawn(move || made(folder, "mira-1", text, text));
            }
        });
        let text = fs::read_to_string(folder.path().join("mira-1")).unwrap();
        assert!(up_to_date(folder.path(), ("mira", "t"), &text).is_some());
        assert_eq!(names(folder.path()), [SUMS, MANIFEST, "mira-1"]);
    }
}
