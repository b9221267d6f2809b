//! A push to a real registry, of this suite's own.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Shipped;
use crate::context::Context;
use crate::dist::blob::sha256;
use crate::drain::replica::{free_address, pause};
use crate::environment;
use crate::process;

const USER: &str = "somebody";
const PASSWORD: &str = "canary-of-the-registry";
/// `PASSWORD`, by bcrypt.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuTQLdDQ2arfM5hmv74DJrVlfO6Ojq7Qm";

/// DIST-5: without a password, then with one: a first push sends everything, a second nothing; what is
/// there has our digest, and the papers hang on it.
pub(super) fn run(context: &Context, shipped: &Shipped, folder: &Path) -> anyhow::Result<String> {
    context.step("push: to whoever asks");
    let open = Server::start(&folder.join("open"), None)?;
    push_twice(context, shipped, folder, &open)?;
    context.step("push: with a password");
    let closed = Server::start(&folder.join("closed"), Some(HASHED))?;
    let refused = pushed(context, folder, &closed, "mira");
    let said = refused.unwrap_or_else(|error| error.to_string());
    ensure!(said.contains("log in by `docker login`"), "nobody was let in: {said}");
    closed.log_in(folder)?;
    push_twice(context, shipped, folder, &closed)?;
    Ok("with and without a password".into())
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
    let mut push = context.cargo_command();
    let to = format!("{}/{image}", server.address);
    push.args(["xtask", "dist", "--push", &to]).env("DOCKER_CONFIG", folder);
    push.env("CARGO_TARGET_DIR", context.workspace.target());
    process::run(push.current_dir(context.workspace.root()), |_| {})
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts a registry, which wants a password if there is a line for its file of passwords.
    fn start(folder: &Path, password: Option<&str>) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let address = free_address();
        let mut config = format!(
            "version: 0.1\nlog: {{accesslog: {{disabled: true}}}}\n\
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
        fs::write(folder.join("config.yml"), config)?;
        let log = fs::File::create(folder.join("log"))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "docker-registry", "serve"]);
        command
            .arg(folder.join("config.yml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        for name in environment::names("REGISTRY_") {
            command.env_remove(name);
        }
        let child = command.spawn().context("cannot start docker-registry")?;
        let server = Self { child, address: address.to_string() };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            ensure!(
                began.elapsed() < Duration::from_secs(20),
                "the registry does not start:\n{log}"
            );
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
