//! Rollouts under load, through the Service (K8S-5).

use std::process::{Child, Stdio};

use anyhow::{Context as _, bail, ensure};

use super::stage::Stage;
use crate::drain::load::{Load, Seen};
use crate::k8s::failure::{Failure, Kind};
use crate::k8s::{NAMESPACE, pause, ready};

/// As many requests at least have to be answered meanwhile.
const REQUESTS: u64 = 10_000;

/// On a machine that does other things it takes some restarts to get there.
const RESTARTS: u32 = 20;

/// What is wrong does harm in one of as many restarts: on a slow machine few clients come at the wrong
/// moment.
const TRIES: u32 = 6;

/// As many are slow.
const SLOW: usize = 8;

const IN: [&str; 2] = ["--namespace", NAMESPACE];

/// A rollout that is known to be wrong: what is broken, where, the change that breaks it, and the one
/// that mends it.
const MUTANTS: &[(&str, &str, &str, &str)] = &[
    (
        "no wait until the Service has heard",
        "configmap",
        r#"{"data": {"99.toml": "server.propagation_delay = 0"}}"#,
        r#"{"data": {"99.toml": null}}"#,
    ),
    (
        "too short a grace period",
        "deployment",
        r#"{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}"#,
        r#"{"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 30}}}}"#,
    ),
    (
        "readiness that nobody hears of",
        "service",
        r#"{"spec": {"publishNotReadyAddresses": true}}"#,
        r#"{"spec": {"publishNotReadyAddresses": null}}"#,
    ),
];

/// Restarts and a rollback fail no request; each mutant does.
pub(super) fn under_load(stage: &Stage<'_>) -> anyhow::Result<String> {
    let (mut requests, mut restarts) = (0, 0);
    while requests < REQUESTS && restarts < RESTARTS {
        let seen = measure(stage, "a restart under load", restart)?;
        ensure!(seen.failed == 0, "{} failed in a restart\n{}", seen.failed, seen.report);
        requests += seen.requests;
        restarts += 1;
    }
    ensure!(requests >= REQUESTS, "too few requests in {restarts} restarts: {requests}");
    let undone = measure(stage, "a rollback under load", rollback)?;
    ensure!(undone.failed == 0, "{} failed in a rollback\n{}", undone.failed, undone.report);
    for (what, kind, broken, mended) in MUTANTS {
        let patch = |change| {
            let patch = ["patch", kind, "mira", "--type", "merge", "--patch", change];
            stage.kubectl.run(&[&patch, &IN[..]].concat())
        };
        patch(broken)?;
        // Pods that have the mutation are to be stopped.
        restart(stage)?;
        let mut tries = 0;
        loop {
            let seen = measure(stage, what, restart)?;
            tries += 1;
            if seen.failed > 0 {
                break;
            }
            ensure!(tries < TRIES, "it did no harm in {tries} restarts: {what}\n{}", seen.report);
        }
        patch(mended)?;
    }
    wait(stage)?;
    Ok(format!(
        "0 failed of {requests} requests in {restarts} restarts, of {} in a rollback, and {} mutants were seen",
        undone.requests,
        MUTANTS.len()
    ))
}

/// Does something while clients ask, and tells what they have seen.
fn measure(
    stage: &Stage<'_>,
    what: &str,
    change: impl Fn(&Stage<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Seen> {
    stage.context.step(&format!("k8s: {what}"));
    let address = "jsonpath={.spec.clusterIP}";
    let address =
        stage.kubectl.run(&[&["get", "service", "mira", "--output", address], &IN[..]].concat())?;
    let load = Load::start(stage.folder.path(), stage.node.in_network("wrk"), &address)?;
    let slow: Vec<_> = (0..SLOW).map(|_| slow(stage, &address)).collect::<Result<_, _>>()?;
    change(stage)?;
    let mut seen = load.stop()?;
    for client in slow {
        let output = client.wait_with_output()?;
        seen.requests += 1;
        if output.stdout != b"200" {
            seen.failed += 1;
            seen.report.push_str(&format!("a slow request: {output:?}\n"));
        }
    }
    Ok(seen)
}

/// A request that is under way while both pods stop: its body takes twelve seconds.
fn slow(stage: &Stage<'_>, address: &str) -> anyhow::Result<Child> {
    let script = format!(
        "(printf '{{\"message_type\": \"generate_plan\", \"data\": '; sleep 12; printf '{{\"name\": \"Slow\"}}}}') | \
         curl --silent --show-error --max-time 30 --request POST --upload-file - --output /dev/null \
         --header 'Content-Type: application/json' --write-out '%{{http_code}}' http://{address}/api/messages"
    );
    let mut bash = stage.node.in_network("bash");
    bash.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    bash.spawn().context("cannot start a slow client")
}

fn restart(stage: &Stage<'_>) -> anyhow::Result<()> {
    stage.kubectl.run(&[&["rollout", "restart", "deployment/mira"], &IN[..]].concat())?;
    wait(stage)
}

/// A version that nobody has, and back: what docs/operations.md says.
fn rollback(stage: &Stage<'_>) -> anyhow::Result<()> {
    stage.kubectl.run(
        &[&["set", "image", "deployment/mira", "mira=localhost/mira:broken"], &IN[..]].concat(),
    )?;
    let Err(error) = ready::wait(&stage.kubectl, &|_| {}) else {
        bail!("an image that nobody has was ready")
    };
    ensure!(error.downcast_ref::<Failure>().is_some_and(|it| it.kind == Kind::Image), "{error:#}");
    stage.kubectl.run(&[&["rollout", "undo", "deployment/mira"], &IN[..]].concat())?;
    wait(stage)
}

/// Until the new pods are ready and the old ones are gone.
fn wait(stage: &Stage<'_>) -> anyhow::Result<()> {
    ready::wait(&stage.kubectl, &|_| {})?;
    while stage.all_pods()? > 2 {
        pause();
    }
    Ok(())
}
