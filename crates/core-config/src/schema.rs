//! The schema of the settings type, as far as sources and checks need it.

mod view;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::{Map, Value};

pub(crate) use self::view::{View, type_name, type_of};
use crate::key::Segment;
use crate::{Key, Settings};

/// A JSON Schema with the definitions that it refers to.
///
/// It lives as long as the process: there is one for each settings type, and every reading needs it
/// again, with all that was found out about its places.
#[derive(Debug)]
pub(crate) struct Schema {
    view: View<'static>,
    /// Whether some key had another name, or is about to go.
    has_former_names: bool,
    named: OnceLock<Vec<(Key, View<'static>)>>,
}

impl Schema {
    pub(crate) fn new(schema: Value) -> Self {
        let root = Box::leak(Box::new(schema));
        let has_former_names = says(root, &["x-former", "x-deprecated", "deprecated"]);
        Self { view: View::new(root), has_former_names, named: OnceLock::new() }
    }

    /// The schema of a settings type.
    pub(crate) fn of<T: Settings>() -> &'static Self {
        static KNOWN: Mutex<BTreeMap<TypeId, &Schema>> = Mutex::new(BTreeMap::new());
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let one = known().get(&TypeId::of::<T>()).copied();
        // Made without the lock: the code of the type may do as it likes. Two at once are as good.
        one.unwrap_or_else(|| {
            let schema = Box::leak(Box::new(Self::new(T::schema())));
            known().entry(TypeId::of::<T>()).or_insert(schema)
        })
    }

    /// The whole, seen from the top.
    pub(crate) fn view(&self) -> View<'_> {
        self.view.clone()
    }

    /// Whether some key had another name, or is about to go.
    pub(crate) fn has_former_names(&self) -> bool {
        self.has_former_names
    }

    /// What may stand at a key; `None` where the schema knows nothing of it.
    pub(crate) fn at(&self, key: &Key) -> Option<View<'_>> {
        key.segments().iter().try_fold(self.view(), |view, segment| match segment {
            Segment::Name(name) => view.member(name),
            Segment::Index(index) => view.item(*index),
        })
    }

    /// Every key that can be written down, tables with fixed names taken apart.
    pub(crate) fn leaves(&self) -> Vec<(Key, View<'static>)> {
        let mut leaves = Vec::new();
        self.walk(&mut |key, view, is_leaf| {
            if is_leaf {
                leaves.push((key.clone(), view.clone()));
            }
        });
        leaves
    }

    /// Those of the leaves that name variables.
    pub(crate) fn named(&self) -> &[(Key, View<'_>)] {
        self.named.get_or_init(|| {
            let mut named = self.leaves();
            named.retain(|(_, view)| {
                let names = view.short_names().chain(view.variable_names());
                names.chain(view.fallback_names()).count() > 0
            });
            named
        })
    }

    /// Visits every key, each table before what stands in it, and says whether it is a leaf.
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Key, &View<'static>, bool)) {
        walk(&self.view, &Key::root(), &mut Vec::new(), visit);
    }
}

/// Whether a keyword stands anywhere in a schema.
fn says(place: &Value, keywords: &[&str]) -> bool {
    match place {
        Value::Object(part) => {
            keywords.iter().any(|keyword| part.contains_key(*keyword))
                || part.values().any(|place| says(place, keywords))
        }
        Value::Array(list) => list.iter().any(|place| says(place, keywords)),
        _ => false,
    }
}

/// Everything that may stand at a place: one shape for each alternative.
fn shapes_of<'s>(
    root: &'s Value,
    place: &'s Value,
    depth: usize,
) -> Vec<Vec<&'s Map<String, Value>>> {
    let Some(part) = place.as_object().filter(|_| depth > 0) else { return vec![Vec::new()] };
    let list = |name: &str| part.get(name).and_then(Value::as_array).into_iter().flatten();
    let target = part.get("$ref").and_then(Value::as_str);
    let definition = target.and_then(|target| root.pointer(target.strip_prefix('#')?));
    let together = definition.into_iter().chain(list("allOf"));
    let mut shapes = vec![vec![part]];
    for place in together {
        shapes = combined(&shapes, &shapes_of(root, place, depth - 1));
    }
    for alternatives in ["anyOf", "oneOf"] {
        let places = list(alternatives);
        let any: Vec<_> = places.flat_map(|place| shapes_of(root, place, depth - 1)).collect();
        if !any.is_empty() {
            shapes = combined(&shapes, &any);
        }
    }
    shapes
}

/// Whether two parts are one and the same place of the schema.
fn same(a: &Map<String, Value>, b: &Map<String, Value>) -> bool {
    std::ptr::eq(a, b)
}

fn combined<P: Copy>(shapes: &[Vec<P>], with: &[Vec<P>]) -> Vec<Vec<P>> {
    shapes.iter().flat_map(|a| with.iter().map(|b| [&a[..], &b[..]].concat())).collect()
}

fn walk(
    view: &View<'static>,
    key: &Key,
    above: &mut Vec<&'static Map<String, Value>>,
    visit: &mut dyn FnMut(&Key, &View<'static>, bool),
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
        walk(member, &key.name(name), above, visit);
    }
    above.truncate(length);
}

#[cfg(test)]
mod tests;
