//! HLT-2, and what of HLT-3 needs time.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use core_health::{CheckOptions, Config, Group, Health, Report, State};
use core_types::Status;
use tokio::time::{Instant, sleep};

use crate::{check, get, health, is_up, observed, run_for, seconds, state, transitions};

/// Counts the runs of one check, and those under way.
#[derive(Clone, Default)]
struct Runs {
    begun: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Runs {
    fn begin(&self) -> UnderWay {
        self.begun.fetch_add(1, SeqCst);
        self.most.fetch_max(self.under_way.fetch_add(1, SeqCst) + 1, SeqCst);
        UnderWay(Arc::clone(&self.under_way))
    }

    fn count(&self) -> usize {
        self.begun.load(SeqCst)
    }

    /// Registers a check that is healthy at once, or hangs for ever.
    fn register(&self, health: &Health, name: &str, options: CheckOptions, hangs: bool) {
        let runs = self.clone();
        let run = move || {
            let under_way = runs.begin();
            async move {
                if hangs {
                    pending::<()>().await;
                }
                drop(under_way);
                Report::healthy()
            }
        };
        health.check_with(name, options, run).unwrap();
    }
}

/// HLT-2: with 10 of 50 checks hung for ever, the others run on time, no check is run twice at
/// once or more than once per interval, and 64 callers at once cause no run.
#[tokio::test(start_paused = true)]
async fn hung_checks_and_many_callers_change_no_schedule() {
    let health = health();
    let runs: Vec<Runs> = (0..50).map(|_| Runs::default()).collect();
    for (at, runs) in runs.iter().enumerate() {
        runs.register(&health, &format!("check-{at}"), CheckOptions::new(), at < 10);
    }
    let counts = || runs.iter().map(Runs::count).collect::<Vec<_>>();
    let all_ask = || {
        let (before, at) = (counts(), Instant::now());
        let runtime = tokio::runtime::Handle::current();
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    let _runtime = runtime.enter();
                    for target in ["/health", "/health/ready", "/readyz/check-0", "/livez"] {
                        get(&health, target);
                    }
                });
            }
        });
        assert_eq!((counts(), Instant::now()), (before, at), "callers caused runs, or waited");
    };
    let story = async {
        sleep(seconds(1)).await;
        all_ask();
        assert_eq!(state(&health, "check-0"), State::Unknown);
        assert_eq!(state(&health, "check-49"), State::Healthy);
        sleep(seconds(3)).await;
        all_ask();
        assert_eq!(state(&health, "check-0"), State::Unhealthy);
        assert_eq!(state(&health, "check-49"), State::Healthy);
        assert_eq!(&*check(&health, "check-0").reason.unwrap(), "timed out after 3s");
        sleep(seconds(61)).await;
        all_ask();
    };
    tokio::select! {
        () = health.run() => unreachable!("it never ends"),
        () = story => {}
    }
    assert_eq!(counts(), [7; 50], "65 s hold the beginnings of seven intervals of 10 s");
    for runs in runs {
        assert_eq!(runs.most.load(SeqCst), 1);
    }
}

/// HLT-2: each check has its own interval.
#[tokio::test(start_paused = true)]
async fn each_check_keeps_its_own_interval() {
    let (quick, slow) = (Runs::default(), Runs::default());
    let health = health();
    let options = CheckOptions::new().interval(seconds(1)).timeout(seconds(1));
    quick.register(&health, "quick", options, true);
    slow.register(&health, "slow", CheckOptions::new().interval(seconds(30)), false);
    run_for(&health, core::time::Duration::from_millis(29_500)).await;
    assert_eq!((quick.count(), slow.count()), (30, 1));
}

/// HLT-2: a check that is registered while the others run is run at once.
#[tokio::test(start_paused = true)]
async fn a_late_check_is_run_at_once() {
    let health = health();
    let runs = Runs::default();
    let story = async {
        sleep(seconds(5)).await;
        runs.register(&health, "late", CheckOptions::new(), false);
        assert_eq!(state(&health, "late"), State::Unknown);
        sleep(seconds(1)).await;
        assert_eq!(state(&health, "late"), State::Healthy);
    };
    tokio::select! {
        () = health.run() => unreachable!("it never ends"),
        () = story => {}
    }
}

/// HLT-2: two hosts that run the same checks do not run them twice, nor does a second after a first.
#[tokio::test(start_paused = true)]
async fn whoever_runs_them_they_are_run_once_per_interval() {
    let health = health();
    let runs = Runs::default();
    runs.register(&health, "one", CheckOptions::new(), true);
    tokio::join!(run_for(&health, seconds(15)), run_for(&health, seconds(25)));
    assert_eq!(runs.count(), 3, "at 0 s and 10 s by the first, at 20 s by the second");
    run_for(&health, seconds(4)).await;
    assert_eq!(runs.count(), 3, "not before 30 s");
    run_for(&health, seconds(4)).await;
    assert_eq!(runs.count(), 4);
}

/// HLT-2: a panicking check is an unhealthy check, wherever it panics, and the others run on.
#[tokio::test(start_paused = true)]
async fn a_panicking_check_is_an_unhealthy_check() {
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("in the drop");
        }
    }
    let health = health();
    let run = || {
        assert!(state_of_the_art(), "in the call");
        async { Report::healthy() }
    };
    health.check("call", run).unwrap();
    health.check("poll", async || -> Report { panic!("in the {}", "poll") }).unwrap();
    let run = async || -> Report {
        let _bomb = PanicsOnDrop;
        pending().await
    };
    health.check("drop", run).unwrap();
    let good = Runs::default();
    good.register(&health, "good", CheckOptions::new(), false);
    run_for(&health, seconds(35)).await;
    for name in ["call", "poll", "drop"] {
        let check = check(&health, name);
        assert_eq!(check.state, State::Unhealthy);
        assert_eq!(check.reason.unwrap().to_string(), format!("panicked: in the {name}"));
    }
    assert_eq!(good.count(), 4);
    assert_eq!(state(&health, "good"), State::Healthy);
}

