use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::core::Core;
use super::state::State;
use crate::writer::sink;
use crate::{Config, Levels, Rotation};

/// A change of the log that cannot fail any more.
///
/// Dropped without [`commit`](Self::commit) it changes nothing; a file that it opened stays, empty.
#[must_use = "nothing changes before `commit`"]
pub struct Prepared {
    core: Arc<Core>,
    pub(super) levels: Levels,
    pub(super) state: State,
    pub(super) file: FileChange,
    pub(super) buffer: usize,
}

/// What becomes of the log file.
pub(super) enum FileChange {
    Keep,
    None,
    Opened(PathBuf, Rotation, Box<dyn Write + Send>),
    Failed(PathBuf, io::Error),
}

impl Prepared {
    pub(super) fn new(core: Arc<Core>, config: &Config) -> Self {
        let buffer = usize::try_from(config.buffer.bytes()).unwrap_or(usize::MAX).max(64 << 10);
        let file = match &config.file {
            Some(path) if core.has_file(path, config.rotation) => FileChange::Keep,
            Some(path) => match sink::file(path, config.rotation) {
                Ok(opened) => FileChange::Opened(path.clone(), config.rotation, opened),
                Err(error) => FileChange::Failed(path.clone(), error),
            },
            None => FileChange::None,
        };
        let state = State::new(config, core.terminal());
        Self { levels: config.level.clone(), state, file, buffer, core }
    }

    /// Makes the change.
    pub fn commit(self) {
        let core = Arc::clone(&self.core);
        core.commit(self);
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("levels", &self.levels).finish_non_exhaustive()
    }
}
