//! The service that a page talks to: Mira, or what the page starts.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::process;

/// Includes building it, where a page starts it by cargo.
const START: Duration = Duration::from_secs(300);
/// More than it allows itself.
const STOP: Duration = Duration::from_secs(60);
const LISTENERS: [&str; 2] = ["app", "ops"];

/// A running service. Killed when dropped.
pub(crate) struct Service {
    child: Child,
    /// Of the app and of ops.
    addresses: [String; 2],
    lines: Receiver<String>,
}

impl Service {
    /// Runs a command that becomes the service, as the only command of a shell does, and waits until
    /// it is ready.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let (child, lines) = process::start(command)?;
        let mut service = Self { child, addresses: Default::default(), lines };
        service.wait_for_addresses()?;
        service.wait_until_ready()?;
        Ok(service)
    }

    pub(crate) fn addresses(&self) -> [&str; 2] {
        self.addresses.each_ref().map(String::as_str)
    }

    /// Asks it to end, and waits until it has, which it must do well.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot send SIGTERM")?;
        let mut log = String::new();
        let end = Instant::now() + STOP;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => log.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => bail!("it did not end when told to:\n{log}"),
            }
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "when told to end, it ended with {status}:\n{log}");
        Ok(())
    }

    fn wait_for_addresses(&mut self) -> anyhow::Result<()> {
        let mut log = String::new();
        let end = Instant::now() + START;
        while self.addresses.iter().any(String::is_empty) {
            let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()))
            else {
                bail!("it did not say where it listens:\n{log}");
            };
            if let Some((listener, address)) = listening(&line)
                && let Some(at) = LISTENERS.iter().position(|name| *name == listener)
            {
                self.addresses[at] = address;
            }
            log.push_str(&line);
        }
        Ok(())
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + START;
        while !is_ready(&self.addresses[0]) {
            ensure!(self.child.try_wait()?.is_none(), "it ended before it was ready");
            ensure!(Instant::now() < end, "it did not become ready");
            pause();
        }
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "readiness has to be asked for, it cannot be waited for"
)]
fn pause() {
    thread::sleep(Duration::from_millis(20));
}

fn is_ready(address: &str) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(
            stream,
            "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

/// The listener and the address, if a line of the log tells of one.
fn listening(line: &str) -> Option<(String, String)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |field: &str| line.get(field)?.as_str().map(ToOwned::to_owned);
    (text("message")? == "listening").then_some((text("listener")?, text("address")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_where_it_listens() {
        let line =
            r#"{"level":"INFO","message":"listening","listener":"ops","address":"127.0.0.1:7"}"#;
        assert_eq!(listening(line), Some(("ops".into(), "127.0.0.1:7".into())));
        assert_eq!(listening(r#"{"message":"started"}"#), None);
        assert_eq!(listening("Compiling mira"), None);
    }
}
