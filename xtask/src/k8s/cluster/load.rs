//! Images on the nodes: put there, looked for, and taken away.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::{Cluster, Known};
use crate::k8s::failure::{Failure, Kind};
use crate::k8s::image::Image;
use crate::k8s::kubectl::output;
use crate::k8s::manifest::{list, text};
use crate::process::shown;

/// What all images of this program begin with.
pub(crate) const OURS: &str = "localhost/mira";

impl Cluster {
    /// The command that puts an archive on all nodes, if that is ours to do.
    pub(crate) fn load_command(&self, archive: &Path) -> Option<Command> {
        let archive = archive.to_str()?;
        let words = match &self.provider {
            Known::Node(node) => {
                return node.images_command(&["import", archive]).ok();
            }
            Known::Kind(name) => vec!["kind", "load", "image-archive", archive, "--name", name],
            Known::K3d(name) => vec!["k3d", "image", "import", archive, "--cluster", name],
            Known::Minikube(name) => vec!["minikube", "--profile", name, "image", "load", archive],
            Known::Docker => vec!["docker", "load", "--input", archive],
            Known::Other => return None,
        };
        Some(command(&words))
    }

    /// Puts an image on all nodes, and makes sure that it is there. What the loading program says is
    /// not believed: some say well and mean nothing.
    pub(crate) fn load(&self, image: &Image) -> anyhow::Result<()> {
        let mut nodes = self.nodes()?;
        if matches!(self.provider, Known::Other) {
            return Ok(());
        }
        nodes.retain(|node| !self.has(node, image));
        if nodes.is_empty() {
            return Ok(());
        }
        let mut command = self.load_command(&image.archive).context("no way to load an image")?;
        let said = output(&mut command, "").map_err(Failure::because(Kind::Load))?;
        nodes.retain(|node| !self.has(node, image));
        if !nodes.is_empty() {
            let cause = format!(
                "{} is not on {} after {}\n{said}",
                image.name,
                nodes.join(", "),
                shown(&command)
            );
            return Err(Failure::new(Kind::Load, cause).into());
        }
        Ok(())
    }

    fn nodes(&self) -> anyhow::Result<Vec<String>> {
        let nodes = self.kubectl.get(&["nodes"])?;
        let nodes =
            list(&nodes, "/items").iter().map(|node| text(node, "/metadata/name").to_owned());
        let nodes: Vec<_> = nodes.collect();
        ensure!(!nodes.is_empty(), Failure::new(Kind::NoCluster, "the cluster has no nodes"));
        Ok(nodes)
    }

    /// Whether a node has this very image under this name.
    fn has(&self, node: &str, image: &Image) -> bool {
        let id = match &self.provider {
            Known::Node(it) => it.image_id(&image.name).ok(),
            Known::Docker => {
                let inspect = ["docker", "image", "inspect", "--format", "{{.Id}}", &image.name];
                output(&mut command(&inspect), "").ok()
            }
            _ => {
                let inspect = ["crictl", "inspecti", "--output", "json", &image.name];
                self.on(node, &inspect).and_then(|text| {
                    let said: Value = serde_json::from_str(&text).ok()?;
                    Some(crate::k8s::manifest::text(&said, "/status/id").to_owned())
                })
            }
        };
        id.is_some_and(|id| id.trim() == image.id)
    }

    /// Runs a command on a node, and returns what it says.
    fn on(&self, node: &str, words: &[&str]) -> Option<String> {
        let prefix = match &self.provider {
            Known::Kind(_) | Known::K3d(_) => vec!["docker", "exec", node],
            Known::Minikube(name) => {
                vec!["minikube", "--profile", name, "ssh", "--node", node, "--", "sudo"]
            }
            _ => return None,
        };
        output(&mut command(&[&prefix, words].concat()), "").ok()
    }

    /// Takes all images of this program from the nodes.
    pub(crate) fn unload(&self) -> anyhow::Result<()> {
        if let Known::Node(node) = &self.provider {
            let listed = node.images(&["list"])?;
            // Name, type, digest. The same image has names that containerd gave it.
            let rows = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let rows: Vec<_> =
                rows.filter(|row| row.len() > 2).map(|row| (row[0], row[2])).collect();
            let is_ours =
                |digest| rows.iter().any(|(name, it)| *it == digest && name.starts_with(OURS));
            let ours = rows.iter().filter(|(_, digest)| is_ours(*digest));
            let ours: Vec<_> = ours.map(|(name, _)| *name).collect();
            if !ours.is_empty() {
                node.images(&[&["remove", "--sync"], &ours[..]].concat())?;
            }
            return Ok(());
        }
        if matches!(self.provider, Known::Docker) {
            let all = output(
                &mut command(&["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]),
                "",
            )?;
            for name in all.lines().filter(|name| name.starts_with(OURS)) {
                output(&mut command(&["docker", "image", "rm", name]), "")?;
            }
            return Ok(());
        }
        for node in self.nodes()? {
            let Some(listed) = self.on(&node, &["crictl", "images", "--output", "json"]) else {
                continue;
            };
            let listed: Value = serde_json::from_str(&listed)?;
            let tags = list(&listed, "/images").iter().flat_map(|image| list(image, "/repoTags"));
            for tag in tags.filter_map(Value::as_str).filter(|tag| tag.starts_with(OURS)) {
                self.on(&node, &["crictl", "rmi", tag])
                    .with_context(|| format!("{tag} stays on {node}"))?;
            }
        }
        Ok(())
    }
}

fn command(words: &[&str]) -> Command {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    command
}
