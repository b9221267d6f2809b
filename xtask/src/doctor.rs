//! `cargo xtask doctor`: which tools are there, and how to get those that are not.

use crate::context::Context;
use crate::tool::kept::KEPT;
use crate::tool::places::Places;
use crate::tool::{Found, TOOLS};

pub(crate) fn run() -> anyhow::Result<bool> {
    let places = Places::of(&Context::new(false)?)?;
    let mut all_there = true;
    for tool in TOOLS {
        let found = tool.find();
        all_there &= found.is_some();
        print(tool.name, found, tool.get);
    }
    for kept in KEPT {
        let found = kept.find(&places)?.map(|(_, found)| found);
        print(kept.program, found, &kept.takes());
    }
    Ok(all_there)
}

fn print(name: &str, found: Option<Found>, get: &str) {
    match found {
        Some(Found { path, version }) => println!("{name:<23} {} ({version})", path.display()),
        None => println!("{name:<23} not found; {get}"),
    }
}
