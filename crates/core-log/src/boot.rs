use std::collections::VecDeque;

/// More lines than these are not written by a service that has not read its configuration yet.
const MAX_LINES: usize = 1000;

/// Lines from before the configuration is known: neither their form nor their level is decided.
#[derive(Default)]
pub(crate) struct Boot {
    lines: VecDeque<Kept>,
    dropped: u64,
}

/// A line that waits.
pub(crate) struct Kept {
    /// What the levels are asked about; `None` for a line that is written at every level.
    pub(crate) origin: Option<(tracing::Level, String)>,
    /// As JSON, masked by name only as far as names alone tell.
    pub(crate) line: String,
}

impl Boot {
    /// Keeps a line; of too many, the last ones, for they tell why the start failed.
    pub(crate) fn keep(&mut self, line: Kept) {
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(line);
    }

    /// The lines that were kept, and how many were not.
    pub(crate) fn into_lines(self) -> (impl Iterator<Item = Kept>, u64) {
        (self.lines.into_iter(), self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-1: of early lines, the last ones are kept, and the others are counted.
    #[test]
    fn the_last_lines_are_kept() {
        let mut boot = Boot::default();
        for number in 0..MAX_LINES + 2 {
            boot.keep(Kept { origin: None, line: number.to_string() });
        }
        let (lines, dropped) = boot.into_lines();
        let lines: Vec<String> = lines.map(|kept| kept.line).collect();
        assert_eq!((lines[0].as_str(), lines.len(), dropped), ("2", MAX_LINES, 2));
    }
}
