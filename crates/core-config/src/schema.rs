//! The schema of the settings type, as far as sources and checks need it.

mod view;

use serde_json::Value;

pub(crate) use self::view::{View, type_name};
use crate::Key;
use crate::key::Segment;

/// How deep references and tables are followed. A settings type that is deeper refers to itself.
const MAX_DEPTH: usize = 24;

/// A JSON Schema with the definitions that it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Schema(Value);

impl Schema {
    pub(crate) fn new(schema: Value) -> Self {
        Self(schema)
    }

    /// The whole, seen from the top.
    pub(crate) fn view(&self) -> View<'_> {
        View::new(self, &self.0)
    }

    /// The schema that a reference names.
    fn definition(&self, reference: &str) -> Option<&Value> {
        self.0.pointer(reference.strip_prefix('#')?)
    }

    /// What may stand at a key; `None` where the schema knows nothing of it.
    pub(crate) fn at(&self, key: &Key) -> Option<View<'_>> {
        key.segments().iter().try_fold(self.view(), |view, segment| match segment {
            Segment::Name(name) => view.member(name),
            Segment::Index(_) => view.items(),
        })
    }

    /// Every key that can be written down, tables with fixed names taken apart.
    pub(crate) fn leaves(&self) -> Vec<(Key, View<'_>)> {
        let mut leaves = Vec::new();
        collect(&self.view(), &Key::root(), &mut leaves);
        leaves
    }
}

fn collect<'s>(view: &View<'s>, key: &Key, leaves: &mut Vec<(Key, View<'s>)>) {
    let members = view.members();
    if members.is_empty() || key.segments().len() >= MAX_DEPTH {
        leaves.push((key.clone(), view.clone()));
    }
    for (name, member) in members {
        collect(&member, &key.name(name), leaves);
    }
}
