//! A Kubernetes of a single node, made of the upstream programs, for machines without Docker. Linux, root.
//!
//! All of it lives in one PID, mount and network namespace, so that ending the first process of it ends
//! all of it, with every mount and every rule of the packet filter. What is left are a link, a name of
//! the network namespace, control groups and one folder; [`Node::down`] removes them by their names,
//! whatever became of the program that made them.

mod certificates;
mod groups;
mod init;
mod settings;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

pub(crate) use self::init::init;
use super::image::{self, Image};
use super::kubectl::{Kubectl, output};
use super::manifest::text;
use super::pause;
use crate::process;

/// Where nodes keep their state.
const HOME: &str = "/var/lib/mira-node";

/// The node is ready, and names are known, within this time, or never.
const SOON: Duration = Duration::from_secs(120);

const SERVERS: &[&str] = &[
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
];

const NAMES: &str = include_str!("node/coredns.yaml");

/// A node by its name.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    name: String,
    is_tied: bool,
}

impl Node {
    /// Names are those of links and control groups, too: few, small letters.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        ensure!(
            (1..=12).contains(&name.len()) && name.chars().all(fits),
            "a node's name is 1 to 12 of a-z, 0-9 and -, unlike {name:?}"
        );
        Ok(Self { name: name.into(), is_tied: false })
    }

    /// One that ends with this program, whatever ends that.
    pub(crate) fn tied(mut self) -> Self {
        self.is_tied = true;
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn folder(&self) -> PathBuf {
        Path::new(HOME).join(&self.name)
    }

    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder().join("admin.kubeconfig")
    }

    pub(crate) fn kubectl(&self) -> Kubectl {
        Kubectl::of_file(self.program("kubectl"), &self.kubeconfig())
    }

    fn program(&self, name: &str) -> PathBuf {
        self.folder().join("bin").join(name)
    }

    /// The network between this machine and the node, without the last number: one for each name, so
    /// that several nodes can be there.
    fn network(&self) -> String {
        let sum = self.name.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
        format!("10.213.{sum}")
    }

    fn address(&self) -> String {
        format!("{}.2", self.network())
    }

    fn link(&self) -> String {
        format!("{}-up", self.name)
    }

    /// Makes the node of these programs, unless it is there, and waits until pods can run on it.
    pub(crate) fn up(&self, programs: &[PathBuf], step: &dyn Fn(&str)) -> anyhow::Result<()> {
        if self.init().is_none() || self.kubectl().run(&["get", "--raw", "/readyz"]).is_err() {
            self.down()?;
            step("starting the node");
            self.make(programs).inspect_err(|_| drop(self.down()))?;
        }
        self.wait_until_ready()
    }

    fn make(&self, programs: &[PathBuf]) -> anyhow::Result<()> {
        let folder = self.folder();
        fs::create_dir_all(folder.join("log")).context("cannot make the node's folder")?;
        fs::create_dir_all(folder.join("bin"))?;
        for program in programs {
            let name = program.file_name().context("a program has a name")?;
            symlink(program, folder.join("bin").join(name)).context("cannot link a program")?;
        }
        certificates::make(self)?;
        settings::write(self)?;
        groups::make(&self.name)?;
        let (name, link, network) = (&self.name, self.link(), self.network());
        for line in [
            format!("ip netns add {name}"),
            format!("ip link add {link} type veth peer name eth0 netns {name}"),
            format!("ip addr add {network}.1/24 dev {link}"),
            format!("ip link set {link} up"),
            format!("ip -n {name} addr add {network}.2/24 dev eth0"),
            format!("ip -n {name} link set eth0 up"),
            // Nothing forwards beyond this machine's end: what is sent outside ends there.
            format!("ip -n {name} route add default via {network}.1"),
        ] {
            words(&line)?;
        }
        let log = fs::File::create(folder.join("log/init.log"))?;
        let itself = process::itself()?;
        let alone: &[&str] =
            if self.is_tied { &["setpriv", "--pdeathsig", "KILL"] } else { &["setsid"] };
        Command::new(alone[0])
            .args(&alone[1..])
            .args(["nsenter", &format!("--net=/run/netns/{name}")])
            .args(["unshare", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["--propagation", "private"])
            .arg(itself)
            .args(["k8s-node-init", name])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start the node")?;
        Ok(())
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let kubectl = self.kubectl();
        let ready = r#"jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}"#;
        self.wait("the node is ready", || {
            Ok(kubectl.run(&["get", "nodes", "--output", ready])? == "True")
        })?;
        let folder = self.folder();
        for server in ["pause", "coredns"] {
            let image = image::of_program(&folder, server, &self.program(server))?;
            self.load(&image)?;
            // Under a name that the node's own settings can say.
            self.images(&["tag", "--force", &image.name, &format!("localhost/{server}:1")])?;
        }
        kubectl.feed(&["apply", "--server-side", "--filename", "-"], NAMES)?;
        let ready = "jsonpath={.status.readyReplicas}";
        self.wait("names can be looked up", || {
            let coredns =
                ["get", "deployment/coredns", "--namespace", "kube-system", "--output", ready];
            Ok(kubectl.run(&coredns)? == "1")
        })
    }

    fn wait(&self, what: &str, is_so: impl Fn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let seen = is_so();
            if matches!(seen, Ok(true)) {
                return Ok(());
            }
            if self.init().is_none() && began.elapsed() > Duration::from_secs(2) {
                bail!("the node has ended: {}", self.last_lines());
            }
            if began.elapsed() > SOON {
                seen.with_context(|| format!("not in {SOON:?}: {what}"))?;
                bail!("not in {SOON:?}: {what}; {}", self.last_lines());
            }
            pause();
        }
    }

    fn last_lines(&self) -> String {
        let log = |name: &&str| {
            let text = fs::read_to_string(self.folder().join(format!("log/{name}.log"))).ok()?;
            Some(format!("{name}: {}", text.lines().last()?))
        };
        let logs: Vec<_> = ["init"].iter().chain(SERVERS).filter_map(log).collect();
        format!("the last lines of its logs\n{}", logs.join("\n"))
    }

    /// Puts an image on the node.
    fn load(&self, image: &Image) -> anyhow::Result<()> {
        let archive = image.archive.to_str().context("a folder's name is not text")?;
        self.images(&["import", archive]).map(drop)
    }

    /// What its containerd says to `ctr images …`.
    pub(crate) fn images(&self, arguments: &[&str]) -> anyhow::Result<String> {
        output(&mut self.images_command(arguments)?, "")
    }

    pub(crate) fn images_command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        self.containerd(&[&["images"], arguments].concat())
    }

    /// The digest of the configuration of the image that the node has under a name.
    pub(crate) fn image_id(&self, image: &str) -> anyhow::Result<String> {
        let listed = self.images(&["list", &format!("name=={image}")])?;
        let row = listed.lines().nth(1).with_context(|| format!("{image} is not there"))?;
        let digest = row.split_whitespace().nth(2).context("a row has a digest")?;
        let manifest = output(&mut self.containerd(&["content", "get", digest])?, "")?;
        let manifest: Value = serde_json::from_str(&manifest)?;
        Ok(text(&manifest, "/config/digest").into())
    }

    fn containerd(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = self.inside("ctr")?;
        let socket = self.folder().join("containerd.sock");
        command.arg("--address").arg(socket).args(["--namespace", "k8s.io"]).args(arguments);
        Ok(command)
    }

    /// A program on the node: it reaches Services and pods, and sees the node's processes.
    pub(crate) fn inside(&self, program: &str) -> anyhow::Result<Command> {
        let init = self.init().with_context(|| format!("the node {} is not there", self.name))?;
        let mut command = Command::new("nsenter");
        command.args(["--target", &init.to_string(), "--mount", "--pid", "--net", "--", program]);
        Ok(command)
    }

    /// A program in the node's network: it reaches Services and pods.
    pub(crate) fn in_network(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.name)).arg(program);
        command
    }

    /// The node's first process.
    fn init(&self) -> Option<i32> {
        self.processes().into_iter().find(|process| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let ids = status.lines().find(|line| line.starts_with("NSpid:")).unwrap_or_default();
            ids.split_whitespace().count() == 3 && ids.ends_with("\t1")
        })
    }

    /// The processes of the node itself, as this machine counts them.
    fn processes(&self) -> Vec<i32> {
        let listed = output(Command::new("ip").args(["netns", "pids", &self.name]), "");
        listed.unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Removes the node, whatever there is of it, and makes sure that nothing is left.
    pub(crate) fn down(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let processes = self.processes();
            if processes.is_empty() {
                break;
            }
            for process in processes {
                // It may have ended meanwhile.
                let _ = Pid::from_raw(process).map(|it| kill_process(it, Signal::KILL));
            }
            ensure!(began.elapsed() < SOON, "processes of the node {} do not end", self.name);
            pause();
        }
        // What is not there need not be removed; what stays is found below.
        let _ = words(&format!("ip netns delete {}", self.name));
        let _ = words(&format!("ip link delete {}", self.link()));
        let _ = fs::remove_dir_all(self.folder());
        let _ = fs::remove_dir(HOME);
        let mut left;
        loop {
            groups::remove(&self.name);
            left = self.traces();
            // The kernel takes its time with control groups.
            if left.is_empty() || began.elapsed() > Duration::from_secs(10) {
                break;
            }
            pause();
        }
        ensure!(left.is_empty(), "of the node {} these are left: {}", self.name, left.join(", "));
        Ok(())
    }

    /// Ends one of the node's programs the hard way.
    pub(crate) fn kill(&self, program: &str) -> anyhow::Result<()> {
        let is_it = |process: &i32| {
            let name = fs::read_link(format!("/proc/{process}/exe")).unwrap_or_default();
            name.ends_with(program)
        };
        let process = self.processes().into_iter().find(is_it).and_then(Pid::from_raw);
        Ok(kill_process(process.with_context(|| format!("{program} does not run"))?, Signal::KILL)?)
    }

    /// What there is of the node on this machine.
    pub(crate) fn traces(&self) -> Vec<String> {
        let mut traces = groups::of(&self.name);
        traces.push(self.folder());
        traces.push(Path::new("/run/netns").join(&self.name));
        traces.push(Path::new("/sys/class/net").join(self.link()));
        traces.retain(|path| path.exists());
        let mut traces: Vec<_> = traces.iter().map(|it| it.display().to_string()).collect();
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let below = format!(" {}", self.folder().display());
        traces.extend(mounts.lines().filter(|line| line.contains(&below)).map(str::to_owned));
        traces
    }
}

/// Runs a command without blanks in its words.
fn words(line: &str) -> anyhow::Result<()> {
    let mut words = line.split(' ');
    let program = words.next().expect("a line has a word");
    output(Command::new(program).args(words), "").map(drop)
}
