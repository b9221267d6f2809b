//! The project's own command. `cargo xtask --help` lists what it can do.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command does")]

mod check;
mod context;
mod dist;
mod doctor;
mod drain;
mod environment;
mod job;
mod k8s;
mod process;
mod screen;
mod test;
mod tidy;
mod tool;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

use self::job::{Job, Options};

/// What is done to this project, by people and by CI alike.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
enum Command {
    /// Run the test suites: all of them, or those that are named.
    Test {
        #[arg(value_name = "SUITE", value_parser = job::names(&test::all()))]
        suites: Vec<String>,
        /// Run also the suites that take long.
        #[arg(long)]
        long: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Check formatting, lints, documentation, features, dependencies and secrets.
    Check {
        #[arg(value_name = "CHECK", value_parser = job::names(check::CHECKS))]
        checks: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Make what operators get: a static binary, its image, a bill of materials, checksums.
    Dist {
        #[command(flatten)]
        options: dist::Options,
    },
    /// Restart two replicas under load behind a balancer, and count the requests that fail.
    Drain {
        #[command(flatten)]
        options: drain::Options,
        /// Show the output of the programs that are run.
        #[arg(long, short)]
        verbose: bool,
    },
    /// Get the servers and checkers that are not packaged everywhere, each in one fixed version.
    Tools {
        #[command(flatten)]
        options: tools::Options,
    },
    /// Put Mira on a Kubernetes cluster, and show that it works.
    #[command(name = "k8s-up")]
    K8sUp {
        #[command(flatten)]
        options: k8s::up::Options,
    },
    /// Take away what `k8s-up` has made, and show that it is gone.
    #[command(name = "k8s-down")]
    K8sDown {
        #[command(flatten)]
        options: k8s::down::Options,
    },
    /// The first process of a node; only `k8s-up` starts it.
    #[command(name = "k8s-node-init", hide = true)]
    K8sNodeInit { name: String },
    /// Tell which tools are there, and how to get those that are not.
    Doctor,
}

fn main() -> ExitCode {
    match run_command(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    let all_is_well = match command {
        Command::Test { suites, long, options } => {
            let all = test::all();
            let is_asked_for = long || options.list || !suites.is_empty();
            run(if is_asked_for { &all } else { test::SUITES }, &suites, &options)
        }
        Command::Check { checks, options } => run(check::CHECKS, &checks, &options),
        Command::Dist { options } => dist::run(&options),
        Command::Drain { options, verbose } => drain::alone(options, verbose),
        Command::Tools { options } => tools::run(&options),
        Command::K8sUp { options } => return k8s::up::up(&options),
        Command::K8sDown { options } => return k8s::down::down(&options),
        Command::K8sNodeInit { name } => k8s::node::init(&name).map(|()| true),
        Command::Doctor => doctor::run(),
    };
    Ok(if all_is_well? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(jobs: &[Job], chosen: &[String], options: &Options) -> anyhow::Result<bool> {
    if options.list { Ok(job::list(jobs)) } else { job::run(jobs, chosen, options.verbose) }
}
