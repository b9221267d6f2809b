use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{Archive, Limits, place_of};
use crate::Rotation;
use crate::event::{Event, Observer};

/// Under which name trouble with old files is reported.
const SINK: &str = "rotation";

/// How long whoever has moved our file may take to put another in its place, and to make it ours. A
/// rotator does it at once; a file that it finds there already it takes for an error, and `logrotate`
/// moves that to where nobody looks.
const PATIENCE: Duration = Duration::from_millis(200);

/// A log file that is always found under its own name: put aside when it is full or old, opened
/// again when somebody else has moved or deleted it, and never split inside of a line.
pub(super) struct LogFile {
    path: PathBuf,
    limits: Limits,
    archive: Archive,
    observer: Observer,
    open: Option<Open>,
    has_failed: bool,
}

struct Open {
    file: File,
    identity: Identity,
    size: u64,
    /// The hour or the day that its lines are of.
    period: u64,
    /// Whether the last byte that was written ended a line.
    is_between_lines: bool,
}

/// What tells one file from another, whatever their names.
#[derive(PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            Self(metadata.dev(), metadata.ino())
        }
        #[cfg(not(unix))]
        {
            let _ = metadata;
            Self(0, 0)
        }
    }
}

impl LogFile {
    pub(super) fn new(path: &Path, limits: Limits, archive: Archive, observer: Observer) -> Self {
        Self { path: path.to_owned(), limits, archive, observer, open: None, has_failed: false }
    }

    /// Sees to it that the file under our name is the one that is written.
    fn follow(&mut self) -> io::Result<()> {
        let mut next = None;
        if let Some(open) = &mut self.open {
            match fs::metadata(&self.path) {
                Ok(metadata) if Identity::of(&metadata) == open.identity => {
                    // Somebody may have copied it and made it empty.
                    open.size = metadata.len();
                    return Ok(());
                }
                // A line that is begun ends where it is.
                _ if !open.is_between_lines => return Ok(()),
                _ => self.open = None,
            }
            next = successor(&self.path);
        }
        let file = if let Some(file) = next {
            file
        } else {
            place_of(&self.path)?;
            File::options().append(true).create(true).open(&self.path)?
        };
        let metadata = file.metadata()?;
        self.open = Some(Open {
            identity: Identity::of(&metadata),
            size: metadata.len(),
            period: self.period(metadata.modified().unwrap_or_else(|_| SystemTime::now())),
            file,
            is_between_lines: true,
        });
        Ok(())
    }

    /// The hour or the day of a moment.
    fn period(&self, moment: SystemTime) -> u64 {
        let seconds = match self.limits.rotation {
            Rotation::Never => return 0,
            Rotation::Hourly => 60 * 60,
            Rotation::Daily => 24 * 60 * 60,
        };
        moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / seconds
    }

    /// Puts the file aside and begins another. If that fails, the old one is written on.
    fn rotate(&mut self) -> io::Result<()> {
        let moved = self.archive.take(&self.path).inspect(|()| self.open = None);
        match moved.and_then(|()| self.archive.tidy()) {
            Ok(()) => {
                if std::mem::take(&mut self.has_failed) {
                    self.observer.report(&Event::SinkRecovered { sink: SINK });
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut self.has_failed, true) {
                    self.observer.report(&Event::SinkFailed { sink: SINK, error: &error });
                }
            }
        }
        self.follow()
    }

    /// How many of these bytes go to the file as it is; 0 if it is full.
    fn portion(&self, open: &Open, bytes: &[u8]) -> usize {
        let limit = self.limits.file_size;
        let is_end = |byte: &u8| *byte == b'\n';
        let first = || bytes.iter().position(is_end).map_or(bytes.len(), |end| end + 1);
        if !open.is_between_lines {
            return first();
        }
        let now = self.period(SystemTime::now());
        if open.size > 0 && now != open.period {
            return 0;
        }
        if limit == 0 {
            return bytes.len();
        }
        let room = usize::try_from(limit.saturating_sub(open.size)).unwrap_or(usize::MAX);
        let fitting = &bytes[..room.min(bytes.len())];
        match fitting.iter().rposition(is_end) {
            Some(end) => end + 1,
            // A line of which nothing fits anywhere has a file of its own.
            None if open.size == 0 => first(),
            None => 0,
        }
    }
}

/// What somebody puts in the place of a file that was moved, if it comes in time.
#[expect(clippy::disallowed_methods, reason = "looking each millisecond is simpler than a watch")]
fn successor(path: &Path) -> Option<File> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match File::options().append(true).open(path) {
            Ok(file) => return Some(file),
            Err(_) if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            Err(_) => return None,
        }
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.follow()?;
        let missing = || io::Error::from(ErrorKind::NotFound);
        let mut portion = self.portion(self.open.as_ref().ok_or_else(missing)?, bytes);
        if portion == 0 {
            self.rotate()?;
            portion = self.portion(self.open.as_ref().ok_or_else(missing)?, bytes);
        }
        let open = self.open.as_mut().ok_or_else(missing)?;
        // What cannot be put aside grows.
        let portion = if portion == 0 { bytes } else { &bytes[..portion] };
        let written = open.file.write(portion)?;
        if let Some(last) = portion[..written].last() {
            open.is_between_lines = *last == b'\n';
        }
        open.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.follow()
    }
}