fn state_of_the_art() -> bool {
    std::hint::black_box(false)
}

/// HLT-3: a result past its time to live is unknown, and counts as unhealthy.
#[tokio::test(start_paused = true)]
async fn an_old_result_is_unknown() {
    let (health, events) = observed(Health::new(Config::default(), "1.2.3").unwrap());
    let runs = Runs::default();
    let counter = runs.clone();
    let run = move || {
        drop(counter.begin());
        let run = counter.count();
        async move { if run == 1 { Report::healthy() } else { Report::unhealthy("gone") } }
    };
    health.check("database", run).unwrap();
    assert_eq!(state(&health, "database"), State::Unknown);
    assert!(!is_up(&health, "/health/ready"));
    run_for(&health, seconds(1)).await;
    assert!(is_up(&health, "/health/ready"));
    sleep(seconds(29)).await;
    assert_eq!(state(&health, "database"), State::Healthy);
    sleep(seconds(1)).await;
    let old = check(&health, "database");
    assert_eq!((old.state, old.age), (State::Unknown, Some(seconds(31))));
    assert!(!is_up(&health, "/health/ready"));
    assert!(is_up(&health, "/health/live"));
    run_for(&health, seconds(1)).await;
    assert_eq!(state(&health, "database"), State::Unhealthy, "what was forgotten damps nothing");
    assert_eq!(
        transitions(&events),
        [
            "database: unknown -> healthy",
            "database: healthy -> unknown (its last result is older than its time to live)",
            "database: unknown -> unhealthy (gone)",
        ]
    );
}

/// HLT-3: rise and fall counts damp what the runs find; the reason of the last bad one stays.
#[tokio::test(start_paused = true)]
async fn what_runs_find_is_damped() {
    let (health, events) = observed(Health::new(Config::default(), "1.2.3").unwrap());
    let runs = Runs::default();
    let counter = runs.clone();
    let run = move || {
        drop(counter.begin());
        let run = counter.count();
        async move {
            match run {
                3 | 5 | 6 | 8 => Report::unhealthy(format!("run {run}")),
                _ => Report::healthy(),
            }
        }
    };
    health.check_with("flapping", CheckOptions::new().rise(2).fall(2), run).unwrap();
    let mut seen = Vec::new();
    let story = async {
        for _ in 0..10 {
            sleep(seconds(1)).await;
            let check = check(&health, "flapping");
            seen.push((check.state, check.reason.as_deref().unwrap_or("").to_owned()));
            sleep(seconds(9)).await;
        }
    };
    tokio::select! {
        () = health.run() => unreachable!("it never ends"),
        () = story => {}
    }
    let seen: Vec<_> = seen.iter().map(|(state, reason)| (*state, reason.as_str())).collect();
    assert_eq!(
        seen,
        [
            (State::Unknown, "has not been good often enough yet"),
            (State::Healthy, ""),
            (State::Healthy, "run 3"),
            (State::Healthy, ""),
            (State::Healthy, "run 5"),
            (State::Unhealthy, "run 6"),
            (State::Unhealthy, "run 6"),
            (State::Unhealthy, "run 8"),
            (State::Unhealthy, "run 8"),
            (State::Healthy, ""),
        ]
    );
    assert_eq!(transitions(&events).len(), 3);
}

/// HLT-3: a check that is diagnostic keeps no traffic away.
#[tokio::test(start_paused = true)]
async fn a_diagnostic_check_gates_nothing() {
    let health = health();
    let run = async || Report::unhealthy("gone");
    health.check_with("mail", CheckOptions::new().diagnostic(), run).unwrap();
    run_for(&health, seconds(1)).await;
    assert_eq!(state(&health, "mail"), State::Unhealthy);
    assert_eq!(health.status(Group::Readiness), Status::Healthy);
    assert_eq!(health.status(Group::Everything), Status::Degraded);
    assert!(get(&health, "/health/ready").json()["checks"].get("mail").is_none());
    assert_eq!(get(&health, "/health").json()["checks"]["mail"]["status"], "unhealthy");
    assert!(is_up(&health, "/health"));
    assert!(!is_up(&health, "/health/mail"));
}

/// A check may return a `Result`: an error's whole chain is the reason.
#[tokio::test(start_paused = true)]
async fn a_check_may_return_a_result() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot ask the database")]
    struct Unreachable(#[source] std::io::Error);
    let health = health();
    health.check("good", async || Ok::<(), Unreachable>(())).unwrap();
    let run = async || Err::<(), _>(Unreachable(std::io::Error::other("no route to host")));
    health.check("bad", run).unwrap();
    health.check("text", async || Err::<(), _>("just a text")).unwrap();
    run_for(&health, seconds(1)).await;
    assert_eq!(state(&health, "good"), State::Healthy);
    let reason = |name| check(&health, name).reason.unwrap().to_string();
    assert_eq!(reason("bad"), "cannot ask the database: no route to host");
    assert_eq!(reason("text"), "just a text");
}
