use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use core_shutdown::{Config, Outcome, Phase, Priority, Reason, Runner, StepOutcome};

/// STOP-3: a callback that fails, panics or hangs stops no other.
#[tokio::test(start_paused = true)]
async fn a_bad_callback_stops_no_other() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    let on_stop = |name: &str, priority| (name.to_owned(), Priority::new(priority).unwrap());
    let (name, priority) = on_stop("fails", 1);
    shutdown
        .on_stop(name, priority, || async { Err(io::Error::other("disk full").into()) })
        .unwrap();
    let (name, priority) = on_stop("panics", 2);
    shutdown.on_stop(name, priority, || async { panic!("on purpose") }).unwrap();
    let (name, priority) = on_stop("panics_at_once", 3);
    #[expect(unreachable_code, reason = "the closure panics before it makes a future")]
    shutdown
        .on_stop(name, priority, || {
            panic!("early");
            async { Ok(()) }
        })
        .unwrap();
    let (name, priority) = on_stop("hangs", 4);
    shutdown.on_stop(name, priority, || async { pending().await }).unwrap();
    let (name, priority) = on_stop("good", 5);
    shutdown.on_stop(name, priority, || async { Ok(()) }).unwrap();
    shutdown.trigger_at_once(Reason::Requested);
    let report = runner.run().await;

    let steps: Vec<_> = report
        .steps
        .iter()
        .filter(|step| step.phase == Phase::Callbacks)
        .map(|step| (step.name.as_str(), step.outcome, step.error.as_deref()))
        .collect();
    assert_eq!(
        steps,
        [
            ("fails", StepOutcome::Failed, Some("disk full")),
            ("panics", StepOutcome::Failed, Some("panicked: on purpose")),
            ("panics_at_once", StepOutcome::Failed, Some("panicked: early")),
            ("hangs", StepOutcome::TimedOut, None),
            ("good", StepOutcome::Done, None),
        ]
    );
    assert_eq!(report.outcome(), Outcome::CutShort);
    assert_eq!(report.duration, Duration::from_secs(5));
}

/// STOP-3: a failure alone is no cut: everything has ended.
#[tokio::test(start_paused = true)]
async fn a_failure_degrades() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    shutdown.on_stop("fails", Priority::LOW, || async { Err("no".into()) }).unwrap();
    shutdown.trigger(Reason::Requested);
    assert_eq!(runner.run().await.outcome(), Outcome::Degraded);
}

/// STOP-2: a callback that blocks its thread cannot eat the flush at the end.
#[test]
fn a_blocking_callback_is_left_behind() {
    let workers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let own = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut config = Config::default();
    config.callback_timeout = Duration::from_millis(20).into();
    let handle = workers.handle().clone();
    let runner = Runner::new(config).unwrap().with_spawner(move |task| {
        handle.spawn(task);
    });
    let shutdown = runner.shutdown();
    let (release, block) = std::sync::mpsc::channel::<()>();
    shutdown
        .on_stop("blocks", Priority::FIRST, || async move {
            let _ = block.recv();
            Ok(())
        })
        .unwrap();
    let flushed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&flushed);
    // The flush is the host's own, which runs where the stop does.
    shutdown.trigger_at_once(Reason::Requested);
    let report = own.block_on(async {
        let report = runner.run().await;
        flag.store(true, Ordering::SeqCst);
        report
    });
    let step = report.steps.iter().find(|step| step.name == "blocks").unwrap();
    assert_eq!(step.outcome, StepOutcome::TimedOut);
    assert!(flushed.load(Ordering::SeqCst));
    drop(release);
}
