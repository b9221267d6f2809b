use serde_json::{Map, Value};

use super::{MAX_DEPTH, Schema};

/// One place of a schema, with references followed and alternatives taken together.
#[derive(Clone, Debug)]
pub(crate) struct View<'s> {
    schema: &'s Schema,
    /// The place itself, what it refers to, and its alternatives. Nearest first.
    parts: Vec<&'s Map<String, Value>>,
    /// Whether more than one alternative is a table, so that names cannot be checked one by one.
    is_union: bool,
}

impl<'s> View<'s> {
    pub(super) fn new(schema: &'s Schema, place: &'s Value) -> Self {
        let mut view = Self { schema, parts: Vec::new(), is_union: false };
        view.gather(place, 0);
        let is_table = |part: &&&Map<String, Value>| part.contains_key("properties");
        view.is_union = view.parts.iter().filter(is_table).count() > 1
            && view
                .parts
                .iter()
                .any(|part| part.contains_key("oneOf") || part.contains_key("anyOf"));
        view
    }

    fn gather(&mut self, place: &'s Value, depth: usize) {
        let Some(part) = place.as_object().filter(|_| depth < MAX_DEPTH) else { return };
        self.parts.push(part);
        let target = part.get("$ref").and_then(Value::as_str);
        if let Some(definition) = target.and_then(|target| self.schema.definition(target)) {
            self.gather(definition, depth + 1);
        }
        for alternatives in ["allOf", "anyOf", "oneOf"] {
            for alternative in
                part.get(alternatives).and_then(Value::as_array).into_iter().flatten()
            {
                self.gather(alternative, depth + 1);
            }
        }
    }

    /// The nearest value of a keyword.
    fn keyword(&self, name: &str) -> Option<&'s Value> {
        self.parts.iter().find_map(|part| part.get(name))
    }

    /// The texts of a keyword that is a list.
    fn texts(&self, name: &str) -> impl Iterator<Item = &'s str> {
        self.keyword(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The JSON types that may stand here; empty if any may.
    pub(crate) fn types(&self) -> Vec<&'s str> {
        let mut types: Vec<&str> = Vec::new();
        for part in &self.parts {
            match part.get("type") {
                Some(Value::String(name)) => types.push(name),
                Some(Value::Array(names)) => types.extend(names.iter().filter_map(Value::as_str)),
                _ => {}
            }
        }
        types.sort_unstable();
        types.dedup();
        types
    }

    pub(crate) fn allows(&self, json_type: &str) -> bool {
        let types = self.types();
        types.is_empty() || types.contains(&json_type)
    }

    /// The names of a table with fixed names, each with what may stand there.
    pub(crate) fn members(&self) -> Vec<(&'s str, View<'s>)> {
        let mut members: Vec<(&str, View<'s>)> = Vec::new();
        for part in &self.parts {
            for (name, place) in
                part.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                if !members.iter().any(|(known, _)| known == name) {
                    members.push((name, Self::new(self.schema, place)));
                }
            }
        }
        members
    }

    /// What may stand under a name: a fixed one, or any name of a map.
    pub(crate) fn member(&self, name: &str) -> Option<View<'s>> {
        let fixed = |part: &&'s Map<String, Value>| part.get("properties")?.get(name);
        let fixed = self.parts.iter().find_map(fixed).map(|place| Self::new(self.schema, place));
        fixed.or_else(|| self.values())
    }

    /// What may stand under any name, if this is a map.
    pub(crate) fn values(&self) -> Option<View<'s>> {
        let additional = self.keyword("additionalProperties")?;
        (additional != &Value::Bool(false)).then(|| Self::new(self.schema, additional))
    }

    /// What may stand in the list, if this is one.
    pub(crate) fn items(&self) -> Option<View<'s>> {
        self.keyword("items").map(|place| Self::new(self.schema, place))
    }

    /// Whether a name that is not among the members is a mistake.
    pub(crate) fn is_closed(&self) -> bool {
        !self.is_union && self.values().is_none() && !self.members().is_empty()
    }

    /// Whether names cannot be checked, for the table has several shapes.
    pub(crate) fn is_union(&self) -> bool {
        self.is_union
    }

    /// The names that must be written, because the type has no default for them.
    pub(crate) fn required(&self) -> Vec<&'s str> {
        if self.is_union { Vec::new() } else { self.texts("required").collect() }
    }

    /// The default, where the type says one.
    pub(crate) fn default(&self) -> Option<&'s Value> {
        self.keyword("default")
    }

    /// Whether this is a secret by its type.
    pub(crate) fn is_secret(&self) -> bool {
        self.keyword("writeOnly") == Some(&Value::Bool(true))
    }

    /// Short names, behind the prefix, of the environment variable.
    pub(crate) fn short_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-short")
    }

    /// Whole names of environment variables.
    pub(crate) fn variable_names(&self) -> impl Iterator<Item = &'s str> {
        self.texts("x-env")
    }

    /// The texts that may stand here, if they are a fixed few.
    pub(crate) fn choices(&self) -> Vec<&'s str> {
        let consts =
            self.parts.iter().filter_map(|part| part.get("const")).filter_map(Value::as_str);
        let enums = self.parts.iter().filter_map(|part| part.get("enum").and_then(Value::as_array));
        consts.chain(enums.flatten().filter_map(Value::as_str)).collect()
    }

    /// The least and the greatest number.
    pub(crate) fn bounds(&self) -> (Option<&'s Value>, Option<&'s Value>) {
        (self.keyword("minimum"), self.keyword("maximum"))
    }

    /// What is expected here, in the words of the settings type itself.
    pub(crate) fn explicit(&self) -> Option<&'s str> {
        self.keyword("x-expected").and_then(Value::as_str)
    }

    /// What is expected here, in words.
    pub(crate) fn expected(&self) -> String {
        if let Some(format) = self.keyword("format").and_then(Value::as_str) {
            match format {
                "duration-text" => {
                    return "a duration such as `30s`, or a number of seconds".into();
                }
                "byte-size" => return "a size such as `10MiB`, or a number of bytes".into(),
                _ => {}
            }
        }
        if let Some(expected) = self.explicit() {
            return expected.into();
        }
        let choices = self.choices();
        if !choices.is_empty() {
            let quoted: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
            return format!("one of {}", quoted.join(", "));
        }
        let types = self.types();
        let names: Vec<&str> =
            types.iter().filter(|name| **name != "null").map(|name| type_name(name)).collect();
        let mut text = if names.is_empty() { "another value".into() } else { names.join(" or ") };
        match self.bounds() {
            (Some(least), Some(greatest)) => text += &format!(" from {least} to {greatest}"),
            (Some(least), None) => text += &format!(" from {least} up"),
            (None, Some(greatest)) => text += &format!(" up to {greatest}"),
            (None, None) => {}
        }
        text
    }
}

/// A JSON type as people call it.
pub(crate) fn type_name(json_type: &str) -> &str {
    match json_type {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a table",
        "null" => "nothing",
        other => other,
    }
}
