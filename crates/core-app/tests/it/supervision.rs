use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use core_app::shutdown::Reason;
use core_app::{BoxError, Restart};

use crate::client::get;
use crate::service::{app, start, with};

/// APP-4: a critical task that fails stops the service, with its cause.
#[tokio::test]
async fn a_critical_failure_stops_the_service() {
    for panics in [false, true] {
        let running = start(with(&["--set", "server.propagation_delay=0"])).await;
        let work = move || async move {
            assert!(!panics, "on purpose");
            Err::<(), BoxError>("lost the queue".into())
        };
        running.host().task("consumer").critical().spawn(work).unwrap();
        let report = running.stopped().await;
        let expected = if panics { "panicked: on purpose" } else { "lost the queue" };
        let cause = format!("task `consumer` failed: {expected}");
        assert_eq!(report.reason, Reason::Failed { cause });
    }
}

/// APP-4: a task that fails is begun again; meanwhile health is degraded, and it is counted.
#[tokio::test]
async fn a_failed_task_is_begun_again() {
    let running = start(app()).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let work = move || {
        let run = count.fetch_add(1, Ordering::SeqCst);
        async move {
            if run == 0 {
                Err::<(), BoxError>("first".into())
            } else {
                std::future::pending().await
            }
        }
    };
    running.host().task("worker").restart(Restart::Always).spawn(work).unwrap();
    let ops = running.ops_address();
    let state =
        || async { get(ops, "/health").await.json()["checks"]["task.worker"]["status"].clone() };
    while state().await != "degraded" {
        tokio::task::yield_now().await;
    }
    while runs.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    while state().await != "healthy" {
        tokio::task::yield_now().await;
    }
    let metrics = get(ops, "/metrics").await.body;
    assert!(metrics.contains(r#"task_failures_total{task="worker"} 1"#), "{metrics}");
    running.stop().await;
}

/// APP-4: nothing dies silently: a task that gives up degrades health, and one that ends is done.
#[tokio::test]
async fn nothing_dies_silently() {
    let running = start(app()).await;
    let host = running.host();
    host.task("optional").spawn(|| async { Err::<(), BoxError>("gone".into()) }).unwrap();
    host.task("short").spawn(|| async { Ok::<(), BoxError>(()) }).unwrap();
    assert!(
        host.task("short").spawn(|| async { Ok::<(), BoxError>(()) }).is_err(),
        "names are unique"
    );
    let ops = running.ops_address();
    loop {
        let checks = get(ops, "/health").await.json()["checks"].clone();
        assert_eq!(checks["task.short"]["status"], "healthy");
        if checks["task.optional"]["status"] == "degraded" {
            break;
        }
    }
    assert_eq!(get(ops, "/health/ready").await.status, 200);
    running.stop().await;
}
