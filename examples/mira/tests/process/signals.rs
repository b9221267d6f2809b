use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::client::{get, post, send};
use crate::mira::Mira;

/// STOP-4, STOP-5: SIGTERM and SIGINT end it in order, with exit 0 and the report as the last line.
#[test]
fn a_signal_stops_it_in_order() {
    for signal in ["TERM", "INT"] {
        let mira = Mira::start(&[]);
        assert_eq!(post(&mira.app(), "/api/messages", MESSAGE).status, 200);
        mira.signal(signal);
        let (status, lines, stderr) = mira.end();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{signal}");
        let last = lines.last().unwrap();
        assert_eq!(last["message"], "stopped");
        assert_eq!(last["outcome"], "clean");
        assert_eq!(last["reason"], format!("SIG{signal}"));
        assert!(last["duration_ms"].is_u64());
        let steps: Vec<&str> = last["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            steps,
            [
                "readiness",
                "listener",
                "requests",
                "connections",
                "drain_agents",
                "tasks",
                "agents",
                "log"
            ]
        );
        for step in last["steps"].as_array().unwrap() {
            assert_eq!(step["outcome"], "done", "{step}");
            assert!(step["duration_ms"].is_u64(), "{step}");
        }
        assert_eq!(last["steps"][4]["priority"], 5);
    }
}

const MESSAGE: &str = r#"{"message_type": "generate_plan", "data": {"name": "Launch"}}"#;

/// STOP-4: a second signal ends it at once, with 128 and its number.
#[test]
fn a_second_signal_ends_it_at_once() {
    for (second, code) in [("INT", 130), ("TERM", 143)] {
        let mira = Mira::start_with(&[], &[("MIRA_SERVER_PROPAGATION_DELAY", "15")]);
        mira.app();
        mira.signal("TERM");
        mira.wait_for_message("stopping");
        while get(&mira.ops(), "/health/ready").status != 503 {}
        let began = Instant::now();
        mira.signal(second);
        let (status, lines, _) = mira.end();
        assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
        assert_eq!((status.code(), status.signal()), (Some(code), None));
        let last = lines.last().unwrap();
        assert_eq!((&last["message"], &last["outcome"]), (&"stopped".into(), &"forced".into()));
        assert_eq!(last["reason"], "SIGTERM");
        // What had ended by then is told.
        assert_eq!(last["steps"][0]["name"], "readiness", "{last}");
    }
}

/// STOP-5: what does not end in its time is cut, and the exit code says so.
#[test]
fn what_is_cut_is_told() {
    let variables =
        [("MIRA_SERVER_SHUTDOWN_TIMEOUT", "4s"), ("MIRA_SERVER_DRAIN_TIMEOUT", "300ms")];
    let mira = Mira::start_with(&[], &variables);
    let mut stuck = TcpStream::connect(mira.app()).unwrap();
    // A request whose body never comes.
    stuck
        .write_all(b"POST /api/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n")
        .unwrap();
    while !get(&mira.ops(), "/metrics").body.contains("http_requests_in_flight 1") {}
    mira.signal("TERM");
    let (status, lines, _) = mira.end();
    assert_eq!(status.code(), Some(124));
    let last = lines.last().unwrap();
    assert_eq!(last["outcome"], "cut_short");
    let outcome = |name: &str| {
        let steps = last["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == name).unwrap()["outcome"].clone()
    };
    assert_eq!(outcome("requests"), "timed_out");
    assert_eq!(outcome("drain_agents"), "done");
    assert_eq!(outcome("log"), "done");
}

/// STOP-4: SIGHUP reads the configuration again, and ends nothing.
#[test]
fn sighup_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, "{}").unwrap();
    let mira = Mira::start(&["--config", path.to_str().unwrap()]);
    mira.app();
    std::fs::write(&path, r#"{"logging": {"level": "debug"}}"#).unwrap();
    mira.signal("HUP");
    let line = mira.wait_for_message("Configuration reloaded successfully");
    assert_eq!(line["changed"], "logging.level");
    mira.stop();
}

/// STOP-4: a hundred signals at once are a few, and end it one way or the other.
#[test]
fn a_storm_of_signals_ends_it() {
    let mira = Mira::start(&[]);
    mira.app();
    let id = mira.id();
    let storm = format!("for i in $(seq 50); do kill -TERM {id} && kill -INT {id} || break; done");
    assert!(
        Command::new("bash").args(["-c", &storm]).stderr(Stdio::null()).status().unwrap().success()
    );
    let (status, lines, _) = mira.end();
    assert!(matches!(status.code(), Some(0 | 130 | 143)), "{status}");
    assert_eq!(lines.last().unwrap()["message"], "stopped");
}

/// A signal after an operator has asked for the stop is the first, and cuts nothing.
#[test]
fn a_requested_stop_survives_the_first_signal() {
    let mira = Mira::start_with(&[], &[("MIRA_SERVER_PROPAGATION_DELAY", "300ms")]);
    mira.app();
    let token = format!("Bearer {}", crate::mira::TOKEN);
    let asked = send(&mira.ops(), "POST", "/ops/stop", &[("authorization", &token)], "");
    assert_eq!(asked.status, 202);
    mira.wait_for_message("stopping");
    mira.signal("TERM");
    let (status, lines, _) = mira.end();
    assert_eq!(status.code(), Some(0));
    let last = lines.last().unwrap();
    assert_eq!((&last["outcome"], &last["reason"]), (&"clean".into(), &"requested".into()));
}

/// STOP-4: as PID 1 of its own namespace, where signals without a handler do nothing, it stops in
/// order.
#[test]
fn as_pid_1_it_stops_in_order() {
    let can_unshare = Command::new("unshare")
        .args(["--pid", "--fork", "true"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !can_unshare {
        println!("skipped: no right to make a PID namespace; run as root");
        return;
    }
    let mut command = Command::new("unshare");
    command
        .args(["--pid", "--fork", "--kill-child", env!("CARGO_BIN_EXE_mira")])
        .env_clear()
        .env("MIRA_SERVER_BIND_ADDRESS", "127.0.0.1:0")
        .env("MIRA_OPS_BIND_ADDRESS", "127.0.0.1:0")
        .env("MIRA_SERVER_PROPAGATION_DELAY", "0");
    let mira = Mira::spawn(command);
    mira.app();
    let unshare = mira.id();
    let children =
        std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).unwrap();
    let inside = children.trim();
    let status = std::fs::read_to_string(format!("/proc/{inside}/status")).unwrap();
    let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap();
    assert!(ids.ends_with("\t1"), "{ids}");
    assert!(Command::new("kill").args(["-s", "TERM", inside]).status().unwrap().success());
    let (status, lines, _) = mira.end();
    assert_eq!(status.code(), Some(0));
    assert_eq!(lines.last().unwrap()["outcome"], "clean");
}
