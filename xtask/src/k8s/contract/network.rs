//! Who reaches whom, and under which names.

use serde_json::{Value, json};

use super::each;
use crate::k8s::manifest::{kind, list, text};

fn of<'a>(objects: &'a [Value], wanted: &str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| kind(object) == wanted)
}

pub(super) fn services(objects: &[Value]) -> Vec<String> {
    let holds = |service: &Value| {
        let ports = list(service, "/spec/ports");
        let is_headless = service["spec"]["clusterIP"] == "None";
        let is_ours = |port: &Value| is_headless || port["targetPort"] != "ops";
        ports.iter().all(|port| is_ours(port) && port["appProtocol"].is_string())
            && (is_headless || service["spec"]["type"] == "ClusterIP")
    };
    let or = "inside the cluster only, with a protocol, and nobody balances over the ops ports";
    each(of(objects, "Service"), holds, or)
}

pub(super) fn tls(objects: &[Value]) -> Vec<String> {
    let holds = |ingress: &Value| {
        let covered: Vec<_> =
            list(ingress, "/spec/tls").iter().flat_map(|it| list(it, "/hosts")).collect();
        let is_covered = |rule: &Value| covered.contains(&&rule["host"]);
        let has_secret = |it: &Value| !text(it, "/secretName").is_empty();
        list(ingress, "/spec/rules").iter().all(is_covered)
            && list(ingress, "/spec/tls").iter().all(has_secret)
    };
    each(of(objects, "Ingress"), holds, "TLS for every name")
}

pub(super) fn labels(objects: &[Value]) -> Vec<String> {
    let part = "/metadata/labels/app.kubernetes.io~1part-of";
    let stays = |object: &Value| {
        let selector = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        selector.is_none_or(|it| it.keys().all(|label| label == "app.kubernetes.io/name"))
    };
    each(
        objects,
        |it| text(it, part) == "mira" && stays(it),
        "the usual labels; of them only the name selects",
    )
}

pub(super) fn door(objects: &[Value]) -> Vec<String> {
    let is_there = of(objects, "Ingress").chain(of(objects, "HTTPRoute")).next().is_some();
    if is_there { Vec::new() } else { vec!["a way in, with TLS".into()] }
}

pub(super) fn isolation(objects: &[Value]) -> Vec<String> {
    let policies = || of(objects, "NetworkPolicy").map(|policy| &policy["spec"]);
    let denies = |spec: &Value| {
        spec["podSelector"] == json!({})
            && spec["policyTypes"] == json!(["Ingress", "Egress"])
            && spec.get("ingress").or(spec.get("egress")).is_none()
    };
    let ports =
        |rule: &Value| list(rule, "/ports").iter().map(|it| it["port"].clone()).collect::<Vec<_>>();
    let names = |spec: &Value| list(spec, "/egress").iter().any(|it| ports(it) == [53, 53]);
    let scrapes = |rule: &&Value| ports(rule).contains(&json!("ops"));
    let monitors = |rule: &Value| {
        list(rule, "/from").iter().all(|from| {
            let namespace = "/namespaceSelector/matchLabels/kubernetes.io~1metadata.name";
            text(from, namespace) == "monitoring"
        })
    };
    let mut complaints = Vec::new();
    if !policies().any(denies) {
        complaints.push("nothing is allowed that is not named".into());
    }
    if !policies().any(names) {
        complaints.push("names can be looked up".into());
    }
    let rules: Vec<_> =
        policies().flat_map(|spec| list(spec, "/ingress")).filter(scrapes).collect();
    if rules.is_empty() || !rules.into_iter().all(monitors) {
        complaints.push("the ops ports are for the namespace `monitoring` alone".into());
    }
    complaints
}
