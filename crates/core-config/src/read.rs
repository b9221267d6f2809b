//! From the merged tree to the typed settings, with every mistake on the way.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::key::{Key, Segment};
use crate::merge::Merged;
use crate::schema::{Schema, View, type_name};
use crate::suggest::nearest;
use crate::{Problem, Problems, Settings};

/// More mistakes than this help nobody.
const MAX_PROBLEMS: usize = 100;

/// Why a tree does not fit a type: the first part that does not.
#[derive(Debug)]
pub struct ReadError {
    key: Key,
    message: String,
}

/// Reads a type, remembering where it failed.
pub(crate) fn typed<T: DeserializeOwned>(tree: &Value) -> Result<T, ReadError> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().iter().fold(Key::root(), |key, segment| match segment {
            serde_path_to_error::Segment::Map { key: name } => key.name(name),
            serde_path_to_error::Segment::Seq { index } => key.index(*index),
            // A variant is no step of the tree; nothing is known below an unknown.
            _ => key,
        });
        ReadError { key, message: error.into_inner().to_string() }
    })
}

/// Reads and validates the settings, or reports every mistake.
pub(crate) fn settings<T: Settings>(merged: &Merged, schema: &Schema) -> Result<T, Vec<Problem>> {
    let mut found = Found { merged, schema, problems: Vec::new(), seen: BTreeSet::new() };
    found.check(&schema.view(), &merged.value, &Key::root());
    let settings = found.read::<T>();
    if let Some(settings) = &settings {
        let mut broken = Problems::default();
        settings.validate(&mut broken);
        for (key, message) in broken.into_inner() {
            found.add(&key, message);
        }
    }
    match settings {
        Some(settings) if found.problems.is_empty() => Ok(settings),
        _ => Err(found.problems),
    }
}

struct Found<'a> {
    merged: &'a Merged,
    schema: &'a Schema,
    problems: Vec<Problem>,
    /// One mistake a key: a second one is a consequence of the first.
    seen: BTreeSet<Key>,
}

