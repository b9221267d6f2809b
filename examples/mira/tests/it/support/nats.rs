use std::io::{BufRead as _, BufReader, ErrorKind};
use std::process::{Child, ChildStderr, Command, Stdio};

use tempfile::TempDir;

/// A `nats-server` with JetStream, on a port of its own and a folder of its own. Ends when dropped.
pub(crate) struct Server {
    child: Child,
    /// Kept open, or the server could not log any more.
    log: BufReader<ChildStderr>,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// Starts one. Without the program the test is skipped; in CI it fails.
    #[expect(clippy::print_stdout, reason = "whoever runs the tests is to know")]
    pub(crate) fn start() -> Option<Self> {
        let folder = TempDir::new().expect("a folder");
        match run(&folder, None, &[]) {
            Ok((child, log, port)) => Some(Self { child, log, folder, port }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                assert!(!in_ci(), "nats-server not found; apt-get install nats-server");
                println!("skipped: nats-server not found; apt-get install nats-server");
                None
            }
            Err(error) => panic!("nats-server does not start: {error}"),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills it as a power failure would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ran");
    }

    /// Starts it again with what it had stored, and with more arguments.
    pub(crate) fn start_again(&mut self, arguments: &[&str]) {
        let (child, log, _) = run(&self.folder, Some(self.port), arguments).expect("it ran before");
        (self.child, self.log) = (child, log);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the program and waits until it says that it is ready. Without a port it takes a free one.
fn run(
    folder: &TempDir,
    port: Option<u16>,
    arguments: &[&str],
) -> std::io::Result<(Child, BufReader<ChildStderr>, u16)> {
    let port = port.map_or("-1".into(), |port| port.to_string());
    let mut child = Command::new("nats-server")
        .args(["--addr", "127.0.0.1", "--port", &port, "--jetstream", "--store_dir"])
        .arg(folder.path())
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()?;
    let mut log = BufReader::new(child.stderr.take().expect("it was asked for"));
    let mut port = None;
    loop {
        let mut line = String::new();
        if log.read_line(&mut line)? == 0 {
            child.wait()?;
            return Err(std::io::Error::other("it ended at once"));
        }
        if let Some((_, address)) = line.split_once("client connections on ") {
            port = address.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        }
        if line.contains("Server is ready") {
            return Ok((child, log, port.expect("it told its port before")));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "no setting says whether this is CI")]
fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}
