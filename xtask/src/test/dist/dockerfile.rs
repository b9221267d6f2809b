//! `deploy/Dockerfile`: its linter has nothing to say, and its last stage, which needs no base image,
//! becomes an image like the one that is shipped.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Shipped;
use super::engine::Engine;
use super::service;
use crate::context::Context;
use crate::process;
use crate::tool::kept::HADOLINT;

const DOCKERFILE: &str = "deploy/Dockerfile";
const NAME: &str = "localhost/by-dockerfile";
/// What both images tell docker alike. The variables differ by what the shipped one says of its `PATH`.
const ALIKE: &[&str] =
    &["Cmd", "Entrypoint", "ExposedPorts", "Healthcheck", "StopSignal", "User", "WorkingDir"];

pub(super) fn check(
    context: &Context,
    engine: &Engine,
    shipped: &Shipped,
    folder: &Path,
) -> anyhow::Result<()> {
    context.step("dist: hadolint");
    let path = context.workspace.root().join(DOCKERFILE);
    process::run(Command::new(HADOLINT.get(context)?).arg(&path), |_| {})?;

    context.step("dist: the Dockerfile's last stage");
    let text = fs::read_to_string(&path)?;
    let (_, last) = text.split_once("\nFROM scratch\n").context("no stage is from scratch")?;
    let built = folder.join("dockerfile");
    fs::create_dir_all(built.join("out"))?;
    // The stage before makes what is in the shipped image, which is unpacked already.
    let last =
        format!("FROM scratch\n{}", last.replace("COPY --from=build /out/ /", "COPY out/ /"));
    ensure!(last.contains("COPY out/ /"), "the last stage copies nothing from the one before");
    fs::write(built.join("Dockerfile"), last)?;
    let rootfs = folder.join("bundle/rootfs/.");
    process::run(Command::new("cp").arg("--archive").arg(rootfs).arg(built.join("out")), |_| {})?;
    let context_folder = built.to_str().context("the folder's name is not text")?;
    engine.docker(&["build", "--quiet", "--tag", NAME, context_folder])?;

    let config = |image: &str| -> anyhow::Result<Value> {
        Ok(serde_json::from_str(&engine.inspect(image, "{{json .Config}}")?)?)
    };
    let (ours, theirs) = (config(shipped.image("reference"))?, config(NAME)?);
    for key in ALIKE {
        ensure!(
            ours[key] == theirs[key],
            "{key} is {} in the Dockerfile, else {}",
            theirs[key],
            ours[key]
        );
    }
    service::run(engine, "by-dockerfile", NAME, &[], &[])?;
    engine.wait("by-dockerfile", "{{.State.Health.Status}}", "healthy")?;
    service::stops(engine, "by-dockerfile")
}
