//! What a line looks like.

mod console;

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
    /// A line in this form. All lines are made as JSON first.
    pub(crate) fn of<'a>(self, line: &'a str, spare: &'a mut String) -> &'a str {
        match self {
            Self::Json => line,
            Self::Console { color } => {
                spare.clear();
                console::write(spare, line, color);
                spare
            }
        }
    }
}
