//! From the merged tree to the typed settings, with every mistake on the way.

mod remainder;

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use core_types::is_credential;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::remainder::Remainder;
use crate::key::Trail;
use crate::merge::Merged;
use crate::schema::{Schema, View, type_name, type_of};
use crate::suggest::nearest;
use crate::{Key, Problem, Problems, Reference, Settings};

/// More mistakes than this help nobody; that there are more is said in one.
const LAST_PROBLEM: usize = 100;
const MAX_PROBLEMS: usize = LAST_PROBLEM + 1;

/// Why a tree does not fit a type: the first part that does not.
pub struct ReadError {
    pub(crate) key: Key,
    /// In the type's own words, which may quote what was written.
    message: String,
}

/// The key alone.
impl fmt::Debug for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadError").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Reads a type, remembering where it failed.
pub(crate) fn typed<T: DeserializeOwned>(tree: &Value) -> Result<T, ReadError> {
    // Where it fails, it is read again with an eye on the place.
    if let Ok(settings) = T::deserialize(tree) {
        return Ok(settings);
    }
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().iter().fold(Key::root(), |key, segment| match segment {
            serde_path_to_error::Segment::Map { key: name } => key.name(name),
            serde_path_to_error::Segment::Seq { index } => key.index(*index),
            // A variant is a step of the tree only where it is written as a key.
            serde_path_to_error::Segment::Enum { variant }
                if key.name(variant).get(tree).is_some() =>
            {
                key.name(variant)
            }
            // Nothing is known below an unknown.
            _ => key,
        });
        ReadError { key, message: error.into_inner().to_string() }
    })
}

/// Reads and validates the settings, or reports every mistake.
///
/// The tree is the merged one, in which what refers to a secret may hold one by now.
pub(crate) fn settings<T: Settings>(
    tree: &Value,
    merged: &Merged,
    schema: &Schema,
    referring: &[Reference],
) -> Result<T, Vec<Problem>> {
    let mut reading = Reading {
        tree,
        merged,
        schema,
        referring,
        problems: Vec::new(),
        seen: BTreeSet::new(),
        wrong: Vec::new(),
    };
    reading.check(&schema.view(), tree, &Trail::Root);
    let settings = reading.read::<T>();
    if let Some(settings) = &settings {
        let mut broken = Problems::default();
        // A rule that panics has not been kept; what it says may hold a value.
        if catch_unwind(AssertUnwindSafe(|| settings.validate(&mut broken))).is_err() {
            let message = "the settings' own rules panicked, which is a bug in them";
            reading.problems.push(Problem::at(&Key::root(), None, message));
        }
        for (key, message) in broken.into_inner() {
            // What was put in the place of a wrong value may be what breaks the rule.
            let is_doubtful = reading.wrong.iter().any(|wrong| {
                wrong.parent() == key.parent() || wrong.starts_with(&key) || key.starts_with(wrong)
            });
            if !is_doubtful {
                reading.add(&key, message);
            }
        }
    }
    match settings {
        Some(settings) if reading.problems.is_empty() => Ok(settings),
        _ => Err(reading.problems),
    }
}

struct Reading<'a> {
    tree: &'a Value,
    merged: &'a Merged,
    schema: &'a Schema,
    referring: &'a [Reference],
    problems: Vec<Problem>,
    /// One mistake a key: a second one is a consequence of the first.
    seen: BTreeSet<Key>,
    /// The keys whose values were wrong; not those that are unknown.
    wrong: Vec<Key>,
}

