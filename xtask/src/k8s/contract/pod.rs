//! What pods may do, and how they are looked after.

use serde_json::{Value, json};

use super::each;
use crate::k8s::manifest::{containers, kind, list, pod, text};

/// What a volume may be; anything else gives a way to the node.
const VOLUMES: &[&str] = &["configMap", "secret", "projected", "emptyDir", "downwardAPI"];

/// The lowest user that is no account of a node.
const FIRST_USER: u64 = 10_000;

fn pods(objects: &[Value]) -> impl Iterator<Item = &Value> {
    objects.iter().filter(|object| pod(object).is_some())
}

fn each_pod(objects: &[Value], holds: impl Fn(&Value) -> bool, or: &str) -> Vec<String> {
    each(pods(objects), |object| pod(object).is_some_and(&holds), or)
}

fn each_container(objects: &[Value], holds: impl Fn(&Value) -> bool, or: &str) -> Vec<String> {
    each(pods(objects).filter_map(pod).flat_map(containers), holds, or)
}

pub(super) fn namespace(objects: &[Value]) -> Vec<String> {
    let restricts = |object: &Value| {
        ["enforce", "audit", "warn"].iter().all(|mode| {
            let label = format!("/metadata/labels/pod-security.kubernetes.io~1{mode}");
            text(object, &label) == "restricted"
        })
    };
    let namespaces = objects.iter().filter(|object| kind(object) == "Namespace");
    each(namespaces, restricts, "enforce, audit and warn of Pod Security `restricted`")
}

pub(super) fn user(objects: &[Value]) -> Vec<String> {
    let holds = |pod: &Value| {
        let context = &pod["spec"]["securityContext"];
        let is_nobody = |id: &str| context[id].as_u64().is_some_and(|id| id >= FIRST_USER);
        context["runAsNonRoot"] == true
            && ["runAsUser", "runAsGroup", "fsGroup"].into_iter().all(is_nobody)
            && context["seccompProfile"]["type"] == "RuntimeDefault"
    };
    each_pod(objects, holds, "run as a user without rights, with the usual system calls only")
}

pub(super) fn container(objects: &[Value]) -> Vec<String> {
    let holds = |container: &Value| {
        let context = &container["securityContext"];
        context["allowPrivilegeEscalation"] == false
            && context["readOnlyRootFilesystem"] == true
            && context["capabilities"] == json!({"drop": ["ALL"]})
    };
    each_container(objects, holds, "no capabilities, no escalation, nothing to be written to")
}

pub(super) fn volumes(objects: &[Value]) -> Vec<String> {
    let fits = |volume: &Value| {
        VOLUMES.iter().any(|kind| volume.get(kind).is_some())
            && volume.get("emptyDir").is_none_or(|folder| folder.get("sizeLimit").is_some())
    };
    let holds = |pod: &Value| list(pod, "/spec/volumes").iter().all(fits);
    each_pod(objects, holds, "volumes that keep to the pod, with a limit where it writes")
}

pub(super) fn token(objects: &[Value]) -> Vec<String> {
    let pods =
        each_pod(objects, |pod| pod["spec"]["automountServiceAccountToken"] == false, "no token");
    let accounts = objects.iter().filter(|object| kind(object) == "ServiceAccount");
    let holds = |account: &Value| account["automountServiceAccountToken"] == false;
    [pods, each(accounts, holds, "no token")].concat()
}

pub(super) fn roles(objects: &[Value]) -> Vec<String> {
    let is_narrow = |rule: &Value| {
        list(rule, "/resourceNames").len() == 1
            && list(rule, "/resources") == [json!("secrets")]
            && list(rule, "/verbs").iter().all(|verb| verb == "get" || verb == "watch")
    };
    let holds = |object: &Value| match kind(object) {
        "Role" => list(object, "/rules").iter().all(is_narrow),
        "ClusterRole" | "ClusterRoleBinding" => false,
        _ => true,
    };
    each(objects, holds, "may read one Secret, by its name, and nothing else")
}

pub(super) fn links(objects: &[Value]) -> Vec<String> {
    let holds = |pod: &Value| pod["spec"]["enableServiceLinks"] == false;
    each_pod(objects, holds, "no variables of other Services, which would be read as settings")
}

pub(super) fn image(objects: &[Value]) -> Vec<String> {
    let holds = |container: &Value| {
        let image = text(container, "/image");
        let tag = image.rsplit('/').next().and_then(|last| last.split_once([':', '@']));
        image.contains('/') && tag.is_some_and(|(_, tag)| tag != "latest")
    };
    each_container(objects, holds, "an image by its full name, with a tag or a digest that stays")
}

pub(super) fn resources(objects: &[Value]) -> Vec<String> {
    let holds = |container: &Value| {
        let resources = &container["resources"];
        let requests = resources["requests"].as_object();
        requests.is_some_and(|it| it.contains_key("cpu") && it.contains_key("memory"))
            && resources["limits"]["memory"].is_string()
            && resources["limits"].get("cpu").is_none()
    };
    each_container(
        objects,
        holds,
        "requests for both, a limit for memory and none for the processor",
    )
}

pub(super) fn probes(objects: &[Value]) -> Vec<String> {
    let holds = |container: &Value| {
        let path = |probe: &str| {
            let is_timed = container[probe]["timeoutSeconds"].as_u64().is_some();
            if is_timed { text(container, &format!("/{probe}/httpGet/path")) } else { "" }
        };
        let (start, live, ready) =
            (path("startupProbe"), path("livenessProbe"), path("readinessProbe"));
        // Who is asked whether it lives must not answer for what it depends on.
        ![start, live, ready].contains(&"")
            && live != ready
            && container["startupProbe"]["periodSeconds"] == 1
            && container["livenessProbe"]["httpGet"]["port"] != "app"
    };
    each_container(
        objects,
        holds,
        "three probes by HTTP, a quick one for the start, off the app's port",
    )
}
