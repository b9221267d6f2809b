//! The programs that jobs need.

pub(crate) mod kept;
mod module;
pub(crate) mod places;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::environment;

/// A program that people install by their system's means.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    /// A command that succeeds where the tool is there; best one that prints its version.
    pub(crate) probe: &'static [&'static str],
    /// The command that gets it.
    pub(crate) get: &'static str,
}

/// Where a tool is.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

pub(crate) const BASH: Tool =
    Tool { name: "bash", probe: &["bash", "--version"], get: "apt-get install bash" };
pub(crate) const CLIPPY: Tool = Tool {
    name: "clippy",
    probe: &["cargo-clippy", "--version"],
    get: "rustup component add clippy",
};
pub(crate) const CNI: Tool = Tool {
    name: "cni plugins",
    probe: &["bash", "-c", "cd /usr/lib/cni && ls bridge host-local loopback portmap"],
    get: "apt-get install containernetworking-plugins",
};
pub(crate) const CONTAINERD: Tool = Tool {
    name: "containerd",
    probe: &["containerd", "--version"],
    get: "apt-get install containerd",
};
pub(crate) const CURL: Tool =
    Tool { name: "curl", probe: &["curl", "--version"], get: "apt-get install curl" };
pub(crate) const DOCKER: Tool =
    Tool { name: "docker", probe: &["docker", "--version"], get: "apt-get install docker.io" };
pub(crate) const DOCKERD: Tool =
    Tool { name: "dockerd", probe: &["dockerd", "--version"], get: "apt-get install docker.io" };
pub(crate) const DOCKER_COMPOSE: Tool = Tool {
    name: "docker-compose",
    probe: &["docker-compose", "--version"],
    get: "apt-get install docker-compose",
};
pub(crate) const DOCKER_REGISTRY: Tool = Tool {
    name: "docker-registry",
    probe: &["docker-registry", "--version"],
    get: "apt-get install docker-registry",
};
pub(crate) const GIT: Tool =
    Tool { name: "git", probe: &["git", "--version"], get: "apt-get install git" };
/// What servers that no system's packages bring are built with.
pub(crate) const GO: Tool = Tool {
    name: "go",
    probe: &["go", "version"],
    get: "install Go 1.25 or newer, as https://go.dev/doc/install tells",
};
pub(crate) const HAPROXY: Tool =
    Tool { name: "haproxy", probe: &["haproxy", "-v"], get: "apt-get install haproxy" };
pub(crate) const IP: Tool =
    Tool { name: "ip", probe: &["ip", "-V"], get: "apt-get install iproute2" };
pub(crate) const IPTABLES: Tool =
    Tool { name: "iptables", probe: &["iptables", "--version"], get: "apt-get install iptables" };
pub(crate) const LOGROTATE: Tool = Tool {
    name: "logrotate",
    probe: &["logrotate", "--version"],
    get: "apt-get install logrotate",
};
pub(crate) const NATS: Tool = Tool {
    name: "nats-server",
    probe: &["nats-server", "--version"],
    get: "apt-get install nats-server",
};
pub(crate) const OPENSSL: Tool =
    Tool { name: "openssl", probe: &["openssl", "version"], get: "apt-get install openssl" };
pub(crate) const PODMAN: Tool =
    Tool { name: "podman", probe: &["podman", "--version"], get: "apt-get install podman" };
/// Debian keeps its servers off the `PATH`.
pub(crate) const POSTGRESQL: Tool = Tool {
    name: "postgresql",
    probe: &[
        "bash",
        "-c",
        "PATH=$(echo /usr/lib/postgresql/*/bin | tr ' ' :):$PATH initdb --version",
    ],
    get: "apt-get install postgresql",
};
pub(crate) const PROMTOOL: Tool =
    Tool { name: "promtool", probe: &["promtool", "--version"], get: "apt-get install prometheus" };
pub(crate) const PYTHON: Tool = Tool {
    name: "python3",
    probe: &["python3", "-c", "import ensurepip, platform, venv; print(platform.python_version())"],
    get: "apt-get install python3-venv",
};
pub(crate) const PROMETHEUS: Tool = Tool {
    name: "prometheus",
    probe: &["prometheus", "--version"],
    get: "apt-get install prometheus",
};
pub(crate) const ROOT: Tool = Tool {
    name: "root on Linux",
    probe: &["bash", "-c", "[ $(id -u) = 0 ] && uname | grep Linux"],
    get: "run this as root on Linux",
};
pub(crate) const RUNC: Tool =
    Tool { name: "runc", probe: &["runc", "--version"], get: "apt-get install runc" };
pub(crate) const RUSTFMT: Tool =
    Tool { name: "rustfmt", probe: &["rustfmt", "--version"], get: "rustup component add rustfmt" };
pub(crate) const SKOPEO: Tool =
    Tool { name: "skopeo", probe: &["skopeo", "--version"], get: "apt-get install skopeo" };
pub(crate) const SOCAT: Tool =
    Tool { name: "socat", probe: &["socat", "-V"], get: "apt-get install socat" };
pub(crate) const UMOCI: Tool =
    Tool { name: "umoci", probe: &["umoci", "--version"], get: "apt-get install umoci" };
// It tells its version as a failure.
pub(crate) const WRK: Tool =
    Tool { name: "wrk", probe: &["bash", "-c", "wrk -v | grep wrk"], get: "apt-get install wrk" };

/// All of them.
pub(crate) const TOOLS: &[Tool] = &[
    BASH,
    CLIPPY,
    CNI,
    CONTAINERD,
    CURL,
    DOCKER,
    DOCKERD,
    DOCKER_COMPOSE,
    DOCKER_REGISTRY,
    GIT,
    GO,
    HAPROXY,
    IP,
    IPTABLES,
    LOGROTATE,
    NATS,
    OPENSSL,
    PODMAN,
    PROMETHEUS,
    POSTGRESQL,
    PROMTOOL,
    PYTHON,
    ROOT,
    RUNC,
    RUSTFMT,
    SKOPEO,
    SOCAT,
    UMOCI,
    WRK,
];

impl Tool {
    /// Looks for it, and tries it.
    pub(crate) fn find(&self) -> Option<Found> {
        let (program, arguments) = self.probe.split_first().expect("a probe has a program");
        find(&environment::path(), program, arguments)
    }

    /// Tells that it is missing, and what to do.
    pub(crate) fn missing(&self) -> String {
        format!("{} not found; {}", self.name, self.get)
    }
}

impl Found {
    /// With the number alone of what it said of its version, if there is one.
    fn short(self) -> Self {
        let mut numbers = self.version.split(|c: char| !c.is_ascii_digit() && c != '.');
        let version = numbers.find(|number| number.trim_matches('.').contains('.'));
        let version = version.unwrap_or(&self.version).to_owned();
        Self { version, ..self }
    }
}

/// Looks for a program and asks it something; the first line of the answer counts as its version.
fn find(folders: &[PathBuf], program: &str, arguments: &[&str]) -> Option<Found> {
    let is_there = |path: &PathBuf| path.is_file();
    let path = folders.iter().map(|folder| folder.join(program)).find(is_there)?;
    let version = ask(&path, arguments)?;
    Some(Found { path, version })
}

fn ask(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| said.lines().next().unwrap_or_default().to_owned())
}
