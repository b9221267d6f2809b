//! What keeps the service there while pods come and go.

use serde_json::{Value, json};

use super::each;
use crate::k8s::manifest::{kind, list, name, pod, text};

fn of<'a>(objects: &'a [Value], wanted: &str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| kind(object) == wanted)
}

/// Those of which there is more than one pod, or may be.
fn many(objects: &[Value]) -> impl Iterator<Item = &Value> {
    let one = |object: &Value| object.pointer("/spec/replicas") == Some(&json!(1));
    objects.iter().filter(move |object| pod(object).is_some() && !one(object))
}

pub(super) fn rollout(objects: &[Value]) -> Vec<String> {
    let holds = |object: &Value| {
        let spec = &object["spec"];
        let rolling = &spec["strategy"]["rollingUpdate"];
        let is_gentle = rolling["maxUnavailable"] == 0
            && rolling["maxSurge"].as_u64() >= Some(1)
            && spec["minReadySeconds"].as_u64() >= Some(1);
        let is_alone = spec["strategy"]["type"] == "Recreate" && spec["replicas"] == 1;
        (is_gentle || is_alone)
            && spec["progressDeadlineSeconds"].as_u64().is_some_and(|it| it <= 120)
            && spec["revisionHistoryLimit"].as_u64().is_some_and(|it| (1..=3).contains(&it))
    };
    each(of(objects, "Deployment"), holds, "a new pod before an old one goes, and a soon deadline")
}

pub(super) fn disruption(objects: &[Value]) -> Vec<String> {
    let holds = |object: &Value| {
        of(objects, "PodDisruptionBudget").any(|budget| {
            let spec = &budget["spec"];
            spec["selector"] == object["spec"]["selector"]
                && spec["maxUnavailable"] == 1
                && spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        })
    };
    each(many(objects), holds, "a budget by which nodes can be emptied, one pod at a time")
}

pub(super) fn spread(objects: &[Value]) -> Vec<String> {
    let holds = |object: &Value| {
        let rules = list(object, "/spec/template/spec/topologySpreadConstraints");
        rules.iter().any(|rule| {
            rule["topologyKey"] == "kubernetes.io/hostname"
                && rule["whenUnsatisfiable"] == "ScheduleAnyway"
                && rule["labelSelector"] == object["spec"]["selector"]
        })
    };
    each(many(objects), holds, "pods spread over the nodes, as far as there are some")
}

pub(super) fn autoscaler(objects: &[Value]) -> Vec<String> {
    let holds = |autoscaler: &Value| {
        let target = text(autoscaler, "/spec/scaleTargetRef/name");
        let fights = |object: &&Value| object.pointer("/spec/replicas").is_some();
        let down = &autoscaler["spec"]["behavior"]["scaleDown"];
        down["stabilizationWindowSeconds"].as_u64() >= Some(300)
            && !of(objects, "Deployment").filter(|it| name(it) == target).any(|it| fights(&it))
    };
    let autoscalers = of(objects, "HorizontalPodAutoscaler");
    each(autoscalers, holds, "slow to take away, and alone in setting the number of replicas")
}

pub(super) fn state(objects: &[Value]) -> Vec<String> {
    let claims = |volume: &Value| volume.get("persistentVolumeClaim").is_some();
    let shares = |object: &Value| list(object, "/spec/template/spec/volumes").iter().any(claims);
    let deployments = of(objects, "Deployment");
    each(
        deployments,
        |object| !shares(object),
        "state belongs in a StatefulSet, a disk for each pod",
    )
}

pub(super) fn scale(objects: &[Value]) -> Vec<String> {
    let fits = |it: &Value| it["spec"]["minReplicas"] == 3 && it["spec"]["maxReplicas"] == 10;
    let is_there = of(objects, "HorizontalPodAutoscaler").any(fits);
    if is_there { Vec::new() } else { vec!["from three to ten replicas".into()] }
}

pub(super) fn claims(objects: &[Value]) -> Vec<String> {
    let holds = |object: &Value| {
        let claims = list(object, "/spec/volumeClaimTemplates");
        let size = |claim: &Value| text(claim, "/spec/resources/requests/storage") == "10Gi";
        !claims.is_empty()
            && claims.iter().all(size)
            && object["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    };
    each(of(objects, "StatefulSet"), holds, "a claim of 10 Gi that outlives the servers")
}
