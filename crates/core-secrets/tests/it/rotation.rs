//! SEC-5: subscribers get the old value and the new one.

use std::sync::{Arc, Mutex};

use core_secrets::backend::BackendError;
use core_secrets::{Event, Outcome, SecretData, Secrets};

use tokio::time::sleep;

use crate::support::{SECOND, Script, builder, down, observed, value};

type Log = Arc<Mutex<Vec<String>>>;

/// Notes what a subscriber is told as `path:key old>new`.
fn note(log: &Log) -> impl Fn(&core_secrets::Rotation) + Send + Sync + 'static + use<> {
    let log = Arc::clone(log);
    move |rotation| {
        let (old, new) = (rotation.old.expose(), rotation.new.expose());
        let key = rotation.key.as_deref().unwrap_or("-");
        log.lock().unwrap().push(format!("{}:{key} {old}>{new}", rotation.path));
    }
}

fn taken(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

/// Gives `user` and `password`, both with the number of the call.
fn pair() -> Arc<Script> {
    Script::new(|call, _, _| {
        let value = |name: &str| format!("{name}{call}").into();
        Ok(SecretData::new().with(Some("user"), value("u")).with(Some("password"), value("p")))
    })
}

async fn ask(secrets: &Secrets) {
    for key in ["user", "password"] {
        secrets.get("db", Some(key)).await.unwrap();
    }
}

/// SEC-5: per path and key; without a key, of every key; of no other path.
#[tokio::test]
async fn subscribers_hear_of_what_they_asked_for() {
    let secrets = builder([("vault", pair())]).build().unwrap();
    let log = Log::default();
    let subscribe = |path: &str, key: Option<&str>| {
        let note = note(&log);
        secrets.on_rotation(path, key, move |rotation| {
            note(rotation);
            Ok(())
        })
    };
    ask(&secrets).await;
    let all = [
        subscribe("db", Some("password")),
        subscribe("db", None),
        subscribe("other", None),
        subscribe("db", Some("host")),
    ];
    secrets.refresh_now().await;
    let expected = ["db:user u0>u1", "db:password p0>p1", "db:password p0>p1"];
    assert_eq!(taken(&log), expected);
    drop(all);
    secrets.refresh_now().await;
    assert!(taken(&log).is_empty(), "a dropped subscription is over");
}

/// SEC-5: whoever is told of one key finds the other keys changed too.
#[tokio::test]
async fn keys_change_together() {
    let secrets = builder([("vault", pair())]).build().unwrap();
    ask(&secrets).await;
    let seen = Log::default();
    let (handle, log) = (secrets.clone(), Arc::clone(&seen));
    let _subscription = secrets.on_rotation("db", Some("user"), move |_| {
        let password = handle.cached("db", Some("password")).unwrap();
        log.lock().unwrap().push(password.expose().clone());
        Ok(())
    });
    secrets.refresh_now().await;
    assert_eq!(taken(&seen), ["p1"]);
}

/// SEC-5: a new version that is met while another key is looked for is a rotation too: what is
/// handed out next to each other belongs together.
#[tokio::test]
async fn a_newer_version_counts_for_every_key() {
    // The key `host` appears with the second version.
    let script = Script::new(|call, _, _| {
        let first = value(Some("user"), &format!("u{call}"));
        Ok(if call == 0 { first } else { first.with(Some("host"), "h1".into()) })
    });
    let secrets = builder([("vault", script)]).build().unwrap();
    secrets.get("db", Some("user")).await.unwrap();
    let log = Log::default();
    let write = note(&log);
    let _subscription = secrets.on_rotation("db", None, move |rotation| {
        write(rotation);
        Ok(())
    });
    secrets.get("db", Some("host")).await.unwrap();
    assert_eq!(taken(&log), ["db:user u0>u1"]);
    assert_eq!(secrets.get("db", Some("user")).await.unwrap(), "u1".into());
}

/// The same value again is no rotation, and neither is a failure.
#[tokio::test(start_paused = true)]
async fn only_a_change_is_a_rotation() {
    let script = Script::new(|call, _, key| match call {
        0 | 1 => Ok(value(key, "v")),
        2 => Err(BackendError::denied("403")),
        3..=6 => Err(down()),
        _ => Ok(value(key, "w")),
    });
    let (secrets, events) = observed(builder([("vault", script)]));
    let log = Log::default();
    let note = note(&log);
    let _subscription = secrets.on_rotation("db", None, move |rotation| {
        note(rotation);
        Ok(())
    });
    secrets.get("db", None).await.unwrap();
    for outcome in ["unchanged", "denied", "unavailable"] {
        secrets.refresh_now().await;
        assert_eq!(secrets.status()[0].outcome.as_str(), outcome);
    }
    assert!(taken(&log).is_empty());
    secrets.refresh_now().await;
    assert_eq!(taken(&log), ["db:- v>w"]);
    let events = events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Rotated { .. })).count(), 1);
    let [.., Event::Refreshed { outcome, .. }, Event::Rotated { path, key: None, .. }] =
        &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((*outcome, &**path), (Outcome::Changed, "db"));
}

