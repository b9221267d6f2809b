use aho_corasick::AhoCorasick;
use arc_swap::ArcSwapOption;
use core_types::{REDACTED, Secret};

use crate::json;

/// A shorter value would be found in lines that have nothing to do with it.
const MIN_LENGTH: usize = 6;

/// Finds known secret values in finished lines, wherever they stand.
#[derive(Default)]
pub(crate) struct Scrubber {
    values: ArcSwapOption<AhoCorasick>,
}

impl Scrubber {
    /// Replaces the values that are looked for. Those of less than six bytes are left aside.
    pub(crate) fn set(&self, secrets: &[Secret<String>]) {
        let mut needles: Vec<Secret<String>> = Vec::new();
        for secret in secrets.iter().filter(|secret| secret.expose().len() >= MIN_LENGTH) {
            // Inside a JSON text the value may be escaped.
            let mut escaped = String::new();
            json::escaped(&mut escaped, secret.expose());
            needles.push(Secret::new(escaped));
            needles.push(secret.clone());
        }
        let automaton = AhoCorasick::builder()
            // A secret that contains another is replaced as a whole.
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(needles.iter().map(|needle| needle.expose().as_str()));
        let automaton = automaton.ok().filter(|_| !needles.is_empty());
        self.values.store(automaton.map(Into::into));
    }

    pub(crate) fn scrub(&self, line: &mut String) {
        let values = self.values.load();
        let Some(values) = values.as_ref().filter(|values| values.is_match(line.as_str())) else {
            return;
        };
        let mut clean = String::with_capacity(line.len());
        values.replace_all_with(line, &mut clean, |_, _, clean| {
            clean.push_str(REDACTED);
            true
        });
        *line = clean;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-7: a known value is replaced wherever it stands, escaped or not.
    #[test]
    fn known_values_are_replaced() {
        let scrubber = Scrubber::default();
        let scrubbed = |line: &str| {
            let mut line = line.to_owned();
            scrubber.scrub(&mut line);
            line
        };
        assert_eq!(scrubbed("canary-1"), "canary-1");
        scrubber.set(&[
            "canary-1".into(),
            "can\"ary\\2".into(),
            "short".into(),
            "canary-1-longer".into(),
        ]);
        assert_eq!(scrubbed("a canary-1 b canary-1-longer"), "a [REDACTED] b [REDACTED]");
        assert_eq!(scrubbed(r#"{"a":"xcan\"ary\\2"}"#), r#"{"a":"x[REDACTED]"}"#);
        assert_eq!(scrubbed("can\"ary\\2 short"), "[REDACTED] short");
        scrubber.set(&[]);
        assert_eq!(scrubbed("canary-1"), "canary-1");
    }
}
