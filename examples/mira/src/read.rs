//! Strict reading of JSON: every mistake is found, each with its place.

mod strict;

use serde_json::{Map, Value};

pub(crate) use self::strict::json;
use crate::{Error, Mistake};

/// Mistakes told at most. A body with more has been understood well enough.
const MAX_MISTAKES: usize = 50;
/// Characters of a caller's text that a mistake repeats.
const MAX_QUOTED: usize = 40;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Notes a mistake.
    pub(crate) fn add(&mut self, field: &str, problem: impl Into<String>) {
        if self.0.len() < MAX_MISTAKES {
            self.0.push(Mistake { field: field.into(), problem: problem.into() });
        }
    }

    /// The value if there is no mistake.
    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid { mistakes: self.0 }),
        }
    }

    /// A text without blanks around it, of 1 to `max` characters, none of them a control character.
    pub(crate) fn line(&mut self, field: &str, value: &Value, max: usize) -> Option<String> {
        self.text(field, value, 1, max, char::is_control)
    }

    /// A text of up to `max` characters that may have lines and tabs.
    pub(crate) fn prose(&mut self, field: &str, value: &Value, max: usize) -> Option<String> {
        self.text(field, value, 0, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    }

    fn text(
        &mut self,
        field: &str,
        value: &Value,
        min: usize,
        max: usize,
        is_bad: impl Fn(char) -> bool,
    ) -> Option<String> {
        let Some(text) = value.as_str().map(str::trim) else {
            self.add(field, format!("expected a text, not {}", type_of(value)));
            return None;
        };
        let length = text.chars().count();
        if length < min {
            self.add(field, "must not be empty");
        } else if length > max {
            self.add(field, format!("has {length} characters, {max} are allowed"));
        } else if text.chars().any(is_bad) {
            self.add(field, "has control characters");
        } else {
            return Some(text.into());
        }
        None
    }

    /// A list of up to `max` entries, each read by `read`.
    pub(crate) fn list<T>(
        &mut self,
        field: &str,
        value: &Value,
        max: usize,
        mut read: impl FnMut(&mut Self, &str, &Value) -> Option<T>,
    ) -> Vec<T> {
        let Some(entries) = value.as_array() else {
            self.add(field, format!("expected a list, not {}", type_of(value)));
            return Vec::new();
        };
        if entries.len() > max {
            self.add(field, format!("has {} entries, {max} are allowed", entries.len()));
            return Vec::new();
        }
        let entries = entries.iter().enumerate();
        entries.filter_map(|(i, entry)| read(self, &format!("{field}[{i}]"), entry)).collect()
    }

    /// The members of the object at a place, if it is one. Names that are not `known` are mistakes.
    pub(crate) fn table<'v>(
        &mut self,
        field: &str,
        value: &'v Value,
        known: &[&'static str],
    ) -> Option<&'v Map<String, Value>> {
        let Some(table) = value.as_object() else {
            self.add(field, format!("expected an object, not {}", type_of(value)));
            return None;
        };
        for name in table.keys().filter(|name| !known.contains(&name.as_str())) {
            let place =
                if field.is_empty() { quoted(name) } else { format!("{field}.{}", quoted(name)) };
            let hint = match nearest(name, known) {
                Some(nearest) => format!("perhaps `{nearest}` is meant"),
                None => format!("known are {}", known.join(", ")),
            };
            self.add(&place, format!("unknown field, {hint}"));
        }
        Some(table)
    }

    /// The value of a field that must be there.
    pub(crate) fn required<'v>(
        &mut self,
        place: &str,
        table: &'v Map<String, Value>,
        name: &str,
    ) -> Option<&'v Value> {
        let value = field(table, name);
        if value.is_none() {
            let separator = if place.is_empty() { "" } else { "." };
            self.add(&format!("{place}{separator}{name}"), "is missing");
        }
        value
    }
}

/// The value of a field. `null` is the same as no field.
pub(crate) fn field<'v>(table: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    table.get(name).filter(|value| !value.is_null())
}

/// The nearest of some names, if one is near enough to be meant.
pub(crate) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    // The distance takes time by the product of the lengths.
    if name.len() > MAX_QUOTED {
        return None;
    }
    let distance = |known: &&&str| strsim::damerau_levenshtein(name, known);
    let nearest = known.iter().min_by_key(distance)?;
    (strsim::damerau_levenshtein(name, nearest) <= 1 + nearest.len() / 4).then_some(*nearest)
}

/// A caller's text, short enough to be repeated.
pub(crate) fn quoted(text: &str) -> String {
    cut(text, MAX_QUOTED)
}

/// The beginning of a text, on one line.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(max).collect();
    text.trim().into()
}

/// A JSON type as people call it.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
