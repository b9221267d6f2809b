use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;

use crate::Event;
use crate::writer::{Observer, sink};

/// What only code can give to the log.
pub struct Options {
    pub(super) destination: Box<dyn Write + Send>,
    pub(super) is_terminal: bool,
    pub(super) color: bool,
    pub(super) observer: Observer,
}

impl Options {
    /// The standard output, as it is.
    #[must_use]
    pub fn new() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self { destination: sink::stdout(), is_terminal, color: true, observer: Arc::new(|_| {}) }
    }

    /// Writes elsewhere than to the standard output. Not a terminal, unless
    /// [`with_terminal`](Self::with_terminal) says so.
    #[must_use]
    pub fn with_destination(mut self, destination: impl Write + Send + 'static) -> Self {
        self.destination = Box::new(destination);
        self.is_terminal = false;
        self
    }

    /// Whether a person looks at it. Default: whether the standard output is a terminal.
    #[must_use]
    pub fn with_terminal(mut self, is_terminal: bool) -> Self {
        self.is_terminal = is_terminal;
        self
    }

    /// Whether a terminal may be coloured: `false` where the variable `NO_COLOR` is set and not
    /// empty (<https://no-color.org>). Default: yes.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// Who is told what becomes of lines. It must not wait for the log: it runs on its thread.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Arc::new(observer);
        self
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("is_terminal", &self.is_terminal)
            .field("color", &self.color)
            .finish_non_exhaustive()
    }
}
