//! A running Mira, and everything it has said.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Everything that is waited for comes within this time, or never.
const SOON: Duration = Duration::from_secs(20);

pub(crate) const TOKEN: &str = "ops-t0ken";

/// A command for the program under test, with nothing of this process' environment in it.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mira"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// What a program that ends by itself has said.
pub(crate) fn output(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

pub(crate) struct Mira {
    child: Child,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Mira {
    /// Starts Mira on free ports, with an ops token and without a propagation delay.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    pub(crate) fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = command(arguments);
        command
            .env("MIRA_SERVER_BIND_ADDRESS", "127.0.0.1:0")
            .env("MIRA_OPS_BIND_ADDRESS", "127.0.0.1:0")
            .env("MIRA_OPS_TOKEN", TOKEN)
            .env("MIRA_SERVER_PROPAGATION_DELAY", "0")
            .envs(variables.iter().copied());
        Self::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Log::default());
        let stdout = child.stdout.take().unwrap();
        let reader = {
            let log = Arc::clone(&log);
            std::thread::Builder::new().spawn(move || read(stdout, &log)).unwrap()
        };
        Self { child, log, reader: Some(reader) }
    }

    /// Waits for a line that fits, among those that came already too.
    pub(crate) fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + SOON;
        let mut lines = self.log.lines.lock().unwrap();
        let mut seen = 0;
        loop {
            for line in &lines[seen..] {
                let line = parse(line);
                if fits(&line) {
                    return line;
                }
            }
            seen = lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "no {what} in\n{}", lines.join("\n"));
            lines = self.log.more.wait_timeout(lines, left).unwrap().0;
        }
    }

    pub(crate) fn wait_for_message(&self, message: &str) -> Value {
        self.wait_for(message, |line| line["message"] == message)
    }

    fn address(&self, listener: &str) -> String {
        let line = self.wait_for("address", |line| {
            line["message"] == "listening" && line["listener"] == listener
        });
        line["address"].as_str().unwrap().to_owned()
    }

    /// Where the app listens. It is ready when this returns.
    pub(crate) fn app(&self) -> String {
        self.wait_for_message("started");
        let deadline = Instant::now() + SOON;
        while crate::client::get(&self.ops(), "/health/ready").status != 200 {
            assert!(Instant::now() < deadline, "it does not become ready");
        }
        self.address("app")
    }

    pub(crate) fn ops(&self) -> String {
        self.address("ops")
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end, and gives the exit status, every line, and the standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, Vec<Value>, String) {
        let deadline = Instant::now() + SOON;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        self.reader.take().unwrap().join().unwrap();
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let lines = self.log.lines.lock().unwrap().iter().map(|line| parse(line)).collect();
        (status, lines, stderr)
    }

    /// Asks it to stop, and expects it to stop well.
    pub(crate) fn stop(self) -> Vec<Value> {
        self.signal("TERM");
        let (status, lines, stderr) = self.end();
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
        assert_eq!(lines.last().unwrap()["outcome"], "clean", "{:#}", lines.last().unwrap());
        lines
    }

    /// Everything it has written so far.
    pub(crate) fn text(&self) -> String {
        self.log.lines.lock().unwrap().join("\n")
    }
}

impl Drop for Mira {
    fn drop(&mut self) {
        // Only what a failed test has left behind is still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(stdout: ChildStdout, log: &Log) {
    for line in BufReader::new(stdout).lines() {
        log.lines.lock().unwrap().push(line.unwrap());
        log.more.notify_all();
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}
