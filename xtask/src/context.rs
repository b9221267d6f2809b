//! What every job is handed: the workspace, and ways to run things and to tell how far it is.

use std::path::Path;
use std::process::Command;

use crate::screen::Screen;
use crate::workspace::Workspace;
use crate::{environment, process};

/// The tree that a job works on, and the screen that it reports to.
pub(crate) struct Context {
    pub(crate) workspace: Workspace,
    pub(crate) screen: Screen,
    pub(crate) verbose: bool,
}

impl Context {
    /// The workspace around the current folder.
    pub(crate) fn new(verbose: bool) -> anyhow::Result<Self> {
        let workspace = Workspace::read(Path::new("."))?;
        Ok(Self { workspace, screen: Screen::new(!verbose), verbose })
    }

    /// Tells what is done now.
    pub(crate) fn step(&self, what: &str) {
        self.screen.step(what);
    }

    /// Runs a program in the workspace's folder and returns what it printed. Prints it only if
    /// that was asked for.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<String> {
        if self.verbose {
            println!("{}", process::shown(command));
        }
        process::run(command.current_dir(self.workspace.root()), |line| {
            if self.verbose {
                print!("{line}");
            }
        })
    }

    /// Runs cargo in the workspace's folder.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run(self.cargo_command().args(arguments))
    }

    /// Cargo as a person would start it.
    pub(crate) fn cargo_command(&self) -> Command {
        let mut command = Command::new(environment::cargo());
        // What cargo told this program about itself would make build scripts run again that watch
        // such variables.
        for prefix in ["CARGO_PKG_", "CARGO_MANIFEST_"] {
            for name in environment::names(prefix) {
                command.env_remove(name);
            }
        }
        if !self.verbose {
            command.env("CARGO_TERM_QUIET", "true");
        }
        command.env("CARGO_TERM_COLOR", if self.screen.colours() { "always" } else { "never" });
        command
    }
}
