//! What goes wrong is told apart (K8S-3).

use std::time::Duration;

use anyhow::ensure;

use super::stage::{Run, Stage};

/// The exit code, what is told, and the change to Mira's Deployment that brings it about.
const FAILURES: &[(i32, &str, &str)] = &[
    (
        16,
        "ErrImageNeverPull of localhost/nowhere:1",
        "containers: [{name: mira, image: 'localhost/nowhere:1'}]",
    ),
    (
        19,
        "it ends with exit code 1",
        "containers: [{name: mira, args: [--config, /etc/mira, --set, 'server.bind_address=192.0.2.1:8080']}]",
    ),
    (
        18,
        "logging.level: expected a level such as",
        "containers: [{name: mira, args: [--config, /etc/mira, --set, logging.level=3]}]",
    ),
    (
        17,
        "secret \"nowhere\" not found",
        "volumes: [{name: secrets, secret: {secretName: nowhere}}]",
    ),
    (15, "violates PodSecurity \"restricted:latest\"", "hostNetwork: true"),
    (20, "Insufficient cpu", "containers: [{name: mira, resources: {requests: {cpu: 1k}}}]"),
    (
        21,
        "Readiness probe failed: HTTP probe failed with statuscode: 404",
        "containers: [{name: mira, readinessProbe: {httpGet: {path: /nowhere, port: ops}}}]",
    ),
];

/// The longest that any of them may take: for most a start or two, for a probe as long as it is given,
/// for a crash loop the kubelet's own patience. Whoever only waited would wait six minutes.
const SOON: Duration = Duration::from_secs(60);

/// Each ends the wait, with its own exit code, the cause, and what to do. The pods that were there
/// before go on answering.
pub(super) fn each_tells_why(stage: &Stage<'_>) -> anyhow::Result<usize> {
    for (code, cause, change) in FAILURES {
        stage.context.step(&format!("k8s: a failure: {cause}"));
        let overlay = stage.overlay(&format!("failure-{code}"), &patch(change))?;
        let run = stage.up(&["--overlay", &overlay.display().to_string()])?;
        tells(&run, *code, cause)?;
        ensure!(run.took < SOON, "it took {:?}: {}", run.took, run.told);
    }
    let mended = stage.up(&[])?;
    ensure!(mended.code == Some(0), "not mended: {}", mended.told);
    Ok(FAILURES.len() + 1)
}

/// The API server goes while the pods are waited for. Afterwards the node is good for nothing but to be
/// removed.
pub(super) fn without_an_api_server(stage: &Stage<'_>) -> anyhow::Result<()> {
    stage.context.step("k8s: a failure: the API server goes");
    let overlay = stage.overlay("gone", &patch(FAILURES[6].2))?;
    let mut command = stage.command("k8s-up", &["--overlay", &overlay.display().to_string()])?;
    let (mut child, lines) = crate::process::start(&mut command)?;
    let mut told = String::new();
    for line in lines {
        told.push_str(&line);
        if line.starts_with("running  ready") {
            stage.node.kill("kube-apiserver")?;
        }
    }
    let run = Run { code: child.wait()?.code(), told, took: Duration::ZERO };
    tells(&run, 22, "the API server is gone")
}

fn tells(run: &Run, code: i32, cause: &str) -> anyhow::Result<()> {
    ensure!(run.code == Some(code), "{:?} instead of {code}: {}", run.code, run.told);
    ensure!(run.told.contains(cause), "{cause:?} is not told: {}", run.told);
    ensure!(run.told.contains("remedy: "), "no remedy: {}", run.told);
    Ok(())
}

fn patch(change: &str) -> String {
    let spec = format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: mira}}, spec: {{template: {{spec: {{{change}}}}}}}}}"
    );
    format!("patches:\n- target: {{kind: Deployment, name: mira}}\n  patch: |\n    {spec}\n")
}
