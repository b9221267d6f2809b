use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::key::Segment;
use crate::{Key, Origin};

/// A value as it was written, with the place of every part of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) origin: Origin,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Node {
    pub(crate) fn new(origin: Origin, kind: Kind) -> Self {
        Self { origin, kind }
    }

    /// A value all of whose parts came from one place.
    pub(crate) fn from_value(value: Value, origin: &Origin) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Bool(value),
            Value::Number(value) => Kind::Number(value),
            Value::String(value) => Kind::Text(value),
            Value::Array(list) => {
                Kind::List(list.into_iter().map(|v| Self::from_value(v, origin)).collect())
            }
            Value::Object(table) => Kind::Table(
                table.into_iter().map(|(k, v)| (k, Self::from_value(v, origin))).collect(),
            ),
        };
        Self::new(origin.clone(), kind)
    }

    /// An empty table.
    pub(crate) fn table(origin: Origin) -> Self {
        Self::new(origin, Kind::Table(BTreeMap::new()))
    }

    /// Puts a value at a key of names, making the tables above it. Replaces what stood there.
    pub(crate) fn insert(&mut self, key: &Key, value: Self) {
        self.insert_at(key.segments(), value);
    }

    fn insert_at(&mut self, segments: &[Segment], value: Self) {
        let Some((first, rest)) = segments.split_first() else {
            *self = value;
            return;
        };
        let Segment::Name(first) = first else { unreachable!("sources set whole lists") };
        if !matches!(self.kind, Kind::Table(_)) {
            self.kind = Kind::Table(BTreeMap::new());
        }
        let Kind::Table(entries) = &mut self.kind else { unreachable!("made a table above") };
        let origin = value.origin.clone();
        let entry = entries.entry(first.to_string()).or_insert_with(|| Self::table(origin));
        entry.insert_at(rest, value);
    }

    /// The value alone.
    pub(crate) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Number(number) => number.clone().into(),
            Kind::Text(text) => text.clone().into(),
            Kind::List(list) => list.iter().map(Self::to_value).collect(),
            Kind::Table(entries) => {
                entries.iter().map(|(name, node)| (name.clone(), node.to_value())).collect()
            }
        }
    }

    /// The part at a key.
    pub(crate) fn get(&self, key: &Key) -> Option<&Self> {
        key.segments().iter().try_fold(self, Self::below)
    }

    /// The part one step below.
    pub(crate) fn below(&self, segment: &Segment) -> Option<&Self> {
        match (&self.kind, segment) {
            (Kind::Table(entries), Segment::Name(name)) => entries.get(&**name),
            (Kind::List(list), Segment::Index(index)) => list.get(*index),
            _ => None,
        }
    }
}
