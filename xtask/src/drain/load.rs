use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};

/// What the clients do: each asks for a plan, over and over, on a connection that it keeps.
const SCRIPT: &str = r#"
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"message_type": "generate_plan", "data": {"name": "Launch"}}'
"#;

/// As many clients.
const CLIENTS: &str = "16";
/// Longer than any run: it is ended before.
const SECONDS: &str = "3600";

/// Clients under way.
pub(crate) struct Load(Child);

/// What the clients have seen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    /// In the words of the tool.
    pub(crate) report: String,
}

impl Load {
    /// Starts `wrk`, which may have to be run in another place, against an address.
    pub(crate) fn start(folder: &Path, mut wrk: Command, address: &str) -> anyhow::Result<Self> {
        let script = folder.join("load.lua");
        fs::write(&script, SCRIPT)?;
        let child = wrk
            .args([
                "--threads",
                "1",
                "--connections",
                CLIENTS,
                "--duration",
                SECONDS,
                "--timeout",
                "20s",
            ])
            .arg("--script")
            .arg(&script)
            .arg(format!("http://{address}/api/messages"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start wrk")?;
        Ok(Self(child))
    }

    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Ends it, and reads what it has seen. One that nobody would let in has seen a failure.
    pub(crate) fn stop(mut self) -> anyhow::Result<Seen> {
        kill_process(Pid::from_child(&self.0), Signal::INT)?;
        let stdout = self.0.stdout.take().context("its output is piped")?;
        let stderr = self.0.stderr.take().context("its output is piped")?;
        let report = std::io::read_to_string(stdout)?;
        // It says next to nothing there: the pipe does not fill meanwhile.
        let complaint = std::io::read_to_string(stderr)?;
        self.0.wait()?;
        if complaint.starts_with("unable to connect") {
            return Ok(Seen { requests: 1, failed: 1, report: complaint });
        }
        let unknown = || format!("wrk says what is not understood:\n{report}{complaint}");
        read(&report).with_context(unknown)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Only what a failure has left behind is still there.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn read(report: &str) -> Option<Seen> {
    let number = |word: &str| word.trim_end_matches(',').parse::<u64>().ok();
    let mut seen = Seen { requests: 0, failed: 0, report: report.to_owned() };
    let mut is_complete = false;
    for line in report.lines().map(str::trim) {
        if let Some(errors) = line.strip_prefix("Socket errors: ") {
            seen.failed += errors.split_whitespace().filter_map(number).sum::<u64>();
        } else if let Some(count) = line.strip_prefix("Non-2xx or 3xx responses: ") {
            seen.failed += number(count)?;
        } else if let Some((count, _)) = line.split_once(" requests in ") {
            seen.requests = number(count)?;
            is_complete = true;
        }
    }
    is_complete.then_some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_every_kind_count() {
        let report = "Running 10s test\n  1234 requests in 1.00s, 1.00MB read\n  \
                      Socket errors: connect 1, read 2, write 3, timeout 4\n  \
                      Non-2xx or 3xx responses: 5\nRequests/sec: 1234.00\n";
        let seen = read(report).unwrap();
        assert_eq!((seen.requests, seen.failed), (1234, 15));
        assert_eq!(read("wrk: cannot connect"), None);
    }
}
