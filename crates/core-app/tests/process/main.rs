//! What becomes of a whole process when the service in it misbehaves. Each case starts this program
//! again as the service, for only a process of its own can be signalled and ended.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test, though not by the name of one"
)]

mod audit;
mod service;
mod started;
mod system;
#[cfg(feature = "otlp")]
mod traces;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, ExitCode, Termination as _};
use std::time::Duration;

use started::Started;

/// Secrets are asked for again and again.
const REFRESH: &[&str] =
    &["--set", "secrets.auto_refresh=true", "--set", "secrets.refresh_interval=1"];

fn main() -> ExitCode {
    if let Some(kind) = std::env::args().nth(1).and_then(|name| service::Kind::by_name(&name)) {
        return service::run(kind).report();
    }
    let cases: &[(&str, fn())] = &[
        ("orders_are_audited", audit::orders_are_audited),
        #[cfg(feature = "otlp")]
        ("requests_are_traced", traces::requests_are_traced),
        ("the_watchdog_ends_what_is_stuck", the_watchdog_ends_what_is_stuck),
        ("a_task_that_keeps_its_worker_is_told", a_task_that_keeps_its_worker_is_told),
        ("a_health_check_asks_the_running_service", a_health_check_asks_the_running_service),
        ("what_runs_short_is_shown", what_runs_short_is_shown),
        ("requests_tell_who_sent_them", requests_tell_who_sent_them),
        ("a_second_signal_needs_no_runtime", a_second_signal_needs_no_runtime),
        ("the_service_manager_is_told", the_service_manager_is_told),
        ("a_reload_during_the_start_is_not_told", a_reload_during_the_start_is_not_told),
        ("a_signal_interrupts_the_reading", a_signal_interrupts_the_reading),
        ("a_start_can_be_interrupted", a_start_can_be_interrupted),
        ("a_hung_subscriber_does_not_hold_the_end", a_hung_subscriber_does_not_hold_the_end),
        ("a_signal_after_another_reason_is_the_first", a_signal_after_another_reason_is_the_first),
        (
            "who_is_at_a_terminal_waits_for_no_balancer",
            system::who_is_at_a_terminal_waits_for_no_balancer,
        ),
        ("files_are_as_many_as_are_allowed", system::files_are_as_many_as_are_allowed),
    ];
    for (name, case) in cases {
        println!("test {name} ... ");
        // A panic ends this process, and that is the report.
        case();
    }
    println!("test result: ok. {} passed; 0 failed; 0 ignored", cases.len());
    ExitCode::SUCCESS
}

/// HLT-1, STOP-4, STOP-7: with every worker of the app stuck, liveness fails, the ops port answers,
/// systemd hears no more that the process lives, and the process ends at its deadline by 124, with the
/// last line.
fn the_watchdog_ends_what_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let arguments = ["--set", "server.shutdown_timeout=2.5s", "--set", "runtime.stall_limit=1s"];
    let variables = [("NOTIFY_SOCKET", address.to_str().unwrap()), ("WATCHDOG_USEC", "20000")];
    let service = Started::with_variables("stuck", &arguments, &variables);
    service.wait_for_message("started");
    let mut client = service.connect("app");
    client.write_all(b"GET /block HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    service.wait_for("every worker stuck", |line| {
        line["message"] == "blocked" && line["blocked"] == service::WORKERS
    });
    let began = std::time::Instant::now();
    while !service.get("ops", "/health/live").starts_with("HTTP/1.1 503") {
        assert!(began.elapsed() < Duration::from_secs(20), "liveness does not fail");
        std::thread::sleep(Duration::from_millis(20));
    }
    // What was told before; then nothing for 25 periods.
    let mut beats = 0;
    while socket.recv(&mut [0; 64]).is_ok() {
        beats += 1;
        assert!(beats < 1000, "systemd is told that a stuck process lives");
    }
    assert!(beats > 1, "{beats}");
    service.signal("TERM");
    service.wait_for_message("stopping");
    assert!(service.get("ops", "/health/ready").starts_with("HTTP/1.1 503"));
    let end = service.end();
    assert_eq!(end.code, Some(124));
    assert_eq!(end.last["outcome"], "cut_short");
    assert!(end.since_signal < Duration::from_secs(4), "{:?}", end.since_signal);
}

