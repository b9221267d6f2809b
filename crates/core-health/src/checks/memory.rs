use std::fs;
use std::path::Path;

use core_types::ByteSize;

use crate::Report;

#[cfg(test)]
mod tests;

/// Above it a limit is none: version 1 writes the greatest number of pages that it knows.
const NO_LIMIT: u64 = 1 << 60;

/// What of its memory limit a control group uses.
///
/// Used is what the kernel cannot take back at once: all but the page cache of files that nobody
/// looked at lately (`inactive_file`). Kubernetes calls it the working set, and evicts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// What is used.
    pub used: ByteSize,
    /// What may be used; past it the kernel ends the process.
    pub limit: ByteSize,
}

impl Memory {
    /// That of this process, by cgroup version 2 or 1; none where there is no limit, as outside of
    /// a container, or where nobody can tell, as on systems other than Linux.
    ///
    /// Where groups that contain each other have limits, that of the one that is fullest.
    pub fn now() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        read(&groups, &|file| fs::read_to_string(Path::new("/sys/fs/cgroup").join(file)).ok())
    }

    /// How much of the limit is used: 0.0 to 1.0, as a rule.
    pub fn share(self) -> f64 {
        self.used.bytes() as f64 / self.limit.bytes().max(1) as f64
    }
}

/// Degraded when more than so much of the memory limit is used; 0.9 is nine tenths.
///
/// Healthy where there is no limit. The figures `used_bytes` and `limit_bytes` are public. Reads some
/// files that the kernel writes, which takes some 50 microseconds.
pub fn memory(most: f64) -> Report {
    Memory::now().map_or_else(Report::healthy, |memory| judge(memory, most))
}

fn judge(memory: Memory, most: f64) -> Report {
    let Memory { used, limit } = memory;
    let report = if memory.share() > most {
        let percent = memory.share() * 100.0;
        Report::degraded(format!("{percent:.0} % of the memory limit of {limit} are used"))
    } else {
        Report::healthy()
    };
    report.with_data("used_bytes", used.bytes()).with_data("limit_bytes", limit.bytes())
}

/// The files of one version (`Documentation/admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`
/// of Linux).
struct Version {
    folder: &'static str,
    used: &'static str,
    limit: &'static str,
    reclaimable: &'static str,
}

const ONE: Version = Version {
    folder: "memory",
    used: "memory.usage_in_bytes",
    limit: "memory.limit_in_bytes",
    reclaimable: "total_inactive_file",
};

const TWO: Version = Version {
    folder: "",
    used: "memory.current",
    limit: "memory.max",
    reclaimable: "inactive_file",
};

/// What `/proc/self/cgroup` and the files below `/sys/fs/cgroup` say.
fn read(groups: &str, file: &dyn Fn(&Path) -> Option<String>) -> Option<Memory> {
    let (version, group) = group(groups)?;
    // A container may see the group by its path outside of it, where it is not; its root is.
    let levels = Path::new(group.trim_start_matches('/')).ancestors();
    let levels =
        levels.filter_map(|level| version.level(&Path::new(version.folder).join(level), file));
    levels.max_by(|one, other| one.share().total_cmp(&other.share()))
}

/// The version that counts memory, and the group: `0::/a/b` or `4:cpu,memory:/a/b`.
fn group(groups: &str) -> Option<(&'static Version, &str)> {
    let lines = groups.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        rest.split_once(':')
    });
    let one = lines.clone().find(|(kinds, _)| kinds.split(',').any(|kind| kind == "memory"));
    let two = || lines.clone().find(|(kinds, _)| kinds.is_empty());
    one.map(|(_, group)| (&ONE, group)).or_else(|| two().map(|(_, group)| (&TWO, group)))
}

impl Version {
    fn level(&self, folder: &Path, file: &dyn Fn(&Path) -> Option<String>) -> Option<Memory> {
        let number = |name: &str| file(&folder.join(name))?.trim().parse::<u64>().ok();
        // In version 2 no limit is the word `max`.
        let limit = number(self.limit).filter(|limit| *limit < NO_LIMIT)?;
        let used = number(self.used)?;
        let stat = file(&folder.join("memory.stat")).unwrap_or_default();
        let reclaimable = stat.lines().find_map(|line| {
            let (name, value) = line.split_once(' ')?;
            (name == self.reclaimable).then(|| value.trim().parse::<u64>().ok())?
        });
        let used = used.saturating_sub(reclaimable.unwrap_or_default());
        Some(Memory { used: ByteSize::from_bytes(used), limit: ByteSize::from_bytes(limit) })
    }
}
