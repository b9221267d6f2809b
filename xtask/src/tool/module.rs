//! Programs of Go modules, which `go.mod` and `go.sum` pin.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use super::GO;
use super::kept::Kept;
use crate::context::Context;
use crate::process;

/// No C compiler is needed, and the result does not tell where it was built.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("CGO_ENABLED", "0"),
    ("GOFLAGS", "-trimpath -mod=readonly -buildvcs=false"),
    ("GOWORK", "off"),
];

/// A program of the module that a folder below `xtask/tools` pins.
pub(crate) struct Module {
    /// Its path in `go.mod`; or the folder's own, for a program whose source lies there.
    pub(super) path: &'static str,
    /// The rest of the package's path.
    pub(super) package: &'static str,
    /// Variables that the linker sets, with `VERSION`, `MAJOR` and `MINOR` where these belong.
    pub(super) stamp: &'static [&'static str],
}

impl Module {
    pub(super) const fn new(path: &'static str, package: &'static str) -> Self {
        Self { path, package, stamp: &[] }
    }

    /// The version that `go.mod` requires. What lies in the folder itself has none but its digest.
    pub(super) fn version(&self, folder: &Path) -> anyhow::Result<String> {
        let file = folder.join("go.mod");
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut own = false;
        for line in text.lines() {
            let words: Vec<&str> =
                line.split_whitespace().filter(|word| *word != "require").collect();
            match words[..] {
                [path, version, ..] if path == self.path => {
                    return Ok(version.trim_start_matches('v').to_owned());
                }
                ["module", path] => own |= path == self.path,
                _ => {}
            }
        }
        if !own {
            bail!("{} does not require {}", file.display(), self.path);
        }
        Ok("1".into())
    }

    /// Changes with whatever the programs of this folder are built from, and how.
    pub(super) fn digest(&self, folder: &Path) -> anyhow::Result<String> {
        let cannot = || format!("cannot read {}", folder.display());
        let files = fs::read_dir(folder).with_context(cannot)?;
        let mut files = files.map(|file| Ok(file?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        files.sort();
        let mut digest = Sha256::new();
        for file in files {
            let content =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            digest.update(file.file_name().unwrap_or_default().as_encoded_bytes());
            digest.update(Sha256::digest(content));
        }
        for text in ENVIRONMENT.iter().flat_map(|(name, value)| [name, value]).chain(self.stamp) {
            digest.update(Sha256::digest(text));
        }
        let digest = digest.finalize();
        Ok(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Builds one program into a folder, where it appears when it is complete.
    pub(super) fn build(
        &self,
        context: &Context,
        module: &Path,
        into: &Path,
        kept: &Kept,
    ) -> anyhow::Result<()> {
        if GO.find().is_none() {
            bail!("{}; {} {}", GO.missing(), kept.program, kept.takes());
        }
        fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
        // Goes away with whatever is in it, unless this process is killed.
        let unfinished = tempfile::Builder::new().prefix(".unfinished-").tempdir_in(into)?;
        let part = unfinished.path().join(kept.program);
        let mut command = Command::new("go");
        command.current_dir(module).envs(ENVIRONMENT.iter().copied());
        command.args(["build", "-v", "-ldflags", &self.linked(&self.version(module)?), "-o"]);
        command.arg(&part).arg(format!("{}{}", self.path, self.package));
        let mut packages = 0;
        process::run(&mut command, |line| {
            packages += 1;
            if context.verbose {
                print!("{line}");
            }
            context.step(&format!("{}: {packages}: {}", kept.program, line.trim_end()));
        })?;
        let done = into.join(kept.program);
        fs::rename(&part, &done).with_context(|| format!("cannot make {}", done.display()))
    }

    /// What the linker is told: to leave out what only debuggers read, and the stamp.
    fn linked(&self, version: &str) -> String {
        let mut numbers = version.split('.');
        let (major, minor) =
            (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let stamp = self.stamp.iter().map(|assignment| {
            let value = assignment.replace("VERSION", version);
            format!(" -X {}", value.replace("MAJOR", major).replace("MINOR", minor))
        });
        format!("-s -w{}", stamp.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_version_is_the_one_that_is_required() {
        let module = Module::new("a.example/b", "/cmd/c");
        for text in ["require a.example/b v1.2.3 // indirect", "require (\n\ta.example/b v1.2.3\n)"]
        {
            let folder = folder(&[("go.mod", text)]);
            assert_eq!(module.version(folder.path()).unwrap(), "1.2.3");
        }
        let own = folder(&[("go.mod", "module a.example/b\n")]);
        assert_eq!(module.version(own.path()).unwrap(), "1");
        let other = folder(&[("go.mod", "module tools\nrequire a.example/bb v1.2.3\n")]);
        let error = module.version(other.path()).unwrap_err().to_string();
        assert!(error.ends_with("go.mod does not require a.example/b"), "{error}");
    }

    #[test]
    fn another_sum_or_stamp_is_another_digest() {
        let module = Module::new("a.example/b", "");
        let first = folder(&[("go.mod", "m"), ("go.sum", "s")]);
        let digest = module.digest(first.path()).unwrap();
        assert_eq!(
            digest,
            module.digest(folder(&[("go.mod", "m"), ("go.sum", "s")]).path()).unwrap()
        );
        assert_ne!(
            digest,
            module.digest(folder(&[("go.mod", "m"), ("go.sum", "t")]).path()).unwrap()
        );
        assert_ne!(
            digest,
            module.digest(folder(&[("go.mod", "n"), ("go.sum", "s")]).path()).unwrap()
        );
        let stamped = Module { stamp: &["a"], ..Module::new("a.example/b", "") };
        assert_ne!(digest, stamped.digest(first.path()).unwrap());
    }

    #[test]
    fn the_linker_is_told_the_version() {
        let stamp = &["p.version=vVERSION", "p.line=MAJOR.MINOR"];
        let module = Module { stamp, ..Module::new("a.example/b", "") };
        assert_eq!(module.linked("1.34.4"), "-s -w -X p.version=v1.34.4 -X p.line=1.34");
    }
}
