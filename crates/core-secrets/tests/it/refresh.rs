//! SEC-4: secrets are read again, each in its own time, and no oftener in an outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_secrets::{Event, Outcome, Secrets};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{SECOND, Script, down, observed, shown, value, with_config};

const MINUTE: Duration = Duration::from_secs(60);

fn refreshing(script: Arc<Script>) -> core_secrets::Builder {
    with_config([("vault", script)], |config| config.auto_refresh = true)
}

/// Lets time pass while the refresh runs.
async fn pass(secrets: &Secrets, time: Duration) {
    timeout(time, secrets.run()).await.unwrap_err();
}

/// SEC-4: every secret is read again within the interval, and not all at the same moment.
#[tokio::test(start_paused = true)]
async fn each_secret_is_read_again_within_the_interval() {
    let script = Script::new(|_, _, key| Ok(value(key, "v")));
    let secrets = refreshing(script.clone()).build().unwrap();
    let during = async {
        for number in 0..100 {
            secrets.get(&format!("secret-{number}"), None).await.unwrap();
        }
        sleep(SECOND * 301).await;
    };
    let start = Instant::now();
    tokio::select! {
        () = secrets.run() => unreachable!("it never ends"),
        () = during => {}
    }
    let again: Vec<_> = script.calls()[100..].iter().map(|call| *call - start).collect();
    assert_eq!(again.len(), 100);
    let (first, last) = (again.iter().min().unwrap(), again.iter().max().unwrap());
    assert!(*first >= SECOND * 240 && *last <= SECOND * 301, "{first:?} to {last:?}");
    assert!(*last > *first + SECOND * 40, "{first:?} to {last:?}");
}

/// Off is off.
#[tokio::test(start_paused = true)]
async fn without_auto_refresh_nothing_is_read_again() {
    let script = Script::new(|_, _, key| Ok(value(key, "v")));
    let secrets = with_config([("vault", script.clone())], |_| {}).build().unwrap();
    secrets.get("name", None).await.unwrap();
    pass(&secrets, MINUTE * 60).await;
    assert_eq!(script.count(), 1);
    assert!(!secrets.status()[0].stale, "nobody expects it to be fresh");
}

/// SEC-4: with the backend down for long, the request rate stays that of good times, the value
/// stays, one stale signal is raised, and recovery asks once.
#[tokio::test(start_paused = true)]
async fn an_outage_makes_no_storm_and_loses_no_value() {
    let is_down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_down);
    let script =
        Script::new(
            move |_, _, key| {
                if flag.load(Ordering::Relaxed) { Err(down()) } else { Ok(value(key, "v")) }
            },
        );
    let (secrets, events) = observed(refreshing(script.clone()));
    secrets.get("name", Some("key")).await.unwrap();
    events.lock().unwrap().clear();

    is_down.store(true, Ordering::Relaxed);
    // One run, as the host has.
    let mut run = Box::pin(secrets.run());
    timeout(MINUTE * 14, &mut run).await.unwrap_err();
    assert!(!secrets.status()[0].stale, "not before three intervals");
    timeout(MINUTE * 46, &mut run).await.unwrap_err();
    let status = secrets.status().remove(0);
    assert_eq!(status.outcome.as_str(), "unavailable");
    assert_eq!((status.stale, status.age), (true, Some(MINUTE * 60)));
    assert_eq!(shown(&secrets.get("name", Some("key")).await.unwrap()), "v");
    // Four attempts at first, then one in each interval of 240 s to 300 s, one hour long.
    let calls = script.count() - 1;
    assert!((15..=18).contains(&calls), "{calls}");
    let told = |wanted: fn(&Event) -> bool| {
        events.lock().unwrap().iter().filter(|event| wanted(event)).count()
    };
    assert_eq!(told(|event| matches!(event, Event::Stale { .. })), 1);
    let failed = told(|event| matches!(event, Event::RefreshFailed { cached: true, .. }));
    assert_eq!(failed, calls - 3);

    is_down.store(false, Ordering::Relaxed);
    let recovery = Instant::now();
    while secrets.status()[0].outcome != Outcome::Unchanged {
        timeout(SECOND, &mut run).await.unwrap_err();
    }
    assert!(recovery.elapsed() <= SECOND * 301);
    assert!(!secrets.status()[0].stale);
    assert_eq!(script.count() - 1 - calls, 1, "recovery asks once");

    is_down.store(true, Ordering::Relaxed);
    timeout(MINUTE * 60, &mut run).await.unwrap_err();
    assert_eq!(told(|event| matches!(event, Event::Stale { .. })), 2, "another outage");
}

/// A secret that could not be read at first is there as soon as its backend is.
#[tokio::test(start_paused = true)]
async fn what_was_missing_is_looked_for_again() {
    let script = Script::new(|call, _, key| match call {
        0 => Err(core_secrets::BackendError::not_found("not yet")),
        _ => Ok(value(key, "v")),
    });
    let (secrets, events) = observed(refreshing(script));
    secrets.get("name", None).await.unwrap_err();
    assert_eq!(secrets.status()[0].age, None);
    pass(&secrets, SECOND * 301).await;
    assert_eq!(shown(&secrets.cached("name", None).unwrap()), "v");
    let events = events.lock().unwrap();
    assert!(matches!(events[1], Event::Refreshed { outcome: Outcome::New, .. }), "{events:?}");
    assert_eq!(events.len(), 2, "a first value is no rotation");
}
