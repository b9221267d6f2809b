//! References to secrets inside text values: `secret://name:key` as the whole value, or
//! `${secret://name:key}` within one.

use core_types::{Secret, SecretRef};
use serde_json::Value;
use zeroize::Zeroize as _;

use crate::key::Trail;
use crate::merge::Merged;
use crate::{Key, Origin, Problem};

const OPENING: &str = "${secret://";

/// A reference that stands in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reference {
    /// The key whose value refers.
    pub key: Key,
    /// Where that was written.
    pub origin: Option<Origin>,
    /// What it refers to.
    pub target: SecretRef,
}

/// A text value, taken apart.
pub(crate) enum Part<'t> {
    Text(&'t str),
    Reference(&'t str),
    /// What begins as a reference and does not end.
    Unclosed(&'t str),
}

pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    if SecretRef::is_reference(text) {
        return vec![Part::Reference(text)];
    }
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPENING) {
        parts.push(Part::Text(&rest[..start]));
        let Some(length) = rest[start..].find('}') else {
            parts.push(Part::Unclosed(&rest[start + 2..]));
            return parts;
        };
        parts.push(Part::Reference(&rest[start + 2..start + length]));
        rest = &rest[start + length + 1..];
    }
    parts.push(Part::Text(rest));
    parts
}

/// Whether a whole value is a reference, which is no secret itself and may be shown.
pub(crate) fn is_reference(text: &str) -> bool {
    text.parse::<SecretRef>().is_ok()
}

/// Every reference in a tree, and those that are malformed, which are mistakes.
pub(crate) fn find(merged: &Merged) -> (Vec<Reference>, Vec<Problem>) {
    let (mut references, mut problems) = (Vec::new(), Vec::new());
    if !has_any(&merged.value) {
        return (references, problems);
    }
    each_text(&merged.value, &Trail::Root, &mut |key, text| {
        for part in parts(text) {
            let key = key.to_key();
            let origin = || merged.origin(&key);
            let mut refuse = |message: String| problems.push(Problem::at(&key, origin(), message));
            match part {
                Part::Text(_) => {}
                Part::Reference(reference) => match reference.parse() {
                    Ok(target) => {
                        let origin = origin();
                        references.push(Reference { key, origin, target });
                    }
                    Err(error) => refuse(error.to_string()),
                },
                Part::Unclosed(_) => refuse("the brace after `${secret://` is not closed".into()),
            }
        }
    });
    (references, problems)
}

/// Whether any text may hold a reference; most settings have none.
fn has_any(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("secret://"),
        Value::Array(list) => list.iter().any(has_any),
        Value::Object(table) => table.values().any(has_any),
        _ => false,
    }
}

/// Visits every text of a tree.
fn each_text(value: &Value, key: &Trail<'_>, visit: &mut dyn FnMut(Trail<'_>, &str)) {
    match value {
        Value::String(text) => visit(*key, text),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                each_text(item, &key.index(index), visit);
            }
        }
        Value::Object(table) => {
            for (name, item) in table {
                each_text(item, &key.name(name), visit);
            }
        }
        _ => {}
    }
}

/// Puts the values in the place of the references.
pub(crate) fn substitute(
    tree: &mut Value,
    references: &[Reference],
    resolve: &dyn Fn(&SecretRef) -> Result<Secret<String>, String>,
) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    let mut keys: Vec<&Key> = references.iter().map(|reference| &reference.key).collect();
    keys.dedup();
    for key in keys {
        let Some(Value::String(text)) = key.get_mut(tree) else { continue };
        let mut whole = String::new();
        for part in parts(text) {
            match part {
                Part::Text(text) => whole += text,
                Part::Unclosed(_) => unreachable!("malformed references were refused"),
                Part::Reference(reference) => {
                    let target = reference.parse().expect("malformed references were refused");
                    match resolve(&target) {
                        Ok(secret) => whole += secret.expose(),
                        Err(reason) => {
                            let at = references.iter().find(|reference| &reference.key == key);
                            let origin = at.and_then(|reference| reference.origin.clone());
                            let message = format!("{target} cannot be resolved: {reason}");
                            problems.push(Problem::at(key, origin, message));
                        }
                    }
                }
            }
        }
        *text = whole;
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Overwrites every text of a tree that held secrets.
pub(crate) fn wipe(tree: &mut Value) {
    match tree {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(table) => table.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::merge;
    use crate::node::Node;
    use serde_json::json;

    fn merged(value: Value) -> Merged {
        merge(vec![Node::from_value(value, &Origin::Default)])
    }

    /// CFG-10: anywhere in a text value, also inside lists and maps.
    #[test]
    fn references_are_found_and_replaced_anywhere() {
        let tree = merged(json!({
            "token": "secret://app:token",
            "list": ["plain", {"url": "db://u:${secret://db:password}@h/${secret://db:name}"}],
            "not": "${HOME} and secret://later",
        }));
        let (references, problems) = find(&tree);
        assert_eq!(problems, []);
        let targets: Vec<String> = references.iter().map(|r| r.target.to_string()).collect();
        assert_eq!(targets, ["secret://db:password", "secret://db:name", "secret://app:token"]);

        let mut value = tree.value.clone();
        let resolve = |target: &SecretRef| Ok(Secret::from(target.key().unwrap_or("-")));
        substitute(&mut value, &references, &resolve).unwrap();
        assert_eq!(value["token"], "token");
        assert_eq!(value["list"][1]["url"], "db://u:password@h/name");
        assert_eq!(value["not"], "${HOME} and secret://later");
        wipe(&mut value);
        assert_eq!(value, json!({"token": "", "list": ["", {"url": ""}], "not": ""}));
    }

    /// CFG-10: the error names the reference and its place, and never a value.
    #[test]
    fn what_cannot_be_resolved_is_named() {
        let tree = merged(json!({"a": "secret://app:token", "b": "x${secret://other}"}));
        let (references, _) = find(&tree);
        let mut value = tree.value.clone();
        let resolve = |_: &SecretRef| Err("not found in backend env".to_owned());
        let problems = substitute(&mut value, &references, &resolve).unwrap_err();
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "default: a: secret://app:token cannot be resolved: not found in backend env",
                "default: b: secret://other cannot be resolved: not found in backend env",
            ]
        );
    }

    /// CFG-10: what was hardly meant as a text is a mistake, and hides no other.
    #[test]
    fn malformed_references_are_mistakes() {
        let tree = merged(json!({
            "a": "secret://", "b": "x${secret://canary", "c": "${secret://x y}", "d": "secret://d"
        }));
        let (references, problems) = find(&tree);
        assert_eq!(references.len(), 1);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(texts[0].contains("a: expected a reference such as"), "{texts:?}");
        assert_eq!(texts[1], "default: b: the brace after `${secret://` is not closed");
        assert!(texts[2].contains("c: expected a reference such as"), "{texts:?}");
    }
}
