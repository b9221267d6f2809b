//! The node's control groups, of both versions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

const ROOT: &str = "/sys/fs/cgroup";
const UNIFIED: &str = "/sys/fs/cgroup/unified";

/// The roots below which a node has a group: each controller's, or the one of version 2.
fn roots() -> Vec<PathBuf> {
    let root = Path::new(ROOT);
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_owned()];
    }
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let folders =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir() && !path.is_symlink());
    folders.collect()
}

/// The node's groups, whether they are there or not.
pub(super) fn of(name: &str) -> Vec<PathBuf> {
    roots().into_iter().map(|root| root.join(name)).collect()
}

pub(super) fn make(name: &str) -> anyhow::Result<()> {
    // Where both versions are, nobody is limited by the second; runc makes a group there all the same.
    for group in of(name).into_iter().filter(|group| !group.starts_with(UNIFIED)) {
        fs::create_dir_all(&group).with_context(|| format!("cannot make {}", group.display()))?;
        let parent = group.parent().expect("a group lies in a root");
        let controllers = parent.join("cgroup.controllers");
        if controllers.exists() {
            let all = fs::read_to_string(controllers)?;
            let all: Vec<_> = all.split_whitespace().map(|it| format!("+{it}")).collect();
            fs::write(parent.join("cgroup.subtree_control"), all.join(" "))?;
        }
        if parent.ends_with("cpuset") {
            // A set without processors admits no process.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                fs::write(group.join(file), fs::read(parent.join(file))?)?;
            }
        }
    }
    Ok(())
}

/// Removes what the kernel lets go by now.
pub(super) fn remove(name: &str) {
    of(name).iter().for_each(|group| remove_below(group));
}

fn remove_below(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_below(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}
