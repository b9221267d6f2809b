use std::fmt;

use aho_corasick::{AhoCorasick, packed};
use core_types::{REDACTED, Secret};

use crate::json;
use crate::mask::{Rules, redacted};
use crate::name::{is_own, is_reserved};

/// A shorter value would be found in lines that have nothing to do with it.
const MIN_LENGTH: usize = 6;

/// Finds known secret values.
pub(crate) struct Scrubber {
    values: AhoCorasick,
    /// Says much sooner that there is none; absent where there are too many, or no vectors.
    quick: Option<packed::Searcher>,
}

impl Scrubber {
    /// Looks for these values; those of less than six bytes are left aside. `None` if none is left.
    pub(crate) fn new(secrets: &[Secret<String>]) -> Option<Self> {
        let secrets = secrets.iter().filter(|secret| secret.expose().len() >= MIN_LENGTH);
        let needles: Vec<Secret<String>> = secrets.flat_map(forms).collect();
        let values = AhoCorasick::builder()
            // A secret that contains another is replaced as a whole.
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(needles.iter().map(|needle| needle.expose().as_str()));
        let values = values.ok().filter(|_| !needles.is_empty())?;
        let mut quick = packed::Config::new().builder();
        quick.extend(needles.iter().map(|needle| needle.expose().as_str()));
        Some(Self { values, quick: quick.build() })
    }

    /// Whether a line or a text may hold a known value.
    pub(crate) fn finds(&self, text: &str) -> bool {
        match &self.quick {
            Some(quick) => quick.find(text).is_some(),
            None => self.values.is_match(text),
        }
    }

    /// The length of the longest value.
    pub(crate) fn longest(&self) -> usize {
        self.values.max_pattern_len()
    }

    /// Where a known value ends that begins before this place and ends after it.
    pub(crate) fn end_around(&self, text: &str, place: usize) -> Option<usize> {
        let mut found = self.values.find_iter(text).take_while(|found| found.start() < place);
        found.find(|found| found.end() > place).map(|found| found.end())
    }

    /// The text with every known value replaced.
    fn scrubbed(&self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        self.values.replace_all_with(text, &mut clean, |_, _, clean| {
            clean.push_str(REDACTED);
            true
        });
        clean
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scrubber").finish_non_exhaustive()
    }
}

/// A value as it is, as `{:?}` prints it and as JSON says it, and each of those inside of a JSON
/// text, where a whole line is searched.
fn forms(secret: &Secret<String>) -> [Secret<String>; 6] {
    let value = secret.expose();
    let printed = Secret::new(format!("{value:?}"));
    let inside = |text: &str| {
        let mut escaped = String::new();
        json::escaped(&mut escaped, text);
        Secret::new(escaped)
    };
    let printed = Secret::from(&printed.expose()[1..printed.expose().len() - 1]);
    let said = inside(value);
    [inside(printed.expose()), inside(said.expose()), secret.clone(), printed, said.clone(), said]
}

/// Appends a finished line with every value masked and scrubbed that the rules hide, also in lists
/// and tables; what the line itself says stays as it is.
pub(crate) fn clean(out: &mut String, line: &str, rules: &Rules) {
    let start = out.len();
    for (name, value) in json::members(line) {
        out.push(if out.len() == start { '{' } else { ',' });
        write_name(out, name, line, rules);
        let masked =
            !is_reserved(name) && rules.masks(json::unescape(name).trim_start_matches("field."));
        if masked {
            redacted(out);
        } else if matches!(name, "timestamp" | "level" | "line") {
            out.push_str(value);
        } else {
            clean_value(out, value, rules);
        }
    }
    out.push_str("}\n");
}

/// Appends a name; a field's may be made of anything, so it is scrubbed, and stays the only one.
fn write_name(out: &mut String, name: &str, line: &str, rules: &Rules) {
    let is_own = is_reserved(name) || is_own(name);
    out.push('"');
    match &rules.scrubber {
        Some(scrubber) if !is_own && scrubber.finds(name) => {
            let number = json::members(line).position(|(other, _)| other == name);
            json::escaped(out, &scrubber.scrubbed(&json::unescape(name)));
            out.push('.');
            json::integer(out, number.unwrap_or_default());
        }
        _ => out.push_str(name),
    }
    out.push_str("\":");
}

