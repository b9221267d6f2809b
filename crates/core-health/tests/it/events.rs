//! The observer.

use std::future::pending;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::SystemTime;

use core_health::{CheckOptions, Event, Health, Report, State};
use core_types::Status;
use tokio::time::sleep;

use crate::{check, get, health, observed, run_for, seconds, state, transitions};

/// HLT-6: transitions are told once per change, with the reason.
#[tokio::test(start_paused = true)]
async fn a_change_is_told_once() {
    let (health, events) = observed(health());
    health.check("database", async || Report::unhealthy("refused")).unwrap();
    let broker = health.component("broker").unwrap();
    for _ in 0..3 {
        broker.degraded("slow");
        get(&health, "/health");
    }
    run_for(&health, seconds(60)).await;
    assert_eq!(
        transitions(&events),
        ["broker: unknown -> degraded (slow)", "database: unknown -> unhealthy (refused)"]
    );
}

/// HLT-6: the time of a change is that of the change, not of the last word.
#[test]
fn since_is_the_time_of_the_change() {
    let health = health();
    let broker = health.component("broker").unwrap();
    let since = || SystemTime::from(check(&health, "broker").since);
    broker.update(Status::Healthy, None);
    let before = SystemTime::now();
    broker.update(Status::Degraded, None);
    let after = SystemTime::now();
    assert!((before..=after).contains(&since()), "{before:?} {:?} {after:?}", since());
    let changed = since();
    broker.update(Status::Degraded, None);
    assert_eq!(since(), changed);
}

/// A run that takes more than half of its timeout is told of, cut or not.
#[tokio::test(start_paused = true)]
async fn slow_runs_are_told_of() {
    let (health, events) = observed(health());
    let options = || CheckOptions::new().interval(seconds(30)).timeout(seconds(4));
    let takes = |time| {
        move || async move {
            sleep(seconds(time)).await;
            Report::healthy()
        }
    };
    health.check_with("quick", options(), takes(2)).unwrap();
    health.check_with("slow", options(), takes(3)).unwrap();
    health.check_with("hung", options(), pending::<Report>).unwrap();
    run_for(&health, seconds(20)).await;
    let slow = |name: &str, time, timed_out| Event::SlowCheck {
        check: name.into(),
        latency: seconds(time),
        timeout: seconds(4),
        timed_out,
    };
    let events = events.lock().unwrap();
    let told: Vec<_> = events.iter().filter(|e| matches!(e, Event::SlowCheck { .. })).collect();
    assert_eq!(told, [&slow("slow", 3, false), &slow("hung", 4, true)]);
    assert_eq!(check(&health, "slow").latency, Some(seconds(3)));
}

/// An observer may use the handle that it observes, and hears of what it did in its turn.
#[test]
fn an_observer_may_call_back() {
    let component = Arc::new(OnceLock::new());
    let (seen, told) = (Arc::new(Mutex::new(Vec::new())), Arc::clone(&component));
    let order = Arc::clone(&seen);
    let own: Arc<OnceLock<Health>> = Arc::default();
    let handle = Arc::clone(&own);
    let health = health().with_observer(move |event| {
        let Event::Transition { to, .. } = event else { return };
        let component: &core_health::Component = told.get().unwrap();
        if *to == State::Degraded {
            component.healthy();
            assert_eq!(state(handle.get().unwrap(), "broker"), State::Healthy);
        }
        order.lock().unwrap().push(*to);
    });
    own.set(health.clone()).unwrap();
    component.set(health.component("broker").unwrap()).unwrap();
    component.get().unwrap().degraded("slow");
    assert_eq!(*seen.lock().unwrap(), [State::Degraded, State::Healthy]);
}

/// A probe does not fail because a logger does.
#[test]
fn an_observer_that_panics_harms_nobody() {
    let count = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&count);
    let health = health().with_observer(move |_| {
        *counter.lock().unwrap_or_else(std::sync::PoisonError::into_inner) += 1;
        panic!("the disk is full");
    });
    let broker = health.component("broker").unwrap();
    broker.healthy();
    broker.degraded("slow");
    assert_eq!(*count.lock().unwrap(), 2);
    assert_eq!(get(&health, "/health").status, 200);
}

/// HLT-6: the changes are kept, with time and reason, each once, those by time alone too; and only
/// so many, whatever flaps.
#[tokio::test(start_paused = true)]
async fn the_latest_changes_are_kept() {
    let health = health();
    let broker = health.component("broker").unwrap();
    let _beat = health.heartbeat("loop", seconds(5)).unwrap();
    for _ in 0..3 {
        broker.degraded("slow");
        get(&health, "/health");
    }
    broker.healthy();
    sleep(seconds(6)).await;
    for _ in 0..2 {
        let written: Vec<_> = health
            .history()
            .iter()
            .map(|t| format!("{} {} -> {} {:?}", t.check, t.from, t.to, t.reason.as_deref()))
            .collect();
        assert_eq!(
            written,
            [
                r#"broker unknown -> degraded Some("slow")"#,
                "broker degraded -> healthy None",
                r#"loop healthy -> unhealthy Some("its last beat is older than its limit")"#,
            ]
        );
    }
    let age = SystemTime::now().duration_since(health.history()[0].at.into()).unwrap();
    assert!(age < seconds(60), "{age:?}");

    for round in 0..70 {
        broker.unhealthy(&format!("round {round}"));
        broker.healthy();
    }
    let history = health.history();
    assert_eq!(history.len(), 100);
    assert_eq!(history[98].reason.as_deref(), Some("round 69"));
    assert_eq!(history[99].to, State::Healthy);
}
