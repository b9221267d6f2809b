//! Whatever is registered, and however it behaves.

use std::future::pending;
use std::time::Duration;

use core_shutdown::{
    BoxError, Config, Order, Outcome, Phase, Priority, Reason, Report, Runner, StepOutcome,
};
use proptest::prelude::*;
use tokio::time::sleep;

#[derive(Clone, Copy, Debug)]
enum Behaviour {
    Ends { after: u64 },
    Fails { after: u64 },
    Panics,
    Hangs,
    PanicsWhenDropped,
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "on purpose");
    }
}

async fn behave(behaviour: Behaviour) -> Result<(), BoxError> {
    match behaviour {
        Behaviour::Ends { after } => sleep(Duration::from_millis(after)).await,
        Behaviour::Fails { after } => {
            sleep(Duration::from_millis(after)).await;
            return Err("on purpose".into());
        }
        Behaviour::Panics => panic!("on purpose"),
        Behaviour::Hangs => pending().await,
        Behaviour::PanicsWhenDropped => {
            let _bomb = Bomb;
            pending::<()>().await;
        }
    }
    Ok(())
}

fn behaviour() -> impl Strategy<Value = Behaviour> {
    prop_oneof![
        4 => (0..3000u64).prop_map(|after| Behaviour::Ends { after }),
        1 => (0..3000u64).prop_map(|after| Behaviour::Fails { after }),
        1 => Just(Behaviour::Panics),
        1 => Just(Behaviour::Hangs),
        1 => Just(Behaviour::PanicsWhenDropped),
    ]
}

fn phase() -> impl Strategy<Value = Phase> {
    prop_oneof![
        6 => Just(Phase::Callbacks),
        1 => Just(Phase::Propagation),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::Registration), Just(Order::Reverse), Just(Order::Together)]
}

/// The time that writing out takes, which is less than what is kept for it.
const FLUSH: Duration = Duration::from_millis(1900);

fn stop(steps: Vec<(Phase, u8, Behaviour)>, order: Order, in_flight: bool) -> Report {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async move {
        let runner = Runner::new(Config::default())
            .unwrap()
            .with_order(order)
            .with_observer(|_| panic!("on purpose"))
            .with_spawner(|callback| {
                #[expect(clippy::disallowed_methods, reason = "a test is a host")]
                tokio::spawn(callback);
            });
        let shutdown = runner.shutdown();
        let guard = in_flight.then(|| shutdown.in_flight().guard());
        for (number, (phase, priority, behaviour)) in steps.into_iter().enumerate() {
            let (name, work) = (number.to_string(), move || behave(behaviour));
            match phase {
                Phase::Callbacks => {
                    shutdown.on_stop(name, Priority::new(priority).unwrap(), work).unwrap();
                }
                phase => shutdown.at(phase, name, work).unwrap(),
            }
        }
        let flush = || async {
            sleep(FLUSH).await;
            Ok(())
        };
        shutdown.at(Phase::Flush, "flush", flush).unwrap();
        shutdown.trigger(Reason::Requested);
        let report = runner.run().await;
        drop(guard);
        report
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// STOP-2, STOP-3, STOP-5: whatever happens, the deadline holds, the flush has its reserve, and
    /// the report names every step once, callbacks by priority.
    #[test]
    fn the_report_is_complete_and_the_flush_is_done(
        steps in proptest::collection::vec((phase(), 0u8..=100, behaviour()), 0..12),
        order in order(),
        in_flight: bool,
    ) {
        let report = stop(steps.clone(), order, in_flight);
        prop_assert!(report.duration <= Duration::from_secs(20), "{:?}", report.duration);
        let flush = report.steps.last().unwrap();
        prop_assert_eq!((flush.name.as_str(), flush.outcome), ("flush", StepOutcome::Done));

        let mut names: Vec<usize> =
            report.steps.iter().filter_map(|step| step.name.parse().ok()).collect();
        names.sort_unstable();
        prop_assert_eq!(names, (0..steps.len()).collect::<Vec<_>>());
        let priorities: Vec<_> = report.steps.iter().filter_map(|step| step.priority).collect();
        prop_assert!(priorities.is_sorted(), "{:?}", priorities);

        for step in &report.steps {
            let Ok(number) = step.name.parse::<usize>() else { continue };
            let fits = match (steps[number].2, step.outcome) {
                (_, StepOutcome::Skipped)
                | (Behaviour::Ends { .. }, StepOutcome::Done | StepOutcome::TimedOut)
                | (Behaviour::Fails { .. }, StepOutcome::Failed | StepOutcome::TimedOut) => true,
                (Behaviour::Panics, outcome) => outcome == StepOutcome::Failed,
                (Behaviour::Hangs | Behaviour::PanicsWhenDropped, outcome) => {
                    outcome == StepOutcome::TimedOut
                }
                _ => false,
            };
            prop_assert!(fits, "{:?}", step);
        }
        let was_cut = report.steps.iter().any(|step| {
            matches!(step.outcome, StepOutcome::TimedOut | StepOutcome::Skipped)
        });
        prop_assert_eq!(was_cut, report.outcome() == Outcome::CutShort);
    }
}

/// STOP-1: among callbacks of one priority the order can be chosen.
#[tokio::test(start_paused = true)]
async fn the_order_among_equals_can_be_chosen() {
    let took = |order| async move {
        let runner = Runner::new(Config::default()).unwrap().with_order(order);
        let shutdown = runner.shutdown();
        for (name, priority) in [("a", 5), ("b", 15), ("c", 15), ("d", 20)] {
            let work = || async {
                sleep(Duration::from_secs(1)).await;
                Ok(())
            };
            shutdown.on_stop(name, Priority::new(priority).unwrap(), work).unwrap();
        }
        shutdown.trigger_at_once(Reason::Requested);
        let report = runner.run().await;
        let names: String = report
            .steps
            .iter()
            .filter(|step| step.phase == Phase::Callbacks)
            .map(|step| step.name.as_str())
            .collect();
        (names, report.duration.as_secs())
    };
    assert_eq!(took(Order::Registration).await, ("abcd".into(), 4));
    assert_eq!(took(Order::Reverse).await, ("acbd".into(), 4));
    assert_eq!(took(Order::Together).await, ("abcd".into(), 3));
}
