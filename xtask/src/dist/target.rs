//! What binaries can be built for, and what that takes.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::bail;

use super::blob::sha256;

/// A kind of machine that an image can be made for.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) triple: &'static str,
    /// As images call it.
    pub(crate) architecture: &'static str,
    /// Compiles what C code there is.
    pub(crate) compiler: &'static str,
    /// The C compiler that links.
    pub(crate) linker: &'static str,
    /// Whether rustc itself knows how to link what is both static and position-independent.
    pub(crate) links_by_itself: bool,
    /// Takes symbols out of the binary.
    pub(crate) objcopy: &'static str,
    /// The command that gets both.
    get: &'static str,
}

const X86_64: &str = if cfg!(target_arch = "x86_64") { "cc" } else { "x86_64-linux-gnu-gcc" };
const AARCH64: &str = if cfg!(target_arch = "aarch64") { "cc" } else { "aarch64-linux-gnu-gcc" };

pub(crate) const TARGETS: &[Target] = &[
    Target {
        triple: "x86_64-unknown-linux-gnu",
        architecture: "amd64",
        compiler: X86_64,
        objcopy: if cfg!(target_arch = "x86_64") { "objcopy" } else { "x86_64-linux-gnu-objcopy" },
        linker: X86_64,
        links_by_itself: true,
        get: if cfg!(target_arch = "x86_64") {
            "apt-get install gcc libc6-dev"
        } else {
            "apt-get install gcc-x86-64-linux-gnu libc6-dev-amd64-cross"
        },
    },
    Target {
        triple: "aarch64-unknown-linux-gnu",
        architecture: "arm64",
        compiler: AARCH64,
        linker: AARCH64,
        links_by_itself: false,
        objcopy: if cfg!(target_arch = "aarch64") {
            "objcopy"
        } else {
            "aarch64-linux-gnu-objcopy"
        },
        get: if cfg!(target_arch = "aarch64") {
            "apt-get install gcc libc6-dev"
        } else {
            "apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
        },
    },
    Target {
        triple: "x86_64-unknown-linux-musl",
        architecture: "amd64",
        compiler: "musl-gcc",
        // rustc brings the C library, and knows better than that compiler where it is.
        linker: X86_64,
        links_by_itself: true,
        objcopy: if cfg!(target_arch = "x86_64") { "objcopy" } else { "x86_64-linux-gnu-objcopy" },
        get: "apt-get install musl-tools binutils",
    },
];

/// The target of the machine that this runs on.
pub(crate) const HOST: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};

/// What builds, as far as the result depends on it. The provenance records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    /// What `rustc -vV` says.
    pub(crate) rustc: String,
    /// The first line of what the C compiler says.
    pub(crate) compiler: String,
    /// The first line of what the symbols tool says.
    pub(crate) objcopy: String,
    /// The digest of the C library that is linked in.
    pub(crate) libc: String,
    pub(crate) sysroot: PathBuf,
}

impl Target {
    pub(crate) fn find(triple: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.triple == triple)
    }

    /// The triple as variables' names have it.
    pub(crate) fn in_variables(&self) -> String {
        self.triple.replace('-', "_")
    }

    /// Looks for all that it takes to build for this target.
    ///
    /// # Errors
    /// What is missing, each with the command that gets it.
    pub(crate) fn toolchain(&self) -> anyhow::Result<Toolchain> {
        let (rustc, sysroot, compiler, objcopy, libc) = std::thread::scope(|scope| {
            let rustc = scope.spawn(|| ask("rustc", &["-vV"]));
            let sysroot = scope.spawn(|| ask("rustc", &["--print", "sysroot"]));
            let compiler = scope.spawn(|| ask(self.compiler, &["--version"]));
            let objcopy = scope.spawn(|| ask(self.objcopy, &["--version"]));
            let libc = ask(self.linker, &["-print-file-name=libc.a"]);
            let join = |asked: std::thread::ScopedJoinHandle<'_, _>| asked.join().ok().flatten();
            (join(rustc), join(sysroot), join(compiler), join(objcopy), libc)
        });
        let mut missing = Vec::new();
        let sysroot = PathBuf::from(sysroot.unwrap_or_default().trim());
        let rustc = rustc.unwrap_or_default();
        // The compiler answers with the bare name where it has none.
        let target = sysroot.join("lib/rustlib").join(self.triple).join("lib");
        let brought = std::fs::read(target.join("self-contained/libc.a")).ok();
        let libc = brought.or_else(|| std::fs::read(libc?.trim()).ok());
        if rustc.is_empty() {
            missing.push("rustc not found; see https://rustup.rs".to_owned());
        } else if !target.is_dir() {
            let triple = self.triple;
            missing.push(format!("target {triple} not installed; rustup target add {triple}"));
        }
        for (name, found) in [(self.compiler, &compiler), (self.objcopy, &objcopy)] {
            if found.is_none() {
                missing.push(format!("{name} not found; {}", self.get));
            }
        }
        if compiler.is_some() && libc.is_none() {
            missing.push(format!("{} has no static libc; {}", self.compiler, self.get));
        }
        if !missing.is_empty() {
            bail!("cannot build for {}:\n  {}", self.triple, missing.join("\n  "));
        }
        let first = |said: Option<String>| {
            said.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
        };
        Ok(Toolchain {
            rustc,
            compiler: first(compiler),
            objcopy: first(objcopy),
            libc: sha256(&libc.unwrap_or_default()),
            sysroot,
        })
    }
}

impl Toolchain {
    /// One entry of what `rustc -vV` says.
    pub(crate) fn rustc_entry(&self, name: &str) -> &str {
        let mut entries = self.rustc.lines().filter_map(|line| line.split_once(": "));
        entries.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// What a program says, if it is there and succeeds.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(said)
}
