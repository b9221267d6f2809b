use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::Mutant;

/// Whatever is waited for comes within this time, or never.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// One Mira, on ports that stay the same from start to start.
pub(super) struct Replica {
    pub(super) name: &'static str,
    pub(super) app: SocketAddr,
    ops: SocketAddr,
    /// Where Mira itself listens, if somebody else lets its clients in.
    behind: Option<SocketAddr>,
    program: PathBuf,
    log: PathBuf,
    mutant: Option<Mutant>,
    child: Option<Child>,
    door: Option<Child>,
}

impl Replica {
    pub(super) fn new(
        name: &'static str,
        program: &Path,
        folder: &Path,
        mutant: Option<Mutant>,
    ) -> Self {
        Self {
            name,
            app: free_address(),
            ops: free_address(),
            behind: (mutant == Some(Mutant::ClosedFirst)).then(free_address),
            program: program.to_owned(),
            log: folder.join(format!("{name}.log")),
            mutant,
            child: None,
            door: None,
        }
    }

    /// Starts it, and waits until it is ready.
    pub(super) fn start(&mut self) -> anyhow::Result<()> {
        let log = File::create(&self.log).context("cannot write the log")?;
        let mut command = Command::new(&self.program);
        command
            .env("MIRA_SERVER_BIND_ADDRESS", self.behind.unwrap_or(self.app).to_string())
            .env("MIRA_OPS_BIND_ADDRESS", self.ops.to_string())
            .env("MIRA_LOG_LEVEL", "warn");
        if self.mutant == Some(Mutant::NoDelay) {
            command.env("MIRA_SERVER_PROPAGATION_DELAY", "0");
        }
        command.stdin(Stdio::null()).stdout(log).stderr(Stdio::inherit());
        self.child = Some(command.spawn().context("cannot start mira")?);
        let began = Instant::now();
        while !is_ready(self.ops) {
            ensure!(began.elapsed() < SOON, "replica {} does not become ready", self.name);
            pause();
        }
        if let Some(behind) = self.behind {
            self.door = Some(door(self.app, behind)?);
            while TcpStream::connect(self.app).is_err() {
                ensure!(began.elapsed() < SOON, "socat lets nobody in to replica {}", self.name);
                pause();
            }
        }
        Ok(())
    }

    /// Stops it as Kubernetes would, and waits for its end.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        // Connections that are there have processes of their own, which stay.
        self.close_door();
        let is_killed = self.mutant == Some(Mutant::Killed);
        let signal = if is_killed { Signal::KILL } else { Signal::TERM };
        kill_process(Pid::from_child(&child), signal)?;
        let status = child.wait()?;
        let log = std::fs::read_to_string(&self.log)?;
        let last = log.lines().last().unwrap_or_default();
        if !is_killed && (!status.success() || !last.contains(r#""outcome":"clean""#)) {
            bail!("replica {} ended with {status}: {last}", self.name);
        }
        Ok(())
    }

    fn close_door(&mut self) {
        if let Some(mut door) = self.door.take() {
            // It may have ended by itself.
            let _ = door.kill();
            let _ = door.wait();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.close_door();
        if let Some(child) = &mut self.child {
            // Only what a failure has left behind is still there.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Lets clients in at one address, and passes on what they say to another.
fn door(at: SocketAddr, behind: SocketAddr) -> anyhow::Result<Child> {
    let mut socat = Command::new("socat");
    socat.arg(format!("TCP-LISTEN:{},bind={},fork,reuseaddr,nodelay", at.port(), at.ip()));
    socat.arg(format!("TCP:{behind},nodelay")).stdin(Stdio::null());
    socat.spawn().context("cannot start socat")
}

/// An address that is free now. It may be taken by others before it is used, and then the start
/// tells.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("a listener has an address")
}

fn is_ready(ops: SocketAddr) -> bool {
    let url = format!("http://{ops}/health/ready");
    let asked = Command::new("curl").args(["--silent", "--fail", "--max-time", "2", &url]).output();
    asked.is_ok_and(|output| output.status.success())
}

/// Between two looks at something that is waited for.
#[expect(clippy::disallowed_methods, reason = "other processes tell nobody when they are ready")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
