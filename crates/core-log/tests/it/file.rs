use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use core_log::{Config, Event, Options};
use tracing::info;

use crate::output::{strict, text_of};

fn config(path: &Path) -> Config {
    let mut config = Config::default();
    config.file = Some(path.to_owned());
    config
}

/// The file gets every line, beside the standard output; missing folders are made.
#[test]
fn a_file_gets_every_line_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/app.log");
    let output = text_of(&config(&path), Options::new().with_terminal(true), |logging| {
        info!("one");
        logging.configure(&config(&path));
        info!("two");
    });
    let file = fs::read_to_string(&path).unwrap();
    let messages: Vec<_> = file.lines().map(|line| strict(line)["message"].clone()).collect();
    assert_eq!(messages, ["one", "two"]);
    assert_eq!(output.lines().count(), 2);
    assert!(!output.starts_with('{'), "the terminal is for a person, the file is not");
}

/// A file that cannot be opened is reported, and the log goes on without it.
#[test]
fn a_file_that_cannot_be_opened_degrades() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let options = Options::new().with_terminal(false).with_observer(move |event| {
        if let Event::SinkFailed { sink, .. } | Event::SinkRecovered { sink } = event {
            let failed = matches!(event, Event::SinkFailed { .. });
            log.lock().unwrap().push((*sink, failed));
        }
    });
    let path = blocked.join("app.log");
    let output = text_of(&config(&path), options, |logging| {
        info!("one");
        fs::remove_file(&blocked).unwrap();
        logging.configure(&config(&path));
        info!("two");
    });
    assert_eq!(*events.lock().unwrap(), [("file", true), ("file", false)]);
    assert_eq!(output.lines().count(), 3);
    let warning = strict(output.lines().next().unwrap());
    assert_eq!(warning["level"], "WARN");
    assert_eq!(warning["path"], path.display().to_string());
    assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
}
