use std::fmt;
use std::sync::Arc;

use super::core::{Core, FileSink, FormatState, OpenedFile};
use crate::{Config, Levels};

/// A change of the log that cannot fail any more.
#[must_use = "nothing changes before `commit`"]
pub struct Prepared {
    core: Arc<Core>,
    levels: Levels,
    format: FormatState,
    /// `None`: the file stays as it is.
    file: Option<OpenedFile>,
    buffer: usize,
}

impl Prepared {
    pub(super) fn new(core: Arc<Core>, config: &Config) -> Self {
        let buffer = usize::try_from(config.buffer.bytes()).unwrap_or(usize::MAX).max(64 << 10);
        let file = match &config.file {
            Some(path) if core.has_file(path, config.rotation) => None,
            Some(path) => Some(FileSink::open(&core, path, config.rotation, buffer)),
            None => Some(OpenedFile::None),
        };
        let format = FormatState::new(config, core.terminal());
        Self { levels: config.level.clone(), format, file, buffer, core }
    }

    /// Makes the change.
    pub fn commit(self) {
        self.core.commit(self.levels, self.format, self.file, self.buffer);
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("levels", &self.levels).finish_non_exhaustive()
    }
}
