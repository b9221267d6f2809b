//! Whether something in the tree has changed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::k8s::pause;

/// What is built or applied.
const WATCHED: &[&str] = &["Cargo.lock", "Cargo.toml", "crates", "deploy/kubernetes", "examples"];

/// How many files there are, and when the last of them was changed.
pub(super) type State = (usize, Option<SystemTime>);

pub(super) fn state(root: &Path) -> anyhow::Result<State> {
    let mut state = State::default();
    for path in WATCHED {
        look(&root.join(path), &mut state)?;
    }
    Ok(state)
}

/// Waits until the state is another. What was changed since it was looked at counts.
pub(super) fn wait(root: &Path, seen: State) -> anyhow::Result<()> {
    while state(root)? == seen {
        pause();
    }
    Ok(())
}

fn look(path: &Path, state: &mut State) -> anyhow::Result<()> {
    // An editor may have taken it away meanwhile.
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            look(&entry?.path(), state)?;
        }
    } else {
        state.0 += 1;
        state.1 = state.1.max(metadata.modified().ok());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K8S-8: an edit, a new file and one that is gone are seen; what is not built is not.
    #[test]
    fn what_is_built_or_applied_is_watched() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        fs::create_dir_all(at("crates/a")).unwrap();
        fs::write(at("crates/a/lib.rs"), "").unwrap();
        let before = state(folder.path()).unwrap();
        fs::write(at("README.md"), "").unwrap();
        assert_eq!(state(folder.path()).unwrap(), before);
        let file = fs::File::options().append(true).open(at("crates/a/lib.rs")).unwrap();
        file.set_modified(before.1.unwrap() + std::time::Duration::from_secs(1)).unwrap();
        let edited = state(folder.path()).unwrap();
        assert_ne!(edited, before);
        fs::write(at("crates/a/new.rs"), "").unwrap();
        assert_ne!(state(folder.path()).unwrap(), edited);
        fs::remove_file(at("crates/a/new.rs")).unwrap();
        assert_eq!(state(folder.path()).unwrap(), edited);
    }
}
