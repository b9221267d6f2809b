//! Where lines go.

mod appender;
mod archive;
mod file;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use self::{appender::Appender, archive::Archive, file::LogFile};
use crate::event::Observer;
use crate::{Config, Rotation};

/// The standard output, without the standard library's line buffer: lines come in batches.
pub(crate) fn stdout() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd as _;
        if let Ok(handle) = io::stdout().as_fd().try_clone_to_owned() {
            return Box::new(fs::File::from(handle));
        }
    }
    Box::new(io::stdout())
}

/// When a new file is begun, and what becomes of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    rotation: Rotation,
    /// In bytes; 0 is no limit, here and below.
    file_size: u64,
    files: usize,
    total_size: u64,
    compress: bool,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            rotation: config.rotation,
            file_size: config.max_file_size.bytes(),
            files: usize::try_from(config.max_files).unwrap_or(usize::MAX),
            total_size: config.max_total_size.bytes(),
            compress: config.compress,
        }
    }

    /// Whether nothing but time counts.
    fn is_time_alone(self) -> bool {
        let is_limited = self.compress || self.file_size > 0 || self.files > 0;
        self.rotation != Rotation::Never && !is_limited && self.total_size == 0
    }
}

/// A log file, its folders made where they are missing. One that cannot be opened now is tried
/// again whenever there is something to write; why it could not be is told beside it.
pub(crate) fn file(
    path: &Path,
    limits: Limits,
    observer: Observer,
) -> (Box<dyn Write + Send>, Option<io::Error>) {
    fn opened<W: Write + Send + 'static>(
        mut file: W,
    ) -> (Box<dyn Write + Send>, Option<io::Error>) {
        let error = file.flush().err();
        (Box::new(file), error)
    }
    if limits.is_time_alone() {
        opened(Appender::new(path, limits.rotation))
    } else {
        let mut archive = Archive::new(path, limits);
        // What an earlier process has left, or other limits. Trouble is told at the next rotation.
        let _ = archive.tidy();
        opened(LogFile::new(path, limits, archive, observer))
    }
}

/// The folder of a log file, made if it is missing, and the file's name.
fn place_of(path: &Path) -> io::Result<(&Path, &std::ffi::OsStr)> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    // With a date behind its name it would be a file beside the folder that is meant.
    if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    fs::create_dir_all(folder)?;
    Ok((folder, name))
}