fn clean_value(out: &mut String, value: &str, rules: &Rules) {
    let mut rest = value;
    // After a name that hides its value.
    let mut is_hidden = false;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() || matches!(first, '}' | ']' | ',' | ':') {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        if std::mem::take(&mut is_hidden) {
            redacted(out);
            rest = &rest[json::value_end(rest)..];
            continue;
        }
        if matches!(first, '{' | '[') {
            out.push(first);
            rest = &rest[1..];
            continue;
        }
        let (token, after) = rest.split_at(json::value_end(rest).max(first.len_utf8()));
        rest = after;
        let text = json::text_of(token);
        is_hidden = first == '"' && after.trim_start().starts_with(':') && rules.masks(&text);
        match &rules.scrubber {
            Some(scrubber) if scrubber.finds(&text) => {
                // A number that holds a secret is none any more.
                json::string(out, &scrubber.scrubbed(&text));
            }
            _ => out.push_str(token),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn rules(secrets: &[&str]) -> Rules {
        let secrets: Vec<Secret<String>> = secrets.iter().map(|&secret| secret.into()).collect();
        let mut rules = Rules::new(&["ssn".into()], 1000);
        rules.scrubber = Scrubber::new(&secrets).map(Arc::new);
        rules
    }

    /// LOG-7, LOG-1: a known value is replaced wherever it stands, and the line stays JSON.
    #[test]
    fn known_values_are_replaced() {
        let rules = rules(&[
            "canary-1",
            "can\"ary\\2",
            "short",
            "canary-1-longer",
            "123456",
            "nary\n3",
            "message",
            "\tnorth",
        ]);
        let scrubber = rules.scrubber.clone().unwrap();
        for (line, expected) in [
            (r#"{"a":"x canary-1 y canary-1-longer"}"#, r#"{"a":"x [REDACTED] y [REDACTED]"}"#),
            (r#"{"a":"xcan\"ary\\2"}"#, r#"{"a":"x[REDACTED]"}"#),
            (r#"{"a":"\"can\\\"ary\\\\2\""}"#, r#"{"a":"\"[REDACTED]\""}"#),
            (
                r#"{"a":"K { s: \"nary\\n3\" }","b":"nary\n3"}"#,
                r#"{"a":"K { s: \"[REDACTED]\" }","b":"[REDACTED]"}"#,
            ),
            (
                r#"{"a":1234567,"line":1234567,"b":true}"#,
                r#"{"a":"[REDACTED]7","line":1234567,"b":true}"#,
            ),
            (r#"{"a":[0.123456, {"123456":-1}]}"#, r#"{"a":["0.[REDACTED]", {"[REDACTED]":-1}]}"#),
            (
                r#"{"message":"the message","a":"\\tnorthwind"}"#,
                r#"{"message":"the [REDACTED]","a":"[REDACTED]wind"}"#,
            ),
            (
                r#"{"ok":1,"canary-1":1,"canary-1-longer":2}"#,
                r#"{"ok":1,"[REDACTED].1":1,"[REDACTED].2":2}"#,
            ),
            (r#"{"a":"short"}"#, r#"{"a":"short"}"#),
        ] {
            let mut out = String::new();
            clean(&mut out, line, &rules);
            assert_eq!(out.trim_end(), expected);
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
            assert_eq!(scrubber.finds(line), line != expected, "{line}");
        }
        assert!(Scrubber::new(&["short".into()]).is_none());
    }

    /// LOG-7: names hide their values, also inside of lists and tables.
    #[test]
    fn names_hide_values() {
        for (line, expected) in [
            (
                r#"{"ssn":1,"field.SSN":"x","level":"x"}"#,
                r#"{"ssn":"[REDACTED]","field.SSN":"[REDACTED]","level":"x"}"#,
            ),
            (
                r#"{"a":[{"token" : {"x":[1,"}"]}, "b":2},{"password":null,"c":"token"}]}"#,
                r#"{"a":[{"token" : "[REDACTED]", "b":2},{"password":"[REDACTED]","c":"token"}]}"#,
            ),
        ] {
            let mut out = String::new();
            clean(&mut out, line, &rules(&[]));
            assert_eq!(out.trim_end(), expected);
        }
    }
}
