use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tracing_appender::rolling::{RollingFileAppender, Rotation as Appending};

use super::place_of;
use crate::Rotation;

/// A file that is begun anew by the hour or by the day, its date behind its name, and nothing more:
/// `tracing-appender`'s.
pub(super) struct Appender {
    path: PathBuf,
    rotation: Rotation,
    open: Option<RollingFileAppender>,
}

impl Appender {
    pub(super) fn new(path: &Path, rotation: Rotation) -> Self {
        Self { path: path.to_owned(), rotation, open: None }
    }

    fn open(&mut self) -> io::Result<&mut RollingFileAppender> {
        let open = match self.open.take() {
            Some(open) => Ok(open),
            None => self.build(),
        };
        open.map(|open| self.open.insert(open))
    }

    fn build(&self) -> io::Result<RollingFileAppender> {
        let (folder, name) = place_of(&self.path)?;
        RollingFileAppender::builder()
            .rotation(match self.rotation {
                Rotation::Never => Appending::NEVER,
                Rotation::Hourly => Appending::HOURLY,
                Rotation::Daily => Appending::DAILY,
            })
            .filename_prefix(name.to_string_lossy())
            .build(folder)
            .map_err(io::Error::other)
    }
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.open()?.flush()
    }
}
