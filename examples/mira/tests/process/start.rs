use crate::client::{get, post};
use crate::mira::{Mira, command, output};

/// CFG-4: a refused start tells every mistake, in the log and on the standard error, and exits by 2.
#[test]
fn a_refused_configuration_is_told_twice() {
    let (code, stdout, stderr) =
        output(command(&["--set", "logging.levle=info"]).env("MIRA_SERVER_BIND_ADDRESS", "canary"));
    assert_eq!(code, Some(2));
    let line: serde_json::Value = serde_json::from_str(stdout.trim_end()).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["message"], "configuration refused, 2 problems");
    let problems = [
        "variable MIRA_SERVER_BIND_ADDRESS: server.bind_address: expected an address such as `127.0.0.1:8080`",
        "flag --set logging.levle: logging.levle: unknown key; did you mean `logging.level`?",
    ];
    assert_eq!(line["problems"], serde_json::json!(problems));
    let expected =
        format!("mira: configuration refused, 2 problems:\n  {}\n  {}\n", problems[0], problems[1]);
    assert_eq!(stderr, expected);
}

/// A port that is taken is a failed start: exit 1, named.
#[test]
fn a_taken_port_fails_the_start() {
    let mira = Mira::start(&[]);
    let taken = mira.app();
    let mut second = command(&[]);
    second.env("MIRA_SERVER_BIND_ADDRESS", &taken).env("MIRA_OPS_BIND_ADDRESS", "127.0.0.1:0");
    let (code, stdout, stderr) = output(&mut second);
    assert_eq!(code, Some(1));
    let expected = format!("mira: cannot listen on {taken} (server.bind_address): ");
    assert!(stderr.starts_with(&expected), "{stderr}");
    assert!(stdout.lines().last().unwrap().contains("cannot listen on"), "{stdout}");
    mira.stop();
}

/// A broker that is not there fails the start, and says which.
#[test]
fn a_missing_broker_fails_the_start() {
    let mut command =
        command(&["--set", "broker.kind=nats", "--set", "broker.nats.url=nats://127.0.0.1:1"]);
    command
        .env("MIRA_SERVER_BIND_ADDRESS", "127.0.0.1:0")
        .env("MIRA_OPS_BIND_ADDRESS", "127.0.0.1:0");
    let (code, stdout, stderr) = output(&mut command);
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with("mira: the start failed: "), "{stderr}");
    let last: serde_json::Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&last["message"], &last["outcome"]), (&"stopped".into(), &"failed".into()));
}

/// Mira's own checks stand in the report, with their figures.
#[test]
fn health_shows_miras_checks() {
    let mira = Mira::start(&[]);
    let health = get(&mira.app(), "/healthz");
    assert_eq!(health.status, 200);
    let checks = &health.json()["checks"];
    for check in ["configuration", "agents", "broker"] {
        assert_eq!(checks[check]["status"], "healthy", "{checks}");
    }
    assert_eq!(checks["agents"]["data"]["agent_count"], 4);
    mira.stop();
}

/// MET-4: Mira's own metrics are on the ops port, beside the host's.
#[test]
fn metrics_show_miras_messages() {
    let mira = Mira::start(&[]);
    let (app, ops) = (mira.app(), mira.ops());
    let body = r#"{"message_type": "assess_risks", "data": {"name": "Shop"}}"#;
    assert_eq!(post(&app, "/api/messages", body).status, 200);
    mira.wait_for_message("Message completed");
    let metrics = get(&ops, "/metrics").body;
    for line in [
        r#"mira_messages_total{message_type="assess_risks",outcome="completed"} 1"#,
        r#"mira_message_duration_seconds_count{message_type="assess_risks"} 1"#,
        "mira_queue_capacity 1000",
    ] {
        assert!(metrics.lines().any(|other| other == line), "{line} in\n{metrics}");
    }
    mira.stop();
}

/// `listening` and `stopped` are written at every level, and nothing else is when the log is off.
#[test]
fn two_messages_are_written_at_every_level() {
    let mira = Mira::start_with(&[], &[("MIRA_LOG_LEVEL", "off")]);
    let ops = mira.ops();
    while get(&ops, "/health/ready").status != 200 {}
    let messages: Vec<_> = mira.stop().iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["listening", "listening", "stopped"]);
}

/// CFG-1: a variable of ours that is no text is refused by its name; others are nobody's business.
#[test]
fn a_variable_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let value = std::ffi::OsStr::from_bytes(b"canary-\xff");
    let mut command = command(&["--check-config"]);
    command.env("MIRA_LOG_LEVEL", value).env("OTHER", value);
    let (code, _, stderr) = output(&mut command);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("variable MIRA_LOG_LEVEL: is not UTF-8\n"), "{stderr}");
    assert!(!stderr.contains("OTHER") && !stderr.contains("canary"), "{stderr}");
}

/// CFG-1: in a folder of files, what is no configuration is passed over, and said to be.
#[test]
fn other_files_of_a_folder_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.json", "b.ini", ".hidden", "a.json~"] {
        std::fs::write(folder.path().join(name), "{}").unwrap();
    }
    let path = folder.path().display().to_string();
    let (code, _, stderr) = output(&mut command(&["--check-config", "--config", &path]));
    assert_eq!(code, Some(0));
    let expected = format!(
        "warning: {path}/b.ini: is passed over, for its name does not end in .toml, .json or .yaml\n"
    );
    assert_eq!(stderr, expected);
}
