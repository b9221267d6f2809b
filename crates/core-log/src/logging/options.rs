use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use crate::Event;
use crate::event::Observer;
use crate::sink;

/// What only code can give to the log.
pub struct Options {
    destination: Option<Box<dyn Write + Send>>,
    is_terminal: Option<bool>,
    color: bool,
    pub(super) observer: Observer,
    pub(super) service: (String, String),
}

impl Options {
    /// The standard output, as it is.
    #[must_use]
    pub fn new() -> Self {
        Self {
            destination: None,
            is_terminal: None,
            color: true,
            observer: Observer::new(|_| {}),
            service: Default::default(),
        }
    }

    /// Writes elsewhere than to the standard output.
    #[must_use]
    pub fn with_destination(mut self, destination: impl Write + Send + 'static) -> Self {
        self.destination = Some(Box::new(destination));
        self
    }

    /// Whether a person looks at it. Default: whether the standard output is a terminal; no, if it
    /// is written elsewhere.
    #[must_use]
    pub fn with_terminal(mut self, is_terminal: bool) -> Self {
        self.is_terminal = Some(is_terminal);
        self
    }

    /// Whether a terminal may be coloured: `false` where the variable `NO_COLOR` is set and not
    /// empty (<https://no-color.org>). Default: yes.
    #[must_use]
    pub fn with_color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// The name and the version of the service, for schemas that have a place for them.
    #[must_use]
    pub fn with_service(mut self, name: &str, version: &str) -> Self {
        self.service = (name.into(), version.into());
        self
    }

    /// Who is told what becomes of lines. It must not wait for the log: it runs on the writer's
    /// thread. If it panics, that is a line of the log.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    pub(super) fn terminal(&self) -> Terminal {
        let by_default = || self.destination.is_none() && io::stdout().is_terminal();
        let is_terminal = self.is_terminal.unwrap_or_else(by_default);
        Terminal { is_terminal, color: is_terminal && self.color }
    }

    pub(super) fn into_destination(self) -> Box<dyn Write + Send> {
        self.destination.unwrap_or_else(sink::stdout)
    }
}

/// Whether a person looks at the output, and in colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    pub(super) is_terminal: bool,
    pub(super) color: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("terminal", &self.terminal()).finish_non_exhaustive()
    }
}
