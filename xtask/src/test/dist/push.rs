//! A push to a real registry, of this suite's own.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Shipped;
use super::engine::Engine;
use super::service;
use crate::context::Context;
use crate::dist::blob::sha256;
use crate::drain::replica::{free_address, pause};
use crate::environment;
use crate::process;

/// Everything that is waited for comes within this time, or never.
const SOON: Duration = Duration::from_secs(20);

const USER: &str = "somebody";
const PASSWORD: &str = "canary-of-the-registry";
/// `PASSWORD`, by bcrypt.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuTQLdDQ2arfM5hmv74DJrVlfO6Ojq7Qm";

/// DIST-5: what was pushed is pulled by docker, by its digest, and runs.
fn pull(
    context: &Context,
    shipped: &Shipped,
    folder: &Path,
    server: &Server,
) -> anyhow::Result<()> {
    let engine = Engine::start(context, folder)?;
    // The same registry's data, seen from where the engine is.
    let (config, at) = (&server.config, &server.address);
    let mut command = engine.inside("docker-registry");
    let _inside = Server::run(command.arg("serve").arg(config), config, at, || {
        let asked = engine.inside("curl").args(["--silent", &format!("http://{at}/v2/")]).output();
        asked.is_ok_and(|answer| answer.status.success())
    })?;
    let image = format!("{at}/mira@{}", shipped.image("manifest"));
    engine.docker(&["pull", "--quiet", &image])?;
    let id = engine.inspect(&image, "{{.Id}}")?;
    ensure!(id == shipped.image("config"), "docker has pulled {id}");
    service::run(&engine, "pulled", &image, &[], &[])?;
    engine.wait("pulled", "{{.State.Health.Status}}", "healthy")?;
    service::stops(&engine, "pulled")
}

/// DIST-5: without a password, then with one: a first push sends everything, a second nothing; what is
/// there has our digest, and the papers hang on it.
pub(super) fn run(context: &Context, shipped: &Shipped, folder: &Path) -> anyhow::Result<String> {
    context.step("push: to whoever asks");
    let open = Server::start(&folder.join("open"), None)?;
    push_twice(context, shipped, folder, &open)?;
    context.step("push: and back");
    pull(context, shipped, folder, &open)?;
    context.step("push: with a password");
    let closed = Server::start(&folder.join("closed"), Some(HASHED))?;
    let refused = pushed(context, folder, &closed, "mira");
    let said = refused.unwrap_or_else(|error| error.to_string());
    ensure!(said.contains("log in by `docker login`"), "nobody was let in: {said}");
    closed.log_in(folder)?;
    push_twice(context, shipped, folder, &closed)?;
    Ok("with and without a password, and back by docker".into())
}

fn push_twice(
    context: &Context,
    shipped: &Shipped,
    folder: &Path,
    server: &Server,
) -> anyhow::Result<()> {
    let said = pushed(context, folder, server, "mira")?;
    ensure!(said.contains("3 blobs sent, 0 were there"), "the first push says:\n{said}");
    let said = pushed(context, folder, server, "mira:copy")?;
    ensure!(said.contains("0 blobs sent, 3 were there"), "the second push says:\n{said}");
    ensure!(said.contains(&format!("@{}", shipped.image("manifest"))), "it does not tell:\n{said}");

    let skopeo = |arguments: &[&str], image: &str| {
        let mut skopeo = Command::new("skopeo");
        skopeo.env("REGISTRY_AUTH_FILE", folder.join("config.json")).args(arguments);
        let from = format!("docker://{}/{image}", server.address);
        process::run(skopeo.arg("--tls-verify=false").arg(from), |_| {})
    };
    let remote = skopeo(&["inspect", "--raw"], "mira:copy")?;
    let digest = format!("sha256:{}", sha256(remote.as_bytes()));
    ensure!(digest == shipped.image("manifest"), "the registry has {digest}");

    // By the tag at which those look who do not find the list.
    let tag = shipped.image("manifest").replace(':', "-");
    let list: Value =
        serde_json::from_str(&skopeo(&["inspect", "--raw"], &format!("mira:{tag}"))?)?;
    let kinds: Vec<&str> = list["manifests"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["artifactType"].as_str())
        .collect();
    for kind in ["application/vnd.cyclonedx+json", "application/vnd.in-toto+json"] {
        ensure!(kinds.contains(&kind), "no {kind} among {kinds:?}");
    }
    ensure!(kinds.len() == 2, "there are {kinds:?}");
    Ok(())
}

/// What `cargo xtask dist --push` says.
fn pushed(
    context: &Context,
    folder: &Path,
    server: &Server,
    image: &str,
) -> anyhow::Result<String> {
    let mut push = Command::new(process::itself()?);
    let to = format!("{}/{image}", server.address);
    push.args(["dist", "--push", &to]).env("DOCKER_CONFIG", folder);
    process::run(push.current_dir(context.workspace.root()), |_| {})
}

struct Server {
    child: Child,
    address: String,
    config: PathBuf,
}

impl Server {
    /// Starts a registry, which wants a password if there is a line for its file of passwords.
    fn start(folder: &Path, password: Option<&str>) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let address = free_address();
        let mut config = format!(
            "version: 0.1\nlog: {{level: warn}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"}}\n",
            folder.join("data").display()
        );
        if let Some(password) = password {
            let file = folder.join("htpasswd");
            fs::write(&file, format!("{USER}:{password}\n"))?;
            config.push_str(&format!(
                "auth: {{htpasswd: {{realm: test, path: {}}}}}\n",
                file.display()
            ));
        }
        let path = folder.join("config.yml");
        fs::write(&path, config)?;
        let mut command = Command::new("docker-registry");
        Self::run(command.arg("serve").arg(&path), &path, &address.to_string(), || {
            TcpStream::connect(address).is_ok()
        })
    }

    /// Starts a registry that is configured, and waits until it answers.
    fn run(
        command: &mut Command,
        config: &Path,
        address: &str,
        answers: impl Fn() -> bool,
    ) -> anyhow::Result<Self> {
        let log = config.with_extension("log");
        let output = fs::File::create(&log)?;
        let mut guarded = Command::new("setpriv");
        guarded.args(["--pdeathsig", "KILL"]).arg(command.get_program()).args(command.get_args());
        guarded.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        for name in environment::names("REGISTRY_") {
            guarded.env_remove(name);
        }
        let child = guarded.spawn().context("cannot start docker-registry")?;
        let server = Self { child, address: address.to_owned(), config: config.to_owned() };
        let began = Instant::now();
        while !answers() {
            let said = fs::read_to_string(&log).unwrap_or_default();
            ensure!(began.elapsed() < SOON, "the registry does not start:\n{said}");
            pause();
        }
        Ok(server)
    }

    /// By a tool whose business it is.
    fn log_in(&self, folder: &Path) -> anyhow::Result<()> {
        let mut login = Command::new("skopeo");
        login.args(["login", "--tls-verify=false", "--username", USER, "--password", PASSWORD]);
        login.arg("--authfile").arg(folder.join("config.json")).arg(&self.address);
        process::run(&mut login, |_| {}).map(drop)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
