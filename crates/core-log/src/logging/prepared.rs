use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::core::Core;
use super::state::State;
use crate::sink::{self, Limits};
use crate::{Config, Levels};

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
    /// With the reason why it cannot be written yet, if it cannot.
    New(PathBuf, Limits, Box<dyn Write + Send>, Option<io::Error>),
}

impl Prepared {
    pub(super) fn new(core: Arc<Core>, config: &Config) -> Self {
        let buffer = usize::try_from(config.buffer.bytes()).unwrap_or(usize::MAX).max(64 << 10);
        let limits = Limits::of(config);
        let file = match &config.file {
            Some(path) if core.has_file(path, limits) => FileChange::Keep,
            Some(path) => {
                let (file, error) = sink::file(path, limits, core.observer());
                FileChange::New(path.clone(), limits, file, error)
            }
            None => FileChange::None,
        };
        let state = State::new(config, core.terminal(), core.service());
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