impl Reading<'_> {
    fn add(&mut self, key: &Key, message: impl Into<String>) {
        self.tell(key, Problem::at(key, self.merged.origin(key), message));
    }

    fn tell(&mut self, key: &Key, problem: Problem) {
        if !self.seen.insert(key.clone()) {
            return;
        }
        match self.problems.len() {
            MAX_PROBLEMS.. => {}
            LAST_PROBLEM => {
                let message = format!("there are more mistakes than these {LAST_PROBLEM}");
                self.problems.push(Problem { key: None, origin: None, message });
            }
            _ => self.problems.push(problem),
        }
    }

    fn wrong(&mut self, key: &Key, message: impl Into<String>) {
        self.wrong.push(key.clone());
        self.add(key, message);
    }

    /// What the schema can tell: unknown names, missing names, wrong types.
    fn check(&mut self, view: &View<'_>, value: &Value, key: &Trail<'_>) {
        if !view.fits(value) {
            let found = type_name(type_of(value));
            return self
                .wrong(&key.to_key(), format!("expected {}, found {found}", view.expected()));
        }
        let view = view.narrow(value);
        if value.as_f64().is_some_and(|number| !view.admits(number)) {
            return self.wrong(&key.to_key(), format!("expected {}", view.expected()));
        }
        match value {
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    if let Some(view) = view.item(index) {
                        self.check(&view, item, &key.index(index));
                    }
                }
            }
            Value::Object(table) => {
                for (name, value) in table {
                    let below = key.name(name);
                    match view.member(name) {
                        Some(member) => self.check(&member, value, &below),
                        None if view.is_closed() => self.unknown(&view, name, &below.to_key()),
                        None => {}
                    }
                }
                for name in view.required() {
                    if !table.contains_key(name) {
                        let expected = view.member(name).map_or(String::new(), |v| v.expected());
                        self.missing(&key.name(name).to_key(), &expected);
                    }
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self, view: &View<'_>, name: &str, key: &Key) {
        let members = view.members();
        let is_former = |member: &View<'_>| member.refused_names().any(|former| former == name);
        if let Some((present, _)) = members.iter().find(|(_, member)| is_former(member)) {
            let present = key.parent().unwrap_or_default().name(present);
            return self.add(key, format!("is called `{present}` now"));
        }
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
        self.tell(key, Problem::at(key, None, format!("missing; expected {expected}")));
    }

    /// What only the type can tell: reads it, and after a mistake reads it again without the part
    /// that was wrong, until all of them are known.
    fn read<T: Settings>(&mut self) -> Option<T> {
        let mut tree = Remainder::new(self.tree);
        // What the schema has refused would be refused again.
        for key in &self.seen {
            tree.take_out(key);
        }
        for _ in 0..MAX_PROBLEMS {
            let error = match T::read(tree.value()) {
                Ok(settings) => return Some(settings),
                Err(error) => error,
            };
            let table = tree.written(&error.key);
            let follows = || self.seen.iter().any(|seen| seen.starts_with(&table));
            let is_tag = |key: &Key| self.schema.at(key).is_some_and(|view| view.is_tag());
            let key = match tree.member_at_fault::<T>(&error, &is_tag) {
                None if follows() => table,
                found => {
                    let key = found.unwrap_or(table);
                    let message = self.say(&error, &key);
                    self.wrong(&key, message);
                    key
                }
            };
            if !tree.take_out(&key) {
                return None;
            }
        }
        None
    }

    /// Whether a key, or one below it, holds a secret.
    fn is_secret(&self, key: &Key) -> bool {
        let at = |key: &Key| self.schema.at(key).is_some_and(|view| view.is_secret());
        at(key)
            || key.last_name().is_some_and(is_credential)
            || self.referring.iter().any(|reference| reference.key.starts_with(key))
            || self
                .schema
                .leaves()
                .iter()
                .any(|(leaf, view)| leaf.starts_with(key) && view.is_secret())
    }

    /// The type's own words if they hold nothing of what was written, else what the schema expects.
    fn say(&self, error: &ReadError, key: &Key) -> String {
        let view = self.schema.at(key);
        if let Some(expected) = view.as_ref().and_then(View::explicit) {
            return format!("expected {expected}");
        }
        let is_secret = self.is_secret(key);
        // `invalid type: string "…", expected …`: what was found may be a secret, what was
        // expected comes from the code.
        if let Some((found, expected)) = error.message.rsplit_once(", expected ")
            && found.starts_with("invalid ")
            && !is_secret
            && !self.is_quoted(key, expected)
        {
            return format!("expected {}", in_words(expected).unwrap_or(expected));
        }
        if !is_secret && !error.message.is_empty() && !self.is_quoted(key, &error.message) {
            return error.message.clone();
        }
        format!("expected {}", view.map_or("another value".into(), |view| view.expected()))
    }

    /// Whether a message shows a part of what was written at a key or below it: a whole text, or
    /// more letters of one than may be chance.
    fn is_quoted(&self, key: &Key, message: &str) -> bool {
        const CHANCE: usize = 4;
        let message = message.to_lowercase();
        let letters: Vec<char> = message.chars().collect();
        let parts: HashSet<&[char]> = letters.windows(CHANCE).collect();
        self.written(key).iter().any(|text| {
            let text = text.to_lowercase();
            let letters: Vec<char> = text.chars().collect();
            let is_short = letters.len() < CHANCE;
            (is_short && message.contains(&text))
                || letters.windows(CHANCE).any(|part| parts.contains(part))
        })
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
        collect(key.get(self.tree).unwrap_or(&Value::Null), &mut texts);
        texts
    }
}

/// What serde calls a type, as people call it.
fn in_words(expected: &str) -> Option<&'static str> {
    Some(match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 up",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "isize" => "a whole number",
        "unit variant" => "a text",
        "newtype variant" | "struct variant" | "tuple variant" => "a table",
        _ => return None,
    })
}
