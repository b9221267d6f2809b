//! Destinations that take nothing: what was written and what was counted as dropped are together
//! what was reported.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use core_log::{Config, Event, Logging, Options};
use core_types::ByteSize;
use serde_json::Value;

use crate::SOON;

type Case = (&'static str, fn(), fn(Part));

/// What a child does, and what its parent does meanwhile and finds out.
pub(crate) const CASES: [Case; 3] = [
    ("full disk", full_disk, check_full_disk),
    ("closed pipe", closed_pipe, check_closed_pipe),
    ("stopped reader", stopped_reader, check_stopped_reader),
];

/// A child that takes its turns with its parent.
pub(crate) struct Part {
    child: Child,
    input: ChildStdin,
    output: Option<BufReader<ChildStdout>>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Part {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = child.stdout.take().map(BufReader::new);
        let errors = BufReader::new(child.stderr.take().unwrap());
        Self { child, input, output, errors }
    }

    /// What the child says next.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.errors.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Lets the child go on.
    fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
    }

    fn end(mut self) {
        assert!(self.child.wait().unwrap().success());
    }
}

/// Tells the parent something, and waits until it says to go on.
fn tell(text: &str) {
    say(text);
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

fn say(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

struct Counted {
    logging: Logging,
    dropped: Arc<AtomicU64>,
}

impl Counted {
    fn new(sink: &'static str, config: &Config) -> Self {
        let dropped = Arc::<AtomicU64>::default();
        let count = Arc::clone(&dropped);
        let options = Options::new().with_observer(move |event| {
            if let Event::Dropped { sink: of, lines, .. } = event
                && *of == sink
            {
                count.fetch_add(*lines, Ordering::Relaxed);
            }
        });
        let logging = Logging::install(options).unwrap();
        logging.configure(config);
        Self { logging, dropped }
    }

    fn flush(&self) {
        assert!(self.logging.flush(SOON));
    }

    fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn end(self) {
        assert!(self.logging.close(SOON));
        say(&self.dropped().to_string());
    }
}

fn emit(lines: u64) {
    (0..lines).for_each(|number| tracing::info!(number, "line"));
}

/// How many of our lines stand whole in a text, and how many its announcements say are missing.
fn written(text: &str) -> (u64, u64) {
    let (mut lines, mut announced) = (0, 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect(line);
        match line["message"].as_str().unwrap() {
            "line" => lines += 1,
            "log lines were dropped" => announced += line["lines"].as_u64().unwrap(),
            other => panic!("{other}"),
        }
    }
    (lines, announced)
}

const NO_DISK: &str = "no disk of its own";
const LINES: u64 = 2000;

/// A disk that cannot be written, then can, then is full, then has room again.
fn full_disk() {
    let folder = Path::new("/mnt");
    let mount = |arguments: &[&str]| {
        let done = Command::new("mount").args(arguments).arg(folder).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=128k,ro", "log"]) {
        return say(NO_DISK);
    }
    let mut config = Config::default();
    config.level = "off,process=info".parse().unwrap();
    config.file = Some(folder.join("app.log"));
    let counted = Counted::new("file", &config);
    emit(10);
    counted.flush();
    // The warning that there is no file is a line too.
    assert_eq!(counted.dropped(), 11);
    assert!(mount(&["-o", "remount,rw"]));
    let filler = folder.join("filler");
    fs::write(&filler, vec![0; 64 << 10]).unwrap();
    // In portions, so that the buffer has room for all.
    for _ in 0..10 {
        emit(LINES / 10);
        counted.flush();
    }
    let lost = counted.dropped();
    assert!(lost > 11, "the disk is not full");
    // What others leave is used at once.
    fs::remove_file(&filler).unwrap();
    emit(10);
    counted.flush();
    assert_eq!(counted.dropped(), lost, "writing has not resumed");
    assert!(counted.logging.close(SOON));
    let (written, announced) = written(&fs::read_to_string(folder.join("app.log")).unwrap());
    assert_eq!(announced, lost, "what was dropped is announced");
    assert_eq!(written + lost, LINES + 20 + 1);
    say("equal");
}

/// LOG-5: a full disk, and one that cannot be written.
fn check_full_disk(mut part: Part) {
    // Nobody reads the standard output meanwhile.
    part.output = None;
    match part.hear().as_str() {
        "equal" => part.end(),
        // Not everybody may mount.
        other if other == NO_DISK || other.starts_with("unshare: ") => println!("skipped: {other}"),
        other => panic!("{other}"),
    }
}

/// A reader that goes away after the first lines.
fn closed_pipe() {
    let counted = Counted::new("stdout", &Config::default());
    emit(100);
    counted.flush();
    tell("written");
    let begun = Instant::now();
    emit(LINES);
    counted.flush();
    assert!(begun.elapsed() < SOON);
    counted.end();
}

/// LOG-5: a pipe that is closed.
fn check_closed_pipe(mut part: Part) {
    assert_eq!(part.hear(), "written");
    let mut output = part.output.take().unwrap();
    let mut text = String::new();
    (0..100).for_each(|_| assert!(output.read_line(&mut text).unwrap() > 0));
    drop(output);
    part.go_on();
    let dropped: u64 = part.hear().parse().unwrap();
    assert_eq!((written(&text), dropped), ((100, 0), LINES));
    part.end();
}

/// A reader that stops reading, and goes on.
fn stopped_reader() {
    let mut config = Config::default();
    config.buffer = ByteSize::from_bytes(64 << 10);
    let counted = Counted::new("stdout", &config);
    let begun = Instant::now();
    emit(10 * LINES);
    // The caller has not waited for the pipe, which has been full from the first moments on.
    assert!(!counted.logging.flush(Duration::ZERO));
    assert!(begun.elapsed() < SOON);
    tell("emitted");
    counted.flush();
    emit(1);
    counted.end();
}

/// LOG-5: a reader that stops.
fn check_stopped_reader(mut part: Part) {
    assert_eq!(part.hear(), "emitted");
    part.go_on();
    let mut text = String::new();
    part.output.take().unwrap().read_to_string(&mut text).unwrap();
    let dropped: u64 = part.hear().parse().unwrap();
    let (written, announced) = written(&text);
    assert!(dropped > 0 && written > 0);
    assert_eq!(announced, dropped);
    assert_eq!(written + dropped, 10 * LINES + 1);
    part.end();
}
