//! What is counted by process: alone in its test, for others make threads too.

use std::fs;
use std::time::{Duration, Instant};

use core_log::{Config, Level, Logging, Options, Record};
use tracing_subscriber::Registry;

use crate::output::{Output, SOON, strict};

fn logging(output: &Output) -> Logging {
    Logging::layer::<Registry>(Options::new().with_destination(output.clone())).unwrap().0
}

/// The threads of this process with such a name.
#[cfg(target_os = "linux")]
fn count(name: &str) -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|known| known.trim_end() == name).count()
}

/// A change that is not made opens no thread.
#[cfg(target_os = "linux")]
#[test]
fn nothing_runs_before_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let logging = logging(&Output::default());
    let prepared: Vec<_> = (0..50)
        .map(|number| {
            let mut config = Config::default();
            config.file = Some(folder.path().join(format!("{number}.log")));
            logging.prepare(&config)
        })
        .collect();
    assert!(count("log-file") < 50);
    drop(prepared);
}

/// A log that is dropped writes what it has, and leaves nothing behind.
#[test]
fn a_dropped_log_ends() {
    let output = Output::default();
    let log = logging(&output);
    log.configure(&Config::default());
    log.set_level(None, Level::DEBUG, Duration::MAX).unwrap();
    log.write(Record::new(tracing::Level::INFO, "x", "m"));
    drop(log);
    assert_eq!(strict(output.text().trim_end())["message"], "m");
    assert!(output.is_released(), "the writer's thread has ended");
}

/// No time is too long.
#[test]
fn any_time_is_accepted() {
    let log = logging(&Output::default());
    log.configure(&Config::default());
    assert!(log.flush(Duration::MAX));
    log.set_level(Some("a"), Level::DEBUG, Duration::MAX).unwrap();
    assert!(log.levels()[1].expires_in > Some(Duration::from_secs(1 << 20)));
    assert!(log.close(Duration::MAX));
}

/// LOG-4: of changes that overlap, each one ends, and those after a pause as well.
#[test]
fn every_change_by_hand_ends() {
    let log = logging(&Output::default());
    log.configure(&Config::default());
    for _ in 0..3 {
        for micros in 0..20 {
            let lasts = Duration::from_micros(200 - 7 * micros);
            log.set_level(Some(&micros.to_string()), Level::DEBUG, lasts).unwrap();
        }
        let end = Instant::now() + SOON;
        while log.levels().iter().any(|status| status.expires_in.is_some()) {
            assert!(Instant::now() < end, "a change lasts");
            std::thread::yield_now();
        }
    }
}
