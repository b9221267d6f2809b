//! SEC-2: repetition of what may pass, and what comes after it.

use std::time::Duration;

use core_secrets::backend::BackendError;
use core_secrets::{Error, GetOptions};
use tokio::time::Instant;

use crate::support::{SECOND, Script, builder, down, shown, value};

/// SEC-2: a passing fault is repeated, each wait between nothing and twice the one before.
#[tokio::test(start_paused = true)]
async fn passing_faults_are_repeated() {
    let mut waits = Vec::new();
    for _ in 0..50 {
        let script =
            Script::new(|call, _, key| if call < 3 { Err(down()) } else { Ok(value(key, "v")) });
        let secrets = builder([("vault", script.clone())]).build().unwrap();
        assert_eq!(shown(&secrets.get("name", None).await.unwrap()), "v");
        let calls = script.calls();
        assert_eq!(calls.len(), 4);
        waits.push([1, 2, 3].map(|call| calls[call] - calls[call - 1]));
    }
    for (attempt, longest) in [1, 2, 4].into_iter().enumerate() {
        let of_attempt = || waits.iter().map(|waits| waits[attempt]);
        // The clock counts in milliseconds and rounds up.
        assert!(of_attempt().max().unwrap() <= SECOND * longest + Duration::from_millis(1));
        assert!(of_attempt().max().unwrap() > SECOND * longest * 7 / 10, "the range is used");
        assert!(of_attempt().min().unwrap() < SECOND * longest * 3 / 10, "the jitter is full");
    }
}

/// SEC-2: a final answer is not repeated.
#[tokio::test(start_paused = true)]
async fn final_answers_are_not_repeated() {
    let finals =
        [BackendError::not_found("404"), BackendError::denied("403"), BackendError::invalid("400")];
    for answer in finals {
        let script = Script::new(move |_, _, _| Err(answer.clone()));
        let secrets = builder([("vault", script.clone())]).build().unwrap();
        secrets.get("name", None).await.unwrap_err();
        assert_eq!(script.count(), 1);
    }
}

/// SEC-2: the backend's `Retry-After` is the least wait.
#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let script = Script::new(|call, _, key| match call {
        0 => Err(down().with_retry_after(SECOND * 5)),
        _ => Ok(value(key, "v")),
    });
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    secrets.get("name", None).await.unwrap();
    let calls = script.calls();
    assert!((calls[1] - calls[0]) >= SECOND * 5);
    assert!((calls[1] - calls[0]) <= SECOND * 6 + Duration::from_millis(1));
}

/// SEC-2: nobody waits for what would come after the budget.
#[tokio::test(start_paused = true)]
async fn a_wait_past_the_budget_is_not_begun() {
    for wait in [SECOND * 31, Duration::MAX] {
        let script = Script::new(move |_, _, _| Err(down().with_retry_after(wait)));
        let secrets = builder([("vault", script.clone())]).build().unwrap();
        let start = Instant::now();
        secrets.get("name", None).await.unwrap_err();
        assert_eq!((script.count(), start.elapsed()), (1, Duration::ZERO));
    }
}

/// SEC-2: everything ends with the budget, however patient the caller and however dead the backend.
#[tokio::test(start_paused = true)]
async fn the_budget_is_the_end() {
    let impatient = Script::new(|_, _, _| Err(down()));
    let hung = Script::slow(SECOND * 10_000, |_, _, _| Err(down()));
    for script in [impatient, hung] {
        let secrets = builder([("vault", script.clone())]).build().unwrap();
        let start = Instant::now();
        let options = GetOptions::default().with_max_retries(u32::MAX).with_delay(SECOND * 10);
        let error = secrets.get_with("name", None, options).await.unwrap_err();
        assert_eq!(error.to_string(), "backend `vault` did not give secret://name");
        assert!(start.elapsed() <= SECOND * 30 + Duration::from_millis(1), "{:?}", start.elapsed());
        assert!(script.count() < 50, "{}", script.count());
    }
}

/// SEC-2: the caller says how often and how long, as in the founding documents.
#[tokio::test(start_paused = true)]
async fn callers_have_their_own_patience() {
    let script = Script::new(|_, _, _| Err(down()));
    let secrets = builder([("vault", script.clone())]).build().unwrap();
    for (retries, calls) in [(0, 1), (1, 3), (5, 9)] {
        let options =
            GetOptions::default().with_max_retries(retries).with_delay(Duration::from_millis(100));
        secrets.get_with("API_KEY", None, options).await.unwrap_err();
        assert_eq!(script.count(), calls);
    }
}

/// SEC-2: first the cached value, then the caller's default, then an error.
#[tokio::test(start_paused = true)]
async fn what_comes_after_the_repetitions() {
    let script = Script::new(|call, path, key| match (call, path) {
        (0, "kept") => Ok(value(key, "cached")),
        _ => Err(down()),
    });
    let secrets = builder([("vault", script)]).build().unwrap();
    let with_default = || GetOptions::default().with_default("default".into());
    secrets.get("kept", None).await.unwrap();
    secrets.refresh_now().await;
    let kept = secrets.get_with("kept", None, with_default()).await.unwrap();
    assert_eq!(shown(&kept), "cached");
    let other = secrets.get_with("other", None, with_default()).await.unwrap();
    assert_eq!(shown(&other), "default");
    assert!(secrets.cached("other", None).is_none(), "a default is not kept");
    let error = secrets.get("other", None).await.unwrap_err();
    assert!(matches!(error, Error::Backend { .. }));
    let error = secrets.get_with("not a path", None, with_default()).await.unwrap_err();
    assert!(matches!(error, Error::Reference(_)), "a mistake is not papered over");
}

/// A backend that panics is a failing backend.
#[tokio::test]
async fn a_panic_is_a_failure() {
    let script = Script::new(|_, _, _| panic!("on purpose"));
    let secrets = builder([("vault", script)]).build().unwrap();
    match secrets.get("name", None).await {
        Err(Error::Backend { source, .. }) => assert_eq!(source.to_string(), "it panicked"),
        other => panic!("{other:?}"),
    }
}

/// SEC-2: what came along before an outage is as good as cached.
#[tokio::test(start_paused = true)]
async fn an_outage_leaves_what_came_along() {
    let script = Script::new(|call, _, _| match call {
        0 => Ok(value(Some("user"), "ada").with(Some("password"), "secret".into())),
        _ => Err(down()),
    });
    let secrets = builder([("vault", script)]).build().unwrap();
    secrets.get("db", Some("user")).await.unwrap();
    secrets.refresh_now().await;
    assert_eq!(shown(&secrets.get("db", Some("password")).await.unwrap()), "secret");
    secrets.get("db", Some("host")).await.unwrap_err();
}
