//! `k8s-up` with providers that are scripts: they record what they are told, and one lies.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(
    clippy::disallowed_methods,
    reason = "a test hands the environment to the program under test"
)]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Child, Command, Output, Stdio};
use std::time::SystemTime;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// `kubectl`, `docker` and all providers. `BOOK` is where they record; `LIES` names those who do nothing.
const STAND_IN: &str = r#"#!/bin/bash
name=$(basename "$0")
echo "$name $*" | sed 's|/[^ ]*/\([a-z-]*[.]tar\)|\1|' >> "$BOOK/calls"
load() {
  [ "$LIES" = "$name" ] || tar -xOf "$1" manifest.json | grep -o '[0-9a-f]\{64\}' | head -1 > "$BOOK/id"
  echo "Successfully imported"
}
case "$name $*" in
  "kubectl config current-context") echo "$CONTEXT" ;;
  kubectl*"config view"*) echo "${SERVER:-https://127.0.0.1:6443}" ;;
  kubectl*" version "*) [ -z "$NOBODY" ] || { echo "connection refused" >&2; exit 1; }; echo '{"serverVersion": {"gitVersion": "v1"}}' ;;
  kubectl*" get "*nodes*) echo '{"items": [{"metadata": {"name": "worker"}}]}' ;;
  *"kubectl kustomize "*) sed -n 's/.*name: mira, newName: \(.*\), newTag: "\(.*\)"}/image: \1:\2/p' "$2/kustomization.yaml" ;;
  kubectl*) echo "no further" >&2; exit 1 ;;
  "kind load image-archive "*) load "$3" ;;
  "k3d image import "*) load "$3" ;;
  minikube*"image load "*) load "$5" ;;
  "docker load "*) load "$3" ;;
  *"inspecti --output json "*) echo "{\"status\": {\"id\": \"sha256:$(cat "$BOOK/id")\"}}" ;;
  "docker image inspect "*) echo "sha256:$(cat "$BOOK/id")" ;;
esac
"#;

struct Stage(TempDir);

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("stand-in");
        fs::write(&script, STAND_IN).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["kubectl", "kind", "k3d", "minikube", "docker"] {
            symlink(&script, folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("id"), "").unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        self.among(command.args(arguments), variables).output().unwrap()
    }

    /// A command that finds the stand-ins before all others.
    fn among<'a>(&self, command: &'a mut Command, variables: &[(&str, &str)]) -> &'a mut Command {
        let path = format!("{}:{}", self.0.path().display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("BOOK", self.0.path()).envs(variables.iter().copied())
    }

    /// What the stand-ins were told, without what is only asked of the cluster.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.0.path().join("calls")).unwrap();
        calls.lines().filter(|call| !call.starts_with("kubectl")).map(str::to_owned).collect()
    }
}

fn up(provider: &str, context: &str, lies: &str) -> (Option<i32>, String, Vec<String>) {
    let stage = Stage::new();
    let output = stage.run(
        &["k8s-up", "--profile", "dev", "--provider", provider],
        &[("CONTEXT", context), ("LIES", lies)],
    );
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), stage.calls())
}

/// K8S-1, K8S-2: each provider is told by its own command, and the node is asked before and after.
#[test]
fn each_provider_loads_by_its_own_command() {
    for (provider, context, load, ask) in [
        (
            "kind",
            "kind-test",
            "kind load image-archive mira.tar --name test",
            "docker exec worker crictl inspecti",
        ),
        (
            "k3d",
            "k3d-test",
            "k3d image import mira.tar --cluster test",
            "docker exec worker crictl inspecti",
        ),
        (
            "minikube",
            "test",
            "minikube --profile test image load mira.tar",
            "minikube --profile test ssh --node worker -- sudo crictl inspecti",
        ),
        ("docker", "docker-desktop", "docker load --input mira.tar", "docker image inspect"),
    ] {
        let (_, told, calls) = up(provider, context, "");
        assert!(told.contains("passed   load"), "{told}");
        assert_eq!(calls.len(), 3, "{calls:?}");
        assert_eq!(calls[1], load);
        assert!([&calls[0], &calls[2]].into_iter().all(|call| call.starts_with(ask)), "{calls:?}");
    }
}

