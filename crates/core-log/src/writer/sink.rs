//! Where lines go.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use tracing_appender::rolling::{RollingFileAppender, Rotation as Appending};

use crate::Rotation;

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

/// A log file, its folders made where they are missing.
pub(crate) fn file(path: &Path, rotation: Rotation) -> io::Result<Box<dyn Write + Send>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    // With a date behind its name it would be a file beside the folder that is meant.
    if path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    fs::create_dir_all(folder)?;
    // The appender's own error tells less than the operating system's, so that one comes first.
    if rotation == Rotation::Never {
        fs::File::options().append(true).create(true).open(path)?;
    }
    RollingFileAppender::builder()
        .rotation(match rotation {
            Rotation::Never => Appending::NEVER,
            Rotation::Hourly => Appending::HOURLY,
            Rotation::Daily => Appending::DAILY,
        })
        .filename_prefix(name.to_string_lossy())
        .build(folder)
        .map(|appender| Box::new(appender) as Box<dyn Write + Send>)
        .map_err(io::Error::other)
}
