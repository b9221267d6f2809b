use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use core_types::{REDACTED, is_credential};

use crate::json;
use crate::scrub::Scrubber;

/// Which values are not shown, and how much of the others.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    redact: Vec<String>,
    max_value: usize,
    /// The number of these rules: what was rendered under others is masked again.
    pub(crate) generation: u64,
    pub(crate) scrubber: Option<Arc<Scrubber>>,
}

impl Rules {
    pub(crate) fn new(redact: &[String], max_value: usize) -> Self {
        let redact = redact.to_vec();
        Self { redact, max_value, generation: next_generation(), scrubber: None }
    }

    /// The same rules with other known secrets.
    pub(crate) fn with_scrubber(self, scrubber: Option<Arc<Scrubber>>) -> Self {
        Self { scrubber, generation: next_generation(), ..self }
    }

    /// Whether the value of a field must not be seen.
    pub(crate) fn masks(&self, name: &str) -> bool {
        is_credential(name) || self.is_listed(name)
    }

    /// Whether the configuration names the field.
    pub(crate) fn is_listed(&self, name: &str) -> bool {
        self.redact.iter().any(|redact| name.eq_ignore_ascii_case(redact))
    }

    /// Appends a text as JSON; if it is too long, its beginning and a mark.
    pub(crate) fn text(&self, out: &mut String, text: &str) {
        out.push('"');
        if text.len() <= self.max_value {
            json::escaped(out, text);
        } else {
            self.cut(out, text, text.len());
        }
        out.push('"');
    }

    /// Appends what prints itself as JSON, cut as a text is.
    pub(crate) fn display(&self, out: &mut String, value: fmt::Arguments<'_>) {
        out.push('"');
        let start = out.len();
        let mut capped = Capped { out, room: self.window(), length: 0 };
        // A value that fails to print itself has said what it could.
        let _ = capped.write_fmt(value);
        let length = capped.length;
        if length > self.max_value {
            let window = json::unescape(&out[start..]).into_owned();
            out.truncate(start);
            self.cut(out, &window, length);
        }
        out.push('"');
    }

    /// How much of a text must be known to cut it: a known secret may begin before the cut.
    fn window(&self) -> usize {
        let longest = self.scrubber.as_ref().map_or(0, |scrubber| scrubber.longest());
        self.max_value.saturating_add(longest)
    }

    /// The beginning of a text is a bit longer where it would end inside of a known secret, for half
    /// of one would not be found any more.
    fn cut(&self, out: &mut String, text: &str, length: usize) {
        let end = text.floor_char_boundary(self.max_value);
        let window = &text[..text.floor_char_boundary(self.window())];
        let secret = self.scrubber.as_ref().and_then(|scrubber| scrubber.end_around(window, end));
        json::escaped(out, &text[..secret.unwrap_or(end)]);
        let _ = write!(out, "…[cut, {length} bytes in all]");
    }
}

/// A number that no rules in the process have yet.
fn next_generation() -> u64 {
    static GENERATION: AtomicU64 = AtomicU64::new(1);
    GENERATION.fetch_add(1, Ordering::Relaxed)
}

/// Appends a masked value.
pub(crate) fn redacted(out: &mut String) {
    json::string(out, REDACTED);
}

/// Escapes as much of a text as there is room for, and counts all of it.
struct Capped<'a> {
    out: &'a mut String,
    room: usize,
    length: usize,
}

impl fmt::Write for Capped<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.room.saturating_sub(self.length);
        if part.len() <= room {
            json::escaped(self.out, part);
        } else {
            json::escaped(self.out, &part[..part.floor_char_boundary(room)]);
        }
        self.length += part.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-7: fields named like credentials are masked; the list can be added to.
    #[test]
    fn the_list_can_be_added_to() {
        let rules = Rules::new(&["Ssn".into()], 100);
        assert!(rules.masks("password") && rules.masks("ssn") && !rules.masks("user"));
    }

    /// LOG-7: a cut leaves no part of a known secret, whichever way the text comes.
    #[test]
    fn a_cut_splits_no_secret() {
        let mut rules = Rules::new(&[], 10);
        rules.scrubber = Scrubber::new(&["canary-1".into(), "é-canary".into()]).map(Arc::new);
        for (text, expected) in [
            ("0123456789x", "0123456789"),
            ("0123canary-1", "0123canary-1"),
            ("01canary-1x", "01canary-1"),
            ("0123456é-canary", "0123456é-canary"),
            ("012345678éx", "012345678"),
            ("0123456789canary-1", "0123456789"),
        ] {
            let expected = format!("\"{expected}…[cut, {} bytes in all]\"", text.len());
            let (mut whole, mut printed) = (String::new(), String::new());
            rules.text(&mut whole, text);
            rules.display(&mut printed, format_args!("{text}"));
            assert_eq!((&whole, &printed), (&expected, &expected));
        }
    }
}
