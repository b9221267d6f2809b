//! Licences, versions and sources of what we depend on, by `cargo-deny` and `deny.toml`.
//!
//! Advisories need their own database and a network; `docs/maintenance.md` tells how to ask for them.

use std::process::Command;

use crate::context::Context;
use crate::tool::kept::CARGO_DENY;

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let mut deny = Command::new(CARGO_DENY.get(context)?);
    // It asks for the sources of every dependency, those of other systems included.
    context.cargo(&["fetch", "--locked"])?;
    deny.args(["--all-features", "--offline", "check", "bans", "licenses", "sources"]);
    context.run(&mut deny)?;
    Ok(String::new())
}
