//! The layers become one tree: tables merge, everything else replaces. `config` does the merging;
//! origins travel through it as numbers in its own text field.

use config::{Map, Source, Value as Merging, ValueKind};
use serde_json::{Number, Value};

use crate::node::{Kind, Node};
use crate::{Key, Origin};

/// The name under which a whole layer is merged, so that `config` takes none of its keys apart.
const WHOLE: &str = "settings";

/// The merged tree, and where each part of it came from.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) value: Value,
    /// The same, with the place of every part.
    written: Node,
    /// What was merged, the weakest first; nothing if there was one layer alone.
    layers: Vec<Node>,
}

impl Merged {
    /// The origin of a key, or of the nearest table above it that was written. The whole has none:
    /// every source is part of it.
    pub(crate) fn origin(&self, key: &Key) -> Option<Origin> {
        let (mut node, mut origin) = (&self.written, None);
        for segment in key.segments() {
            let Some(below) = node.below(segment) else { break };
            (node, origin) = (below, Some(&below.origin));
        }
        origin.cloned()
    }

    /// What was written at a key itself.
    pub(crate) fn written(&self, key: &Key) -> Option<&Node> {
        self.written.get(key)
    }

    /// What weaker layers say of a key, the strongest first.
    pub(crate) fn overridden(&self, key: &Key) -> impl Iterator<Item = &Node> {
        // The strongest of all is the value itself.
        self.layers.iter().rev().filter_map(|layer| layer.get(key)).skip(1)
    }
}

/// Merges layers, the weakest first.
pub(crate) fn merge(mut layers: Vec<Node>) -> Merged {
    layers.retain(|layer| !matches!(&layer.kind, Kind::Table(entries) if entries.is_empty()));
    let written = match layers.len() {
        // There is nothing to merge.
        0 | 1 => layers.pop().unwrap_or_else(|| Node::table(Origin::Default)),
        _ => merged(&layers),
    };
    Merged { value: written.to_value(), written, layers }
}

fn merged(layers: &[Node]) -> Node {
    let mut origins = Vec::new();
    let mut builder = config::Config::builder();
    for layer in layers {
        builder = builder.add_source(Layer(to_merging(layer, &mut origins)));
    }
    let mut whole = builder.build().expect("a layer in memory cannot fail to be collected").cache;
    let settings = match &mut whole.kind {
        ValueKind::Table(table) => table.remove(WHOLE),
        _ => None,
    };
    let mut merged = from_merging(settings.expect("every layer has this name"), &origins);
    layers.iter().for_each(|layer| claim(&mut merged, layer));
    merged
}

/// `config` makes tables anew; the last layer that names one is its origin.
fn claim(merged: &mut Node, layer: &Node) {
    if let (Kind::Table(entries), Kind::Table(named)) = (&mut merged.kind, &layer.kind) {
        merged.origin = layer.origin.clone();
        for (name, node) in named {
            if let Some(entry) = entries.get_mut(name) {
                claim(entry, node);
            }
        }
    }
}

#[derive(Clone, Debug)]
struct Layer(Merging);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Merging>, config::ConfigError> {
        Ok([(WHOLE.to_owned(), self.0.clone())].into_iter().collect())
    }
}

fn to_merging(node: &Node, origins: &mut Vec<Origin>) -> Merging {
    let origin = origins.len().to_string();
    origins.push(node.origin.clone());
    let kind = match &node.kind {
        Kind::Null => ValueKind::Nil,
        Kind::Bool(value) => ValueKind::Boolean(*value),
        Kind::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), ..) => ValueKind::I64(value),
            (_, Some(value), _) => ValueKind::U64(value),
            (.., value) => ValueKind::Float(value.unwrap_or_default()),
        },
        Kind::Text(text) => ValueKind::String(text.clone()),
        Kind::List(list) => {
            ValueKind::Array(list.iter().map(|node| to_merging(node, origins)).collect())
        }
        Kind::Table(entries) => ValueKind::Table(
            entries.iter().map(|(name, node)| (name.clone(), to_merging(node, origins))).collect(),
        ),
    };
    Merging::new(Some(&origin), kind)
}

fn from_merging(merging: Merging, origins: &[Origin]) -> Node {
    let origin = merging.origin().and_then(|number| number.parse::<usize>().ok());
    let origin = origin.and_then(|number| origins.get(number)).unwrap_or(&Origin::Default);
    let kind = match merging.kind {
        ValueKind::Nil => Kind::Null,
        ValueKind::Boolean(value) => Kind::Bool(value),
        ValueKind::I64(value) => Kind::Number(value.into()),
        ValueKind::U64(value) => Kind::Number(value.into()),
        ValueKind::Float(value) => Number::from_f64(value).map_or(Kind::Null, Kind::Number),
        ValueKind::String(text) => Kind::Text(text),
        ValueKind::Array(list) => {
            Kind::List(list.into_iter().map(|item| from_merging(item, origins)).collect())
        }
        ValueKind::Table(entries) => Kind::Table(
            entries.into_iter().map(|(name, item)| (name, from_merging(item, origins))).collect(),
        ),
        ValueKind::I128(_) | ValueKind::U128(_) => unreachable!("no source makes such numbers"),
    };
    Node::new(origin.clone(), kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn layer(value: Value, name: &str) -> Node {
        Node::from_value(value, &Origin::Variable { name: name.into() })
    }

    /// CFG-1: tables merge, arrays replace, an explicit null replaces too.
    #[test]
    fn tables_merge_and_everything_else_replaces() {
        let merged = merge(vec![
            layer(json!({"a": {"x": 1, "y": [1, 2, 3]}, "b": 1, "dotted.key": 1}), "first"),
            layer(json!({"a": {"y": [9], "z": true}, "b": null}), "second"),
        ]);
        let expected = json!({"a": {"x": 1, "y": [9], "z": true}, "b": null, "dotted.key": 1});
        assert_eq!(merged.value, expected);
        let origin = |key: &str| merged.origin(&Key::parse(key).unwrap()).unwrap().to_string();
        assert_eq!(origin("a.x"), "variable first");
        assert_eq!(origin("a.y[0]"), "variable second");
        assert_eq!(origin("a.z.below"), "variable second");
        assert_eq!(merged.origin(&Key::root()), None, "no source is the whole");
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c. \\[]{1,3}", inner, 0..4)
                    .prop_map(|table| Value::Object(table.into_iter().collect())),
            ]
        })
    }

    /// What merging means, in ten lines.
    fn model(below: Value, above: Value) -> Value {
        match (below, above) {
            (Value::Object(mut below), Value::Object(above)) => {
                for (name, value) in above {
                    let merged = match below.remove(&name) {
                        Some(existing) => model(existing, value),
                        None => value,
                    };
                    below.insert(name, merged);
                }
                Value::Object(below)
            }
            (_, above) => above,
        }
    }

    proptest! {
        /// CFG-1: merging follows the model, whatever the names and values.
        #[test]
        fn merging_follows_the_model(
            layers in proptest::collection::vec(
                proptest::collection::btree_map("[a-c. ]{1,3}", any_value(), 0..4), 1..4),
        ) {
            let layers: Vec<Value> =
                layers.into_iter().map(|table| Value::Object(table.into_iter().collect())).collect();
            let nodes: Vec<Node> = layers.iter().map(|value| layer(value.clone(), "v")).collect();
            let expected = layers.into_iter().fold(json!({}), model);
            prop_assert_eq!(merge(nodes).value, expected);
        }
    }
}
