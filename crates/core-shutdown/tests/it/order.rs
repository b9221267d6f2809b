use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_shutdown::{Config, Error, Event, Outcome, Phase, Priority, Reason, Runner, Signal};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};

type Log = Arc<Mutex<Vec<String>>>;

fn runner(log: &Log) -> Runner {
    let log = Arc::clone(log);
    Runner::new(Config::default()).unwrap().with_observer(move |event| {
        if let Event::Entered { phase } = event {
            log.lock().unwrap().push(format!("-- {phase}"));
        }
    })
}

/// A step that notes its name and the time since the trigger.
fn note(
    log: &Log,
    name: &str,
    began: Instant,
) -> impl FnOnce() -> core_shutdown::BoxFuture<Result<(), core_shutdown::BoxError>> + Send + 'static
{
    let (log, name) = (Arc::clone(log), name.to_owned());
    move || {
        Box::pin(async move {
            log.lock().unwrap().push(format!("{name} {}", began.elapsed().as_secs()));
            Ok(())
        })
    }
}

/// STOP-1: readiness, propagation, close, drain, callbacks by priority, flush.
#[tokio::test(start_paused = true)]
async fn phases_come_in_their_order() {
    let log = Log::default();
    let runner = runner(&log);
    let shutdown = runner.shutdown();
    let began = Instant::now();
    for (name, priority) in [("low", 30), ("first", 0), ("db", 15), ("cache", 20), ("files", 15)] {
        shutdown.on_stop(name, Priority::new(priority).unwrap(), note(&log, name, began)).unwrap();
    }
    shutdown.at(Phase::Flush, "flush", note(&log, "flush", began)).unwrap();
    shutdown.at(Phase::Close, "close", note(&log, "close", began)).unwrap();
    shutdown.at(Phase::Unready, "unready", note(&log, "unready", began)).unwrap();
    shutdown.at(Phase::Propagation, "deregister", note(&log, "deregister", began)).unwrap();
    let request = shutdown.in_flight().guard();
    let service = async {
        shutdown.stopping().reason().await;
        sleep(Duration::from_secs(7)).await;
        drop(request);
    };
    assert!(shutdown.trigger(Reason::Signal(Signal::Terminate)));
    assert!(!shutdown.trigger(Reason::Requested), "a stop begins once");
    let (report, ()) = tokio::join!(runner.run(), service);

    assert_eq!(report.outcome(), Outcome::Clean);
    assert_eq!(report.reason, Reason::Signal(Signal::Terminate));
    assert_eq!(report.duration, Duration::from_secs(7));
    assert_eq!(
        *log.lock().unwrap(),
        [
            "-- unready",
            "unready 0",
            "-- propagation",
            "deregister 0",
            "-- close",
            "close 4",
            "-- drain",
            "-- callbacks",
            "first 7",
            "db 7",
            "files 7",
            "cache 7",
            "low 7",
            "-- flush",
            "flush 7",
            "-- stopped",
        ]
    );
}

/// STOP-6: Ctrl-C at a terminal does not wait for balancers.
#[tokio::test(start_paused = true)]
async fn the_delay_can_be_left_out() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    shutdown.trigger_at_once(Reason::Signal(Signal::Interrupt));
    assert_eq!(runner.run().await.duration, Duration::ZERO);
}

/// STOP-3: a start that failed half-way stops exactly what had started, in reverse.
#[tokio::test(start_paused = true)]
async fn a_failed_start_is_unwound_in_reverse() {
    let log = Log::default();
    let runner = runner(&log);
    let shutdown = runner.shutdown();
    let began = Instant::now();
    for (phase, name) in
        [(Phase::Flush, "flush"), (Phase::Unready, "unready"), (Phase::Close, "close")]
    {
        shutdown.at(phase, name, note(&log, name, began)).unwrap();
    }
    for (name, priority) in [("one", 0), ("two", 50), ("three", 10)] {
        shutdown.on_stop(name, Priority::new(priority).unwrap(), note(&log, name, began)).unwrap();
    }
    let report = runner.unwind("the fourth did not start").await;
    assert_eq!(report.reason, Reason::Failed { cause: "the fourth did not start".into() });
    let log = log.lock().unwrap();
    let steps: Vec<&str> =
        log.iter().map(String::as_str).filter(|line| !line.starts_with("--")).collect();
    assert_eq!(steps, ["unready 0", "close 0", "three 0", "two 0", "one 0", "flush 0"]);
}

