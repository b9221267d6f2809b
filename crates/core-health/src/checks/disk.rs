use std::path::Path;

use core_types::ByteSize;
use rustix::fs::{StatVfs, statvfs};

use crate::Report;

/// Degraded when less than so much of a path's file system is left, unhealthy when nobody can tell.
///
/// What is left is what the process may still write: some systems keep a part for their
/// administrator. Out of places for new files (inodes) is degraded as well. The figure `free_bytes`
/// is public.
///
/// Blocks for as long as the file system does, which is microseconds for a local one, and for ever
/// for a network share whose server has gone: have it asked on a thread that may wait.
pub fn disk(path: impl AsRef<Path>, least: ByteSize) -> Report {
    let path = path.as_ref();
    match statvfs(path) {
        Ok(stat) => judge(&stat, path, least),
        Err(error) => {
            Report::unhealthy(format!("cannot tell what is left at {}: {error}", path.display()))
        }
    }
}

fn judge(stat: &StatVfs, path: &Path, least: ByteSize) -> Report {
    let free = ByteSize::from_bytes(stat.f_bavail.saturating_mul(stat.f_frsize));
    let path = path.display();
    let report = if free < least {
        Report::degraded(format!("{free} are left at {path}, less than {least}"))
    } else if stat.f_files > 0 && stat.f_favail == 0 {
        // Some file systems have no fixed number of files, and say zero of zero.
        Report::degraded(format!("no more files can be made at {path}"))
    } else {
        Report::healthy()
    };
    report.with_data("free_bytes", free.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use core_types::Status;

    fn stat(blocks: u64, files: u64, free_files: u64) -> StatVfs {
        let mut stat = statvfs("/").expect("there is a root");
        (stat.f_bavail, stat.f_frsize) = (blocks, 4096);
        (stat.f_files, stat.f_favail) = (files, free_files);
        stat
    }

    /// HLT-5: a disk that runs full is degraded, by bytes and by files.
    #[test]
    fn a_disk_that_runs_full_is_degraded() {
        let check = |stat: &StatVfs| {
            let report = judge(stat, Path::new("/log"), ByteSize::from_mebibytes(1));
            (report.status, report.reason.as_deref().unwrap_or_default().to_owned())
        };
        assert_eq!(check(&stat(256, 10, 1)).0, Status::Healthy);
        let short = "1020KiB are left at /log, less than 1MiB";
        assert_eq!(check(&stat(255, 10, 1)), (Status::Degraded, short.into()));
        let files = "no more files can be made at /log";
        assert_eq!(check(&stat(256, 10, 0)), (Status::Degraded, files.into()));
        assert_eq!(check(&stat(256, 0, 0)).0, Status::Healthy);
        assert_eq!(check(&stat(1 << 52, 0, 0)).0, Status::Healthy);
    }
}
