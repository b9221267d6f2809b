use std::future::pending;
use std::time::Duration;

use core_shutdown::{Config, Error, Outcome, Phase, Priority, Reason, Runner, StepOutcome};
use tokio::time::sleep;

const SECOND: Duration = Duration::from_secs(1);

/// The phases must fit the deadline, and the deadline the grace period.
#[test]
fn what_does_not_fit_is_refused() {
    let check = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        Runner::new(config).map(|_| ())
    };
    assert!(check(&|_| {}).is_ok());
    assert!(check(&|config| config.timeout = (6 * SECOND).into()).is_err());
    assert!(check(&|config| config.timeout = (7 * SECOND).into()).is_ok());
    let error = check(&|config| config.grace_period = config.timeout).unwrap_err();
    assert!(matches!(error, Error::Budget { key: "timeout", .. }));
    assert_eq!(
        error.to_string(),
        "the stop's timeout must be a second less than grace_period, 20s"
    );
}

/// One absolute deadline: however much hangs, the flush has its reserve and the whole ends in time.
#[tokio::test(start_paused = true)]
async fn the_flush_has_its_reserve() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    let guard = shutdown.in_flight().guard();
    shutdown.at(Phase::Propagation, "hangs", || async { pending().await }).unwrap();
    for number in 0..9 {
        shutdown.on_stop(format!("{number}"), Priority::LOW, || async { pending().await }).unwrap();
    }
    shutdown
        .at(Phase::Flush, "flush", || async {
            sleep(2 * SECOND).await;
            Ok(())
        })
        .unwrap();
    shutdown.trigger(Reason::Requested);
    let report = runner.run().await;
    drop(guard);
    assert_eq!(report.duration, 20 * SECOND);
    assert_eq!(report.outcome(), Outcome::CutShort);
    let flush = report.steps.last().unwrap();
    assert_eq!((flush.name.as_str(), flush.outcome), ("flush", StepOutcome::Done));
    let skipped = report.steps.iter().filter(|step| step.outcome == StepOutcome::Skipped);
    assert_eq!(skipped.count(), 8, "one callback had its time, for which the drain was cut");
}

/// Time that a step did not use goes to those behind it, up to what each may take.
#[tokio::test(start_paused = true)]
async fn unused_time_is_passed_on() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    for name in ["a", "b"] {
        shutdown
            .on_stop(name, Priority::LOW, || async {
                sleep(4 * SECOND).await;
                Ok(())
            })
            .unwrap();
    }
    shutdown.trigger(Reason::Requested);
    let report = runner.run().await;
    assert_eq!(report.outcome(), Outcome::Clean);
    assert_eq!(report.duration, 12 * SECOND);
}

/// The drain ends with the last request, and is cut after its own limit.
#[tokio::test(start_paused = true)]
async fn a_drain_has_a_limit() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    let guard = shutdown.in_flight().guard();
    shutdown.trigger_at_once(Reason::Requested);
    let report = runner.run().await;
    assert_eq!(report.duration, 10 * SECOND);
    assert_eq!(report.steps[0].name, "requests");
    assert_eq!(report.steps[0].outcome, StepOutcome::TimedOut);
    drop(guard);
}
