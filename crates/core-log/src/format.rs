//! What a line looks like.

mod console;
mod json;

use crate::line::Line;

/// A form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
    /// For a person.
    Console {
        /// Whether colours are understood.
        color: bool,
    },
}

impl Format {
    /// Appends a line, its end included.
    pub(crate) fn write(self, out: &mut String, line: &Line<'_>) {
        match self {
            Self::Json => json::write(out, line),
            Self::Console { color } => console::write(out, line, color),
        }
    }
}
