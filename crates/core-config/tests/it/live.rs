use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::time::Duration;

use core_config::schemars::{self, JsonSchema};
use core_config::{Commit, Event, Live, Loaded, Loader, Problems, Validate};
use serde::{Deserialize, Serialize};

use crate::settings::{Folder, Settings, variables};

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

/// What an observer hears, by its first line.
fn told() -> (Arc<Mutex<Vec<String>>>, impl Fn(&Event) + Send + Sync + 'static) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let observe = move |event: &Event| {
        let text = match event {
            Event::Applied(applied) => format!("applied {}", applied.generation),
            Event::Refused { reasons } => reasons.replace("\n ", ""),
            Event::CommitPanicked { subscriber, reason } => format!("{subscriber}: {reason}"),
            other => format!("{other:?}"),
        };
        log.lock().unwrap().push(text);
    };
    (events, observe)
}

/// CFG-6: what cannot be loaded, and a commit that panics, are told too.
#[test]
fn every_outcome_is_told() {
    let (events, observe) = told();
    let live = Live::with_observer(loaded(1, "info"), observe);
    live.subscribe("bad", |_, _| Ok(Commit::new(|| panic!("on purpose"))));
    live.refuse(&"no such file");
    live.apply(loaded(2, "info")).unwrap();
    assert_eq!(*events.lock().unwrap(), ["no such file", "bad: on purpose", "applied 2"]);
}

/// CFG-6: a reason is told with its causes.
#[test]
fn a_refusal_is_told_with_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot bind")]
    struct CannotBind(#[source] std::io::Error);

    let live = Live::new(loaded(1, "info"));
    live.subscribe("http", |_, _| Err(CannotBind(std::io::Error::other("port taken")).into()));
    let reasons = live.apply(loaded(2, "info")).unwrap_err().reasons;
    assert_eq!(reasons, [("http", "cannot bind: port taken".to_owned())]);
}

/// CFG-6: an observer that panics stops neither the change nor the ones who apply it.
#[test]
fn a_panicking_observer_changes_nothing() {
    let live = Live::with_observer(loaded(1, "info"), |_| panic!("on purpose"));
    live.subscribe("picky", |_, new: &Settings| match new.server.workers {
        2 => Err("no".into()),
        _ => Ok(Commit::nothing()),
    });
    live.apply(loaded(2, "info")).unwrap_err();
    assert_eq!(live.apply(loaded(3, "info")).unwrap().generation, 2);
    live.refuse(&"nothing");
    assert_eq!(live.apply(loaded(4, "info")).unwrap().generation, 3);
}

/// Calls from within a change, which would wait for themselves if a lock were held.
#[test]
fn commits_and_observers_may_subscribe() {
    let cell: Arc<OnceLock<Live<Settings>>> = Arc::default();
    let own = Arc::clone(&cell);
    let live = Live::with_observer(loaded(1, "info"), move |_| {
        if let Some(live) = own.get() {
            live.subscribe("from the observer", |_, _| Ok(Commit::nothing()));
        }
    });
    assert!(cell.set(live.clone()).is_ok());
    let heard = Arc::new(AtomicU64::new(0));
    let (own, count) = (live.clone(), Arc::clone(&heard));
    live.subscribe("outer", move |_, _| {
        let (own, count) = (own.clone(), Arc::clone(&count));
        Ok(Commit::new(move || {
            let from = own.subscribe("inner", move |_, _| {
                count.fetch_add(1, Ordering::SeqCst);
                Ok(Commit::nothing())
            });
            // It hears of what follows, not of what is being made.
            assert_eq!(from.number, own.get().number);
        }))
    });
    live.apply(loaded(2, "info")).unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 0);
    live.apply(loaded(3, "info")).unwrap();
    assert_eq!(heard.load(Ordering::SeqCst), 1);
}

/// CFG-6: one who hangs holds up neither new subscribers nor later changes, nor brings its own
/// change back when it answers at last.
#[test]
fn one_who_hangs_holds_up_nobody() {
    let (events, observe) = told();
    let live = Live::with_observer(loaded(1, "info"), observe);
    let (reached, is_asked) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    live.subscribe("slow", move |_, new: &Settings| {
        if new.server.workers == 2 {
            reached.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
        }
        Ok(Commit::nothing())
    });
    let hanging = |live: &Live<Settings>| {
        let live = live.clone();
        let thread = std::thread::Builder::new().name("hanging".into());
        let thread = thread.spawn(move || live.apply(loaded(2, "info"))).unwrap();
        is_asked.recv_timeout(Duration::from_secs(10)).unwrap();
        thread
    };

    assert!(live.give_up().is_none(), "nothing is waited for");
    let first = hanging(&live);
    live.subscribe("new", |_, _| Ok(Commit::nothing()));
    assert_eq!(live.apply(loaded(3, "info")).unwrap().generation, 2);
    release.send(()).unwrap();
    let refusal = first.join().unwrap().unwrap_err();
    assert_eq!(refusal.to_string(), "configuration refused:\n  a later change came first");
    assert_eq!((live.get().number, live.get().server.workers), (2, 3));

    let second = hanging(&live);
    let refusal = live.give_up().unwrap();
    assert_eq!(refusal.reasons, [("slow", "has not answered in time".to_owned())]);
    assert!(live.give_up().is_none(), "it is told once");
    release.send(()).unwrap();
    second.join().unwrap().unwrap_err();
    assert_eq!((live.get().number, live.get().server.workers), (2, 3));

    let third = hanging(&live);
    live.refuse(&"the file is no TOML now");
    release.send(()).unwrap();
    third.join().unwrap().unwrap_err();
    assert_eq!((live.get().number, live.get().server.workers), (2, 3));
    let refused = "configuration refused: slow: has not answered in time";
    assert_eq!(*events.lock().unwrap(), ["applied 2", refused, "the file is no TOML now"]);
}

