//! What takes a whole process: the one global log, panics, and third-party `log` records.
//!
//! This program starts itself again with the name of a case, and looks at what that one wrote.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test program")]

use std::process::{Command, Stdio};
use std::time::Duration;

use core_log::{Config, Logging, Options, Record};
use serde_json::Value;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("case-lines") => lines(),
        Some("case-refused") => refused(),
        _ => {
            check_lines();
            check_refused();
            println!("test process ... ok");
        }
    }
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
    let name = "worker".to_owned();
    let thread = std::thread::Builder::new().name(name).spawn(|| panic!("on\npurpose")).unwrap();
    assert!(thread.join().is_err());
    let last = Record::new(tracing::Level::INFO, "app", "stopped");
    assert!(logging.close_with(&last, Duration::from_secs(10)));
    tracing::info!("after the end");
}

/// A start that is refused writes what was kept.
fn refused() {
    let logging = Logging::install(Options::new()).unwrap();
    tracing::error!("configuration refused");
    assert!(logging.close(Duration::from_secs(10)));
}

fn run(case: &str) -> Vec<Value> {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(case).stdin(Stdio::null()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{case}: {stderr}");
    assert_eq!(stderr, "", "the standard library's own words are in the log");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// LOG-1: everything that the process writes is one JSON object a line.
fn check_lines() {
    let lines = run("case-lines");
    let messages: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["early", "from\nlog", "later", "on\npurpose", "stopped"]);
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

fn check_refused() {
    let lines = run("case-refused");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "configuration refused");
}
