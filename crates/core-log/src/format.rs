//! What a line looks like.

mod console;
mod opentelemetry;
mod schema;

use std::sync::Arc;

pub use self::schema::Schema;
pub(crate) use self::schema::Shape;

/// A form of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// One JSON object.
    Json,
    /// One JSON object, by the rules of others.
    Shaped(Arc<Shape>),
    /// For a person.
    Console {
        /// Whether colours are understood.
        color: bool,
    },
}

impl Format {
    /// A line in this form. All lines are made as JSON first.
    pub(crate) fn of<'a>(&self, line: &'a str, spare: &'a mut String) -> &'a str {
        match self {
            Self::Json => line,
            Self::Console { color } => {
                spare.clear();
                console::write(spare, line, *color);
                spare
            }
            Self::Shaped(shape) => {
                spare.clear();
                shape.write(spare, line);
                spare
            }
        }
    }
}
