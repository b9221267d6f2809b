//! `cargo xtask dist` on a workspace so small that it is built in a second.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs, and waits for them")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

const MANIFEST: &str = r#"
[package]
name = "tiny"
version = "1.2.3"
edition = "2024"
license = "MIT"

[profile.dist]
inherits = "release"
debug = "line-tables-only"
strip = "none"
"#;

/// Everything that is waited for comes within this time, or never.
const SOON: Duration = Duration::from_secs(60);

/// A workspace of its own, committed to git.
struct Tree {
    folder: TempDir,
    root: PathBuf,
}

impl Tree {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        let tree = Self { folder, root };
        tree.write("Cargo.toml", MANIFEST);
        tree.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"1.2.3\"\n",
        );
        tree.write("src/main.rs", "fn main() { println!(\"hello from {}\", file!()) }\n");
        tree.write(".gitignore", "/dist\n/target\n");
        tree.git(&["init", "--quiet"]);
        tree.commit();
        tree
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=nobody", "-c", "user.email=nobody@invalid"]);
        let output = git.args(arguments).current_dir(&self.root).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "a commit"]);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["dist", "--package", "tiny"]).args(arguments).current_dir(&self.root);
        command.env_remove("CARGO_TARGET_DIR").stdin(Stdio::null());
        command
    }

    /// What it says, and whether it says that all is well.
    fn dist(&self) -> (bool, String) {
        told(self.command(&[]).output().unwrap())
    }

    /// What the manifest says of the only build.
    fn manifest(&self) -> Value {
        json(&self.root.join("dist/manifest.json"))["builds"][0].take()
    }

    fn manifest_of(&self, target: &str) -> Value {
        let manifest = json(&self.root.join("dist/manifest.json"));
        let mut builds = manifest["builds"].as_array().unwrap().iter();
        builds.find(|build| build["target"] == target).cloned().unwrap_or_default()
    }

    fn path(&self, kind: &str) -> PathBuf {
        let build = self.manifest();
        let artifacts = build["artifacts"].as_array().unwrap();
        let artifact = artifacts.iter().find(|artifact| artifact["kind"] == kind).unwrap();
        self.root.join("dist").join(artifact["path"].as_str().unwrap())
    }

    /// What lies in `dist`, but for the lock.
    fn artefacts(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("dist")).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != ".lock").collect()
    }

    /// Whether the checksums are those of the artefacts, by the tool that people use.
    fn sums_are_right(&self) -> bool {
        let mut sums = Command::new("sha256sum");
        sums.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(self.root.join("dist"));
        sums.status().unwrap().success()
    }
}

fn told(output: Output) -> (bool, String) {
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// DIST-1, DIST-6: one command makes all of it, and finds it made the next time.
#[test]
fn one_command_makes_everything_once() {
    let tree = Tree::new();
    let (is_well, said) = tree.dist();
    assert!(is_well, "{said}");
    assert!(tree.sums_are_right());
    let run = Command::new(tree.path("binary")).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap(), "hello from src/main.rs\n");
    let build = tree.manifest();
    let bill = json(&tree.path("sbom"));
    assert_eq!(bill["metadata"]["component"]["purl"], "pkg:cargo/tiny@1.2.3");
    let provenance = json(&tree.path("provenance"));
    let subjects = provenance["subject"].as_array().unwrap();
    let image = build["image"]["reference"].as_str().unwrap();
    assert!(image.starts_with("localhost/tiny:1.2.3-"), "{image}");
    let image = subjects.iter().find(|subject| subject["name"] == image).unwrap();
    let digest = format!("sha256:{}", image["digest"]["sha256"].as_str().unwrap());
    assert_eq!(build["image"]["manifest"], digest);

    let (is_well, said) = tree.dist();
    assert!(is_well && said.contains("up to date"), "{said}");
    assert_eq!(tree.manifest(), build);
}

/// DIST-2: the same commit gives the same bytes in another folder.
#[test]
fn another_folder_gives_the_same_bytes() {
    let here = Tree::new();
    assert!(here.dist().0);
    let there = here.folder.path().join("another/place");
    let clone = Command::new("git").args(["clone", "--quiet"]).arg(&here.root).arg(&there).status();
    assert!(clone.unwrap().success());
    let there = Tree { folder: tempfile::tempdir().unwrap(), root: there };
    assert!(there.dist().0);
    assert_eq!(there.manifest(), here.manifest());
}

