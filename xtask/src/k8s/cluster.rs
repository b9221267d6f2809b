//! Which cluster is meant, and how images get there (K8S-1, K8S-2).

mod load;

use std::net::IpAddr;
use std::path::PathBuf;

use super::failure::{Failure, Kind};
use super::kubectl::Kubectl;
use super::node::Node;
use super::programs;
use crate::context::Context;

/// How a cluster is run.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    /// A single node from upstream binaries; Linux, root; for machines and CI without Docker.
    Node,
    Kind,
    #[value(name = "k3d")]
    K3d,
    Minikube,
    /// A cluster beside the local Docker daemon, with its images.
    Docker,
}

/// Which cluster is meant.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Target {
    /// How the cluster is run. Default: what the context's name tells.
    #[arg(long, value_enum)]
    pub(crate) provider: Option<Provider>,
    /// The context to use. Default: the current one, if it is known to be local.
    #[arg(long, value_name = "NAME", conflicts_with = "node")]
    pub(crate) context: Option<String>,
    /// The name of the node that `--provider node` makes.
    #[arg(long, value_name = "NAME", default_value = "mira-node")]
    pub(crate) node: String,
}

/// A cluster that may be worked on.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// The context, or the node.
    pub(crate) name: String,
    pub(crate) kubectl: Kubectl,
    provider: Known,
}

#[derive(Clone, Debug)]
enum Known {
    Node(Node),
    /// By the name of the cluster, as the program calls it.
    Kind(String),
    K3d(String),
    Minikube(String),
    Docker,
    /// Named by the user. It gets its images elsewhere.
    Other,
}

impl Cluster {
    /// The cluster that is meant. It need not be there.
    pub(crate) fn of(context: &Context, target: &Target) -> anyhow::Result<Self> {
        if target.provider == Some(Provider::Node) {
            let node = Node::new(&target.node)?;
            let provider = Known::Node(node.clone());
            return Ok(Self { name: node.name().into(), kubectl: node.kubectl(), provider });
        }
        let program = programs::kubectl(context)?;
        let name = match &target.context {
            Some(name) => name.clone(),
            None => current(&program)?,
        };
        let kubectl = Kubectl::of_context(program, &name);
        let known = known(&name, target.provider);
        let Some(provider) = known.or(target.context.is_some().then_some(Known::Other)) else {
            let cause =
                format!("the context {name:?} is not known to be local, so nothing was done");
            return Err(Failure::new(Kind::Context, cause).into());
        };
        if target.context.is_none() {
            let server = "jsonpath={.clusters[0].cluster.server}";
            let server = kubectl.run(&["config", "view", "--minify", "--output", server])?;
            if !is_local(&server) {
                let cause = format!(
                    "the context {name:?} leads to {server}, which is not on this machine, so nothing was done"
                );
                return Err(Failure::new(Kind::Context, cause).into());
            }
        }
        Ok(Self { name, kubectl, provider })
    }

    /// Makes sure that the cluster answers; makes it, if it is one of ours.
    pub(crate) fn start(&self, context: &Context, step: &dyn Fn(&str)) -> anyhow::Result<String> {
        if let Known::Node(node) = &self.provider {
            let programs = programs::of_node(context).map_err(Failure::because(Kind::NoCluster))?;
            node.up(&programs, step).map_err(Failure::because(Kind::NoCluster))?;
        }
        let version = self.kubectl.run(&["version", "--output", "json", "--request-timeout", "5s"]);
        let version = version.map_err(Failure::because(Kind::NoCluster))?;
        let version: serde_json::Value = serde_json::from_str(&version)?;
        Ok(format!(
            "{}, Kubernetes {}",
            self.name,
            super::manifest::text(&version, "/serverVersion/gitVersion")
        ))
    }

    /// The node, if this program has made the cluster.
    pub(crate) fn node(&self) -> Option<&Node> {
        if let Known::Node(node) = &self.provider { Some(node) } else { None }
    }
}

/// What a name tells, unless it is another provider that was asked for.
fn known(name: &str, wanted: Option<Provider>) -> Option<Known> {
    let rest = |prefix: &str| name.strip_prefix(prefix).map(str::to_owned);
    let beside_docker = ["docker-desktop", "rancher-desktop", "orbstack", "colima"];
    match wanted {
        None => rest("kind-")
            .map(Known::Kind)
            .or_else(|| rest("k3d-").map(Known::K3d))
            .or_else(|| (name == "minikube").then(|| Known::Minikube(name.into())))
            .or_else(|| beside_docker.contains(&name).then_some(Known::Docker)),
        Some(Provider::Kind) => rest("kind-").map(Known::Kind),
        Some(Provider::K3d) => rest("k3d-").map(Known::K3d),
        // Its profiles have any name; whoever asks for it knows.
        Some(Provider::Minikube) => Some(Known::Minikube(name.into())),
        Some(Provider::Docker) => beside_docker.contains(&name).then_some(Known::Docker),
        Some(Provider::Node) => None,
    }
}

fn current(program: &PathBuf) -> anyhow::Result<String> {
    let mut command = std::process::Command::new(program);
    let name = super::kubectl::output(command.args(["config", "current-context"]), "");
    let name = name.map_err(Failure::because(Kind::NoCluster))?;
    Ok(name.trim().into())
}

/// Whether an API server's address is one of this machine, or of a network behind it.
fn is_local(server: &str) -> bool {
    let host = server.split("://").last().unwrap_or_default().split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    match host.parse() {
        Ok(IpAddr::V4(it)) => it.is_loopback() || it.is_private() || it.is_unspecified(),
        Ok(IpAddr::V6(it)) => it.is_loopback() || it.is_unspecified(),
        Err(_) => host == "localhost" || host.ends_with(".internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K8S-1: only names that local clusters have are known without being named.
    #[test]
    fn names_of_local_clusters_are_known() {
        let local = [
            "kind-mira",
            "k3d-mira",
            "minikube",
            "docker-desktop",
            "rancher-desktop",
            "orbstack",
            "colima",
        ];
        let other =
            ["", "production", "gke_mira_europe", "my-kind-of-cluster", "minikube-no", "docker"];
        assert!(local.iter().all(|name| known(name, None).is_some()));
        assert!(other.iter().all(|name| known(name, None).is_none()));
        assert!(known("kind-mira", Some(Provider::K3d)).is_none());
        assert!(known("any", Some(Provider::Minikube)).is_some());
    }

    /// K8S-1: a name may lie; the address of the API server does not.
    #[test]
    fn addresses_elsewhere_are_not_local() {
        let local = [
            "https://127.0.0.1:6443",
            "https://[::1]:6443",
            "https://0.0.0.0:6443",
            "https://192.168.49.2:8443",
            "https://localhost:6443/k8s",
            "https://kubernetes.docker.internal:6443",
        ];
        let other = [
            "https://34.1.2.3",
            "https://api.example.com:6443",
            "https://127.0.0.1.example.com",
            "",
        ];
        assert!(local.iter().all(|server| is_local(server)));
        assert!(!other.iter().any(|server| is_local(server)));
    }
}
