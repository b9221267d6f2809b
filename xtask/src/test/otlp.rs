//! core-log's spans as a real collector understands them.

use super::unit;
use crate::context::Context;
use crate::tool::kept::JAEGER;

/// The test that needs one; without it skips itself, and here that is a failure.
pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let mut cargo = context.cargo_command();
    cargo.args(["test", "--package", "core-log", "--all-features", "--test", "it"]);
    cargo.args(["--", "--nocapture", "jaeger"]).env("JAEGER_BIN", JAEGER.get(context)?);
    unit::none_skipped(&context.run(&mut cargo)?)
}
