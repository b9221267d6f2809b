use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime};

use core_types::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Limits, place_of};

/// The files that were put aside: compressed, and the oldest deleted.
pub(super) struct Archive {
    keeper: Keeper,
    /// The moment in the last name, for two files must not have the same.
    last: Option<SystemTime>,
    /// Compresses, which takes longer than a writer may wait.
    thread: Option<Thread>,
}

struct Thread {
    wake: Sender<()>,
    is_closed: Arc<AtomicBool>,
    handle: JoinHandle<()>,
}

#[derive(Clone)]
struct Keeper {
    path: PathBuf,
    limits: Limits,
}

/// What is behind our name in those of files that were put aside: `.20260115T103045.123456Z`.
const STAMP: usize = ".20260115T103045.123456Z".len();
const PACKED: &str = ".gz";
/// Of a file that is being compressed.
const PART: &str = ".gz.part";

impl Archive {
    pub(super) fn new(path: &Path, limits: Limits) -> Self {
        let keeper = Keeper { path: path.to_owned(), limits };
        Self { keeper, last: None, thread: None }
    }

    /// Puts a file aside.
    pub(super) fn take(&mut self, path: &Path) -> io::Result<()> {
        let now = SystemTime::now();
        // Files stand in the order of their names, whatever becomes of the clock.
        let mut moment = match self.last {
            Some(last) if last >= now => last + Duration::from_micros(1),
            _ => now,
        };
        let target = loop {
            let target = self.keeper.name(moment);
            let packed = with_suffix(&target, PACKED);
            if !target.try_exists()? && !packed.try_exists()? {
                break target;
            }
            moment += Duration::from_micros(1);
        };
        fs::rename(path, target)?;
        self.last = Some(moment);
        Ok(())
    }

    /// Compresses what was put aside, and deletes what is past the limits.
    pub(super) fn tidy(&mut self) -> io::Result<()> {
        if !self.keeper.limits.compress {
            return self.keeper.prune();
        }
        if self.thread.is_none() {
            self.thread = Some(Thread::start(self.keeper.clone())?);
        }
        // The thread ends only when nobody can ask it any more.
        let _ = self.thread.as_ref().map(|thread| thread.wake.send(()));
        Ok(())
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if let Some(Thread { wake, is_closed, handle }) = self.thread.take() {
            // What is not compressed yet is when the log is opened again.
            is_closed.store(true, Ordering::Relaxed);
            drop(wake);
            let _ = handle.join();
        }
    }
}

impl Thread {
    fn start(keeper: Keeper) -> io::Result<Self> {
        let (wake, asked) = channel();
        let is_closed = Arc::<AtomicBool>::default();
        let closed = Arc::clone(&is_closed);
        let run = move || {
            while asked.recv().is_ok() {
                while asked.try_recv().is_ok() {}
                // A file that cannot be compressed stays as it is, and is tried again next time.
                let _ = keeper.pack(&closed).and(keeper.prune());
            }
        };
        let handle = Builder::new().name("log-archive".into()).spawn(run)?;
        Ok(Self { wake, is_closed, handle })
    }
}

impl Keeper {
    fn name(&self, moment: SystemTime) -> PathBuf {
        let stamp = Timestamp::from(moment).to_string().replace(['-', ':'], "");
        with_suffix(&self.path, &format!(".{stamp}"))
    }

    /// Our own files that were put aside, the oldest first, each with what stands behind the
    /// moment in its name.
    fn files(&self) -> io::Result<Vec<(PathBuf, String)>> {
        let (folder, name) = place_of(&self.path)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Some(suffix) = own_suffix(name, &entry.file_name()) {
                files.push((entry.path(), suffix));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Compresses what is not. A file is whole under its new name before the old one goes.
    fn pack(&self, is_closed: &AtomicBool) -> io::Result<()> {
        for (path, suffix) in self.files()? {
            match suffix.as_str() {
                "" => {}
                PART => {
                    fs::remove_file(path)?;
                    continue;
                }
                _ => continue,
            }
            let (part, packed) = (with_suffix(&path, PART), with_suffix(&path, PACKED));
            if !packed.try_exists()? {
                let mut from = File::open(&path)?;
                let mut to = GzEncoder::new(File::create(&part)?, Compression::default());
                let mut buffer = vec![0; 64 << 10];
                loop {
                    let length = from.read(&mut buffer)?;
                    if length == 0 {
                        break;
                    }
                    if is_closed.load(Ordering::Relaxed) {
                        drop(to);
                        return fs::remove_file(&part);
                    }
                    to.write_all(&buffer[..length])?;
                }
                to.finish()?.sync_all()?;
                fs::rename(&part, &packed)?;
            }
            fs::remove_file(&path)?;
        }
        Ok(())
    }

    /// Deletes the oldest files past the limits.
    fn prune(&self) -> io::Result<()> {
        let Limits { files: most, total_size, file_size, .. } = self.limits;
        // The file that is being written counts as what it may grow to.
        let budget = if total_size == 0 { u64::MAX } else { total_size.saturating_sub(file_size) };
        let mut total = 0_u64;
        for (index, (path, _)) in self.files()?.into_iter().rev().enumerate() {
            total = total.saturating_add(fs::metadata(&path)?.len());
            if most > 0 && index >= most || total > budget {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// What stands behind the moment in the name of a file that we have put aside, if it is one.
fn own_suffix(name: &OsStr, candidate: &OsStr) -> Option<String> {
    let rest = candidate.as_encoded_bytes().strip_prefix(name.as_encoded_bytes())?;
    let (stamp, suffix) = rest.split_at_checked(STAMP)?;
    let is_stamp = stamp.iter().enumerate().all(|(at, byte)| match at {
        0 | 16 => *byte == b'.',
        9 => *byte == b'T',
        23 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    let suffix = std::str::from_utf8(suffix).ok()?;
    (is_stamp && ["", PACKED, PART].contains(&suffix)).then(|| suffix.to_owned())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-6: only what we have put aside ourselves is ours.
    #[test]
    fn only_our_own_files_are_ours() {
        for (candidate, expected) in [
            ("app.log.20260115T103045.123456Z", Some("")),
            ("app.log.20260115T103045.123456Z.gz", Some(".gz")),
            ("app.log.20260115T103045.123456Z.gz.part", Some(".gz.part")),
            ("app.log.20260115T103045.123456Z.bak", None),
            ("app.log.20260115T103045.123456", None),
            ("app.log.2026-01-15", None),
            ("app.log.1", None),
            ("app.log", None),
            ("app-audit.log.20260115T103045.123456Z", None),
            ("app.log2.20260115T103045.123456Z", None),
        ] {
            let suffix = own_suffix(OsStr::new("app.log"), OsStr::new(candidate));
            assert_eq!(suffix.as_deref(), expected, "{candidate}");
        }
    }
}
