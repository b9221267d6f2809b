//! A service that was started as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Everything that is waited for comes within this time, or never.
const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Started {
    child: Child,
    log: Receiver<String>,
    addresses: [(String, String); 2],
    signalled: Mutex<Instant>,
}

pub(crate) struct End {
    pub(crate) code: Option<i32>,
    pub(crate) last: Value,
    pub(crate) since_signal: Duration,
}

impl Started {
    /// Starts it, and waits until it listens.
    pub(crate) fn new(kind: &str, arguments: &[&str]) -> Self {
        Self::with_variables(kind, arguments, &[])
    }

    pub(crate) fn with_variables(
        kind: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut started = Self::spawn(kind, arguments, variables);
        started.addresses = ["ops", "app"].map(|listener| {
            let line = started.wait_for_message("listening");
            assert_eq!(line["listener"], listener);
            (listener.to_owned(), line["address"].as_str().unwrap().to_owned())
        });
        started
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn spawn(kind: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn_at(Stdio::null(), kind, arguments, variables)
    }

    /// Starts it, to read from `stdin`, and waits for nothing.
    pub(crate) fn spawn_at(
        stdin: impl Into<Stdio>,
        kind: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(kind)
            .args(["--set", "server.bind_address=127.0.0.1:0"])
            .args(["--set", "ops.bind_address=127.0.0.1:0"])
            .args(["--set", "server.propagation_delay=0"])
            .args(["--set", "secrets.backend=counting", "--set", "key=secret://key"])
            .args(arguments)
            .envs(variables.iter().copied())
            .env("TOKIO_WORKER_THREADS", crate::service::WORKERS.to_string())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (lines, log) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| lines.send(line))
        });
        Self { child, log, addresses: Default::default(), signalled: Mutex::new(Instant::now()) }
    }

    fn next_line(&self) -> Option<Value> {
        let line = match self.log.recv_timeout(SOON) {
            Ok(line) => line,
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => panic!("it says no more"),
        };
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Reads on until a line fits.
    pub(crate) fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        while let Some(line) = self.next_line() {
            if fits(&line) {
                return line;
            }
            seen.push(line.to_string());
        }
        panic!("no {what} in\n{}", seen.join("\n"))
    }

    pub(crate) fn wait_for_message(&self, message: &str) -> Value {
        self.wait_for(message, |line| line["message"] == message)
    }

    pub(crate) fn address(&self, listener: &str) -> &str {
        let (_, address) = self.addresses.iter().find(|(name, _)| name == listener).unwrap();
        address
    }

    pub(crate) fn connect(&self, listener: &str) -> TcpStream {
        let stream = TcpStream::connect(self.address(listener)).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream
    }

    pub(crate) fn get(&self, listener: &str, path: &str) -> String {
        let mut stream = self.connect(listener);
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        *self.signalled.lock().unwrap() = Instant::now();
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    pub(crate) fn end(mut self) -> End {
        let mut last = Value::Null;
        while let Some(line) = self.next_line() {
            last = line;
        }
        let signalled = *self.signalled.lock().unwrap();
        while self.child.try_wait().unwrap().is_none() && signalled.elapsed() < SOON {
            std::thread::sleep(Duration::from_millis(2));
        }
        let since_signal = signalled.elapsed();
        let status = self.child.try_wait().unwrap().expect("it ends");
        End { code: status.code(), last, since_signal }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Only what a failed case has left behind is still there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
