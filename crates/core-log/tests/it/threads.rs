//! The threads of a log, and how long they take.

use std::fs;
use std::time::Duration;

use core_log::{Config, Level, Logging, Options, Record};
use tracing_subscriber::Registry;

use crate::output::{Output, strict};

fn logging(output: &Output) -> Logging {
    Logging::layer::<Registry>(Options::new().with_destination(output.clone())).unwrap().0
}

/// A change that is not made opens no thread.
#[cfg(target_os = "linux")]
#[test]
fn nothing_runs_before_the_commit() {
    const MANY: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let logging = logging(&Output::default());
    let threads = || fs::read_dir("/proc/self/task").unwrap().count();
    let before = threads();
    let prepare = |number: usize| {
        let mut config = Config::default();
        config.file = Some(folder.path().join(format!("{number}.log")));
        logging.prepare(&config)
    };
    let prepared: Vec<_> = (0..MANY).map(prepare).collect();
    // Other tests have some threads of theirs.
    assert!(threads() < before + MANY);
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
