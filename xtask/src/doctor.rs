//! `cargo xtask doctor`: which tools are there, and how to get those that are not.

use crate::tool::kept::KEPT;
use crate::tool::{Found, TOOLS};

pub(crate) fn run() -> bool {
    let mut all_there = true;
    for tool in TOOLS {
        let found = tool.find();
        all_there &= found.is_some();
        print(tool.name, found, tool.get);
    }
    for tool in KEPT {
        print(tool.name, tool.find(), "`cargo xtask check` gets it when it is needed");
    }
    all_there
}

fn print(name: &str, found: Option<Found>, get: &str) {
    match found {
        Some(Found { path, version }) => println!("{name:<14} {} ({version})", path.display()),
        None => println!("{name:<14} not found; {get}"),
    }
}
