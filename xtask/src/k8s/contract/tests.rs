use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::k8s::manifest::{kind, name, read};

const LOCAL: &str = include_str!("../../../../deploy/kubernetes/local.yaml");
const PRODUCTION_FILE: &str = include_str!("../../../../deploy/kubernetes/production.yaml");

/// K8S-7: both overlays keep every rule.
#[test]
fn overlays_keep_the_rules() {
    let none: [&str; 0] = [];
    assert_eq!(complaints(RULES, &read(LOCAL).unwrap()), none);
    let production = read(PRODUCTION_FILE).unwrap();
    assert_eq!(complaints(RULES, &production), none);
    assert_eq!(complaints(PRODUCTION, &production), none);
}

/// K8S-7: each rule finds its mutants, and no other rule does.
#[test]
fn each_rule_has_a_mutant() {
    let production = read(PRODUCTION_FILE).unwrap();
    let mut found = BTreeSet::new();
    for (rule, object, pointer, value) in mutants() {
        let mut objects = production.clone();
        change(&mut objects, object, pointer, value);
        let complaints = [complaints(RULES, &objects), complaints(PRODUCTION, &objects)].concat();
        let by = |name: &str| complaints.iter().any(|it| it.starts_with(&format!("{name}: ")));
        assert!(by(rule), "nobody minds {object} with another {pointer}");
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        found.insert(rule);
    }
    let rules: BTreeSet<_> = RULES.iter().chain(PRODUCTION).map(|rule| rule.name).collect();
    assert_eq!(found, rules);
}

/// The rule, the object, and what it says instead; null takes the thing away.
fn mutants() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let role = json!({
        "kind": "Role",
        "metadata": {"name": "mira", "labels": {"app.kubernetes.io/part-of": "mira"}},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
    });
    let variable = |name: &str| json!([{"name": name, "value": "debug"}]);
    let of_secret =
        json!([{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "mira", "key": "a"}}}]);
    let mira = "Deployment mira";
    vec![
        (
            "namespace",
            "Namespace mira",
            "/metadata/labels/pod-security.kubernetes.io~1enforce",
            json!("baseline"),
        ),
        ("user", mira, "/spec/template/spec/securityContext/runAsNonRoot", Value::Null),
        ("user", mira, "/spec/template/spec/securityContext/runAsUser", json!(0)),
        (
            "user",
            mira,
            "/spec/template/spec/securityContext/seccompProfile/type",
            json!("Unconfined"),
        ),
        (
            "container",
            mira,
            "/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem",
            json!(false),
        ),
        (
            "container",
            mira,
            "/spec/template/spec/containers/0/securityContext/capabilities/drop",
            json!([]),
        ),
        ("volumes", mira, "/spec/template/spec/volumes/2/emptyDir/sizeLimit", Value::Null),
        (
            "volumes",
            mira,
            "/spec/template/spec/volumes/2",
            json!({"name": "tmp", "hostPath": {"path": "/"}}),
        ),
        ("token", mira, "/spec/template/spec/automountServiceAccountToken", Value::Null),
        ("token", "ServiceAccount mira", "/automountServiceAccountToken", json!(true)),
        ("roles", "", "", role),
        ("links", mira, "/spec/template/spec/enableServiceLinks", Value::Null),
        (
            "image",
            mira,
            "/spec/template/spec/containers/0/image",
            json!("registry.example.com/mira:latest"),
        ),
        ("image", mira, "/spec/template/spec/containers/0/image", json!("localhost:5000/mira")),
        (
            "resources",
            mira,
            "/spec/template/spec/containers/0/resources/limits/memory",
            Value::Null,
        ),
        (
            "probes",
            mira,
            "/spec/template/spec/containers/0/livenessProbe/httpGet/path",
            json!("/health/ready"),
        ),
        ("probes", mira, "/spec/template/spec/containers/0/startupProbe", Value::Null),
        ("rollout", mira, "/spec/strategy/rollingUpdate/maxUnavailable", json!(1)),
        ("rollout", mira, "/spec/progressDeadlineSeconds", Value::Null),
        ("disruption", "PodDisruptionBudget nats", "/spec/maxUnavailable", json!(0)),
        ("spread", mira, "/spec/template/spec/topologySpreadConstraints", Value::Null),
        ("autoscaler", mira, "/spec/replicas", json!(3)),
        (
            "state",
            mira,
            "/spec/template/spec/volumes/2/persistentVolumeClaim",
            json!({"claimName": "tmp"}),
        ),
        (
            "folders",
            mira,
            "/spec/template/spec/containers/0/volumeMounts/0/subPath",
            json!("10-mira.toml"),
        ),
        ("names", mira, "/spec/template/spec/volumes/0/configMap/name", json!("mira-5g7kh2")),
        ("variables", mira, "/spec/template/spec/containers/0/env", variable("MIRA_LOG_LEVEL")),
        ("variables", mira, "/spec/template/spec/containers/0/envFrom", json!([])),
        ("secrets", mira, "/spec/template/spec/containers/0/env", of_secret),
        ("services", "Service mira", "/spec/ports/0/targetPort", json!("ops")),
        ("services", "Service mira", "/spec/type", json!("NodePort")),
        ("tls", "Ingress mira", "/spec/rules/0/host", json!("other.example.com")),
        ("tls", "Ingress mira", "/spec/tls/0/secretName", Value::Null),
        ("labels", "Service mira", "/metadata/labels/app.kubernetes.io~1part-of", Value::Null),
        ("scale", "HorizontalPodAutoscaler mira", "/spec/minReplicas", json!(1)),
        ("claims", "StatefulSet nats", "/spec/volumeClaimTemplates", Value::Null),
        ("door", "Ingress mira", "", Value::Null),
        ("isolation", "NetworkPolicy nothing", "", Value::Null),
        ("isolation", "NetworkPolicy names", "", Value::Null),
        ("isolation", "NetworkPolicy mira", "/spec/ingress/1/from", json!([{"podSelector": {}}])),
    ]
}

fn change(objects: &mut Vec<Value>, object: &str, pointer: &str, value: Value) {
    let Some((of_kind, named)) = object.split_once(' ') else { return objects.push(value) };
    let is_it = |it: &Value| kind(it) == of_kind && name(it) == named;
    let at = objects.iter().position(is_it).expect("the object is there");
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        objects.remove(at);
        return;
    };
    let parent = objects[at].pointer_mut(parent).expect("the place is there");
    let key = key.replace("~1", "/");
    match parent {
        Value::Object(map) if value.is_null() => drop(map.remove(&key).expect("it was there")),
        Value::Object(map) => drop(map.insert(key, value)),
        _ => parent[key.parse::<usize>().expect("a list has numbers")] = value,
    }
}
