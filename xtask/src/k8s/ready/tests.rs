use std::time::SystemTime;

use serde_json::{Value, json};

use super::judge::{Verdict, judge};
use crate::k8s::failure::Kind;
use crate::k8s::manifest::kind;

const STARTED: &str = "2026-01-01T00:00:00Z";

/// A look so many seconds after the container's start.
fn look(objects: &[Value], seconds: u64) -> Verdict {
    let started: SystemTime = humantime::parse_rfc3339(STARTED).unwrap();
    judge(objects, started + std::time::Duration::from_secs(seconds))
}

fn deployment(ready: u64) -> Value {
    json!({
        "kind": "Deployment", "metadata": {"name": "mira", "generation": 2}, "spec": {"replicas": 2},
        "status": {
            "observedGeneration": 2, "replicas": 2, "updatedReplicas": 2,
            "readyReplicas": ready, "availableReplicas": ready,
        },
    })
}

fn set(name: &str, revision: &str) -> Value {
    json!({"kind": "ReplicaSet", "metadata": {
        "name": name,
        "annotations": {"deployment.kubernetes.io/revision": revision},
        "ownerReferences": [{"name": "mira"}],
    }})
}

fn pod(set: &str, status: &Value) -> Value {
    let owner = json!([{"name": set}]);
    json!({"kind": "Pod", "metadata": {"name": "mira-1", "ownerReferences": owner}, "status": {"containerStatuses": [status]}})
}

fn event(reason: &str, message: &str, count: u64) -> Value {
    json!({"kind": "Event", "involvedObject": {"name": "mira-1"}, "reason": reason, "message": message, "count": count})
}

fn waiting(reason: &str) -> Value {
    json!({"ready": false, "image": "a:1", "state": {"waiting": {"reason": reason, "message": "because"}}})
}

fn running() -> Value {
    json!({"ready": false, "state": {"running": {"startedAt": STARTED}}})
}

#[track_caller]
fn check(objects: &[Value], seconds: u64, expected: Option<(Kind, &str)>) {
    match (look(objects, seconds), expected) {
        (Verdict::Failed(trouble), Some((kind, cause))) => {
            assert_eq!(trouble.kind, kind);
            assert!(trouble.cause.contains(cause), "{}", trouble.cause);
        }
        (Verdict::Waiting(_), None) => {}
        (verdict, _) => panic!("{verdict:?}"),
    }
}

#[test]
fn ready_is_all_of_the_newest() {
    assert_eq!(look(&[deployment(2)], 0), Verdict::Ready("mira 2 of 2".into()));
    assert_eq!(look(&[deployment(1)], 0), Verdict::Waiting("mira 1 of 2".into()));
    assert_eq!(look(&[], 0), Verdict::Waiting(String::new()));
    for unfinished in ["observedGeneration", "replicas", "updatedReplicas", "availableReplicas"] {
        let mut object = deployment(2);
        object["status"][unfinished] = json!(1);
        assert_eq!(look(&[object], 0), Verdict::Waiting("mira 2 of 2".into()), "{unfinished}");
    }
}

/// K8S-3: what will not get better is told as soon as it is seen, by its own kind.
#[test]
fn each_failure_is_told_apart() {
    let new = || set("new", "2");
    let state = |status: Value| vec![deployment(0), new(), pod("new", &status)];
    check(&state(waiting("ErrImageNeverPull")), 0, Some((Kind::Image, "of a:1: because")));
    check(&state(waiting("ImagePullBackOff")), 0, Some((Kind::Image, "of a:1: because")));
    check(&state(waiting("CreateContainerConfigError")), 0, Some((Kind::Missing, "because")));
    check(&state(waiting("ContainerCreating")), 60, None);
    let ended = |code: u64, reason: &str| {
        let mut status = waiting(reason);
        status["lastState"] = json!({"terminated": {"exitCode": code}});
        state(status)
    };
    check(&ended(2, "CrashLoopBackOff"), 0, Some((Kind::Configuration, "refuses")));
    check(&ended(101, "CrashLoopBackOff"), 0, Some((Kind::CrashLoop, "exit code 101")));
    // A single fall is not a loop.
    check(&ended(1, "ContainerCreating"), 0, None);
    let with = |status: Value, event: Value| [state(status), vec![event]].concat();
    let absent = "MountVolume.SetUp failed for volume \"secrets\" : secret \"mira\" not found";
    check(
        &with(waiting("ContainerCreating"), event("FailedMount", absent, 2)),
        0,
        Some((Kind::Missing, absent)),
    );
    check(&with(waiting("ContainerCreating"), event("FailedMount", absent, 1)), 0, None);
    let unhealthy = event("Unhealthy", "Readiness probe failed: 503", 3);
    check(&with(running(), unhealthy.clone()), 5, None);
    check(&with(running(), unhealthy), 16, Some((Kind::Probe, "Readiness probe failed: 503")));
    check(&state(running()), 16, None);
    // One that starts may wait for what starts with it.
    let mut starting = running();
    starting["started"] = json!(false);
    let unhealthy = event("Unhealthy", "Startup probe failed: 503", 3);
    check(&with(starting.clone(), unhealthy.clone()), 44, None);
    check(&with(starting, unhealthy), 46, Some((Kind::Probe, "Startup probe failed: 503")));
    let killing = event("Killing", "Container mira failed liveness probe, will be restarted", 1);
    check(&with(running(), killing), 0, Some((Kind::Probe, "liveness probe")));
    let mut unschedulable = pod("new", &Value::Null);
    let condition =
        json!([{"reason": "Unschedulable", "status": "False", "message": "Insufficient cpu"}]);
    unschedulable["status"] = json!({"conditions": condition});
    check(
        &[deployment(0), new(), unschedulable],
        0,
        Some((Kind::Unschedulable, "Insufficient cpu")),
    );
    let mut refused = new();
    let condition =
        json!([{"type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity"}]);
    refused["status"] = json!({"conditions": condition});
    check(&[deployment(0), refused], 0, Some((Kind::Admission, "violates PodSecurity")));
}

/// K8S-3: pods that are on their way out, or of an older kind, are not what is waited for.
#[test]
fn old_pods_do_not_count() {
    let broken = pod("old", &waiting("ErrImageNeverPull"));
    check(&[deployment(1), set("old", "1"), set("new", "2"), broken.clone()], 0, None);
    let mut leaving = broken;
    leaving["metadata"]["deletionTimestamp"] = json!(STARTED);
    assert_eq!(kind(&leaving), "Pod");
    check(&[deployment(1), leaving], 0, None);
}
