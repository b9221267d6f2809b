//! The binary: static, position-independent, with no path of this machine in it.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::target::{Target, Toolchain};
use crate::context::Context;
use crate::{environment, process};

/// The profile of the root manifest that is used.
pub(crate) const PROFILE: &str = "dist";

/// What C code that asks for the time is told.
pub(crate) const EPOCH: &str = "0";

/// Says `-static-pie` for what rustc says in two words that do not go with it.
const SCRIPT: &str = r#"#!/bin/sh
for word; do
  shift
  case "$word" in
    -static | -no-pie) ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec LINKER -static-pie "$@"
"#;

/// What is built.
pub(crate) struct Build<'a> {
    pub(crate) package: &'a str,
    pub(crate) binary: &'a str,
    pub(crate) target: &'static Target,
    pub(crate) toolchain: &'a Toolchain,
    /// What the paths of this machine become: from, to. Later ones win.
    pub(crate) paths: &'a [(PathBuf, String)],
    /// How many crates are compiled, for telling how far it is.
    pub(crate) crates: usize,
}

/// What the paths of this machine become in a binary.
pub(crate) fn paths(
    root: &Path,
    target: &Path,
    registries: impl IntoIterator<Item = PathBuf>,
    toolchain: &Toolchain,
) -> Vec<(PathBuf, String)> {
    let mut paths = vec![
        (root.to_owned(), "/src".to_owned()),
        (target.to_owned(), "/src/target".to_owned()),
        // Where the standard library's sources are installed, rustc would show those.
        (
            toolchain.sysroot.join("lib/rustlib/src/rust"),
            format!("/rustc/{}", toolchain.rustc_entry("commit-hash")),
        ),
    ];
    let mut registries: Vec<PathBuf> = registries.into_iter().collect();
    registries.sort();
    registries.dedup();
    paths.extend(registries.into_iter().map(|registry| (registry, "/cargo".to_owned())));
    paths
}

/// The flags of rustc, as the provenance shows them: without paths of this machine.
pub(crate) fn flags() -> Vec<String> {
    let flags = [
        "-Ctarget-feature=+crt-static",
        "-Crelocation-model=pie",
        "-Crelro-level=full",
        "-Clink-arg=-Wl,--build-id=sha1",
    ];
    flags.map(str::to_owned).to_vec()
}

impl Build<'_> {
    /// Builds it, and tells where it is.
    pub(crate) fn run(&self, context: &Context) -> anyhow::Result<PathBuf> {
        let mut cargo = context.cargo_command();
        let folder = context.workspace.target();
        cargo.args(["build", "--locked", "--message-format=json-render-diagnostics"]);
        cargo.args(["--profile", PROFILE, "--package", self.package, "--bin", self.binary]);
        cargo.args(["--target", self.target.triple, "--target-dir"]).arg(folder);
        self.set(&mut cargo, folder)?;
        if context.verbose {
            println!("{}", process::shown(&cargo));
        }
        let mut done = 0;
        let mut executable = None;
        let run = process::run(cargo.current_dir(context.workspace.root()), |line| {
            let message: Option<Value> = serde_json::from_str(line).ok();
            let Some(message) = message else {
                if context.verbose {
                    print!("{line}");
                }
                return;
            };
            if message["reason"] == "compiler-artifact" {
                done += 1;
                let name = message["target"]["name"].as_str().unwrap_or_default();
                let of = self.crates.max(done);
                context.step(&format!(
                    "dist: compiling {}: {done} of about {of}: {name}",
                    self.binary
                ));
                if let Some(path) = message["executable"].as_str() {
                    executable = Some(PathBuf::from(path));
                }
            }
        });
        if let Err(error) = run {
            let text = format!("{error:#}");
            // What cargo tells to programs tells people nothing.
            let text: Vec<&str> = text.lines().filter(|line| !line.starts_with('{')).collect();
            bail!("{}", text.join("\n"));
        }
        executable.with_context(|| format!("cargo built no binary {}", self.binary))
    }

    /// Says how to build, in place of all that a person may have set.
    fn set(&self, cargo: &mut Command, folder: &Path) -> anyhow::Result<()> {
        for prefix in ["CARGO_PROFILE_", "CARGO_BUILD_", "CARGO_TARGET_", "CFLAGS", "RUSTFLAGS"] {
            for name in environment::names(prefix) {
                cargo.env_remove(name);
            }
        }
        for name in ["CC", "CPPFLAGS", "HOST_CFLAGS", "LDFLAGS", "RUSTC_WRAPPER", "TARGET_CFLAGS"] {
            cargo.env_remove(name);
        }
        let mut flags = flags();
        let mut c_flags = Vec::new();
        for (from, to) in self.paths {
            let from = from.to_str().context("a folder's name is not text")?;
            flags.push(format!("--remap-path-prefix={from}={to}"));
            c_flags.push(format!("-ffile-prefix-map={from}={to}"));
        }
        let variables = self.target.in_variables();
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
        cargo.env(format!("CFLAGS_{variables}"), c_flags.join(" "));
        cargo.env(format!("CC_{variables}"), self.target.compiler);
        let linker = format!("CARGO_TARGET_{}_LINKER", variables.to_ascii_uppercase());
        cargo.env(linker, self.linker(folder)?);
        // Build scripts run again when it changes, and all that depends on them is compiled again: so it
        // is not the commit's time, which the image alone tells.
        cargo.env("SOURCE_DATE_EPOCH", EPOCH);
        cargo.env("LC_ALL", "C").env("TZ", "UTC");
        Ok(())
    }

    /// What links. Where rustc does not know what is both static and position-independent, the linker is
    /// told by a script, whose name stays the same, so that cargo sees no change.
    fn linker(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        if self.target.links_by_itself {
            return Ok(self.target.linker.into());
        }
        let path = folder.join(format!("static-pie-{}", self.target.linker));
        let script = SCRIPT.replace("LINKER", self.target.linker);
        if std::fs::read_to_string(&path).is_ok_and(|before| before == script) {
            return Ok(path);
        }
        std::fs::create_dir_all(folder)?;
        // Another run may be about to start it.
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        new.write_all(script.as_bytes())?;
        new.as_file().set_permissions(Permissions::from_mode(0o755))?;
        new.persist(&path)?;
        Ok(path)
    }

    /// Takes the symbols out of the binary, into a file of their own.
    pub(crate) fn symbols(
        &self,
        context: &Context,
        built: &Path,
        symbols: &Path,
    ) -> anyhow::Result<()> {
        let mut objcopy = Command::new(self.target.objcopy);
        context.run(objcopy.arg("--only-keep-debug").arg(built).arg(symbols))?;
        Ok(std::fs::set_permissions(symbols, Permissions::from_mode(0o644))?)
    }

    /// Makes the binary that is shipped: without the symbols, but telling their file's name.
    pub(crate) fn strip(
        &self,
        context: &Context,
        built: &Path,
        symbols: &Path,
        binary: &Path,
    ) -> anyhow::Result<()> {
        let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
        link.push(symbols);
        let mut objcopy = Command::new(self.target.objcopy);
        // The names of functions stay: backtraces of panics are logged.
        context.run(objcopy.arg("--strip-debug").arg(link).arg(built).arg(binary))?;
        Ok(())
    }
}