/// STOP-3: a signal that interrupts the start finds nobody to wait for.
#[tokio::test(start_paused = true)]
async fn an_interrupted_start_is_unwound_without_delay() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    shutdown.trigger(Reason::Signal(Signal::Terminate));
    let report = runner.unwind("interrupted").await;
    assert_eq!(report.reason, Reason::Signal(Signal::Terminate));
    assert_eq!(report.duration, Duration::ZERO);
}

/// STOP-8: ten thousand callbacks and as many tasks: each is done, once, and none adds to the time.
#[tokio::test(start_paused = true)]
async fn ten_thousand_of_each_stop() {
    const MANY: usize = 10_000;
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    let done = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..MANY {
        let done = Arc::clone(&done);
        let note = async move || {
            done.lock().unwrap().push(number);
            Ok(())
        };
        shutdown.on_stop(number.to_string(), Priority::MEDIUM, note).unwrap();
        let (mut stopping, request) = (shutdown.stopping(), shutdown.in_flight().guard());
        tasks.spawn(async move {
            stopping.reason().await;
            drop(request);
        });
    }
    shutdown.trigger_at_once(Reason::Requested);
    let report = runner.run().await;
    assert_eq!(report.outcome(), Outcome::Clean);
    assert_eq!(report.duration, Duration::ZERO);
    assert!(done.lock().unwrap().iter().copied().eq(0..MANY));
    assert_eq!(tasks.join_all().await.len(), MANY);
}

#[tokio::test(start_paused = true)]
async fn nothing_joins_a_stop_that_has_begun() {
    let runner = Runner::new(Config::default()).unwrap();
    let shutdown = runner.shutdown();
    let mut stopping = shutdown.stopping();
    assert!(!stopping.has_begun());
    shutdown.trigger(Reason::Requested);
    assert_eq!(stopping.reason().await, Reason::Requested);
    runner.run().await;
    let late = shutdown.on_stop("late", Priority::FIRST, || async { Ok(()) });
    assert!(matches!(late, Err(Error::Stopping { name }) if name == "late"));
}

#[test]
fn priorities_are_bounded() {
    assert_eq!(Priority::new(100).unwrap(), Priority::LAST);
    assert_eq!(Priority::new(101).unwrap_err().to_string(), "a priority is from 0 to 100, not 101");
    assert_eq!(Priority::default().value(), 20);
}

proptest! {
    /// STOP-1: lower priorities first, equal ones in the order of registration.
    #[test]
    fn callbacks_run_by_priority(priorities in proptest::collection::vec(0u8..=100, 0..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let runner = Runner::new(Config::default()).unwrap();
        let shutdown = runner.shutdown();
        for (number, priority) in priorities.iter().enumerate() {
            let priority = Priority::new(*priority).unwrap();
            shutdown.on_stop(number.to_string(), priority, || async { Ok(()) }).unwrap();
        }
        shutdown.trigger(Reason::Requested);
        let report = runtime.block_on(runner.run());
        let ran: Vec<usize> = report
            .steps
            .iter()
            .filter(|step| step.phase == Phase::Callbacks)
            .map(|step| step.name.parse().unwrap())
            .collect();
        let mut expected: Vec<usize> = (0..priorities.len()).collect();
        expected.sort_by_key(|number| priorities[*number]);
        prop_assert_eq!(ran, expected);
    }
}
