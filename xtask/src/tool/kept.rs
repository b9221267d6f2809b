//! Tools that this program gets by itself, in one fixed version, and keeps in the user's cache.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context as _;

use super::{Found, ask, find};
use crate::context::Context;
use crate::environment;

/// A tool in the version that this project uses.
pub(crate) struct Kept {
    pub(crate) name: &'static str,
    version: &'static str,
    /// The program in question, in its folder.
    program: &'static str,
    /// Why getting it takes a while.
    takes: &'static str,
    /// The commands that put it into the folder `FOLDER`.
    get: &'static [&'static [&'static str]],
}

pub(crate) const CARGO_DENY: Kept = Kept {
    name: "cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
    takes: "building it takes minutes, once",
    get: &[&[
        "cargo",
        "install",
        "cargo-deny",
        "--version",
        "0.20.2",
        "--locked",
        "--no-default-features",
        "--root",
        "FOLDER",
    ]],
};

pub(crate) const DETECT_SECRETS: Kept = Kept {
    name: "detect-secrets",
    version: "1.5.0",
    program: "detect-secrets-hook",
    takes: "once",
    get: &[
        &["python3", "-m", "venv", "--clear", "FOLDER"],
        &["FOLDER/bin/pip", "install", "--quiet", "detect-secrets==1.5.0"],
    ],
};

/// All of them.
pub(crate) const KEPT: &[Kept] = &[CARGO_DENY, DETECT_SECRETS];

impl Kept {
    /// Looks for it, in this very version: on the `PATH`, then in the cache.
    pub(crate) fn find(&self) -> Option<Found> {
        let fits = |found: &Found| found.version.split(' ').any(|word| word == self.version);
        find(self.program, &["--version"]).filter(fits).or_else(|| {
            let path = self.folder().ok()?.join("bin").join(self.program);
            let version = ask(&path, &["--version"])?;
            Some(Found { path, version }).filter(fits)
        })
    }

    /// Finds it, or gets it.
    pub(crate) fn get(&self, context: &Context) -> anyhow::Result<PathBuf> {
        if let Some(found) = self.find() {
            return Ok(found.path);
        }
        context.screen.note(&format!("getting {} {}: {}", self.name, self.version, self.takes));
        let folder = self.folder()?;
        let folder = folder.to_str().context("the cache folder's name is not text")?;
        for words in self.get {
            let mut words = words.iter().map(|word| word.replace("FOLDER", folder));
            let mut command = match words.next().expect("a command has a program").as_str() {
                "cargo" => context.cargo_command(),
                program => Command::new(program),
            };
            // Its own folder for building is thrown away when it is done.
            command.env_remove("CARGO_TARGET_DIR").args(words);
            context.run(&mut command)?;
        }
        let found = self.find();
        Ok(found.with_context(|| format!("{} is still not there", self.name))?.path)
    }

    fn folder(&self) -> anyhow::Result<PathBuf> {
        Ok(environment::cache()?.join(format!("{}-{}", self.name, self.version)))
    }
}