/// CFG-6: a change that was prepared against settings that are no longer current is prepared again.
#[test]
fn an_answer_to_old_settings_is_asked_for_again() {
    let live = Live::new(loaded(1, "info"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (reached, is_asked) = mpsc::channel();
    let released: [_; 2] = std::array::from_fn(|_| mpsc::channel::<()>());
    let [(first, released_first), (second, released_second)] = released;
    let waits = Mutex::new([Some(released_first), Some(released_second)]);
    let log = Arc::clone(&asked);
    live.subscribe("slow", move |old, new: &Settings| {
        log.lock().unwrap().push((old.server.workers, new.server.workers));
        let wait = waits.lock().unwrap()[usize::from(new.server.workers) - 2].take();
        if let Some(wait) = wait {
            reached.send(()).unwrap();
            wait.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        Ok(Commit::nothing())
    });
    std::thread::scope(|threads| {
        let begin = |workers| {
            let live = live.clone();
            let thread = threads.spawn(move || live.apply(loaded(workers, "info")));
            is_asked.recv_timeout(Duration::from_secs(10)).unwrap();
            thread
        };
        let (two, three) = (begin(2), begin(3));
        first.send(()).unwrap();
        assert_eq!(two.join().unwrap().unwrap().generation, 2);
        second.send(()).unwrap();
        assert_eq!(three.join().unwrap().unwrap().generation, 3);
    });
    assert_eq!(*asked.lock().unwrap(), [(1, 2), (1, 3), (2, 3)]);
}

/// CFG-6: one who comes while a change is prepared is asked too.
#[test]
fn one_who_comes_late_is_asked() {
    let live = Live::new(loaded(1, "info"));
    let cell = Arc::new(OnceLock::new());
    let (own, late) = (live.clone(), Arc::clone(&cell));
    live.subscribe("early", move |_, _| {
        late.get_or_init(|| own.subscribe("late", |_, _| Err("not with me".into())).number);
        Ok(Commit::nothing())
    });
    let reasons = live.apply(loaded(2, "info")).unwrap_err().reasons;
    assert_eq!(reasons, [("late", "not with me".to_owned())]);
    assert_eq!((cell.get(), live.get().number), (Some(&1), 1));
}

/// CFG-8: one hears of its own section, with the keys that changed; a key that is removed returns
/// to its default, and counts.
#[test]
fn changed_keys_are_heard() {
    let load = |pairs: &[(&str, &str)]| {
        Loader::<Settings>::new().with_environment("APP", variables(pairs)).load().unwrap()
    };
    let live = Live::new(load(&[]));
    let heard = Arc::new(Mutex::new(Vec::new()));
    for key in ["server", "server.workers", "integrations", "logging"] {
        let log = Arc::clone(&heard);
        live.subscribe_to_keys(key, key, move |_, new, keys| {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            let text = format!("{key}: {} ({})", keys.join(" "), new.server.workers);
            log.lock().unwrap().push(text);
            Ok(Commit::nothing())
        });
    }
    let expect = |pairs: &[(&str, &str)], expected: &[&str]| {
        live.apply(load(pairs)).unwrap();
        assert_eq!(std::mem::take(&mut *heard.lock().unwrap()), expected);
    };
    let secret = ("APP_INTEGRATIONS_GITHUB_TOKEN", "canary");
    expect(
        &[("APP_SERVER_WORKERS", "9"), ("APP_SERVER_MOST", "7")],
        &["server: server.most server.workers (9)", "server.workers: server.workers (9)"],
    );
    expect(
        &[("APP_SERVER_MOST", "7"), secret],
        &[
            "server: server.workers (4)",
            "server.workers: server.workers (4)",
            "integrations: integrations.github.token (4)",
        ],
    );
    // A default that is written down is no change.
    expect(&[("APP_SERVER_MOST", "7"), ("APP_SERVER_WORKERS", "4"), secret], &[]);
    expect(
        &[("APP_SERVER_MOST", "7"), (secret.0, "canary2")],
        &["integrations: integrations.github.token (4)"],
    );
    expect(&[], &["server: server.most (4)", "integrations: integrations.github.token (4)"]);
}

/// CFG-9: a look, a reader and a pinned generation see the same.
#[test]
fn every_way_to_read_sees_the_current_generation() {
    let live = Live::new(loaded(1, "info"));
    let mut reader = live.reader();
    let pinned = live.get();
    live.apply(loaded(2, "info")).unwrap();
    assert_eq!((live.peek().server.workers, reader.get().server.workers), (2, 2));
    assert_eq!((pinned.server.workers, pinned.number), (1, 1));
}

/// CFG-6: rules that panic refuse the settings, and do not show what they panicked with.
#[test]
fn rules_that_panic_are_a_refusal() {
    #[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
    #[serde(default)]
    struct Fragile {
        port: String,
    }

    impl Validate for Fragile {
        fn validate(&self, problems: &mut Problems) {
            problems.require(self.port.len() < 5, "port", "must be short");
            assert_ne!(self.port, "canary", "on purpose");
        }
    }

    let folder = Folder::new(&[("a.toml", "port = 'canary'")]);
    let error = Loader::<Fragile>::new().with_file(folder.path("a.toml")).load().unwrap_err();
    let expected = "configuration refused, 2 problems:
  a.toml:1:8: port: must be short
  the settings' own rules panicked, which is a bug in them";
    assert_eq!(folder.strip(&error.to_string()), expected);
}
