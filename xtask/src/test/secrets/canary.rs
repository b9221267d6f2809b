//! The secrets of one run of the suite, and who says them.

use std::fs;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What all secrets of this run begin with, behind `canary-`.
pub(super) struct Canary {
    run: String,
    /// As they are, and as Kubernetes writes them.
    beginnings: [String; 2],
}

impl Canary {
    /// Other ones than in any run before.
    pub(super) fn new() -> Self {
        let run = format!("{:016x}", RandomState::new().hash_one(()));
        let plain = format!("canary-{run}-");
        // Four characters are three bytes, and the last ones are of what follows, too.
        let whole = plain.len() / 3 * 3;
        let encoded = STANDARD.encode(&plain[..whole]);
        Self { run, beginnings: [plain, encoded] }
    }

    /// For the variable `MIRA_TEST_CANARY`.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Complains if a secret was printed, or stands in a file below a folder, or in the name of one.
    pub(super) fn refuse(&self, printed: &str, folder: &Path) -> anyhow::Result<()> {
        ensure!(!self.is_in(printed.as_bytes()), "a secret was printed");
        let mut found = Vec::new();
        self.search(folder, &mut found)?;
        ensure!(found.is_empty(), "secrets are left in {found:?}");
        Ok(())
    }

    fn is_in(&self, bytes: &[u8]) -> bool {
        let holds = |text: &String| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        self.beginnings.iter().any(holds)
    }

    fn search(&self, folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
        let unread = |path: &Path| format!("cannot read {}", path.display());
        for entry in fs::read_dir(folder).with_context(|| unread(folder))? {
            let path = entry?.path();
            let kind = fs::symlink_metadata(&path)?.file_type();
            if self.is_in(path.as_os_str().as_encoded_bytes()) {
                found.push(path);
            } else if kind.is_dir() {
                self.search(&path, found)?;
            } else if kind.is_file() && self.is_in(&fs::read(&path).with_context(|| unread(&path))?)
            {
                found.push(path);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-6: a secret of this run is found in what was printed and in files, as it is, in base64 and
    /// as a name; one of another run is not.
    #[test]
    fn secrets_of_the_run_are_found() {
        let (canary, other) = (Canary::new(), Canary::new());
        let secret = format!("canary-{}-7", canary.run());
        let refuses = |printed: &str, file: &str, text: &str| {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("inner")).unwrap();
            fs::write(folder.path().join("inner").join(file), text).unwrap();
            let refuses = |canary: &Canary| canary.refuse(printed, folder.path()).is_err();
            assert!(!refuses(&other));
            refuses(&canary)
        };
        let encoded = STANDARD.encode(&secret);
        assert!(!refuses("canary", "file", "canary-7"));
        assert!(refuses(&format!("it is {secret}."), "file", ""));
        assert!(refuses("", "file", &format!("it is {secret}.")));
        assert!(refuses("", "file", &format!("{{\"key\":\"{encoded}\"}}")));
        assert!(refuses("", &secret, ""));
    }
}
