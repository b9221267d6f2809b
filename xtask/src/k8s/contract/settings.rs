//! How settings and secrets reach the process.

use std::collections::BTreeSet;

use serde_json::Value;

use super::each;
use crate::k8s::manifest::{containers, kind, list, name, pod, text};

/// The page that is made from the settings' own schema.
const SETTINGS: &str = include_str!("../../../../docs/reference/settings.md");

fn all_containers(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter_map(pod).flat_map(containers)
}

pub(super) fn folders(objects: &[Value]) -> Vec<String> {
    let is_live = |mount: &Value| mount.get("subPath").or(mount.get("subPathExpr")).is_none();
    let holds = |container: &Value| list(container, "/volumeMounts").iter().all(is_live);
    each(all_containers(objects), holds, "no `subPath`: what is mounted by it never changes")
}

pub(super) fn names(objects: &[Value]) -> Vec<String> {
    let made =
        |wanted: &str| objects.iter().any(|it| kind(it) == "ConfigMap" && name(it) == wanted);
    let holds = |object: &Value| {
        let volumes = list(object, "/spec/template/spec/volumes");
        // With a suffix made of the content an edit would be a new name, and a restart.
        volumes.iter().filter_map(|it| it.get("configMap")).all(|it| {
            let name = text(it, "/name");
            made(name) && !name.contains('-')
        })
    };
    each(objects, holds, "a ConfigMap that is there, under a name that an edit does not change")
}

pub(super) fn variables(objects: &[Value]) -> Vec<String> {
    let reloadable = reloadable();
    let holds = |container: &Value| {
        let names = list(container, "/env").iter().map(|variable| text(variable, "/name"));
        container.get("envFrom").is_none() && !names.into_iter().any(|it| reloadable.contains(it))
    };
    each(all_containers(objects), holds, "a variable would win over every edit of the ConfigMap")
}

pub(super) fn secrets(objects: &[Value]) -> Vec<String> {
    let shows = |variable: &Value| variable.pointer("/valueFrom/secretKeyRef").is_some();
    let holds = |container: &Value| !list(container, "/env").iter().any(shows);
    each(all_containers(objects), holds, "a secret in a variable never rotates, and is inherited")
}

/// The variables of all settings that a reload changes.
fn reloadable() -> BTreeSet<&'static str> {
    let sections = SETTINGS.split("\n### ").skip(1);
    let live = sections.filter(|section| section.contains("- A change counts at a reload"));
    let lines =
        live.filter_map(|section| section.lines().find(|it| it.starts_with("- Variables: ")));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[cfg(test)]
#[test]
fn the_page_tells_what_a_reload_changes() {
    let reloadable = reloadable();
    assert!(reloadable.contains("MIRA_LOG_LEVEL") && reloadable.contains("MIRA_OPS_TOKEN"));
    assert!(!reloadable.contains("MIRA_SERVER_BIND_ADDRESS"));
}
