//! A docker engine of this suite's own: in namespaces of its own, so that neither its network nor its
//! processes outlive it, and with a data folder of its own.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;

use super::Shipped;
use crate::context::Context;
use crate::drain::replica::pause;
use crate::process;

/// Everything that is waited for comes within this time, or never.
const SOON: Duration = Duration::from_secs(60);

pub(super) struct Engine {
    /// It is in the engine's network.
    child: Child,
    folder: PathBuf,
}

impl Engine {
    /// Starts it, and waits until it answers.
    pub(super) fn start(context: &Context, folder: &Path) -> anyhow::Result<Self> {
        ensure!(geteuid().is_root(), "a docker engine wants root");
        context.step("dist: starting docker");
        let folder = folder.join("engine");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("daemon.json"), "{}")?;
        let at = |name: &str| folder.join(name);
        let mut command = Command::new("setpriv");
        // Whatever becomes of this program, the engine ends, and with it all that it started.
        command.args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--net",
            "--pid",
            "--mount-proc",
        ]);
        command.args(["--fork", "--kill-child"]);
        // A registry on its loopback is one that it trusts.
        command.args(["sh", "-c", "ip link set lo up && exec dockerd \"$@\"", "dockerd"]);
        command.arg("--userland-proxy=false");
        command.arg("--config-file").arg(at("daemon.json"));
        command.arg("--data-root").arg(at("data")).arg("--exec-root").arg(at("run"));
        command.arg("--pidfile").arg(at("pid"));
        command.arg("--host").arg(format!("unix://{}", at("socket").display()));
        let log = std::fs::File::create(at("log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let child = command.spawn()?;
        let mut engine = Self { child, folder };
        let began = Instant::now();
        while engine.docker(&["version"]).is_err() {
            let has_ended = engine.child.try_wait()?.is_some();
            if has_ended || began.elapsed() > SOON {
                bail!("dockerd does not start:\n{}", engine.log());
            }
            pause();
        }
        Ok(engine)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Runs `docker`.
    pub(super) fn docker(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut docker = Command::new("docker");
        docker.env("DOCKER_HOST", format!("unix://{}", self.folder.join("socket").display()));
        // What a person has set up for docker is not asked.
        docker.env("DOCKER_CONFIG", &self.folder).env_remove("DOCKER_CONTEXT");
        // The other builder is a plug-in that not every installation has.
        docker.env("DOCKER_BUILDKIT", "0");
        let said = process::run(docker.args(arguments), |_| {})?;
        Ok(said.trim_end().to_owned())
    }

    /// Runs `docker-compose` with a file, and Mira's image in it.
    pub(super) fn compose(
        &self,
        file: &Path,
        image: &str,
        arguments: &[&str],
    ) -> anyhow::Result<String> {
        let mut compose = Command::new("docker-compose");
        compose.args(["--project-name", "mira", "--file"]).arg(file).args(arguments);
        compose.env("DOCKER_HOST", format!("unix://{}", self.folder.join("socket").display()));
        compose.env("DOCKER_CONFIG", &self.folder).env("MIRA_IMAGE", image);
        let said = process::run(&mut compose, |_| {})?;
        Ok(said.trim_end().to_owned())
    }

    /// One thing that `docker inspect` knows.
    pub(super) fn inspect(&self, name: &str, format: &str) -> anyhow::Result<String> {
        self.docker(&["inspect", "--format", format, name])
    }

    /// Waits until `docker inspect` says what is wanted.
    pub(super) fn wait(&self, name: &str, format: &str, wanted: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        loop {
            let is = self.inspect(name, format)?;
            if is == wanted {
                return Ok(began.elapsed());
            }
            if began.elapsed() > SOON {
                let log = self.docker(&["logs", name])?;
                bail!("{name} is {is}, and not {wanted}:\n{log}");
            }
            pause();
        }
    }

    /// Asks a container by HTTP, from within the engine's network.
    pub(super) fn get(&self, container: &str, port: u16, path: &str) -> anyhow::Result<String> {
        let networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let addresses = self.inspect(container, networks)?;
        let address = addresses.split_whitespace().next().context("it has no address")?;
        let mut curl = self.inside("curl");
        curl.args(["--silent", "--show-error", "--fail", "--max-time", "10"]);
        process::run(curl.arg(format!("http://{address}:{port}{path}")), |_| {})
    }

    /// A program that is to run in the engine's network.
    pub(super) fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.child.id().to_string(), "--net", program]);
        command
    }

    /// What the kernel says of a container's process.
    pub(super) fn status(&self, container: &str) -> anyhow::Result<String> {
        let leader = self.leader().context("dockerd has ended")?.as_raw_nonzero().to_string();
        let path = format!("/proc/{}/status", self.inspect(container, "{{.State.Pid}}")?);
        let mut command = Command::new("nsenter");
        command.args(["--target", &leader, "--mount", "--pid", "cat", &path]);
        process::run(&mut command, |_| {})
    }

    /// The first process of the engine's namespaces: dockerd.
    fn leader(&self) -> Option<Pid> {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        Pid::from_raw(std::fs::read_to_string(children).ok()?.trim().parse().ok()?)
    }

    /// DIST-3: docker, and the containerd behind it, take the tar, and name what is in it as we do.
    pub(super) fn loads(&self, shipped: &Shipped) -> anyhow::Result<Vec<String>> {
        let tar = shipped.path("image")?;
        let path = tar.to_string_lossy();
        let reference = shipped.image("reference");
        let said = self.docker(&["load", "--input", &path])?;
        ensure!(said.contains(reference), "docker load says: {said}");
        let id = self.inspect(reference, "{{.Id}}")?;
        ensure!(id == shipped.image("config"), "docker has loaded {id}");
        let version = self.docker(&["version", "--format", "{{.Server.Version}}"])?;

        // With the flags of kind and of k3d.
        for flags in [&["--all-platforms", "--digests"][..], &["--all-platforms"], &[]] {
            self.ctr(&[&["images", "import"], flags, &[&path]].concat())?;
            let listed = self.ctr(&["images", "list", &format!("name=={reference}")])?;
            ensure!(
                listed.contains(shipped.image("manifest")),
                "ctr {flags:?} has loaded:\n{listed}"
            );
            self.ctr(&["images", "remove", reference])?;
        }
        let containerd = self.ctr(&["version"])?;
        let containerd =
            containerd.lines().filter_map(|line| line.split_once("Version:")).next_back();
        let containerd = containerd.map_or("", |(_, version)| version.trim());
        Ok(vec![format!("docker {version}"), format!("containerd {containerd}")])
    }

    fn ctr(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut ctr = Command::new("ctr");
        ctr.arg("--address").arg(self.folder.join("run/containerd/containerd.sock"));
        process::run(ctr.args(["--namespace", "dist"]).args(arguments), |_| {})
    }

    /// The log lines of a container, as objects.
    pub(super) fn lines(&self, container: &str) -> anyhow::Result<Vec<Value>> {
        let log = self.docker(&["logs", container])?;
        Ok(log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

/// Waits until something is so.
pub(super) fn until(what: &str, is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let began = Instant::now();
    while !is_so() {
        ensure!(began.elapsed() < SOON, "it is not so that {what}");
        pause();
    }
    Ok(())
}

impl Drop for Engine {
    fn drop(&mut self) {
        // In order, so that it takes its mounts away; what hangs is killed.
        if let Some(leader) = self.leader() {
            let _ = kill_process(leader, Signal::TERM);
        }
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(20)
        {
            pause();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
