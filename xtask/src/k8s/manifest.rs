//! Kubernetes' objects, read from YAML.

use anyhow::{Context as _, bail};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value};

/// The objects of a file, in its order.
pub(crate) fn read(text: &str) -> anyhow::Result<Vec<Value>> {
    Yaml::load_from_str(text)?.iter().map(value).collect()
}

fn value(yaml: &Yaml<'_>) -> anyhow::Result<Value> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(it)) => (*it).into(),
        Yaml::Value(Scalar::Integer(it)) => (*it).into(),
        Yaml::Value(Scalar::FloatingPoint(it)) => it.into_inner().into(),
        Yaml::Value(Scalar::String(it)) => it.as_ref().into(),
        Yaml::Sequence(all) => all.iter().map(value).collect::<anyhow::Result<_>>()?,
        Yaml::Mapping(all) => {
            let pair = |(key, it): (&Yaml<'_>, _)| {
                let key = key.as_str().context("a key is not text")?.to_owned();
                Ok((key, value(it)?))
            };
            Value::Object(all.iter().map(pair).collect::<anyhow::Result<Map<_, _>>>()?)
        }
        other => bail!("not understood: {other:?}"),
    })
}

/// The text at a place, or nothing.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a place, or nothing.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(crate) fn kind(object: &Value) -> &str {
    text(object, "/kind")
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

#[cfg(test)]
/// The template of the pods that an object makes.
pub(crate) fn pod(object: &Value) -> Option<&Value> {
    matches!(kind(object), "Deployment" | "StatefulSet")
        .then(|| object.pointer("/spec/template"))?
}

#[cfg(test)]
/// All containers of a pod's template, those that run first among them.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    list(pod, "/spec/initContainers").iter().chain(list(pod, "/spec/containers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_read_as_the_api_server_reads_them() {
        let objects = read("kind: A\na: [1, true, \"1\", 10Gi, null]\n---\nkind: B\n").unwrap();
        let expected = serde_json::json!({"kind": "A", "a": [1, true, "1", "10Gi", null]});
        assert_eq!(objects, [expected, serde_json::json!({"kind": "B"})]);
    }
}
