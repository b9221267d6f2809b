use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use core_config::{Commit, Event, Live, Loaded, Loader};

use crate::settings::{Settings, variables};

fn loaded(workers: u16, level: &str) -> Loaded<Settings> {
    let workers = workers.to_string();
    let variables = variables(&[("APP_SERVER_WORKERS", &workers), ("APP_LOG_LEVEL", level)]);
    Loader::new().with_environment("APP", variables).load().unwrap()
}

/// CFG-6: what one subscriber refuses changes nothing anywhere; the next good edit applies.
#[test]
fn all_commit_or_none() {
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let live = Live::with_observer(loaded(1, "info"), move |event| {
        let text = match event {
            Event::Applied(applied) => {
                format!("applied {} {:?}", applied.generation, applied.changed)
            }
            Event::Refused { reasons } => reasons.clone(),
            other => format!("{other:?}"),
        };
        log.lock().unwrap().push(text);
    });
    let committed = Arc::new(AtomicU64::new(0));
    let commits = Arc::clone(&committed);
    live.subscribe("first", move |_, new: &Settings| {
        let (commits, workers) = (Arc::clone(&commits), new.server.workers);
        Ok(Commit::new(move || commits.store(workers.into(), Ordering::SeqCst)))
    });
    live.subscribe("picky", |_, new: &Settings| match new.server.workers {
        7 => Err("seven is unlucky".into()),
        8 => panic!("eight"),
        _ => Ok(Commit::nothing()),
    });

    for (workers, reason) in [(7, "picky: seven is unlucky"), (8, "picky: panicked: eight")] {
        let pinned = live.get();
        let refusal = live.apply(loaded(workers, "info")).unwrap_err();
        assert!(refusal.to_string().ends_with(reason), "{refusal}");
        assert_eq!(committed.load(Ordering::SeqCst), 0);
        assert_eq!((live.get().number, live.get().server.workers), (1, 1));
        assert!(Arc::ptr_eq(&pinned, &live.get()));
    }
    let applied = live.apply(loaded(9, "info")).unwrap();
    assert_eq!(applied.generation, 2);
    assert_eq!(committed.load(Ordering::SeqCst), 9);
    assert_eq!(live.get().server.workers, 9);
    live.apply(loaded(9, "info")).unwrap();
    assert_eq!(live.get().number, 2);

    let events = events.lock().unwrap();
    assert_eq!(
        *events,
        [
            "configuration refused:\n  picky: seven is unlucky",
            "configuration refused:\n  picky: panicked: eight",
            "applied 2 [server.workers]",
            "Unchanged",
        ]
    );
}

/// CFG-6: all reasons are told, not the first alone.
#[test]
fn every_refusal_is_heard() {
    let live = Live::new(loaded(1, "info"));
    live.subscribe("a", |_, _| Err("no".into()));
    live.subscribe("b", |_, _| Err("neither".into()));
    let reasons = live.apply(loaded(2, "info")).unwrap_err().reasons;
    assert_eq!(reasons, [("a", "no".to_owned()), ("b", "neither".to_owned())]);
}

/// CFG-6: a commit that panics leaves nobody behind.
#[test]
fn a_panicking_commit_stops_no_other() {
    let live = Live::new(loaded(1, "info"));
    let reached = Arc::new(AtomicBool::new(false));
    live.subscribe("bad", |_, _| Ok(Commit::new(|| panic!("on purpose"))));
    let flag = Arc::clone(&reached);
    live.subscribe("good", move |_, _| {
        let flag = Arc::clone(&flag);
        Ok(Commit::new(move || flag.store(true, Ordering::SeqCst)))
    });
    live.apply(loaded(2, "info")).unwrap();
    assert!(reached.load(Ordering::SeqCst));
    assert_eq!(live.get().server.workers, 2);
}

/// A subscriber of a section hears of that section only.
#[test]
fn a_section_is_heard_when_it_changes() {
    let live = Live::new(loaded(1, "info"));
    let heard = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&heard);
    live.subscribe_to(
        "logging",
        |settings: &Settings| &settings.logging,
        move |_, _| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(Commit::nothing())
        },
    );
    live.apply(loaded(2, "info")).unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 0);
    live.apply(loaded(2, "debug")).unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 1);
}

/// CFG-6: readers see one generation at a time, and the latest in the end.
#[test]
fn readers_see_whole_generations() {
    // `least` and `most` change together; a torn read would show two different numbers.
    let pair = |n: u32| {
        let n = n.to_string();
        let variables = variables(&[("APP_SERVER_LEAST", &n), ("APP_SERVER_MOST", &n)]);
        Loader::<Settings>::new().with_environment("APP", variables).load().unwrap()
    };
    let live = Live::new(pair(0));
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                let mut reader = live.reader();
                let mut last = 0;
                while !done.load(Ordering::Relaxed) {
                    let generation = reader.get();
                    assert_eq!(generation.server.least, generation.server.most);
                    assert!(generation.number >= last);
                    last = generation.number;
                }
                assert_eq!(reader.get().server.least, 50);
            });
        }
        for n in 1..=50 {
            live.apply(pair(n)).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