/// DIST-2: `--verify` builds again as somebody else, offline, with another umask, time zone and language,
/// and sees a program that is not the same each time.
#[test]
fn a_program_that_differs_each_time_is_seen() {
    let tree = Tree::new();
    let verify = || told(tree.command(&["--verify"]).output().unwrap());
    let (is_well, said) = verify();
    assert!(is_well && said.contains("built twice, every digest is the same"), "{said}");
    let script = "fn main() { println!(\"cargo:rustc-env=HOME_OF={}\", std::env::var(\"HOME\").unwrap()) }\n";
    tree.write("build.rs", script);
    tree.write("src/main.rs", "fn main() { println!(env!(\"HOME_OF\")) }\n");
    tree.commit();
    let (is_well, said) = verify();
    assert!(!is_well && said.contains("the builds differ:\n  tiny-1.2.3-"), "{said}");
}

/// DIST-6: changes are marked, and refused where the commit has a release's tag.
#[test]
fn a_dirty_tree_is_marked_and_no_release() {
    let tree = Tree::new();
    tree.git(&["tag", "v1.2.3"]);
    let (is_well, said) = tree.dist();
    assert!(is_well, "{said}");
    let release = tree.manifest();
    tree.write("src/main.rs", "fn main() {}\n");
    let (is_well, said) = tree.dist();
    assert!(
        !is_well && said.contains("v1.2.3 points at this commit, but the tree has changes"),
        "{said}"
    );
    assert_eq!(tree.manifest(), release);

    tree.git(&["tag", "--delete", "v1.2.3"]);
    let (is_well, said) = tree.dist();
    assert!(is_well && said.contains("dirty"), "{said}");
    let build = tree.manifest();
    assert_eq!(build["source"]["dirty"], true);
    assert_ne!(build["image"]["config"], release["image"]["config"]);
    assert!(tree.sums_are_right());
}

/// DIST-6: Ctrl-C ends what was started, and leaves what was there.
#[test]
fn an_interrupted_build_leaves_nothing() {
    let tree = Tree::new();
    assert!(tree.dist().0);
    let before = tree.manifest();
    // It tells that it runs, and never ends.
    let running = tree.root.join("target/running");
    let script = format!(
        "fn main() {{ std::fs::write({running:?}, std::process::id().to_string()).unwrap(); \
         loop {{ std::thread::park() }} }}\n"
    );
    tree.write("build.rs", &script);
    let mut child = tree.command(&[]).stdout(Stdio::null()).spawn().unwrap();
    wait("the build script runs", || fs::read_to_string(&running).is_ok_and(|id| !id.is_empty()));
    let id = fs::read_to_string(&running).unwrap();
    let kill = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(end(&mut child), Some(130));
    // Nobody has signalled the script: cargo is gone, and with it its build.
    let _ = Command::new("kill").args(["-s", "KILL", id.trim()]).status();
    assert_eq!(tree.manifest(), before);
    assert!(tree.sums_are_right());
    assert!(
        !tree.artefacts().iter().any(|name| name.starts_with(".work")),
        "{:?}",
        tree.artefacts()
    );
}

/// DIST-6: two at once do not harm each other.
#[test]
fn two_at_once_are_both_well() {
    let tree = Tree::new();
    let start = || tree.command(&[]).stdout(Stdio::null()).spawn().unwrap();
    let mut both = [start(), start()];
    assert_eq!(both.each_mut().map(end), [Some(0), Some(0)]);
    assert!(tree.sums_are_right());
    assert_eq!(tree.artefacts().len(), 7, "{:?}", tree.artefacts());
}

/// DIST-1: what is missing is named, with the command that gets it.
#[test]
fn what_is_missing_is_named() {
    let tree = Tree::new();
    let programs = tree.folder.path().join("programs");
    fs::create_dir_all(&programs).unwrap();
    for program in ["cc", "git", "rustc"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
        let path = String::from_utf8(found.unwrap().stdout).unwrap();
        std::os::unix::fs::symlink(path.trim(), programs.join(program)).unwrap();
    }
    let (is_well, said) = told(tree.command(&[]).env("PATH", &programs).output().unwrap());
    assert!(!is_well && said.contains("objcopy not found; apt-get install "), "{said}");
    assert!(tree.artefacts().is_empty(), "{:?}", tree.artefacts());
}

/// DIST-1: other targets are built where they are installed, hardened as well; else what is missing is
/// named.
#[test]
fn other_targets_are_built_or_what_they_need_is_named() {
    let tree = Tree::new();
    for target in ["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-musl"] {
        let (is_well, said) = told(tree.command(&["--target", target]).output().unwrap());
        if is_well {
            let build = tree.manifest_of(target);
            assert_eq!(build["target"], target, "a binary that is not hardened is refused");
        } else {
            let is_named = ["rustup target add ", "apt-get install "].map(|it| said.contains(it));
            assert!(said.contains("cannot build for ") && is_named.contains(&true), "{said}");
        }
    }
}

fn wait(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < SOON, "it is not so that {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn end(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if began.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
