//! SEC-4: one caller fetches, the others wait for it.

use std::time::Duration;

use core_secrets::backend::BackendError;
use core_secrets::{Error, SecretData};
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::support::{SECOND, Script, builder, down, observed, shown, value};

/// SEC-4: 64 callers, one request, one answer for all.
#[tokio::test(start_paused = true)]
async fn one_fetches_for_all() {
    let script = Script::slow(SECOND, |call, _, key| Ok(value(key, &format!("answer {call}"))));
    let (secrets, events) = observed(builder([("vault", script.clone())]));
    let answers = join_all((0..64).map(|_| secrets.get("db", Some("password")))).await;
    assert!(answers.iter().all(|answer| shown(answer.as_ref().unwrap()) == "answer 0"));
    assert_eq!((script.count(), events.lock().unwrap().len()), (1, 1));
}

/// SEC-4: a failure is shared too: nobody begins anew what has just failed while he waited.
#[tokio::test(start_paused = true)]
async fn one_fails_for_all() {
    let script = Script::slow(SECOND, |_, _, _| Err(BackendError::denied("403")));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    let answers = join_all((0..64).map(|_| secrets.get("db", Some("password")))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Backend { .. }))));
    assert_eq!(script.count(), 1);
    secrets.get("db", Some("password")).await.unwrap_err();
    assert_eq!(script.count(), 2, "who comes later tries again");
}

/// SEC-4: a dead backend holds up the callers of one path once, not once for each key.
#[tokio::test(start_paused = true)]
async fn keys_share_an_outage() {
    let env = Script::new(|_, _, key| match key {
        Some("3") => Ok(value(key, "from env")),
        _ => Err(BackendError::not_found("no variable")),
    });
    let dead = Script::slow(SECOND * 10_000, |_, _, _| Err(down()));
    let secrets = builder([("env", env), ("vault", dead.clone())]).build().unwrap();
    let start = Instant::now();
    let keys: Vec<_> = (0..8).map(|key| key.to_string()).collect();
    let answers = join_all(keys.iter().map(|key| secrets.get("db", Some(key)))).await;
    assert!(start.elapsed() <= SECOND * 31, "{:?}", start.elapsed());
    assert_eq!(dead.count(), 1);
    for (key, answer) in answers.iter().enumerate() {
        assert_eq!(answer.is_ok(), key == 3, "{key}: {answer:?}");
    }
}

/// A caller that gives up loses nobody's read: the next in the queue goes on.
#[tokio::test(start_paused = true)]
async fn the_next_takes_over_from_one_who_gives_up() {
    let script = Script::slow(SECOND * 2, |_, _, key| Ok(value(key, "v")));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    let (gave_up, waited) =
        tokio::join!(timeout(SECOND, secrets.get("name", None)), secrets.get("name", None));
    assert!(gave_up.is_err());
    assert_eq!(shown(&waited.unwrap()), "v");
    assert_eq!(script.count(), 2);
}

/// SEC-7: who has read a value before never waits for its refresh.
#[tokio::test(start_paused = true)]
async fn cached_values_do_not_wait() {
    let script = Script::slow(SECOND, |call, _, key| Ok(value(key, &format!("answer {call}"))));
    let secrets = builder([("vault", script)]).build().unwrap();
    secrets.get("name", None).await.unwrap();
    let start = Instant::now();
    let during = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let reference = "secret://name".parse().unwrap();
        for value in [secrets.get("name", None).await, secrets.resolve(&reference).await] {
            assert_eq!(shown(&value.unwrap()), "answer 0");
        }
        assert_eq!(start.elapsed().as_millis(), 500);
    };
    tokio::join!(secrets.refresh_now(), during);
    assert_eq!(shown(&secrets.cached("name", None).unwrap()), "answer 1");
}

/// A reload means: as it is from now on. A read that was under way does not count.
#[tokio::test(start_paused = true)]
async fn a_reload_reads_after_it_was_asked_for() {
    let script = Script::slow(SECOND, |call, _, key| Ok(value(key, &format!("answer {call}"))));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    let reload = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        tokio::join!(secrets.refresh_now(), secrets.refresh_now(), secrets.refresh_now());
    };
    let (first, ()) = tokio::join!(secrets.get("name", None), reload);
    assert_eq!(shown(&first.unwrap()), "answer 0");
    assert_eq!(shown(&secrets.cached("name", None).unwrap()), "answer 1");
    assert_eq!(script.count(), 2, "three reloads at once are one read");
}

/// SEC-7: ten thousand secrets are refreshed eight at a time.
#[tokio::test(start_paused = true)]
async fn refreshes_are_bounded() {
    let script = Script::slow(SECOND, |_, _, key| Ok(SecretData::new().with(key, "v".into())));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    let paths: Vec<_> = (0..10_000).map(|number| format!("secret-{number}")).collect();
    join_all(paths.iter().map(|path| secrets.get(path, None))).await;
    let start = Instant::now();
    secrets.refresh_now().await;
    assert_eq!(script.count(), 20_000);
    assert_eq!(start.elapsed(), SECOND * 10_000 / 8);
}

/// SEC-4: also on many threads, one read for each path.
#[test]
fn threads_share_reads() {
    let script = Script::new(|_, path, key| Ok(value(key, path)));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    for number in 0..500 {
                        let path = format!("secret-{number}");
                        assert_eq!(shown(&secrets.get(&path, None).await.unwrap()), path);
                    }
                });
            });
        }
    });
    assert_eq!(script.count(), 500);
}

/// Every future can be spawned by the host, and moved between threads.
#[tokio::test]
async fn futures_can_be_spawned() {
    fn spawnable<T: Send + 'static>(_: T) {}
    let secrets = builder([("vault", Script::new(|_, _, _| Err(down())))]).build().unwrap();
    spawnable(secrets.run());
    spawnable(secrets.refresh_now());
    spawnable(async move { secrets.get("name", None).await });
}
