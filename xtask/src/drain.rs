//! `cargo xtask drain`: two replicas of Mira behind a real balancer, under load, are restarted in
//! turn; no request may fail (STOP-6).

mod balancer;
pub(crate) mod load;
pub(crate) mod replica;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum as _;

use self::balancer::Balancer;
use self::load::{Load, Seen};
use self::replica::Replica;
use crate::context::Context;
use crate::tool::{CURL, HAPROXY, SOCAT, Tool, WRK};

/// The programs without which it cannot be run.
pub(crate) const NEEDS: &[Tool] = &[CURL, HAPROXY, SOCAT, WRK];

/// What is to be shown, and how long that takes.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// How often a replica is restarted.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) restarts: u32,
    /// The fewest requests that have to be answered meanwhile.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) requests: u64,
    /// Breaks something on purpose: then requests must fail.
    #[arg(long, value_enum)]
    pub(crate) mutant: Option<Mutant>,
}

/// A stop, or a deployment, that is known to be wrong.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// The balancer never hears that a replica is not ready.
    DeafBalancer,
    /// The replicas do not wait until the balancer has heard.
    NoDelay,
    /// The replicas let nobody in from the moment they are told to stop, long before the balancer has
    /// heard.
    ClosedFirst,
    /// The replicas are killed.
    Killed,
}

/// Runs it by itself, and prints what was seen.
pub(crate) fn alone(options: Options, verbose: bool) -> anyhow::Result<bool> {
    let missing: Vec<String> =
        NEEDS.iter().filter(|tool| tool.find().is_none()).map(Tool::missing).collect();
    ensure!(missing.is_empty(), "{}", missing.join("; "));
    let context = Context::new(verbose)?;
    context.screen.start("drain");
    println!("{}", run(&context, options)?);
    Ok(true)
}

/// The suite: a short run, and every mutant.
pub(crate) fn suite(context: &Context) -> anyhow::Result<String> {
    for mutant in Mutant::value_variants() {
        let options = Options { restarts: 2, requests: 100, mutant: Some(*mutant) };
        run(context, options)?;
    }
    run(context, Options { restarts: 10, requests: 10_000, mutant: None })
}

/// Runs it, and tells what was seen.
pub(crate) fn run(context: &Context, options: Options) -> anyhow::Result<String> {
    context.step("build mira");
    context.cargo(&["build", "--package", "mira", "--bin", "mira"])?;
    let program = context.workspace.target().join("debug/mira");
    let folder = tempfile::tempdir().context("cannot make a folder")?;
    let (seen, took) = restart_under_load(context, &program, folder.path(), options)?;
    let told = format!(
        "{} failed of {} requests in {} restarts, {:.0} s",
        seen.failed,
        seen.requests,
        options.restarts,
        took.as_secs_f64()
    );
    match options.mutant {
        None => ensure!(seen.failed == 0, "{told}\n{}", seen.report),
        Some(mutant) => ensure!(seen.failed > 0, "{mutant:?} did no harm: {told}"),
    }
    ensure!(seen.requests >= options.requests, "too few requests to tell: {told}");
    Ok(told)
}

fn restart_under_load(
    context: &Context,
    program: &Path,
    folder: &Path,
    options: Options,
) -> anyhow::Result<(Seen, Duration)> {
    let mutant = options.mutant;
    let mut replicas = ["a", "b"].map(|name| Replica::new(name, program, folder, mutant));
    for replica in &mut replicas {
        replica.start()?;
    }
    let is_deaf = mutant == Some(Mutant::DeafBalancer);
    let path = if is_deaf { "/health/live" } else { "/health/ready" };
    let balancer = Balancer::start(folder, &replicas, path)?;
    for replica in &replicas {
        balancer.wait_until_up(replica)?;
    }
    let began = Instant::now();
    let mut load = Load::start(folder, Command::new("wrk"), &balancer.address.to_string())?;
    for restart in 0..options.restarts {
        context.step(&format!("restart {} of {}", restart + 1, options.restarts));
        let replica = &mut replicas[restart as usize % 2];
        replica.stop()?;
        if !is_deaf && mutant != Some(Mutant::Killed) {
            // A balancer that had not heard of the stop would show it as up.
            ensure!(mutant.is_some() || !balancer.is_up(replica)?, "the balancer was not told");
        }
        replica.start()?;
        balancer.wait_until_up(replica)?;
        if let Some(status) = load.ended()? {
            bail!("the load ended too early, with {status}");
        }
    }
    let seen = load.stop()?;
    for replica in &mut replicas {
        replica.stop()?;
    }
    Ok((seen, began.elapsed()))
}
