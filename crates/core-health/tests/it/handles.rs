//! Components, latches, heartbeats, and the stop.

use core_health::{Group, State};
use core_types::Status;
use tokio::time::sleep;

use crate::{check, get, health, is_up, observed, run_for, seconds, state, text, transitions};

/// HLT-3: healthy and degraded give 200, unhealthy and unknown give 503.
#[test]
fn a_component_is_what_it_was_told() {
    let health = health();
    let component = health.component("broker").unwrap();
    let looks = |expected: State, up: bool, reason: Option<&str>| {
        let check = check(&health, "broker");
        assert_eq!((check.state, check.reason.as_deref()), (expected, reason));
        assert_eq!(is_up(&health, "/health/ready"), up);
        assert_eq!(get(&health, "/health").status, if up { 200 } else { 503 });
    };
    looks(State::Unknown, false, Some("has not reported yet"));
    component.healthy();
    looks(State::Healthy, true, None);
    component.degraded("slow");
    looks(State::Degraded, true, Some("slow"));
    component.unhealthy("gone");
    looks(State::Unhealthy, false, Some("gone"));
    component.update(Status::Degraded, Some("back, and slow"));
    looks(State::Degraded, true, Some("back, and slow"));
    component.update(Status::Healthy, None);
    looks(State::Healthy, true, None);
    component.set_data("queued", 3);
    component.healthy();
    assert_eq!(check(&health, "broker").data["queued"], 3);
}

/// HLT-5: a handle that is dropped shows as failed, not as healthy.
#[test]
fn a_dropped_component_is_unhealthy() {
    let health = health();
    let component = health.component("broker").unwrap();
    component.healthy();
    assert!(is_up(&health, "/health/ready"));
    drop(component);
    let check = check(&health, "broker");
    assert_eq!(check.state, State::Unhealthy);
    assert_eq!(check.reason.as_deref(), Some("its handle was dropped"));
    assert!(!is_up(&health, "/health/ready"));
}

/// HLT-1: startup and readiness say no until every latch is released, and name what is missing.
#[test]
fn nothing_is_ready_before_the_last_latch() {
    let health = health();
    let (agents, migrations) =
        (health.latch("agents").unwrap(), health.latch("migrations").unwrap());
    for target in ["/health/startup", "/health/ready"] {
        assert!(!is_up(&health, target), "{target}");
    }
    assert!(is_up(&health, "/health/live"));
    migrations.release();
    let answer = get(&health, "/health/startup");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"]["agents"]["status"], "unknown");
    assert_eq!(answer.json()["checks"]["migrations"]["status"], "healthy");
    assert_eq!(
        text(&health, "/health/startup?verbose", false),
        "[-]agents unknown: reason withheld\n[+]migrations ok\nstartup check failed\n"
    );
    agents.release();
    for target in ["/health/startup", "/health/ready", "/health"] {
        assert!(is_up(&health, target), "{target}");
    }
}

/// HLT-5: a latch that is dropped without a release has failed, for ever.
#[test]
fn a_dropped_latch_is_unhealthy() {
    let health = health();
    drop(health.latch("agents").unwrap());
    assert_eq!(state(&health, "agents"), State::Unhealthy);
    for target in ["/health/startup", "/health/ready"] {
        assert!(!is_up(&health, target), "{target}");
    }
}

/// HLT-1: liveness is fed by heartbeats alone, and says no when one is late or gone.
#[tokio::test(start_paused = true)]
async fn a_late_heartbeat_fails_liveness() {
    let (health, events) = observed(health());
    assert!(is_up(&health, "/health/live"), "nothing is expected");
    let beat = health.heartbeat("consumer", seconds(5)).unwrap();
    sleep(seconds(5)).await;
    assert!(is_up(&health, "/health/live"));
    sleep(seconds(1)).await;
    assert!(!is_up(&health, "/health/live"));
    assert!(is_up(&health, "/health/ready"), "that is another question");
    beat.beat();
    assert!(is_up(&health, "/health/live"));
    sleep(seconds(6)).await;
    beat.beat();
    drop(beat);
    assert!(!is_up(&health, "/health/live"));
    let late = "consumer: healthy -> unhealthy (its last beat is older than its limit)";
    let back = "consumer: unhealthy -> healthy";
    let gone = "consumer: healthy -> unhealthy (its handle was dropped)";
    assert_eq!(transitions(&events), [late, back, late, back, gone]);
}

/// HLT-1: of several loops the first that is late is found.
#[tokio::test(start_paused = true)]
async fn the_first_late_heartbeat_fails_liveness() {
    let health = health();
    let limits = [("quick", 5), ("slow", 50)];
    let _beats = limits.map(|(name, limit)| health.heartbeat(name, seconds(limit)).unwrap());
    assert!(is_up(&health, "/health/live"));
    sleep(seconds(6)).await;
    assert!(!is_up(&health, "/health/live"));
}

/// HLT-1: an unhealthy dependency is no reason to restart.
#[test]
fn liveness_looks_at_nothing_else() {
    let health = health();
    let _latch = health.latch("latch").unwrap();
    health.component("broker").unwrap().unhealthy("gone");
    assert!(is_up(&health, "/health/live"));
    assert_eq!(get(&health, "/health/live").json()["checks"], serde_json::json!({}));
}

/// HLT-6: the observer hears of a late heartbeat though nobody asks.
#[tokio::test(start_paused = true)]
async fn a_late_heartbeat_is_noticed_without_a_probe() {
    let (health, events) = observed(health());
    let _beat = health.heartbeat("consumer", seconds(5)).unwrap();
    run_for(&health, seconds(5)).await;
    assert!(transitions(&events).is_empty());
    run_for(&health, seconds(20)).await;
    assert_eq!(transitions(&events).len(), 1);
}

/// HLT-6: and at once from a probe that finds it, though nothing runs.
#[tokio::test(start_paused = true)]
async fn what_a_probe_finds_is_told() {
    let (health, events) = observed(health());
    let _beat = health.heartbeat("consumer", seconds(5)).unwrap();
    assert!(is_up(&health, "/health/live"));
    sleep(seconds(6)).await;
    assert!(!is_up(&health, "/health/live"));
    assert_eq!(transitions(&events).len(), 1);
}

/// HLT-5: from `stopping` on it is not ready, while liveness stays, and handles may go in peace.
#[tokio::test(start_paused = true)]
async fn stopping_takes_readiness_and_keeps_liveness() {
    let (health, events) = observed(health());
    let component = health.component("broker").unwrap();
    let latch = health.latch("latch").unwrap();
    let beat = health.heartbeat("consumer", seconds(5)).unwrap();
    component.healthy();
    latch.release();
    assert_eq!(get(&health, "/health/ready").json()["checks"]["shutdown"]["status"], "healthy");
    health.stopping();
    health.stopping();
    for target in ["/health/ready", "/ready", "/health", "/readyz/shutdown"] {
        assert!(!is_up(&health, target), "{target}");
    }
    drop((component, beat));
    sleep(seconds(60)).await;
    assert!(is_up(&health, "/health/live"));
    assert!(is_up(&health, "/health/startup"));
    assert_eq!(state(&health, "broker"), State::Healthy);
    assert_eq!(health.status(Group::Liveness), Status::Healthy);
    assert_eq!(
        transitions(&events)[2..],
        ["shutdown: healthy -> unhealthy (the service is stopping)"]
    );
}
