use std::fs;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::replica::{Replica, SOON, free_address, pause};

/// A haproxy that asks its servers every second whether they are ready, believes the second no, and
/// repeats no request: whatever a server drops is seen.
pub(super) struct Balancer {
    pub(super) address: SocketAddr,
    socket: PathBuf,
    child: Child,
}

impl Balancer {
    pub(super) fn start(folder: &Path, replicas: &[Replica], path: &str) -> anyhow::Result<Self> {
        let (address, socket) = (free_address(), folder.join("haproxy.sock"));
        let servers: Vec<String> = replicas
            .iter()
            .map(|replica| format!("  server {} {} check", replica.name, replica.app))
            .collect();
        let config = format!(
            "global\n  stats socket {}\n\
             defaults\n  mode http\n  retries 0\n  option http-keep-alive\n  \
             timeout connect 1s\n  timeout client 30s\n  timeout server 30s\n\
             frontend all\n  bind {address}\n  default_backend mira\n\
             backend mira\n  balance roundrobin\n  option httpchk GET {path}\n  \
             default-server inter 1s fall 2 rise 1\n{}\n",
            socket.display(),
            servers.join("\n")
        );
        let file = folder.join("haproxy.cfg");
        fs::write(&file, config)?;
        let child = Command::new("haproxy")
            .arg("-db")
            .arg("-f")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start haproxy")?;
        Ok(Self { address, socket, child })
    }

    /// Whether the balancer would send requests to a replica.
    pub(super) fn is_up(&self, replica: &Replica) -> anyhow::Result<bool> {
        let mut stream = UnixStream::connect(&self.socket).context("haproxy does not answer")?;
        stream.write_all(b"show stat\n")?;
        let mut table = String::new();
        stream.read_to_string(&mut table)?;
        // Proxy, server, …, and the state in the eighteenth column.
        let begin = format!("mira,{},", replica.name);
        let row = table.lines().find(|row| row.starts_with(&begin)).context("haproxy lost it")?;
        Ok(row.split(',').nth(17).is_some_and(|state| state.starts_with("UP")))
    }

    pub(super) fn wait_until_up(&self, replica: &Replica) -> anyhow::Result<()> {
        let began = Instant::now();
        // At first there is not even a socket.
        while !self.is_up(replica).unwrap_or(false) {
            ensure!(began.elapsed() < SOON, "haproxy does not take replica {}", replica.name);
            pause();
        }
        Ok(())
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It keeps nothing that would have to be saved.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