/// SEC-5: who refuses keeps the old value, is known for it, and is asked again until it accepts.
#[tokio::test]
async fn who_refuses_is_asked_again() {
    let script = Script::new(|call, _, key| Ok(value(key, &format!("v{}", call.min(2)))));
    let (secrets, events) = observed(builder([("vault", script)]));
    secrets.get("db", None).await.unwrap();
    let log = Log::default();
    let (write, accepted) = (note(&log), Log::default());
    let kept = Arc::clone(&accepted);
    let _stubborn = secrets.on_rotation("db", None, move |rotation| {
        write(rotation);
        let mut asked = kept.lock().unwrap();
        asked.push(String::new());
        if asked.len() < 3 {
            return Err(format!("cannot log in with {}", rotation.new.expose()).into());
        }
        Ok(())
    });
    let others = Log::default();
    let write = note(&others);
    let _willing = secrets.on_rotation("db", None, move |rotation| {
        write(rotation);
        Ok(())
    });
    let mut refused = Vec::new();
    for _ in 0..4 {
        secrets.refresh_now().await;
        refused.push(secrets.status()[0].refused);
    }
    assert_eq!(taken(&log), ["db:- v0>v1", "db:- v0>v2", "db:- v0>v2"]);
    assert_eq!(taken(&others), ["db:- v0>v1", "db:- v1>v2"]);
    assert_eq!(refused, [true, true, false, false]);
    let events = events.lock().unwrap();
    let reasons = events.iter().filter_map(|event| match event {
        Event::Refused { reason, .. } => Some(&**reason),
        _ => None,
    });
    assert_eq!(reasons.collect::<Vec<_>>(), ["cannot log in with [REDACTED]"; 2]);
}

/// A value that goes back to the one that a stubborn subscriber holds ends the matter.
#[tokio::test]
async fn a_rotation_taken_back_needs_nobody() {
    let script = Script::new(|call, _, key| Ok(value(key, if call == 1 { "new" } else { "old" })));
    let secrets = builder([("vault", script)]).build().unwrap();
    secrets.get("db", None).await.unwrap();
    let log = Log::default();
    let write = note(&log);
    let _stubborn = secrets.on_rotation("db", None, move |rotation| {
        write(rotation);
        Err("no".into())
    });
    secrets.refresh_now().await;
    assert!(secrets.status()[0].refused);
    secrets.refresh_now().await;
    assert!(!secrets.status()[0].refused);
    assert_eq!(taken(&log), ["db:- old>new"]);
}

/// SEC-5: one subscriber's panic, or the observer's, takes nothing from another.
#[tokio::test]
async fn panics_are_isolated() {
    let script = Script::new(|call, _, key| Ok(value(key, &call.to_string())));
    let secrets =
        builder([("vault", script)]).with_observer(|_| panic!("on purpose")).build().unwrap();
    secrets.get("db", None).await.unwrap();
    let log = Log::default();
    let _broken = secrets.on_rotation("db", None, |_| panic!("on purpose"));
    let write = note(&log);
    let _sound = secrets.on_rotation("db", None, move |rotation| {
        write(rotation);
        Ok(())
    });
    secrets.refresh_now().await;
    assert_eq!(taken(&log), ["db:- 0>1"]);
    assert!(secrets.status()[0].refused);
}

/// Keys that nobody asked for are told to nobody, and change with the others all the same.
#[tokio::test(start_paused = true)]
async fn what_nobody_asked_for_stays_inside() {
    let script = pair();
    let (secrets, events) = observed(builder([("vault", script.clone())]));
    secrets.get("db", Some("user")).await.unwrap();
    secrets.refresh_now().await;
    assert_eq!(secrets.known_values(), ["u1".into(), "u0".into()]);
    sleep(SECOND).await;
    assert_eq!(secrets.get("db", Some("password")).await.unwrap(), "p1".into());
    assert_eq!(script.count(), 2, "it had come along");
    assert_eq!(secrets.status()[1].age, Some(SECOND), "and was not read just now");
    assert_eq!(events.lock().unwrap().len(), 4);
}
