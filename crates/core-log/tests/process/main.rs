//! What takes a whole process: the one global log, panics, and third-party `log` records.
//!
//! This program starts itself again with the name of a case, and looks at what that one wrote.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

mod corpus;
mod pressure;
#[path = "../it/strict.rs"]
mod strict;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use core_log::{Config, Logging, Options, Record};
use pressure::Part;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(10);

type Case = (&'static str, fn(), fn(&[Value], &[Value]));

/// What each case does, and what its output and its errors must be.
const CASES: [Case; 9] = [
    ("lines", lines, check_lines),
    ("refused", refused, |output, _| assert_eq!(seen(output), ["configuration refused"])),
    ("asked", asked, check_asked),
    ("taken", taken, |_, errors| assert_eq!(seen(errors), ["the other one"])),
    ("torn down", torn_down, |output, _| assert_eq!(seen(output), ["body", "late", "after"])),
    ("panic at boot", panic_at_boot, |output, _| {
        assert_eq!(seen(output), ["early", "at boot", "configured"]);
    }),
    ("panic after the end", panic_after_the_end, |output, errors| {
        assert_eq!((seen(output), seen(errors)), (vec!["stopped"], vec!["too late"]));
    }),
    ("panic at length", panic_at_length, |output, _| {
        let message = seen(output)[0];
        assert!(message.ends_with("…[cut, 100000 bytes in all]"), "{message}");
    }),
    ("levels", levels, |output, _| {
        assert_eq!(seen(output), ["log level reverted", "after", "again"]);
    }),
];

fn main() {
    let wanted = std::env::args().nth(1);
    if let Some((_, work, _)) = CASES.iter().find(|(name, ..)| wanted.as_deref() == Some(name)) {
        return work();
    }
    if let Some(schema) = wanted.as_deref().and_then(|name| name.strip_prefix("corpus ")) {
        return corpus::write(schema);
    }
    let pressure = pressure::CASES;
    if let Some((_, work, _)) = pressure.iter().find(|(name, ..)| wanted.as_deref() == Some(name)) {
        return work();
    }
    for (name, _, check) in CASES {
        let (output, errors) = run(name);
        check(&output, &errors);
        println!("test process {name} ... ok");
    }
    for (name, lines, check) in corpus::SCHEMAS {
        corpus::read(name, lines, check);
        println!("test process corpus {name} ... ok");
    }
    for (name, _, check) in pressure {
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(&program);
        if name == "full disk" {
            // In name spaces of its own it may mount, and nothing of that is left.
            command = Command::new("unshare");
            command.args(["--map-root-user", "--mount", "--"]).arg(&program);
        }
        check(Part::start(command.arg(name)));
        println!("test process {name} ... ok");
    }
}

fn install(levels: &str) -> Logging {
    let logging = Logging::install(Options::new()).unwrap();
    logging.configure(&config(levels));
    logging
}

fn config(levels: &str) -> Config {
    let mut config = Config::default();
    config.level = levels.parse().unwrap();
    config
}

fn panics(message: &str) {
    let message = message.to_owned();
    let thread = std::thread::Builder::new().name("worker".into());
    assert!(thread.spawn(move || panic!("{message}")).unwrap().join().is_err());
}

fn lines() {
    let logging = Logging::install(Options::new()).unwrap();
    assert!(Logging::install(Options::new()).is_err(), "there is one for the process");
    tracing::info!("early");
    tracing::trace!("too detailed to be kept");
    log::warn!(target: "third::party", "from\nlog");
    log::debug!(target: "third::party", "not at this level");
    logging.configure(&Config::default());
    log::error!(target: "third::party", "later");
    log::debug!(target: "third::party", "not at this level either");
    panics("on\npurpose");
    let last = Record::new(tracing::Level::INFO, "app", "stopped");
    assert!(logging.close_with(&last, SOON));
    tracing::info!("after the end");
}

/// A start that is refused writes what was kept.
fn refused() {
    let logging = Logging::install(Options::new()).unwrap();
    tracing::error!("configuration refused");
    assert!(logging.close(SOON));
}

/// Asking whether a level is on has no consequences for what comes next.
fn asked() {
    let logging = install("info,foo=debug");
    let _span = tracing::info_span!("span", in_span = 1).entered();
    for _ in 0..2 {
        assert!(!log::log_enabled!(target: "bar", log::Level::Debug));
        assert!(log::log_enabled!(target: "foo::x", log::Level::Debug));
        tracing::info!("next");
    }
    log::debug!(target: "bar", "not at this level");
    log::debug!(target: "foo::x", "by log");
    log::trace!(target: "foo", "not at this level");
    logging.configure(&config("warn,foo=debug,log=info"));
    log::debug!(target: "foo", "after a change");
    log::info!(target: "bar", "not at this level");
    tracing::info!(target: "log", "not from the bridge");
    assert!(logging.close(SOON));
}

fn check_asked(output: &[Value], _: &[Value]) {
    assert_eq!(seen(output), ["next", "next", "by log", "after a change", "not from the bridge"]);
    assert_eq!((&output[2]["logger"], &output[2]["in_span"]), (&"foo::x".into(), &1.into()));
}

/// Where there is a `log` logger already, nothing is taken.
fn taken() {
    struct Other;
    impl log::Log for Other {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    log::set_boxed_logger(Box::new(Other)).unwrap();
    assert!(Logging::install(Options::new()).is_err());
    let (logging, layer) =
        Logging::layer(Options::new().with_destination(std::io::stderr())).unwrap();
    let other = tracing_subscriber::layer::SubscriberExt::with(
        tracing_subscriber::Registry::default(),
        layer,
    );
    tracing::subscriber::set_global_default(other).unwrap();
    logging.configure(&Config::default());
    tracing::info!("the other one");
    assert!(logging.close(SOON));
}

/// A thread that is being torn down can still log.
fn torn_down() {
    struct Late;
    impl Drop for Late {
        fn drop(&mut self) {
            tracing::info!("late");
        }
    }
    thread_local! {
        static LATE: Late = const { Late };
    }
    let logging = install("info");
    let body = || {
        LATE.with(|_| ());
        tracing::info!("body");
    };
    std::thread::Builder::new().spawn(body).unwrap().join().unwrap();
    tracing::info!("after");
    assert!(logging.close(SOON));
}

/// A panic may be the last thing that a process does: its line does not wait for a configuration.
fn panic_at_boot() {
    let logging = Logging::install(Options::new()).unwrap();
    tracing::info!("early");
    panics("at boot");
    logging.configure(&config("warn"));
    tracing::info!("not at this level");
    tracing::warn!("configured");
    // No `close`: what a panic says is written before it goes on.
    assert!(logging.flush(SOON));
}

fn panic_after_the_end() {
    let logging = install("info");
    assert!(logging.close_with(&Record::new(tracing::Level::INFO, "app", "stopped"), SOON));
    panics("too late");
}

fn panic_at_length() {
    let _logging = install("info");
    panics(&"x".repeat(100_000));
}

/// What ends a level has no subscriber of its own, and must not take away that of others.
fn levels() {
    use tracing_subscriber::layer::SubscriberExt as _;
    struct Tee(std::sync::mpsc::Sender<Vec<u8>>);
    impl Write for Tee {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            std::io::stdout().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            std::io::stdout().flush()
        }
    }
    let (sender, written) = std::sync::mpsc::channel();
    let (logging, layer) = Logging::layer(Options::new().with_destination(Tee(sender))).unwrap();
    let subscriber = tracing_subscriber::Registry::default().with(layer);
    let _default = tracing::subscriber::set_default(subscriber);
    logging.configure(&Config::default());
    logging.set_level(None, core_log::Level::DEBUG, Duration::from_millis(1)).unwrap();
    assert!(!written.recv_timeout(SOON).unwrap().is_empty());
    for message in ["after", "again"] {
        tracing::debug!("not at this level");
        tracing::info!("{message}");
    }
    assert!(logging.close(SOON));
}

fn run(case: &str) -> (Vec<Value>, Vec<Value>) {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(case).stdin(Stdio::null()).output().unwrap();
    let lines = |bytes| -> Vec<Value> {
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    };
    assert!(output.status.success(), "{case}: {output:?}");
    // The standard library's own words would not be JSON.
    (lines(output.stdout), lines(output.stderr))
}

fn seen(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

/// LOG-1: everything that the process writes is one JSON object a line.
fn check_lines(lines: &[Value], errors: &[Value]) {
    assert_eq!(seen(lines), ["early", "from\nlog", "later", "on\npurpose", "stopped"]);
    assert!(errors.is_empty());
    assert_eq!(lines[1]["logger"], "third::party");
    assert_eq!(lines[1]["level"], "WARN");
    assert!(lines[1]["file"].as_str().unwrap().ends_with("main.rs"));
    assert!(lines[1].get("log.target").is_none());
    assert_eq!(lines[3]["level"], "ERROR");
    assert_eq!(lines[3]["logger"], "panic");
    assert_eq!(lines[3]["thread"], "worker");
    assert!(lines[3]["backtrace"].as_str().unwrap().contains("process"));
    assert!(lines[3]["line"].is_u64());
}
