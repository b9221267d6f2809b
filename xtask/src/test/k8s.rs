//! Mira on a real cluster: a node of its own, made by `k8s-up --provider node`. Each part runs the
//! command as a user would, and looks at what it leaves behind.

mod failures;
mod interrupt;
mod manifests;
mod rollout;
mod scale;
mod stage;
mod teardown;

use anyhow::ensure;

use self::stage::Stage;
use crate::context::Context;
use crate::tool::{
    CNI, CONTAINERD, CURL, GO, IP, IPTABLES, NATS, OPENSSL, PROMETHEUS, ROOT, RUNC, Tool, WRK,
};

pub(crate) const NEEDS: &[Tool] =
    &[ROOT, CNI, CONTAINERD, CURL, GO, IP, IPTABLES, NATS, OPENSSL, PROMETHEUS, RUNC, WRK];

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    context.step("k8s: the node");
    let stage = Stage::new(context)?;
    let before = teardown::with_neighbours(&stage)?;
    context.step("k8s: the manifests, judged by the API server");
    manifests::are_admitted(&stage)?;
    context.step("k8s: up");
    let up = stage.up(&[])?;
    ensure!(up.code == Some(0) && up.told.contains("passed   smoke"), "{}", up.told);
    stage.rolls_only_what_changed()?;
    let rolled = rollout::under_load(&stage)?;
    let failures = failures::each_tells_why(&stage)?;
    teardown::leaves_the_rest(&stage, &before)?;
    interrupt::in_any_phase(&stage, &before)?;
    let scaled = scale::out(&stage)?;
    failures::without_an_api_server(&stage)?;
    context.step("k8s: the node goes");
    stage.end()?;
    Ok(format!(
        "up in {:.0} s; {rolled}; {failures} failures told apart; {scaled}",
        up.took.as_secs_f64()
    ))
}
