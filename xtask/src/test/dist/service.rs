//! Mira, run from its image, without any right.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::Shipped;
use super::engine::Engine;
use crate::context::Context;

/// How the image is run: DIST-4.
pub(super) const WITHOUT_RIGHTS: &[&str] = &[
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user=65532:65532",
    "--memory=256m",
    "--pids-limit=64",
];

/// What `mira` is given to stop.
const GRACE: Duration = Duration::from_secs(30);

pub(super) fn check(
    context: &Context,
    engine: &Engine,
    shipped: &Shipped,
    folder: &Path,
) -> anyhow::Result<()> {
    engine.docker(&["network", "create", "net"])?;
    context.step("dist: Mira as it comes");
    as_it_comes(engine, shipped)?;
    context.step("dist: Mira with what operators mount");
    with_mounts(engine, shipped, folder)?;
    context.step("dist: Mira resolves names");
    names(engine, shipped)?;
    context.step("dist: compose");
    compose(context, engine, shipped)
}

/// DIST-4: of `deploy/compose.yaml`, the part that needs no other image runs as it is written there.
fn compose(context: &Context, engine: &Engine, shipped: &Shipped) -> anyhow::Result<()> {
    let file = context.workspace.root().join("deploy/compose.yaml");
    let compose = |arguments: &[&str]| engine.compose(&file, shipped.image("reference"), arguments);
    compose(&["config", "--quiet"])?;
    compose(&["up", "--detach", "mira"])?;
    let id = compose(&["ps", "--quiet", "mira"])?;
    engine.wait(&id, "{{.State.Health.Status}}", "healthy")?;
    engine.get(&id, 8080, "/health/ready")?;
    compose(&["stop", "mira"])?;
    let code = engine.inspect(&id, "{{.State.ExitCode}}")?;
    ensure!(code == "0", "docker compose's Mira ended by {code}");
    compose(&["down", "--volumes"])?;
    let left = engine.docker(&["ps", "--all", "--quiet"])?;
    ensure!(left.is_empty(), "docker compose has left {left}");
    Ok(())
}

pub(super) fn run(
    engine: &Engine,
    name: &str,
    image: &str,
    options: &[&str],
    arguments: &[&str],
) -> anyhow::Result<()> {
    let start = ["run", "--detach", "--name", name];
    engine.docker(&[&start[..], WITHOUT_RIGHTS, options, &[image], arguments].concat())?;
    Ok(())
}

/// DIST-4: nothing is mounted, set or given: it serves, is healthy by its own word, has no right, and
/// stops in order when it is told to.
fn as_it_comes(engine: &Engine, shipped: &Shipped) -> anyhow::Result<()> {
    run(engine, "plain", shipped.image("reference"), &[], &[])?;
    engine.wait("plain", "{{.State.Health.Status}}", "healthy")?;
    engine.get("plain", 8080, "/health/ready")?;
    let metrics = engine.get("plain", 9090, "/metrics")?;
    ensure!(metrics.contains("build_info{name=\"mira\""), "no metrics of Mira:\n{metrics}");

    let status = engine.status("plain")?;
    let entry = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).unwrap_or_default()
    };
    for (name, wanted) in [
        ("Uid", "65532 65532 65532 65532"),
        ("CapEff", "0000000000000000"),
        ("CapBnd", "0000000000000000"),
        ("NoNewPrivs", "1"),
    ] {
        ensure!(entry(name) == wanted, "{name} is {}", entry(name));
    }
    stops(engine, "plain")
}

/// DIST-4: SIGTERM is heard, though it is process 1, and the exit code is 0.
pub(super) fn stops(engine: &Engine, name: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    engine.docker(&["stop", "--time", &GRACE.as_secs().to_string(), name])?;
    let took = began.elapsed();
    let code = engine.inspect(name, "{{.State.ExitCode}}")?;
    ensure!(code == "0" && took < GRACE, "{name} ended by {code} after {took:?}");
    let last = engine.lines(name)?.pop().unwrap_or_default();
    ensure!(last["message"] == "stopped" && last["outcome"] == "clean", "the last line is {last}");
    engine.docker(&["rm", "--volumes", name])?;
    Ok(())
}

/// DIST-4: what is mounted is used: the folder with the configuration, and volumes for logs and data,
/// which take over the owner that the image gives them. The variables of the image win over the
/// file's addresses: it is reached although the example says loopback.
fn with_mounts(engine: &Engine, shipped: &Shipped, folder: &Path) -> anyhow::Result<()> {
    let configuration = folder.join("etc");
    fs::create_dir_all(&configuration)?;
    fs::copy("examples/mira/config.json", configuration.join("config.json"))?;
    for path in [folder, &configuration] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    let etc = format!("{}:/etc/mira:ro", configuration.display());
    let options = ["-v", &etc, "-v", "logs:/var/log/mira", "-v", "data:/app/data"];
    run(engine, "mounted", shipped.image("reference"), &options, &[])?;
    engine.wait("mounted", "{{.State.Health.Status}}", "healthy")?;
    engine.get("mounted", 8080, "/health/ready")?;
    let copied = folder.join("copied");
    let to = copied.to_str().context("the folder's name is not text")?;
    engine.docker(&["cp", "mounted:/var/log/mira/app.log", to])?;
    let log = fs::read_to_string(&copied)?;
    let first = log.lines().next().map(serde_json::from_str::<Value>).transpose()?;
    ensure!(first.is_some(), "the log in the volume is empty");
    stops(engine, "mounted")
}

/// DIST-4: names are resolved by a static binary without a system around it: one that exists is found,
/// so that it is the connection that is refused; one that does not is not.
fn names(engine: &Engine, shipped: &Shipped) -> anyhow::Result<()> {
    run(engine, "peer", shipped.image("reference"), &["--network", "net"], &[])?;
    for (host, expected) in
        [("peer", "Connection refused"), ("nobody.invalid", "failed to lookup address information")]
    {
        let url = format!("MIRA_BROKER_NATS_URL=nats://{host}:4222");
        let options = ["--env", "MIRA_BROKER_KIND=nats", "--env", &url];
        let start = ["run", "--rm", "--network", "net"];
        let image = [shipped.image("reference")];
        let ended = engine.docker(&[&start[..], WITHOUT_RIGHTS, &options, &image].concat());
        let Err(error) = ended else { bail!("there is no broker, and yet it started") };
        ensure!(error.to_string().contains(expected), "not {expected}: {error}");
    }
    stops(engine, "peer")
}
