//! Prometheus' own judge, where it is installed.

use std::io::{ErrorKind, Write as _};
use std::process::{Command, Stdio};

use crate::strict;

/// Fails unless both the strict reader and `promtool check metrics` accept a text.
#[track_caller]
pub(crate) fn check(text: &str) {
    strict::read(text);
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut promtool = match promtool {
        Ok(promtool) => promtool,
        Err(error) if error.kind() == ErrorKind::NotFound => return skip(),
        Err(error) => panic!("promtool cannot be started: {error}"),
    };
    let mut input = promtool.stdin.take().expect("piped above");
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.is_empty(), "promtool says:\n{said}\nof\n{text}");
}

#[expect(clippy::disallowed_methods, reason = "no setting says whether this is CI")]
#[expect(clippy::print_stdout, reason = "whoever runs the tests is to know")]
#[track_caller]
fn skip() {
    println!("skipped: promtool not found; apt-get install prometheus");
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI must have promtool");
}
