//! What a look at the objects of a namespace tells.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::progress;
use crate::k8s::failure::Kind;
use crate::k8s::manifest::{kind, list, name, text};

/// A container that runs for so long and is not ready, while its probe fails, will not be.
const PATIENCE: Duration = Duration::from_secs(15);

/// One that has not started yet may wait for others that start at the same time, as Mira does for its
/// broker for half a minute.
const PATIENCE_WITH_A_START: Duration = Duration::from_secs(45);

/// What Mira exits with when it refuses its configuration.
const REFUSED: i64 = 2;

/// What is to be thought of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ready(String),
    Waiting(String),
    Failed(Trouble),
}

/// What will not get better by waiting.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) kind: Kind,
    /// The pod, or what should have made pods.
    pub(super) object: String,
    pub(super) cause: String,
    /// Whether there may be a log.
    pub(super) has_run: bool,
}

pub(super) fn judge(objects: &[Value], now: SystemTime) -> Verdict {
    let of = |wanted: &'static str| objects.iter().filter(move |object| kind(object) == wanted);
    let pods = of("Pod").filter(|pod| is_current(pod, objects));
    let troubles = pods.filter_map(|pod| of_pod(pod, objects, now));
    if let Some(trouble) = of("ReplicaSet").find_map(refused).into_iter().chain(troubles).next() {
        return Verdict::Failed(trouble);
    }
    let workloads: Vec<_> = of("Deployment").chain(of("StatefulSet")).collect();
    let note: Vec<_> = workloads.iter().map(|object| progress(object)).collect();
    let is_ready = !workloads.is_empty() && workloads.iter().all(|object| is_ready(object));
    if is_ready { Verdict::Ready(note.join(", ")) } else { Verdict::Waiting(note.join(", ")) }
}

fn number(object: &Value, pointer: &str) -> u64 {
    object.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn is_ready(object: &Value) -> bool {
    let wanted = number(object, "/spec/replicas");
    let are = |what: &str| number(object, &format!("/status/{what}")) == wanted;
    number(object, "/status/observedGeneration") == number(object, "/metadata/generation")
        && are("replicas")
        && are("updatedReplicas")
        && are("readyReplicas")
        && are("availableReplicas")
}

/// Whether a pod is one of the newest kind, and to stay. The older ones are on their way out.
fn is_current(pod: &Value, objects: &[Value]) -> bool {
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        return false;
    }
    let owner = |object: &Value| text(object, "/metadata/ownerReferences/0/name").to_owned();
    let revision = |set: &Value| {
        let revision = "/metadata/annotations/deployment.kubernetes.io~1revision";
        text(set, revision).parse::<u64>().unwrap_or_default()
    };
    let sets = || objects.iter().filter(|object| kind(object) == "ReplicaSet");
    sets().find(|set| name(set) == owner(pod)).is_none_or(|set| {
        let siblings = sets().filter(|it| owner(it) == owner(set));
        siblings.map(revision).max() == Some(revision(set))
    })
}

/// A set whose pods are not admitted.
fn refused(set: &Value) -> Option<Trouble> {
    let is_failure =
        |condition: &&Value| condition["type"] == "ReplicaFailure" && condition["status"] == "True";
    let condition = list(set, "/status/conditions").iter().find(is_failure)?;
    let cause = format!("no pod of {} is admitted: {}", name(set), text(condition, "/message"));
    Some(Trouble { kind: Kind::Admission, object: name(set).into(), cause, has_run: false })
}

fn of_pod(pod: &Value, objects: &[Value], now: SystemTime) -> Option<Trouble> {
    let trouble = |kind, cause, has_run| {
        let cause = format!("pod {}: {cause}", name(pod));
        Some(Trouble { kind, object: name(pod).into(), cause, has_run })
    };
    let is_unschedulable = |it: &&Value| it["reason"] == "Unschedulable" && it["status"] == "False";
    if let Some(condition) = list(pod, "/status/conditions").iter().find(is_unschedulable) {
        return trouble(
            Kind::Unschedulable,
            format!("no node takes it: {}", text(condition, "/message")),
            false,
        );
    }
    let events = || {
        let is_about =
            |it: &&Value| kind(it) == "Event" && text(it, "/involvedObject/name") == name(pod);
        objects.iter().filter(is_about)
    };
    // Once may be an accident: the object may have come at the same time.
    let is_missing = |event: &&Value| {
        event["reason"] == "FailedMount"
            && text(event, "/message").ends_with("not found")
            && number(event, "/count") > 1
    };
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let waits = |it: &Value| it.pointer("/state/waiting").is_some();
    let containers = || statuses.iter().flat_map(|pointer| list(pod, pointer));
    if let Some(event) = events().find(is_missing)
        && containers().all(waits)
    {
        return trouble(Kind::Missing, text(event, "/message").into(), false);
    }
    containers().find_map(|status| {
        let reason = text(status, "/state/waiting/reason");
        let message = text(status, "/state/waiting/message");
        let last =
            ["/state/terminated", "/lastState/terminated"].iter().find_map(|it| status.pointer(it));
        let code = last.and_then(|it| it["exitCode"].as_i64()).unwrap_or_default();
        let killed = events().find(|event| {
            event["reason"] == "Killing" && text(event, "/message").contains("probe")
        });
        match reason {
            "ErrImageNeverPull" | "ErrImagePull" | "ImagePullBackOff" | "InvalidImageName" => {
                let cause = format!("{reason} of {}: {message}", text(status, "/image"));
                trouble(Kind::Image, cause, false)
            }
            "CreateContainerConfigError" => trouble(Kind::Missing, message.into(), false),
            _ if killed.is_some() => trouble(Kind::Probe, text(killed?, "/message").into(), true),
            _ if code == REFUSED => {
                trouble(Kind::Configuration, "it refuses its configuration".into(), true)
            }
            "CrashLoopBackOff" | "CreateContainerError" | "RunContainerError" => {
                let end = if last.is_some() {
                    format!("it ends with exit code {code}")
                } else {
                    message.into()
                };
                trouble(Kind::CrashLoop, end, true)
            }
            _ => {
                let unhealthy = events().find(|event| event["reason"] == "Unhealthy")?;
                let runs = status.pointer("/state/running/startedAt")?.as_str()?;
                let patience =
                    if status["started"] == false { PATIENCE_WITH_A_START } else { PATIENCE };
                let runs_for = now.duration_since(humantime::parse_rfc3339(runs).ok()?).ok()?;
                let message = text(unhealthy, "/message");
                let cause = format!("not ready {patience:?} after its start: {message}");
                (status["ready"] == false && runs_for > patience)
                    .then(|| trouble(Kind::Probe, cause, true))?
            }
        }
    })
}
