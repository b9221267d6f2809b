use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use core_log::{Config, Event, Logging, Options, Record, Rotation};
use core_types::ByteSize;
use tracing::info;

use crate::output::{SOON, booting, strict, text_of};

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

/// LOG-6: what was in the file stays; it has the form that was asked for.
#[test]
fn a_file_is_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "before\n").unwrap();
    let mut config = config(&path);
    config.json_format = Some(false);
    text_of(&config, Options::new(), |_| info!("one"));
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("before\n") && text.contains(" INFO it::file  one\n"), "{text}");
}

/// LOG-6: where nothing but time counts, files carry the hour or the day behind their name.
#[test]
fn files_carry_their_date() {
    for (rotation, length) in [(Rotation::Hourly, 13), (Rotation::Daily, 10)] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder.path().join("app.log"));
        config.rotation = rotation;
        config.max_file_size = ByteSize::from_bytes(0);
        config.max_files = 0;
        text_of(&config, Options::new(), |_| info!("one"));
        let names = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
        let names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(names[0].strip_prefix("app.log.").unwrap().len(), length, "{names:?}");
    }
}

/// LOG-5: no line is lost when the file changes while others write.
#[test]
fn a_change_of_files_loses_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |number: usize| folder.path().join(format!("{number}.log"));
    text_of(&config(&file(0)), Options::new(), |logging| {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for number in 0..3000 {
                    let record = Record::new(tracing::Level::INFO, "x", "m");
                    logging.write(record.with_number("n", number));
                }
            });
            (1..20).for_each(|number| logging.configure(&config(&file(number))));
        });
    });
    let lines = |number| fs::read_to_string(file(number)).unwrap().lines().count();
    assert_eq!((0..20).map(lines).sum::<usize>(), 3000);
}

/// What was reported of files: whether each report was a failure.
fn reports(work: impl FnOnce(&Logging)) -> (String, Vec<bool>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let options = Options::new().with_observer(move |event| {
        if let Event::SinkFailed { sink: "file", .. } | Event::SinkRecovered { sink: "file" } =
            event
        {
            log.lock().unwrap().push(matches!(event, Event::SinkFailed { .. }));
        }
    });
    let output = booting(options, work);
    let events = events.lock().unwrap().clone();
    (output, events)
}

/// LOG-5: a file that cannot be opened is reported, and the log goes on without it.
#[test]
fn a_file_that_cannot_be_opened_degrades() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    let path = blocked.join("app.log");
    let (output, events) = reports(|logging| {
        logging.configure(&config(&path));
        info!("one");
        assert!(logging.flush(SOON));
        fs::remove_file(&blocked).unwrap();
        logging.configure(&config(&path));
        info!("two");
    });
    assert_eq!(events, [true, false]);
    assert_eq!(output.lines().count(), 3);
    let warning = strict(output.lines().next().unwrap());
    assert_eq!(warning["level"], "WARN");
    assert_eq!(warning["path"], path.display().to_string());
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().map(strict).collect();
    // The warning, and the first line.
    assert_eq!(
        (&lines[0]["message"], &lines[0]["lines"]),
        (&"log lines were dropped".into(), &2.into())
    );
    assert_eq!((&lines[1]["message"], lines.len()), (&"two".into(), 2));
}

/// LOG-5: only what had failed recovers; what is not wanted any more has.
#[test]
fn only_what_had_failed_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("app.log");
    for (paths, expected) in [
        (vec![Some(good.as_path()), None, Some(&good)], vec![]),
        (vec![Some(folder.path()), None], vec![true, false]),
        (vec![Some(folder.path()), Some(&folder.path().join("new/"))], vec![true, true]),
        // Opened, but never written.
        (vec![Some(Path::new("/dev/full")), None, None], vec![true, false]),
    ] {
        let (_, events) = reports(|logging| {
            for path in &paths {
                let mut config = Config::default();
                config.file = path.map(Path::to_owned);
                // A folder is none, whatever would be put behind its name.
                let is_device = *path == Some(Path::new("/dev/full"));
                config.rotation = if is_device { Rotation::Never } else { Rotation::Daily };
                logging.configure(&config);
                logging.write(Record::new(tracing::Level::INFO, "x", "m"));
                assert!(logging.flush(SOON));
            }
        });
        assert_eq!(events, expected, "{paths:?}");
    }
}

/// LOG-5: how much may wait changes with the configuration, also for an open file; from 64 KiB.
#[test]
fn the_buffer_changes_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    let write = |logging: &Logging, size: usize| {
        logging.write(Record::new(tracing::Level::INFO, "x", "x".repeat(size)));
        assert!(logging.flush(SOON));
    };
    let output = text_of(&config(&path), Options::new(), |logging| {
        write(logging, 80_000);
        let mut config = config(&path);
        config.max_value = ByteSize::from_mebibytes(1);
        config.buffer = ByteSize::from_bytes(1);
        logging.configure(&config);
        write(logging, 80_000);
        write(logging, 60_000);
    });
    for text in [output, fs::read_to_string(&path).unwrap()] {
        let seen: Vec<_> = text.lines().map(|line| strict(line)["message"].clone()).collect();
        assert_eq!((seen.len(), &seen[1]), (3, &"log lines were dropped".into()));
    }
}
