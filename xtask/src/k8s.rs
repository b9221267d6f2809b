//! `cargo xtask k8s-up` and `k8s-down`: Mira on a cluster, shown to work, and taken away again.

pub(crate) mod apply;
mod cluster;
#[cfg(test)]
mod contract;
pub(crate) mod down;
pub(crate) mod failure;
mod image;
pub(crate) mod kubectl;
pub(crate) mod manifest;
pub(crate) mod node;
pub(crate) mod programs;
pub(crate) mod ready;
mod replace;
mod smoke;
pub(crate) mod tunnel;
pub(crate) mod up;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::screen::{Finished, Outcome};

/// Where Mira lives.
pub(crate) const NAMESPACE: &str = "mira";

/// Between two looks at something that is waited for.
#[expect(clippy::disallowed_methods, reason = "other processes tell nobody when they are ready")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

/// Runs one part, shows how it ended and how long it took, and hands on what it failed with.
fn phase<T>(
    context: &Context,
    name: &'static str,
    run: impl FnOnce(&dyn Fn(&str)) -> anyhow::Result<(T, String)>,
) -> anyhow::Result<T> {
    context.screen.start(name);
    let began = Instant::now();
    let ended = run(&|what| context.step(&format!("{name}: {what}")));
    let took = began.elapsed();
    match ended {
        Ok((result, note)) => {
            context.screen.finish(&Finished { name, outcome: Outcome::Passed(note), took });
            Ok(result)
        }
        Err(error) => {
            let outcome = Outcome::Failed(format!("{error:#}"));
            context.screen.finish(&Finished { name, outcome, took });
            Err(error)
        }
    }
}

/// The code that tells how it ended. What went wrong has been shown.
fn code(ended: &anyhow::Result<()>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<failure::Failure>() {
            Some(failure) => ExitCode::from(failure.kind as u8),
            None => ExitCode::FAILURE,
        },
    }
}
