//! Places in the code that write too much.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use core_log::{Config, Event, Logging, Options};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::output::{Output, SOON, lines_of, strict, text_of};

const LIMIT: u64 = 3;

fn limited() -> Config {
    let mut config = Config::default();
    config.max_per_callsite = u32::try_from(LIMIT).unwrap();
    config
}

/// How many lines have a message, and how many of which place were announced as missing.
fn count(text: &str, message: &str) -> (u64, u64, Vec<String>) {
    let (mut written, mut announced, mut places) = (0, 0, Vec::new());
    for line in text.lines().map(strict) {
        if line["message"] == message {
            written += 1;
        } else if line["message"] == "log lines were dropped" {
            assert_eq!((&line["reason"], &line["level"]), (&"rate_limited".into(), &"WARN".into()));
            assert_eq!(line["callsite_logger"], module_path!());
            announced += line["lines"].as_u64().unwrap();
            places.push(line["callsite"].as_str().unwrap().to_owned());
        }
    }
    (written, announced, places)
}

/// LOG-5: of one place on four threads only so many lines a second are written; the others are
/// counted, announced with the place, and together they are what was reported. Other places write
/// on.
#[test]
fn a_place_is_limited_and_all_is_counted() {
    const THREADS: u64 = 4;
    const LINES: u64 = 500;
    let folder = tempfile::tempdir().unwrap();
    let mut config = limited();
    config.file = Some(folder.path().join("app.log"));
    let dropped = Arc::<Mutex<Vec<(String, u64)>>>::default();
    let seen = Arc::clone(&dropped);
    let options = Options::new().with_terminal(false).with_observer(move |event| {
        if let Event::Dropped { sink, reason, lines } = event {
            seen.lock().unwrap().push((format!("{sink} {reason}"), *lines));
        }
    });
    let begun = Instant::now();
    let text = text_of(&config, options, |_| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let work = || {
            let flood = || (0..LINES).for_each(|_| tracing::error!("flood"));
            tracing::dispatcher::with_default(&dispatch, flood);
        };
        std::thread::scope(|threads| (0..THREADS).for_each(|_| drop(threads.spawn(work))));
        (0..LIMIT).for_each(|_| tracing::info!("calm"));
    });
    let file = std::fs::read_to_string(folder.path().join("app.log")).unwrap();
    assert_eq!(count(&text, "calm").0, LIMIT);
    let (written, announced, places) = count(&text, "flood");
    assert_eq!(written + announced, THREADS * LINES);
    assert_eq!(count(&file, "flood"), (written, announced, places.clone()));
    assert!(written <= LIMIT * (begun.elapsed().as_secs() + 2), "{written}");
    assert!(places.iter().all(|place| place.contains("rate.rs:")), "{places:?}");
    for sink in ["stdout rate_limited", "file rate_limited"] {
        let dropped = dropped.lock().unwrap();
        let of_sink = dropped.iter().filter(|(of, _)| of == sink);
        assert_eq!(of_sink.map(|(_, lines)| lines).sum::<u64>(), announced, "{sink}");
    }
}

/// LOG-5: what is missing is announced by itself, a second later.
#[test]
fn the_summary_comes_by_itself() {
    let output = Output::default();
    let (sender, reports) = std::sync::mpsc::channel();
    let options = Options::new().with_destination(output.clone()).with_observer(move |event| {
        let _ = sender.send(format!("{event:?}"));
    });
    let (logging, layer) = Logging::layer(options).unwrap();
    let subscriber = Registry::default().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        logging.configure(&limited());
        (0..100).for_each(|_| tracing::info!("flood"));
        assert!(reports.recv_timeout(SOON).unwrap().contains("rate_limited"));
        assert!(logging.close(SOON));
        let (written, announced, _) = count(&output.text(), "flood");
        assert_eq!(written + announced, 100);
    });
}

/// LOG-5: nothing is limited unless it is asked for, and a reload ends it; `log` records have
/// places of their own.
#[test]
fn a_limit_is_asked_for() {
    let lines = lines_of(&Config::default(), |logging| {
        let flood = || (0..50).for_each(|_| tracing::info!("flood"));
        flood();
        logging.configure(&limited());
        let record = |line, text: &str| {
            let mut record = log::Record::builder();
            let record = record.target(module_path!()).file(Some("third/party.rs"));
            let record = record.line(Some(line)).level(log::Level::Info);
            tracing_log::format_trace(&record.args(format_args!("{text}")).build()).unwrap();
        };
        for number in 0..20 {
            record(1, "one");
            record(number + 2, "many");
        }
        logging.configure(&Config::default());
        flood();
    });
    let count = |message: &str| lines.iter().filter(|line| line["message"] == message).count();
    assert_eq!((count("flood"), count("many")), (100, 20));
    assert!((3..=9).contains(&count("one")), "{}", count("one"));
}