/// K8S-2: a program that says well and loads nothing is not believed.
#[test]
fn a_load_that_did_nothing_is_seen() {
    for (provider, context) in
        [("kind", "kind-test"), ("k3d", "k3d-test"), ("minikube", "test"), ("docker", "colima")]
    {
        let (code, told, _) = up(provider, context, provider);
        assert_eq!(code, Some(14), "{told}");
        assert!(
            told.contains("is not on worker after") && told.contains("Successfully imported"),
            "{told}"
        );
    }
}

/// K8S-1: a context that is not known to be local is refused before anything is done, unless it is named.
#[test]
fn unknown_contexts_are_refused() {
    let stage = Stage::new();
    for (context, server) in
        [("production", "https://127.0.0.1:6443"), ("kind-test", "https://34.1.2.3")]
    {
        for command in ["k8s-up", "k8s-down"] {
            let output = stage.run(&[command], &[("CONTEXT", context), ("SERVER", server)]);
            let told = String::from_utf8(output.stdout).unwrap();
            assert_eq!(output.status.code(), Some(11), "{told}");
            assert!(told.contains("so nothing was done"), "{told}");
        }
    }
    let calls = fs::read_to_string(stage.0.path().join("calls")).unwrap();
    assert!(calls.lines().all(|call| call.contains(" config ")), "{calls}");
    let output = stage.run(
        &["k8s-up", "--profile", "dev", "--context", "production"],
        &[("SERVER", "https://34.1.2.3")],
    );
    assert!(String::from_utf8(output.stdout).unwrap().contains("passed   cluster"));
    let calls = fs::read_to_string(stage.0.path().join("calls")).unwrap();
    assert!(!calls.contains("use-context") && !calls.contains("set-context"), "{calls}");
}

/// K8S-3: where no cluster answers, that is told at once, and nothing is built.
#[test]
fn a_cluster_that_does_not_answer_is_told() {
    let output = Stage::new().run(&["k8s-up"], &[("CONTEXT", "kind-test"), ("NOBODY", "at home")]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(10), "{told}");
    assert!(told.contains("connection refused") && told.contains("remedy: "), "{told}");
    assert!(!told.contains("running  build"), "{told}");
}

/// Ends a command that goes on for ever, and what it has started, though the test fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // `timeout` leads a group of its own.
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// K8S-8: `--watch` goes on after a failure, and does all again once something has changed.
#[test]
fn a_change_is_waited_for() {
    let stage = Stage::new();
    let mut command = Command::new("timeout");
    command.args(["--signal", "KILL", "300", env!("CARGO_BIN_EXE_xtask")]);
    command.args(["k8s-up", "--watch", "--profile", "dev", "--provider", "kind"]);
    let command = stage.among(&mut command, &[("CONTEXT", "kind-test")]);
    let mut watch = Ended(command.stdout(Stdio::piped()).spawn().unwrap());
    let manifest = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../deploy/kubernetes/overlays/local/kustomization.yaml"
    );
    let mut told = String::new();
    for line in BufReader::new(watch.0.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        told.push_str(&line);
        told.push('\n');
        if line.contains("waiting for a change") {
            if told.matches("waiting for a change").count() == 2 {
                break;
            }
            let file = File::options().append(true).open(manifest).unwrap();
            file.set_modified(SystemTime::now()).unwrap();
        }
    }
    assert_eq!(told.matches("passed   load").count(), 2, "{told}");
}

/// K8S-8: a dry run prints the commands and the YAML, and tells the cluster and the provider nothing.
#[test]
fn a_dry_run_prints_what_would_be_done() {
    let stage = Stage::new();
    let arguments = ["k8s-up", "--dry-run", "--profile", "dev", "--provider", "kind"];
    let output = stage.run(&arguments, &[("CONTEXT", "kind-test")]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    let (commands, yaml): (Vec<_>, Vec<_>) = told.lines().partition(|line| line.starts_with("# "));
    let beginnings =
        ["# kind load image-archive ", "# ", "# kubectl --context kind-test apply --server-side "];
    assert_eq!(commands.len(), beginnings.len(), "{told}");
    assert!(
        commands.iter().zip(beginnings).all(|(command, begins)| command.starts_with(begins)),
        "{told}"
    );
    assert!(yaml[0].starts_with("image: localhost/mira:"), "{told}");
    let calls = fs::read_to_string(stage.0.path().join("calls")).unwrap();
    let asks = |call: &str| call.contains(" config ") || call.contains("kustomize");
    assert!(calls.lines().all(asks), "{calls}");
}
