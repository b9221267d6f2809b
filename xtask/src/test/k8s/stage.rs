use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tempfile::TempDir;

use crate::context::Context;
use crate::k8s::kubectl::Kubectl;
use crate::k8s::manifest::{list, text};
use crate::k8s::node::Node;
use crate::k8s::{NAMESPACE, apply, programs};
use crate::process;

const NODE: &str = "mira-test";

/// A node for tests, alone on this machine. It ends with this value, and with this process.
pub(super) struct Stage<'a> {
    pub(super) context: &'a Context,
    pub(super) node: Node,
    pub(super) kubectl: Kubectl,
    pub(super) folder: TempDir,
    /// Whoever else runs these tests waits.
    _alone: fs::File,
}

/// How a command went.
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) told: String,
    pub(super) took: Duration,
}

impl<'a> Stage<'a> {
    pub(super) fn new(context: &'a Context) -> anyhow::Result<Self> {
        context.step("k8s: building mira");
        context.cargo(&["build", "--package", "mira", "--bin", "mira"])?;
        let lock = std::env::temp_dir().join("mira-test.lock");
        let alone = fs::File::create(lock).context("cannot make a lock")?;
        alone.lock()?;
        let node = Node::new(NODE)?.tied();
        // What a run left that was killed.
        node.down()?;
        node.up(&programs::of_node(context)?, &|what| context.step(what))?;
        let kubectl = node.kubectl();
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        Ok(Self { context, node, kubectl, folder, _alone: alone })
    }

    /// A command of this program, on this node.
    pub(super) fn command(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Command> {
        // Behind `&` or `nohup` Ctrl-C is ignored, and would be by what is started here.
        let mut command = Command::new("env");
        command.arg("--default-signal=INT").arg(process::itself()?);
        command.args([name, "--provider", "node", "--node", NODE]).args(arguments);
        if name == "k8s-up" {
            command.arg("--binary").arg(self.context.workspace.target().join("debug/mira"));
        }
        command.current_dir(self.context.workspace.root()).stdin(Stdio::null());
        Ok(command)
    }

    pub(super) fn run(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Run> {
        let began = Instant::now();
        let output = self.command(name, arguments)?.output()?;
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        Ok(Run { code: output.status.code(), told, took: began.elapsed() })
    }

    pub(super) fn up(&self, arguments: &[&str]) -> anyhow::Result<Run> {
        self.run("k8s-up", arguments)
    }

    /// An overlay of one's own, on top of the local one.
    pub(super) fn overlay(&self, name: &str, kustomization: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder)?;
        let deploy = self.context.workspace.root().join("deploy/kubernetes");
        let deploy = apply::relative(&fs::canonicalize(&folder)?, &fs::canonicalize(deploy)?);
        let deploy = deploy.display();
        let text = format!(
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n\
             resources: [{deploy}/overlays/local]\n{}",
            kustomization.replace("DEPLOY", &deploy.to_string())
        );
        fs::write(folder.join("kustomization.yaml"), text)?;
        Ok(folder)
    }

    /// The pods of Mira, by their ids, that are there to stay.
    pub(super) fn pods(&self) -> anyhow::Result<Vec<String>> {
        let selector = "app.kubernetes.io/name=mira";
        let seen = self.kubectl.get(&["pods", "--namespace", NAMESPACE, "--selector", selector])?;
        let stays = |pod: &&Value| pod.pointer("/metadata/deletionTimestamp").is_none();
        let pods = list(&seen, "/items").iter().filter(stays);
        let mut pods: Vec<_> = pods.map(|pod| text(pod, "/metadata/uid").to_owned()).collect();
        pods.sort();
        Ok(pods)
    }

    /// As many pods of Mira as there are, those that are going among them.
    pub(super) fn all_pods(&self) -> anyhow::Result<usize> {
        let selector = "app.kubernetes.io/name=mira";
        let seen = self.kubectl.get(&["pods", "--namespace", NAMESPACE, "--selector", selector])?;
        Ok(list(&seen, "/items").len())
    }

    /// K8S-2: the same content has the same tag, so nothing is loaded and nothing rolls.
    pub(super) fn rolls_only_what_changed(&self) -> anyhow::Result<()> {
        self.context.step("k8s: up once more, with nothing changed");
        let before = self.pods()?;
        let again = self.up(&[])?;
        ensure!(again.code == Some(0), "{}", again.told);
        ensure!(self.pods()? == before, "pods rolled though nothing had changed\n{}", again.told);
        Ok(())
    }

    /// K8S-6: `k8s-down` takes the node away, and every trace of it.
    pub(super) fn end(self) -> anyhow::Result<()> {
        let down = self.run("k8s-down", &[])?;
        ensure!(down.code == Some(0), "{}", down.told);
        let traces = self.node.traces();
        ensure!(traces.is_empty(), "left: {}", traces.join(", "));
        let again = self.run("k8s-down", &[])?;
        ensure!(again.code == Some(0), "a second time: {}", again.told);
        Ok(())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        // Only what a failure has left behind is still there; what stays is told by the next run.
        let _ = self.node.down();
    }
}
