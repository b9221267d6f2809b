use std::path::Path;
use std::sync::Arc;

use super::place;
use crate::Origin;

/// Where the lines of a file begin, to tell the place of a byte without reading it all again.
pub(super) struct Lines {
    path: Arc<Path>,
    /// The first byte of each line.
    starts: Vec<usize>,
    /// The bytes that continue a character, of which a column counts none.
    inner: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str, path: &Path) -> Self {
        let (mut starts, mut inner) = (vec![0], Vec::new());
        for (offset, byte) in text.bytes().enumerate() {
            match byte {
                b'\n' => starts.push(offset + 1),
                0x80..0xc0 => inner.push(offset),
                _ => {}
            }
        }
        Self { path: path.into(), starts, inner }
    }

    /// The line and column of a byte.
    pub(super) fn at(&self, offset: usize) -> Origin {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let inner = |until| self.inner.partition_point(|inner| *inner <= until);
        let column = offset - start - (inner(offset) - inner(start)) + 1;
        place(&self.path, line, column)
    }

    /// The place that `serde_json` tells, by line and byte, of a part of the text.
    pub(super) fn of_part(&self, part: usize, line: usize, column: usize) -> Origin {
        let first = self.starts.partition_point(|start| *start <= part);
        let start = if line <= 1 { None } else { self.starts.get(first + line - 2) };
        let start = start.copied().unwrap_or(part);
        self.at(start + column.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "a\néü = x\n";
        let lines = Lines::new(text, Path::new("f"));
        let at = |offset: usize| lines.at(offset).to_string();
        assert_eq!(at(0), "f:1:1");
        assert_eq!(at(text.find('x').unwrap()), "f:2:6");
        assert_eq!(at(text.len()), "f:3:1");
        assert_eq!(lines.of_part(2, 1, 2).to_string(), "f:2:1");
        assert_eq!(lines.of_part(0, 2, 8).to_string(), "f:2:6");
    }
}
