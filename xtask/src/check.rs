//! `cargo xtask check`: what can be said of the code without running it.

mod deny;
mod features;
mod secrets;

use crate::context::Context;
use crate::job::Job;
use crate::tool::{CLIPPY, GIT, PYTHON, RUSTFMT};

pub(crate) const CHECKS: &[Job] = &[
    Job {
        name: "format",
        shows: "the code has the one form that `cargo fmt` gives it",
        needs: &[RUSTFMT],
        run: format,
    },
    Job {
        name: "clippy",
        shows: "no lint complains, with all features together",
        needs: &[CLIPPY],
        run: |context| quiet(context, &features::clippy(&["--workspace", "--all-targets"], "all")),
    },
    Job {
        name: "features",
        shows: "no lint complains of any crate alone: without features, with each, with all",
        needs: &[CLIPPY],
        run: features::run,
    },
    Job {
        name: "docs",
        shows: "the documentation builds without a warning",
        needs: &[],
        run: docs,
    },
    Job {
        name: "deny",
        shows: "licences, versions and sources of all dependencies are as `deny.toml` wants them",
        needs: &[],
        run: deny::run,
    },
    Job {
        name: "secrets",
        shows: "no file holds a secret that is not in the reviewed `.secrets.baseline`",
        needs: &[GIT, PYTHON],
        run: secrets::run,
    },
];

/// Runs cargo; there is nothing to say when it succeeds.
fn quiet(context: &Context, arguments: &[&str]) -> anyhow::Result<String> {
    context.cargo(arguments)?;
    Ok(String::new())
}

fn format(context: &Context) -> anyhow::Result<String> {
    // It looks for a terminal elsewhere than at its output.
    let colour = if context.screen.colours() { "always" } else { "never" };
    quiet(context, &["fmt", "--all", "--check", "--", "--color", colour])
}

fn docs(context: &Context) -> anyhow::Result<String> {
    let mut cargo = context.cargo_command();
    cargo.args(["doc", "--workspace", "--no-deps", "--all-features"]);
    context.run(cargo.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(String::new())
}