impl Found<'_> {
    fn add(&mut self, key: &Key, message: impl Into<String>) {
        if self.problems.len() < MAX_PROBLEMS && self.seen.insert(key.clone()) {
            self.problems.push(Problem::at(key, self.merged.origin(key), message));
        }
    }

    /// What the schema can tell: unknown names, missing names, wrong types.
    fn check(&mut self, view: &View<'_>, value: &Value, key: &Key) {
        let json_type = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = view.allows(json_type) || (json_type == "integer" && view.allows("number"));
        if !fits {
            let found = type_name(json_type);
            return self.add(key, format!("expected {}, found {found}", view.expected()));
        }
        if !is_within(value, view) {
            return self.add(key, format!("expected {}", view.expected()));
        }
        match value {
            Value::Array(list) => {
                if let Some(items) = view.items() {
                    for (index, item) in list.iter().enumerate() {
                        self.check(&items, item, &key.index(index));
                    }
                }
            }
            Value::Object(table) => {
                for (name, value) in table {
                    let below = key.name(name);
                    match view.member(name) {
                        Some(member) => self.check(&member, value, &below),
                        None if view.is_closed() => self.unknown(view, name, &below),
                        None => {}
                    }
                }
                for name in view.required() {
                    if !table.contains_key(name) {
                        let expected = view.member(name).map_or(String::new(), |v| v.expected());
                        self.missing(&key.name(name), &expected);
                    }
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self, view: &View<'_>, name: &str, key: &Key) {
        let members = view.members();
        let hint = match nearest(name, members.iter().map(|(name, _)| *name)) {
            Some(meant) => {
                let meant = key.parent().unwrap_or_default().name(meant);
                format!("unknown key; did you mean `{meant}`?")
            }
            None => match self.elsewhere(name) {
                Some(meant) => format!("unknown key; did you mean `{meant}`?"),
                None => "unknown key".into(),
            },
        };
        self.add(key, hint);
    }

    /// The one key of that last name somewhere else: a section was forgotten, or is a wrong one.
    fn elsewhere(&self, name: &str) -> Option<Key> {
        let mut keys = self.schema.leaves().into_iter().map(|(key, _)| key);
        let found = keys.find(|key| key.last_name() == Some(name))?;
        keys.all(|key| key.last_name() != Some(name)).then_some(found)
    }

    fn missing(&mut self, key: &Key, expected: &str) {
        if self.problems.len() < MAX_PROBLEMS && self.seen.insert(key.clone()) {
            let message = format!("missing; expected {expected}");
            self.problems.push(Problem::at(key, None, message));
        }
    }

    /// What only the type can tell: reads it, and after a mistake reads it again without the part
    /// that was wrong, until all of them are known.
    fn read<T: Settings>(&mut self) -> Option<T> {
        let mut tree = self.merged.value.clone();
        // What the schema has refused would be refused again.
        for key in &self.seen {
            take_out(key, &mut tree);
        }
        for _ in 0..MAX_PROBLEMS {
            let error = match T::read(&tree) {
                Ok(settings) => return Some(settings),
                Err(error) => error,
            };
            let is_known = self
                .seen
                .iter()
                .any(|seen| seen.starts_with(&error.key) || error.key.starts_with(seen));
            if !is_known {
                let message = self.say(&error);
                self.add(&error.key, message);
            }
            if !take_out(&error.key, &mut tree) {
                return None;
            }
        }
        None
    }

    /// The type's own words if they hold nothing of what was written, else what the schema expects.
    fn say(&self, error: &ReadError) -> String {
        let view = self.schema.at(&error.key);
        let is_secret = view.as_ref().is_some_and(View::is_secret);
        if let Some(expected) = view.as_ref().and_then(View::explicit) {
            return format!("expected {expected}");
        }
        // `invalid type: string "…", expected …`: what was found may be a secret, what was
        // expected comes from the code.
        if let Some((found, expected)) = error.message.rsplit_once(", expected ")
            && found.starts_with("invalid ")
        {
            return format!("expected {}", range_of(expected).unwrap_or(expected));
        }
        let written = self.written(&error.key);
        let shows = |text: &String| error.message.contains(text.as_str());
        if !is_secret && !error.message.is_empty() && !written.iter().any(shows) {
            return error.message.clone();
        }
        format!("expected {}", view.map_or("another value".into(), |view| view.expected()))
    }

    /// Every text and number that was written at a key or below it.
    fn written(&self, key: &Key) -> Vec<String> {
        fn collect(value: &Value, texts: &mut Vec<String>) {
            match value {
                Value::String(text) if !text.is_empty() => texts.push(text.clone()),
                Value::Number(number) => texts.push(number.to_string()),
                Value::Array(list) => list.iter().for_each(|item| collect(item, texts)),
                Value::Object(table) => table.values().for_each(|item| collect(item, texts)),
                _ => {}
            }
        }
        let mut texts = Vec::new();
        collect(key.get(&self.merged.value).unwrap_or(&Value::Null), &mut texts);
        texts
    }
}

/// Takes a part out of a tree; of a list, the whole, so that its other elements keep their numbers.
fn take_out(key: &Key, tree: &mut Value) -> bool {
    let names = key.segments().iter().take_while(|segment| matches!(segment, Segment::Name(_)));
    let key = names.fold(Key::root(), |key, segment| key.with(segment.clone()));
    key.remove(tree).is_some()
}

/// Whether a number is within the bounds that the schema sets; anything else is.
fn is_within(value: &Value, view: &View<'_>) -> bool {
    let (least, greatest) = view.bounds();
    let Some(number) = value.as_f64() else { return true };
    least.and_then(Value::as_f64).is_none_or(|least| number >= least)
        && greatest.and_then(Value::as_f64).is_none_or(|greatest| number <= greatest)
}

/// What serde calls a type of integers, in words.
fn range_of(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 up",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "isize" => "a whole number",
        _ => return None,
    })
}
