//! The schema of the settings type, as far as sources and checks need it.

mod view;

use serde_json::{Map, Value};

pub(crate) use self::view::{View, type_name, type_of};
use crate::Key;
use crate::key::Segment;

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

    /// Everything that may stand at a place: one shape for each alternative.
    fn shapes<'s>(&'s self, place: &'s Value, depth: usize) -> Vec<Vec<&'s Map<String, Value>>> {
        let Some(part) = place.as_object().filter(|_| depth > 0) else { return vec![Vec::new()] };
        let list = |name: &str| part.get(name).and_then(Value::as_array).into_iter().flatten();
        let target = part.get("$ref").and_then(Value::as_str);
        let definition = target.and_then(|target| self.0.pointer(target.strip_prefix('#')?));
        let together = definition.into_iter().chain(list("allOf"));
        let mut shapes = vec![vec![part]];
        for place in together {
            shapes = combined(&shapes, &self.shapes(place, depth - 1));
        }
        for alternatives in ["anyOf", "oneOf"] {
            let places = list(alternatives);
            let any: Vec<_> = places.flat_map(|place| self.shapes(place, depth - 1)).collect();
            if !any.is_empty() {
                shapes = combined(&shapes, &any);
            }
        }
        shapes
    }

    /// What may stand at a key; `None` where the schema knows nothing of it.
    pub(crate) fn at(&self, key: &Key) -> Option<View<'_>> {
        key.segments().iter().try_fold(self.view(), |view, segment| match segment {
            Segment::Name(name) => view.member(name),
            Segment::Index(index) => view.item(*index),
        })
    }

    /// Every key that can be written down, tables with fixed names taken apart.
    pub(crate) fn leaves(&self) -> Vec<(Key, View<'_>)> {
        let mut leaves = Vec::new();
        self.walk(&mut |key, view, is_leaf| {
            if is_leaf {
                leaves.push((key.clone(), view.clone()));
            }
        });
        leaves
    }

    /// Visits every key, each table before what stands in it, and says whether it is a leaf.
    pub(crate) fn walk<'s>(&'s self, visit: &mut dyn FnMut(&Key, &View<'s>, bool)) {
        walk(&self.view(), &Key::root(), &mut Vec::new(), visit);
    }
}

/// Whether two parts are one and the same place of the schema.
fn same(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    std::ptr::eq(a, b)
}

fn combined<P: Copy>(shapes: &[Vec<P>], with: &[Vec<P>]) -> Vec<Vec<P>> {
    shapes.iter().flat_map(|a| with.iter().map(|b| [&a[..], &b[..]].concat())).collect()
}

fn walk<'s>(
    view: &View<'s>,
    key: &Key,
    above: &mut Vec<&'s Map<String, Value>>,
    visit: &mut dyn FnMut(&Key, &View<'s>, bool),
) {
    let tables = view.tables();
    // A type that holds itself goes on without end: it is whole where it comes again.
    let is_again = tables.iter().any(|table| above.iter().any(|known| same(known, table)));
    if tables.is_empty() || is_again {
        return visit(key, view, true);
    }
    visit(key, view, false);
    let length = above.len();
    above.extend(tables);
    for (name, member) in view.members() {
        walk(&member, &key.name(name), above, visit);
    }
    above.truncate(length);
}

#[cfg(test)]
mod tests;
