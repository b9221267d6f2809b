use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::lines::Lines;
use crate::Problem;
use crate::node::{Kind, Node};

/// Deeper nesting is no configuration.
const MAX_DEPTH: usize = 64;

pub(super) fn parse(text: &str, path: &Path) -> Result<Node, Problem> {
    let source = Source { text, lines: Lines::new(text, path) };
    if text.trim().is_empty() {
        return Err(Problem::of(source.lines.at(0), "is empty; expected at least `{}`"));
    }
    let whole: &RawValue =
        serde_json::from_str(text).map_err(|error| source.refuse(text, &error))?;
    source.node(whole, 0)
}

struct Source<'t> {
    text: &'t str,
    lines: Lines,
}

impl<'t> Source<'t> {
    fn node(&self, raw: &'t RawValue, depth: usize) -> Result<Node, Problem> {
        let part = raw.get();
        let origin = self.lines.at(self.offset(part));
        if depth > MAX_DEPTH {
            return Err(Problem::of(origin, "is nested too deeply"));
        }
        let kind = match part.as_bytes().first() {
            Some(b'{') => {
                let entries: Entries<'t> = self.read(part)?;
                let mut nodes = BTreeMap::new();
                for (name, value) in entries.0 {
                    let node = self.node(value, depth + 1)?;
                    if nodes.contains_key(&*name) {
                        let message = format!("the key `{name}` stands here twice");
                        return Err(Problem::of(node.origin, message));
                    }
                    nodes.insert(name.into_owned(), node);
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
        serde_json::from_str(part).map_err(|error| self.refuse(part, &error))
    }

    /// A part is a slice of the whole: its address tells its place.
    fn offset(&self, part: &str) -> usize {
        part.as_ptr().addr() - self.text.as_ptr().addr()
    }

    fn refuse(&self, part: &str, error: &serde_json::Error) -> Problem {
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text);
        let origin = self.lines.of_part(self.offset(part), error.line(), error.column());
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
