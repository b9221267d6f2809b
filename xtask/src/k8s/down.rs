//! Taking away what was made, and showing that it is gone (K8S-6).

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;

use super::apply::{delete, is_ours, kinds, ours, shown};
use super::cluster::{Cluster, Target};
use super::failure::{Failure, Kind};
use super::kubectl::Kubectl;
use super::manifest::{kind, list, name};
use super::{code, pause, phase};
use crate::context::Context;

/// Pods end within their grace period, and then the namespace goes.
const GONE: Duration = Duration::from_secs(120);

/// What is taken away.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    target: Target,
    /// Leave the node of `--provider node`, and take away only what is on it.
    #[arg(long)]
    keep_node: bool,
    /// Show the output of the programs that are run.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn down(options: &Options) -> anyhow::Result<ExitCode> {
    let context = Context::new(options.verbose)?;
    let ended = phase(&context, "down", |step| {
        let cluster = Cluster::of(&context, &options.target)?;
        if let Some(node) = cluster.node().filter(|_| !options.keep_node) {
            step("ending the node");
            node.down().map_err(Failure::because(Kind::Left))?;
            return Ok(((), format!("the node {} is gone", node.name())));
        }
        let note = empty(&cluster.kubectl, step)?;
        step("images");
        cluster.unload()?;
        Ok(((), note))
    });
    Ok(code(&ended))
}

/// Removes all that carries the label, and the namespace if nobody else has put anything there.
pub(crate) fn empty(kubectl: &Kubectl, step: &dyn Fn(&str)) -> anyhow::Result<String> {
    let all = ours(kubectl).map_err(Failure::because(Kind::NoCluster))?;
    let (namespaces, others): (Vec<&Value>, Vec<_>) =
        all.iter().partition(|it| kind(it) == "Namespace");
    for object in &others {
        step(&shown(object));
        delete(kubectl, object)?;
    }
    for namespace in namespaces {
        let foreign = foreign(kubectl, name(namespace))?;
        ensure!(
            foreign.is_empty(),
            Failure::new(
                Kind::Left,
                format!(
                    "the namespace {} stays, since others have put there: {}",
                    name(namespace),
                    foreign.join(", ")
                )
            )
        );
        step(&shown(namespace));
        delete(kubectl, namespace)?;
    }
    let began = Instant::now();
    loop {
        let left = ours(kubectl)?;
        if left.is_empty() {
            return Ok(format!("{} objects are gone", all.len()));
        }
        let left: Vec<_> = left.iter().map(shown).collect();
        ensure!(
            began.elapsed() < GONE,
            Failure::new(Kind::Left, format!("left: {}", left.join(", ")))
        );
        pause();
    }
}

/// What stands in a namespace and is neither ours nor made by Kubernetes.
fn foreign(kubectl: &Kubectl, namespace: &str) -> anyhow::Result<Vec<String>> {
    let all = kubectl.get(&[&kinds(kubectl)?, "--namespace", namespace])?;
    let is_foreign = |object: &&Value| {
        let is_made = object.pointer("/metadata/ownerReferences").is_some();
        let is_usual = ["ConfigMap kube-root-ca.crt", "ServiceAccount default"]
            .contains(&shown(object).as_str());
        let is_here = object.pointer("/metadata/namespace").is_some_and(|it| it == namespace);
        is_here && !is_ours(object) && !is_made && !is_usual && kind(object) != "Endpoints"
    };
    Ok(list(&all, "/items").iter().filter(is_foreign).map(shown).collect())
}