/// DIST-4: an image needs no other program to tell whether its service is well: the same program asks,
/// with the same configuration, and fetches no secret for that.
fn a_health_check_asks_the_running_service() {
    let service = Started::new("patient", &[]);
    service.wait_for_message("started");
    let address = format!("ops.bind_address={}", service.address("ops"));
    // The backend of this kind never answers.
    let ask = |arguments: &[&str]| {
        let all =
            [&["mute", "healthcheck", "--set", "secrets.backend=counting"], arguments].concat();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(all).args(["--set", "key=secret://key"]).output().unwrap();
        let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap());
        (output.status.code(), said.concat())
    };
    assert_eq!(ask(&["--set", &address]), (Some(0), "healthy\n".into()));
    service.signal("TERM");
    service.wait_for_message("the callback waits for a signal");
    let (code, said) = ask(&["--set", &address]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not well: 503 Service Unavailable: "), "{said}");
    assert_eq!(ask(&["live", "--set", &address]).0, Some(0));
    service.signal("TERM");
    assert_eq!(service.end().code, Some(143));
    let (code, said) = ask(&["--set", &address]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
}

/// HLT-5: a process of its own looks at the log's disk, and at memory where there is a limit; what runs
/// short is degraded, follows the settings, and takes no traffic away.
fn what_runs_short_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("logging.file={}", folder.path().join("log.json").display());
    let short = ["--set", &file, "--set", "resources.disk_free=15000TiB"];
    let settings = ["--set", "health.interval=100ms", "--set", "health.timeout=100ms"];
    let service = Started::new("plain", &[short, settings].concat());
    // It may be told before the start is.
    service.wait_for("the change of `disk`", |line| line["check"] == "disk");
    let began = std::time::Instant::now();
    while !service.get("ops", "/health/ready").starts_with("HTTP/1.1 200") {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not become ready");
    }
    let health = service.get("ops", "/health");
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(health.contains(r#""disk":{"status":"degraded""#), "{health}");
    let has_limit = core_app::health::checks::Memory::now().is_some();
    assert_eq!(health.contains(r#""memory":{"status":"healthy""#), has_limit, "{health}");
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
}

/// HTTP-3: the line of a request tells who sent it.
fn requests_tell_who_sent_them() {
    let service = Started::new("plain", &[]);
    service.get("app", "/nothing");
    assert_eq!(service.wait_for_message("request finished")["client"], "127.0.0.1");
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
}

/// HLT-1: a request that keeps its worker is told with its duration, in the log and in a histogram,
/// and is no reason to restart the process.
fn a_task_that_keeps_its_worker_is_told() {
    let service = Started::new("plain", &["--set", "runtime.slow_poll=200ms"]);
    service.wait_for_message("started");
    service.get("app", "/slow");
    let line = service.wait_for("stall", |line| line["logger"] == "core_app::runtime");
    assert_eq!(line["message"], "a task keeps its worker");
    let line = service.wait_for("end of the stall", |line| line["logger"] == "core_app::runtime");
    let blocked = line["blocked_ms"].as_u64().unwrap();
    let slow = u64::try_from(service::SLOW.as_millis()).unwrap();
    assert!(blocked.abs_diff(slow) <= 300, "{blocked}");
    assert!(service.get("ops", "/health/live").starts_with("HTTP/1.1 200"));
    let metrics = service.get("ops", "/metrics");
    assert!(metrics.contains("runtime_worker_stall_seconds_count 1"), "{metrics}");
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
}

/// STOP-4: a second signal ends the process at once, though nobody is there to hear the first.
fn a_second_signal_needs_no_runtime() {
    let service = Started::new("deaf", REFRESH);
    service.wait_for_message("the backend blocks");
    service.signal("TERM");
    service.signal("INT");
    let end = service.end();
    assert!(matches!(end.code, Some(130 | 143)), "{:?}", end.code);
    assert_eq!(end.last["outcome"], "forced");
    assert!(end.since_signal < Duration::from_secs(1), "{:?}", end.since_signal);
}

/// STOP-4: a signal is heard while the settings are being completed, before any port is taken.
fn a_signal_interrupts_the_reading() {
    let service = Started::spawn("mute", &[], &[]);
    // What is written before the log is configured appears with it: nothing can be waited for but
    // the process' own readiness for signals, bit 14 of what it catches.
    let is_armed = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", service.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & (1 << 14) != 0
    };
    while !is_armed() {
        std::thread::yield_now();
    }
    service.signal("TERM");
    let end = service.end();
    assert_eq!((end.code, &end.last["outcome"]), (Some(0), &"clean".into()), "{:#}", end.last);
    assert_eq!((&end.last["message"], &end.last["reason"]), (&"stopped".into(), &"SIGTERM".into()));
    assert!(end.since_signal < Duration::from_secs(1), "{:?}", end.since_signal);
}

/// STOP-3, STOP-4: a signal during the start stops what had started, and waits for nobody who
/// merely keeps a connection.
fn a_start_can_be_interrupted() {
    for kind in ["slow", "quitter"] {
        interrupt(kind);
    }
}

fn interrupt(kind: &str) {
    let service = Started::new(kind, &[]);
    service.wait_for_message("starting for ever");
    let mut idle = service.connect("app");
    idle.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    idle.read_exact(&mut [0; 12]).unwrap();
    service.signal("TERM");
    let end = service.end();
    assert_eq!((end.code, &end.last["outcome"]), (Some(0), &"clean".into()), "{:#}", end.last);
    assert_eq!(end.last["steps"].as_array().unwrap().last().unwrap()["name"], "log");
    assert!(end.since_signal < Duration::from_secs(1), "{:?}", end.since_signal);
}

/// STOP-7: systemd hears of the start, of every reload, of the stop, and between them that the
/// process lives.
fn the_service_manager_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut buffer = [0; 256];
    let mut next = || {
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    };
    let mut after_watchdog = || {
        let mut beats = 0;
        loop {
            match next() {
                beat if beat == "WATCHDOG=1\n" => beats += 1,
                other => return (beats, other),
            }
        }
    };
    let variables = [("NOTIFY_SOCKET", address.to_str().unwrap()), ("WATCHDOG_USEC", "20000")];
    let service = Started::with_variables("plain", &[], &variables);
    service.wait_for_message("started");
    assert_eq!(after_watchdog().1, "READY=1\n");
    service.signal("HUP");
    let (_, reloading) = after_watchdog();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(after_watchdog().1, "READY=1\n");
    // A few periods.
    std::thread::sleep(Duration::from_millis(100));
    service.signal("TERM");
    let (beats, stopping) = after_watchdog();
    assert_eq!(stopping, "STOPPING=1\n");
    assert!(beats > 1, "{beats}");
    assert_eq!(service.end().code, Some(0));
}

/// STOP-7: a reload while the service starts does not make it ready.
fn a_reload_during_the_start_is_not_told() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let socket = UnixDatagram::bind(&address).unwrap();
    socket.set_nonblocking(true).unwrap();
    let variables = [("NOTIFY_SOCKET", address.to_str().unwrap())];
    let service = Started::with_variables("slow", &[], &variables);
    service.wait_for_message("starting for ever");
    service.signal("HUP");
    service.wait_for_message("configuration is unchanged");
    let mut buffer = [0; 64];
    assert!(socket.recv(&mut buffer).is_err(), "{:?}", String::from_utf8_lossy(&buffer));
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
    let count = socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"STOPPING=1\n");
}

/// CFG-6, STOP-4: a subscriber that never answers holds up its reload, and not the end.
fn a_hung_subscriber_does_not_hold_the_end() {
    let service = Started::new("hung", REFRESH);
    service.wait_for_message("the subscriber hangs");
    service.signal("TERM");
    let end = service.end();
    assert_eq!((end.code, &end.last["outcome"]), (Some(0), &"clean".into()), "{:#}", end.last);
}

/// STOP-4: when a stop has begun for another reason, the first signal does not cut it.
fn a_signal_after_another_reason_is_the_first() {
    let service = Started::new("patient", &[]);
    service.wait_for_message("started");
    service.get("app", "/stop");
    service.wait_for_message("the callback waits for a signal");
    service.signal("TERM");
    let end = service.end();
    assert_eq!((end.code, &end.last["outcome"]), (Some(0), &"clean".into()), "{:#}", end.last);
    assert_eq!(end.last["reason"], "requested");
}
