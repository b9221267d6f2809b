//! The rendered files are what the overlays say, and a real API server takes them.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::stage::Stage;
use crate::k8s::kubectl::output;
use crate::k8s::programs;
use crate::tool::kept::DEFINITIONS;

/// What a rendered file begins with.
const HEAD: &str =
    "# Made of this overlay by `kubectl kustomize`; `cargo xtask test k8s` compares.\n";

/// Those that no overlay has.
const COMPONENTS: &[&str] =
    &["gateway", "kubernetes-secrets", "loadbalancer", "monitoring", "vault"];

/// K8S-7: each overlay is rendered as it is now, and its objects are admitted, Pod Security and all.
pub(super) fn are_admitted(stage: &Stage<'_>) -> anyhow::Result<()> {
    let folder = stage.context.workspace.root().join("deploy/kubernetes");
    // What a namespace holds is judged only where the namespace is.
    stage.kubectl.run(&[
        "apply",
        "--server-side",
        "--filename",
        &folder.join("base/namespace.yaml").display().to_string(),
    ])?;
    // What others' kinds look like, which some components have.
    let definitions = DEFINITIONS.get(stage.context)?.display().to_string();
    stage.kubectl.run(&["create", "--filename", &definitions])?;
    stage.kubectl.run(&["wait", "--for", "condition=Established", "--filename", &definitions])?;
    for overlay in ["local", "production"] {
        let mut kubectl = Command::new(programs::kubectl(stage.context)?);
        let now = output(kubectl.arg("kustomize").arg(folder.join("overlays").join(overlay)), "")?;
        let file = folder.join(format!("{overlay}.yaml"));
        let rendered = fs::read_to_string(&file).context("the rendered file is missing")?;
        let is_same = rendered.strip_prefix(HEAD) == Some(&now);
        ensure!(
            is_same,
            "{} is not what its overlay says; render it: kubectl kustomize deploy/kubernetes/overlays/{overlay}",
            file.display()
        );
        admitted(stage, overlay, &rendered)?;
    }
    for component in COMPONENTS {
        let overlay =
            stage.overlay(component, &format!("components: [DEPLOY/components/{component}]\n"))?;
        let rendered = stage.kubectl.run(&["kustomize", &overlay.display().to_string()])?;
        admitted(stage, component, &rendered)?;
    }
    stage.kubectl.run(&["delete", "--filename", &definitions])?;
    stage.kubectl.run(&["delete", "namespace", "mira"]).map(drop)
}

fn admitted(stage: &Stage<'_>, what: &str, manifests: &str) -> anyhow::Result<()> {
    let arguments =
        ["apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-"];
    let told = with_warnings(&stage.kubectl.command(&arguments), manifests)?;
    ensure!(!told.contains("Warning"), "{what} is not liked: {told}");
    Ok(())
}

/// What a command says on both streams.
fn with_warnings(command: &Command, input: &str) -> anyhow::Result<String> {
    let mut shell = Command::new("bash");
    shell.args(["-c", "exec \"$@\" 2>&1", "bash"]);
    output(shell.arg(command.get_program()).args(command.get_args()), input)
}
