//! The program runs, and says what it says it does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use serde_json::Value;

/// LOG-3, CFG-6, SEC-5, STOP-1: scopes, and callbacks on reload, rotation and stop.
#[test]
fn the_callbacks_are_called() {
    let output = Command::new(env!("CARGO_BIN_EXE_features")).output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let find = |message: &str| {
        let at = lines.iter().position(|line| line["message"] == message);
        at.unwrap_or_else(|| panic!("no `{message}` in\n{stdout}"))
    };

    let begins = &lines[find("begins")];
    let plans = &lines[find("plans")];
    assert_eq!(begins["workflow_id"], "nightly");
    assert!(begins.get("agent_id").is_none());
    assert_eq!(plans["agent_id"], "agent_1");
    assert_eq!(plans["task_id"], "task_123");
    assert_eq!(plans["workflow_id"], "nightly");
    assert_eq!(plans["function"], "plan");
    assert_eq!(plans["goal"], "ship it");
    assert_eq!(plans["correlation_id"], begins["correlation_id"]);
    let thread = &lines[find("works on a thread of its own")];
    assert_eq!(thread["attempt"], "2");
    assert_eq!(thread["correlation_id"], begins["correlation_id"]);

    let reload = find("the greeting changes");
    assert_eq!(
        (&lines[reload]["old"], &lines[reload]["new"]),
        (&"hello".into(), &"good evening".into())
    );
    let rotation = find("the password was rotated");
    assert!(lines[rotation]["rotation"].as_str().unwrap().contains("[REDACTED]"));
    let agents = find("drains the agents");
    let database = find("closes the database");
    assert!(reload < rotation && rotation < agents && agents < database);
    assert_eq!(lines.last().unwrap()["message"], "stopped");
    // SEC-6: neither value is anywhere.
    assert!(!stdout.contains("first-password") && !stdout.contains("second-password"));
}
