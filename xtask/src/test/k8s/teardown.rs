//! What is taken away, and what is left alone (K8S-6).

use std::collections::BTreeMap;

use anyhow::ensure;
use serde_json::Value;

use super::stage::Stage;
use crate::k8s::apply;
use crate::k8s::manifest::{list, text};

/// Everything in a cluster but what changes by itself.
pub(super) type Snapshot = BTreeMap<String, Value>;

/// Others' things, some of which look like ours.
const NEIGHBOURS: &str = "
{apiVersion: v1, kind: Namespace, metadata: {name: mira-too, labels: {app.kubernetes.io/part-of: mira}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: mira, namespace: mira-too, labels: {app.kubernetes.io/name: mira}}, data: {a: b}}
---
{apiVersion: v1, kind: Service, metadata: {name: mira, namespace: default}, spec: {ports: [{port: 80}]}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: mira}, rules: []}
";

pub(super) fn with_neighbours(stage: &Stage<'_>) -> anyhow::Result<Snapshot> {
    stage.kubectl.feed(&["apply", "--filename", "-"], NEIGHBOURS)?;
    snapshot(stage)
}

/// All objects without what the cluster itself writes into them all the time.
pub(super) fn snapshot(stage: &Stage<'_>) -> anyhow::Result<Snapshot> {
    let kinds = apply::kinds(&stage.kubectl)?;
    let kinds: Vec<_> = kinds.split(',').filter(|kind| !kind.starts_with("leases")).collect();
    let all = stage.kubectl.get(&[&kinds.join(","), "--all-namespaces"])?;
    let mut snapshot = Snapshot::new();
    for object in list(&all, "/items") {
        let place = text(object, "/metadata/namespace");
        let name = format!("{} {place}/{}", text(object, "/apiVersion"), apply::shown(object));
        let mut object = object.clone();
        object.as_object_mut().expect("an object is one").remove("status");
        let metadata = object["metadata"].as_object_mut().expect("every object has metadata");
        metadata.remove("managedFields");
        metadata.remove("resourceVersion");
        snapshot.insert(name, object);
    }
    let images = stage.node.images(&["list", "--quiet"])?;
    snapshot.insert("images".into(), images.into());
    Ok(snapshot)
}

/// Takes Mira away, twice, and finds the cluster as it was before.
pub(super) fn leaves_the_rest(stage: &Stage<'_>, before: &Snapshot) -> anyhow::Result<()> {
    stage.context.step("k8s: down, with others' things in our namespace");
    let theirs = ["create", "configmap", "theirs", "--namespace", "mira"];
    stage.kubectl.run(&theirs)?;
    let down = stage.run("k8s-down", &["--keep-node"])?;
    ensure!(down.code == Some(25) && down.told.contains("ConfigMap theirs"), "{}", down.told);
    stage.kubectl.run(&["delete", "configmap", "theirs", "--namespace", "mira"])?;
    clean(stage, before)
}

/// Takes away whatever there is, and makes sure that nothing else has changed.
pub(super) fn clean(stage: &Stage<'_>, before: &Snapshot) -> anyhow::Result<()> {
    for _ in 0..2 {
        let down = stage.run("k8s-down", &["--keep-node"])?;
        ensure!(down.code == Some(0), "{}", down.told);
    }
    let after = snapshot(stage)?;
    let changed: Vec<_> =
        before.iter().filter(|(name, object)| after.get(*name) != Some(object)).collect();
    ensure!(changed.is_empty(), "k8s-down changed what is not its own: {changed:?}");
    let left: Vec<_> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    ensure!(left.is_empty(), "k8s-down left: {left:?}");
    Ok(())
}
