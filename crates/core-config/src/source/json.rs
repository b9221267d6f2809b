use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::place;
use crate::node::{Kind, Node};
use crate::{Origin, Problem};

/// Deeper nesting is no configuration.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str, path: &Path) -> Result<Node, Problem> {
    let source = Source { text, path };
    if text.trim().is_empty() {
        return Err(Problem::of(place(path, 1, 1), "is empty; expected at least `{}`"));
    }
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| source.refuse(&error))?;
    source.node(whole, 0)
}

struct Source<'t> {
    text: &'t str,
    path: &'t Path,
}

impl<'t> Source<'t> {
    /// A part keeps its raw text, which is a slice of the whole: its address tells its place.
    fn node(&self, raw: &'t RawValue, depth: usize) -> Result<Node, Problem> {
        let origin = self.origin(raw);
        if depth > MAX_DEPTH {
            return Err(Problem::of(origin, "is nested too deeply"));
        }
        let part = raw.get();
        let kind = match part.as_bytes().first() {
            Some(b'{') => {
                let entries: Entries<'t> = self.read(part)?;
                let mut seen = HashSet::new();
                let mut nodes = Vec::new();
                for (name, value) in entries.0 {
                    if !seen.insert(name.clone()) {
                        let message = format!("the key `{name}` stands here twice");
                        return Err(Problem::of(self.origin(value), message));
                    }
                    nodes.push((name.into_owned(), self.node(value, depth + 1)?));
                }
                Kind::Table(nodes)
            }
            Some(b'[') => {
                let items: Vec<&'t RawValue> = self.read(part)?;
                let nodes = items.into_iter().map(|item| self.node(item, depth + 1));
                Kind::List(nodes.collect::<Result<_, _>>()?)
            }
            _ => return Ok(Node::from_value(self.read::<Value>(part)?, &origin)),
        };
        Ok(Node::new(origin, kind))
    }

    fn read<T: Deserialize<'t>>(&self, part: &'t str) -> Result<T, Problem> {
        serde_json::from_str(part).map_err(|error| self.refuse(&error))
    }

    fn origin(&self, raw: &RawValue) -> Origin {
        let offset = raw.get().as_ptr().addr() - self.text.as_ptr().addr();
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        place(self.path, line, before[line_start..].chars().count() + 1)
    }

    fn refuse(&self, error: &serde_json::Error) -> Problem {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        let origin = place(self.path, error.line().max(1), error.column().max(1));
        Problem::of(origin, format!("not valid JSON: {message}"))
    }
}

/// The entries of a table in their order, repeated names included.
struct Entries<'t>(Vec<(Cow<'t, str>, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}
